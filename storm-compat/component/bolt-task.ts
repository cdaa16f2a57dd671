// Runs a bolt as an engine task: makes tuples of messages, gives the bolt its collector, delivers ticks, and starts the
// bolt anew when it throws. A rich bolt's inputs are held until it acks or fails them; a basic bolt's are the engine's.
import {
  anchorClosed,
  asError,
  Backoff,
  type Hold,
  NONE,
  type Outlet,
  type Tally,
  type Task,
  type TaskSpiContext,
} from 'gearpump/spi'
import {
  type BasicBolt,
  type BasicOutputCollector,
  type Bolt,
  type Conf,
  type Credentials,
  FailedException,
  type OutputCollector,
  type TopologyContext,
  type Tuple,
  type Values,
} from './api.ts'
import type { ForeseeingCollector, Foresight } from './foresight.ts'
import { Outputs } from './outputs.ts'
import type { ComponentPlace } from './place.ts'
import { BoltTally, samplingOf } from './tally.ts'
import { type Origin, PlainTuple, SYSTEM_TASK, TICK_ORIGIN, TupleImpl } from './tuple.ts'

const isBasic = (bolt: Bolt | BasicBolt): bolt is BasicBolt => (bolt as BasicBolt).basic === true

export class BoltTask implements Task<Values, Values> {
  readonly needsOrigin = true
  readonly #place: ComponentPlace
  readonly #create: () => Bolt | BasicBolt
  readonly #origins: readonly Origin[]
  readonly #backoff = new Backoff()
  #context!: TaskSpiContext
  #topology!: TopologyContext
  #conf!: Conf
  #rich: Bolt | undefined = undefined
  #basic: BasicBolt | undefined = undefined
  #collector!: OutputCollector
  #basicCollector!: BasicOutputCollector
  #ticks: { cancel(): void } | undefined = undefined
  #outputs: Outputs | undefined = undefined
  #stopped = false
  readonly #tally: BoltTally

  /** `origins`: by the id of the edge. */
  constructor(place: ComponentPlace, create: () => Bolt | BasicBolt, origins: readonly Origin[]) {
    this.#place = place
    this.#create = create
    this.#origins = origins
    this.#tally = new BoltTally(place.component, samplingOf(place.conf), place.tickSecs > 0)
  }

  onStart = async (given: unknown): Promise<void> => {
    const context = given as TaskSpiContext
    this.#context = context
    this.#topology = this.#place.contextOf(context)
    this.#conf = this.#place.conf
    const { counts } = this.#tally
    const outputs = new Outputs(this.#topology, this.#place, port => context.outlet(port), counts)
    this.#outputs = outputs
    this.#collector = new RichCollector(context, outputs, this.#tally)
    this.#basicCollector = new BasicCollector(context, outputs)
    await this.#startBolt()
    const tickSecs = this.#place.tickSecs
    if (tickSecs > 0) this.#ticks = context.schedule(tickSecs * 1000, () => this.#tick(tickSecs))
  }

  async #startBolt(): Promise<void> {
    const bolt = this.#create()
    this.#backoff.started(performance.now())
    const { credentials } = this.#context
    if (Object.keys(credentials).length > 0) await bolt.setCredentials?.(credentials)
    if (isBasic(bolt)) await bolt.prepare?.(this.#conf, this.#topology)
    else await bolt.prepare(this.#conf, this.#topology, this.#collector)
    // Nobody else knows that it was prepared.
    if (this.#stopped) await bolt.cleanup?.()
    else if (isBasic(bolt)) this.#basic = bolt
    else this.#rich = bolt
  }

  onCredentials = (credentials: Credentials): void | Promise<void> =>
    (this.#basic ?? this.#rich)?.setCredentials?.(credentials)

  onNext(values: Values): void | Promise<void> {
    const context = this.#context
    const origin = this.#origins[context.edge]!
    if (this.#rich === undefined) {
      return this.#executeBasic(new PlainTuple(values, origin, context.sourceTask), true)
    }
    const tuple = new TupleImpl(values, origin, context.sourceTask)
    context.hold(tuple)
    const tally = this.#tally
    if (tally.several) tally.executed(origin.input)
    if (--tally.left === 0) return this.#timeRich(this.#rich, tuple)
    return this.#executeRich(this.#rich, tuple)
  }

  #timeRich(bolt: Bolt, tuple: TupleImpl): void | Promise<void> {
    const startMs = performance.now()
    this.#tally.begin(tuple, startMs)
    const result = this.#executeRich(bolt, tuple)
    const { input } = tuple.origin
    if (result === undefined) return this.#tally.returned(input, performance.now() - startMs)
    return result.then(() => this.#tally.returned(input, performance.now() - startMs))
  }

  // A tick is an input like any other, but of no root.
  #tick(secs: number): void | Promise<void> {
    if (this.#rich === undefined) {
      return this.#executeBasic(new PlainTuple([secs], TICK_ORIGIN, SYSTEM_TASK), false)
    }
    const tuple = new TupleImpl([secs], TICK_ORIGIN, SYSTEM_TASK)
    this.#tally.executed(TICK_ORIGIN.input)
    this.#context.holdUntracked(tuple)
    return this.#executeRich(this.#rich, tuple)
  }

  #executeBasic(tuple: PlainTuple, isInput: boolean): void | Promise<void> {
    const tally = this.#tally
    if (tally.several) tally.executed(tuple.origin.input)
    if (--tally.left === 0) return this.#timeBasic(tuple, isInput)
    return this.#callBasic(tuple, isInput)
  }

  #timeBasic(tuple: PlainTuple, isInput: boolean): void | Promise<void> {
    const startMs = performance.now()
    this.#tally.begin(tuple, startMs)
    const done = () => this.#tally.returned(tuple.origin.input, performance.now() - startMs)
    const result = this.#callBasic(tuple, isInput)
    return result === undefined ? done() : result.then(done)
  }

  #callBasic(tuple: PlainTuple, isInput: boolean): void | Promise<void> {
    const tally = this.#tally
    try {
      const result = this.#basic!.execute(tuple, this.#basicCollector)
      if (result === undefined) {
        if (tally.watches) tally.acked(tuple.origin.input, tuple)
        return undefined
      }
      return result.then(
        () => tally.acked(tuple.origin.input, tuple),
        (error: unknown) => this.#basicFailed(tuple, isInput, error),
      )
    } catch (error) {
      return this.#basicFailed(tuple, isInput, error)
    }
  }

  #executeRich(bolt: Bolt, tuple: TupleImpl): void | Promise<void> {
    try {
      const result = bolt.execute(tuple)
      if (result === undefined) return undefined
      return result.catch((error: unknown) => this.#richFailed(tuple, error))
    } catch (error) {
      return this.#richFailed(tuple, error)
    }
  }

  #basicFailed(tuple: PlainTuple, isInput: boolean, error: unknown): void | Promise<void> {
    this.#tally.failed(tuple.origin.input)
    // The engine would release the input on return: it is taken over and failed.
    if (isInput) this.#context.hold().fail()
    return error instanceof FailedException ? undefined : this.#restart(error)
  }

  #richFailed(tuple: TupleImpl, error: unknown): void | Promise<void> {
    if (tuple.fail()) this.#tally.failed(tuple.origin.input)
    return error instanceof FailedException ? undefined : this.#restart(error)
  }

  // In Storm the whole worker would end. Here only this task starts anew: what the bolt held has failed.
  async #restart(thrown: unknown): Promise<void> {
    this.#context.report(asError(thrown))
    this.#context.failHolds()
    const old = this.#rich ?? this.#basic
    this.#rich = undefined
    this.#basic = undefined
    try {
      await old?.cleanup?.()
    } catch (error) {
      this.#context.report(asError(error))
    }
    for (;;) {
      const waitMs = this.#backoff.failed(performance.now())
      if (waitMs > 0) await new Promise<void>(resolve => void this.#context.after(waitMs, resolve))
      if (this.#stopped) return
      try {
        await this.#startBolt()
        return
      } catch (error) {
        this.#context.report(asError(error))
      }
    }
  }

  tally = (): Tally => {
    const counts = Array.from(this.#tally.counts)
    this.#outputs?.addTo(counts, this.#context.emitted)
    if (this.#outputs !== undefined) this.#tally.addTo(counts, this.#context)
    return counts
  }

  onStop = async (): Promise<void> => {
    this.#stopped = true
    this.#ticks?.cancel()
    await (this.#rich ?? this.#basic)?.cleanup?.()
  }
}

/** Emits of a rich bolt: anchored to the tuples it names, untracked when it names none. */
class RichCollector implements ForeseeingCollector {
  readonly #context: TaskSpiContext
  readonly #outputs: Outputs
  readonly #tally: BoltTally

  constructor(context: TaskSpiContext, outputs: Outputs, tally: BoltTally) {
    this.#context = context
    this.#outputs = outputs
    this.#tally = tally
  }

  emit(
    values: Values,
    anchors?: Tuple | readonly Tuple[] | null,
    stream = 'default',
  ): readonly number[] {
    const outlet = this.#outputs.ordinary(stream, values)
    if (anchors === undefined || anchors === null) {
      return outlet === undefined
        ? this.#outputs.none
        : this.#outputs.ids(outlet.emit(values, NONE), outlet)
    }
    if (!Array.isArray(anchors)) {
      const hold = anchors as unknown as Hold
      if (!hold.open) throw anchorClosed()
      return outlet === undefined
        ? this.#outputs.none
        : this.#outputs.ids(outlet.emit(values, hold.slot), outlet)
    }
    const holds = anchors as unknown as readonly Hold[]
    if (outlet === undefined) return this.#checked(holds)
    return this.#outputs.ids(this.#context.emitAnchored(outlet, values, holds), outlet)
  }

  #checked(holds: readonly Hold[]): readonly number[] {
    if (holds.some(hold => !hold.open)) throw anchorClosed()
    return this.#outputs.none
  }

  emitDirect(
    task: number,
    values: Values,
    anchors?: Tuple | readonly Tuple[] | null,
    stream = 'default',
  ): void {
    const outlet: Outlet | undefined = this.#outputs.direct(stream, values)
    const list =
      anchors === undefined || anchors === null ? [] : Array.isArray(anchors) ? anchors : [anchors]
    const holds = list as unknown as readonly Hold[]
    if (outlet === undefined) this.#checked(holds)
    else if (this.#context.emitAnchoredTo(outlet, task, values, holds)) this.#outputs.sentDirectly()
  }

  foresight(): Foresight | undefined {
    const outlook = this.#outputs.outlook()
    if (outlook === undefined) return undefined
    if (outlook.kind === 'always') {
      return {
        take: () => outlook.ids,
        emit: (_ids, values, anchors, stream) => void this.emit(values, anchors, stream),
      }
    }
    return {
      take: () => outlook.outlet.reserve(),
      emit: (ids, values, anchors, stream) => {
        this.#outputs.ordinary(stream, values)
        const holds = (anchors ?? []) as unknown as readonly Hold[]
        this.#context.emitAnchoredReserved(outlook.outlet, ids, values, holds)
        this.#outputs.sent(outlook.outlet, ids.length)
      },
    }
  }

  ack(tuple: Tuple): void {
    const own = tuple as TupleImpl
    if (own.release() && this.#tally.watches) this.#tally.acked(own.origin.input, own)
  }

  fail(tuple: Tuple): void {
    const own = tuple as TupleImpl
    if (own.fail()) this.#tally.failed(own.origin.input)
  }

  resetTimeout(tuple: Tuple): void {
    ;(tuple as unknown as Hold).renew()
  }

  reportError(error: Error): void {
    this.#context.report(error)
  }

  ready(): Promise<void> | undefined {
    return this.#context.room()
  }
}

/** Emits of a basic bolt: anchored to the input in hand. */
class BasicCollector implements BasicOutputCollector {
  readonly #context: TaskSpiContext
  readonly #outputs: Outputs

  constructor(context: TaskSpiContext, outputs: Outputs) {
    this.#context = context
    this.#outputs = outputs
  }

  emit(values: Values, stream = 'default'): readonly number[] {
    const outlet = this.#outputs.ordinary(stream, values)
    return outlet === undefined
      ? this.#outputs.none
      : this.#outputs.ids(outlet.emit(values, this.#context.slot), outlet)
  }

  emitDirect(task: number, values: Values, stream = 'default'): void {
    const outlet = this.#outputs.direct(stream, values)
    if (outlet?.emitTo(task, values, this.#context.slot) === true) this.#outputs.sentDirectly()
  }

  reportError(error: Error): void {
    this.#context.report(error)
  }
}
