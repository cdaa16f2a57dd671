// Runs a spout as an engine source: opens it when the topology is active, asks it for tuples, tells it of acks and fails on
// its own turn, activates and deactivates it. A spout of an inactive topology is not even opened, as in Storm.
import { asError, type Source, type SourceSpiContext, type Tally } from 'gearpump/spi'
import type { Credentials, Spout, SpoutOutputCollector, Values } from './api.ts'
import { Outputs } from './outputs.ts'
import type { ComponentPlace } from './place.ts'
import { SpoutTally, samplingOf } from './tally.ts'

export class SpoutSource implements Source<Values> {
  readonly #place: ComponentPlace
  readonly #create: () => Spout
  #context!: SourceSpiContext
  #collector!: Collector
  #outputs: Outputs | undefined = undefined
  #spout: Spout | undefined = undefined
  #activated = false
  #closed = false
  readonly #tally: SpoutTally

  constructor(place: ComponentPlace, create: () => Spout) {
    this.#place = place
    this.#create = create
    this.#tally = new SpoutTally(place.component, samplingOf(place.conf))
  }

  open = async (given: unknown): Promise<void> => {
    this.#context = given as SourceSpiContext
    const topology = this.#place.contextOf(this.#context)
    const { counts } = this.#tally
    const outputs = new Outputs(topology, this.#place, port => this.#context.outlet(port), counts)
    this.#outputs = outputs
    this.#collector = new Collector(this.#context, outputs, this.#tally)
    if (this.#context.active) await this.#openSpout()
  }

  // Undefined: closed meanwhile.
  async #openSpout(): Promise<Spout | undefined> {
    const spout = this.#create()
    const { credentials } = this.#context
    if (Object.keys(credentials).length > 0) await spout.setCredentials?.(credentials)
    await spout.open(this.#place.conf, this.#place.contextOf(this.#context), this.#collector)
    // Nobody else knows that it was opened.
    if (this.#closed) return void (await spout.close?.())
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
    if (spout === undefined) return
    this.#activated = true
    await spout.activate?.()
  }

  onActive = (active: boolean): void | Promise<void> => {
    if (active) return this.#activated ? undefined : this.#activate()
    if (!this.#activated) return undefined
    this.#activated = false
    return this.#spout?.deactivate?.()
  }

  onCredentials = (credentials: Credentials): void | Promise<void> =>
    this.#spout?.setCredentials?.(credentials)

  done(id: unknown): void | Promise<void> {
    const tally = this.#tally
    return this.#spout?.ack?.(tally.watches ? tally.acked(id) : id)
  }

  fail(id: unknown): void | Promise<void> {
    this.#collector.isExhausted = false
    const tally = this.#tally
    return this.#spout?.fail?.(tally.watches ? tally.failed(id) : id)
  }

  tally = (): Tally => {
    const counts = Array.from(this.#tally.counts)
    this.#outputs?.addTo(counts, this.#context.emitted)
    if (this.#outputs !== undefined) this.#tally.addTo(counts, this.#context)
    return counts
  }

  close = async (): Promise<void> => {
    this.#closed = true
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
  readonly #tally: SpoutTally

  constructor(context: SourceSpiContext, outputs: Outputs, tally: SpoutTally) {
    this.#context = context
    this.#outputs = outputs
    this.#tally = tally
  }

  emit(values: Values, messageId?: unknown, stream = 'default'): readonly number[] {
    const outlet = this.#outputs.ordinary(stream, values)
    this.emits++
    const tally = this.#tally
    const id = tally.several ? tally.marked(messageId, stream) : messageId
    if (--tally.left === 0) tally.begin(id)
    const answer = this.#context.emitRoot(outlet, values, id)
    return outlet === undefined ? this.#outputs.none : this.#outputs.ids(answer, outlet)
  }

  emitDirect(task: number, values: Values, messageId?: unknown, stream = 'default'): void {
    const outlet = this.#outputs.direct(stream, values)
    this.emits++
    const id = this.#tally.several ? this.#tally.marked(messageId, stream) : messageId
    if (this.#context.emitRootTo(outlet, task, values, id)) this.#outputs.sentDirectly()
  }

  reportError(error: Error): void {
    this.#context.report(error)
  }

  orphanAll(): void {
    this.#tally.forgotten()
    this.#context.orphanAll()
  }

  exhausted(): void {
    this.isExhausted = true
  }
}
