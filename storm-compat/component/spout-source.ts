// Runs a spout as an engine source: opens it when the topology is active, asks it for tuples, tells it of acks and fails on
// its own turn, activates and deactivates it. A spout of an inactive topology is not even opened, as in Storm.
import { asError, type Source, type SourceSpiContext } from 'gearpump/spi'
import type { Spout, SpoutOutputCollector, Values } from './api.ts'
import { Outputs } from './outputs.ts'
import type { ComponentPlace } from './place.ts'

export class SpoutSource implements Source<Values> {
  readonly #place: ComponentPlace
  readonly #create: () => Spout
  #context!: SourceSpiContext
  #collector!: Collector
  #spout: Spout | undefined = undefined
  #activated = false

  constructor(place: ComponentPlace, create: () => Spout) {
    this.#place = place
    this.#create = create
  }

  open = async (given: unknown): Promise<void> => {
    this.#context = given as SourceSpiContext
    const topology = this.#place.contextOf(this.#context)
    const outputs = new Outputs(topology, this.#place, port => this.#context.outlet(port))
    this.#collector = new Collector(this.#context, outputs)
    if (this.#context.active) await this.#openSpout()
  }

  async #openSpout(): Promise<Spout> {
    const spout = this.#create()
    await spout.open(this.#place.conf, this.#place.contextOf(this.#context), this.#collector)
    this.#spout = spout
    return spout
  }

  next(): boolean | 'end' | Promise<boolean | 'end'> {
    if (this.#activated === false) return this.#activate().then(() => true)
    const collector = this.#collector
    const before = collector.emits
    const result = this.#spout!.nextTuple()
    if (result === undefined) return this.#answer(before)
    return result.then(() => this.#answer(before))
  }

  #answer(before: number): boolean | 'end' {
    if (this.#collector.emits !== before) return true
    return this.#collector.isExhausted ? 'end' : false
  }

  async #activate(): Promise<void> {
    const spout = this.#spout ?? (await this.#openSpout())
    this.#activated = true
    await spout.activate?.()
  }

  onActive = (active: boolean): void | Promise<void> => {
    if (active) return this.#activated ? undefined : this.#activate()
    if (!this.#activated) return undefined
    this.#activated = false
    return this.#spout?.deactivate?.()
  }

  done(id: unknown): void | Promise<void> {
    return this.#spout?.ack?.(id)
  }

  fail(id: unknown): void | Promise<void> {
    this.#collector.isExhausted = false
    return this.#spout?.fail?.(id)
  }

  close = async (): Promise<void> => {
    const spout = this.#spout
    if (spout === undefined) return
    try {
      // Storm deactivates before it closes: libraries flush there.
      if (this.#activated) await spout.deactivate?.()
    } catch (error) {
      this.#context.report(asError(error))
    }
    this.#activated = false
    await spout.close?.()
  }
}

class Collector implements SpoutOutputCollector {
  emits = 0
  isExhausted = false
  readonly #context: SourceSpiContext
  readonly #outputs: Outputs

  constructor(context: SourceSpiContext, outputs: Outputs) {
    this.#context = context
    this.#outputs = outputs
  }

  emit(values: Values, messageId?: unknown, stream = 'default'): readonly number[] {
    const outlet = this.#outputs.ordinary(stream, values)
    this.emits++
    const answer = this.#context.emitRoot(outlet, values, messageId)
    return outlet === undefined ? this.#outputs.none : this.#outputs.ids(answer, outlet)
  }

  emitDirect(task: number, values: Values, messageId?: unknown, stream = 'default'): void {
    const outlet = this.#outputs.direct(stream, values)
    this.emits++
    this.#context.emitRootTo(outlet, task, values, messageId)
  }

  reportError(error: Error): void {
    this.#context.report(error)
  }

  orphanAll(): void {
    this.#context.orphanAll()
  }

  exhausted(): void {
    this.isExhausted = true
  }
}
