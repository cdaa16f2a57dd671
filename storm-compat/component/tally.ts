// What one task of a component counts for Storm's statistics: emits by stream, inputs and latencies by input. The engine
// counts already what nearly every tuple is (an emit on the default stream, an input of a bolt with one input, a root
// of a spout with one stream): here only what differs is counted, and the rest is made of the engine's counts when it is
// read. One array of numbers per task; its layout follows from the component alone, and readers of the figures
// (nimbus/statistics.ts) use the same one. Counts are exact. Latencies are sampled as in Storm
// (`topology.stats.sample.rate`), one sample under way at a time: which tuple is taken does not depend on how long it
// will take, so the mean is right.
import type { Component } from '../topology/topology.ts'

/** Per stream of a bolt. */
export const OUT = { emitted: 0, transferred: 1 } as const
/** Per stream of a spout: these follow the two above. */
export const ROOT = { acked: 2, failed: 3, completeMs: 4, completes: 5 } as const
/** Per input of a bolt. */
export const IN = {
  executed: 0,
  acked: 1,
  failed: 2,
  executeMs: 3,
  executes: 4,
  processMs: 5,
  processes: 6,
} as const

const BOLT_STREAM = 2
const SPOUT_STREAM = 6
const INPUT = 7

/** The input under which ticks are counted; those of the topology are numbered from 1. */
export const TICKS = 0

/** Where the counts of a component stand in its tally. */
export interface TallyLayout {
  readonly length: number
  /** First count of a stream, by its position among the component's streams. */
  stream(index: number): number
  /** First count of an input: `TICKS`, or one more than its position among the component's inputs. */
  input(index: number): number
}

type Shape = Pick<Component, 'kind' | 'streams' | 'inputs'>

export function tallyLayout({ kind, streams, inputs }: Shape): TallyLayout {
  const perStream = kind === 'spout' ? SPOUT_STREAM : BOLT_STREAM
  const first = streams.size * perStream
  return {
    length: kind === 'spout' ? first : first + (inputs.length + 1) * INPUT,
    stream: index => index * perStream,
    input: index => first + index * INPUT,
  }
}

/** Every how many-th tuple is timed. */
export function samplingOf(conf: Readonly<Record<string, unknown>>): number {
  const rate = conf['topology.stats.sample.rate']
  return typeof rate === 'number' && rate > 0 && rate <= 1 ? Math.round(1 / rate) : 20
}

/** Samples nearer than this cost more than they tell: fewer are taken. A look at the clock may take 0.2 µs. */
const GAP_MS = 2
/** How much fewer at most. */
const THINNER_MAX = 256

/** Which tuples are timed: one in so many, and fewer while they come fast. */
class Pace {
  /** Counted down by whoever sees a tuple; 0 = this one. */
  left: number
  readonly #least: number
  #every: number
  #lastMs = 0

  constructor(every: number) {
    this.#least = every
    this.#every = every
    this.left = every
  }

  protected taken(nowMs: number): void {
    const gapMs = nowMs - this.#lastMs
    this.#lastMs = nowMs
    if (gapMs < GAP_MS) this.#every = Math.min(this.#every * 2, this.#least * THINNER_MAX)
    else if (gapMs > 10 * GAP_MS) this.#every = Math.max(this.#least, this.#every >> 1)
    this.left = this.#every
  }
}

/** The counts of one bolt task. */
export class BoltTally extends Pace {
  readonly counts: Float64Array
  /** It has inputs to tell apart, ticks among them: each tuple is counted here. */
  readonly several: boolean
  /** Acks are to be told. */
  watches: boolean
  readonly #first: number
  // The tuple whose processing is timed, until it is let go.
  #timed: object | undefined = undefined
  #sinceMs = 0

  constructor(shape: Shape, every: number, hasTicks: boolean) {
    super(every)
    const layout = tallyLayout(shape)
    this.counts = new Float64Array(layout.length)
    this.several = shape.inputs.length > 1 || hasTicks
    this.watches = this.several
    this.#first = layout.input(TICKS)
  }

  /** A tuple comes in; to be told where `several`. */
  executed(input: number): void {
    this.counts[this.#first + input * INPUT + IN.executed]!++
  }

  /** A tuple that is to be timed is executed now. */
  begin(tuple: object, nowMs: number): void {
    this.taken(nowMs)
    const before = this.#timed as { readonly open?: boolean } | undefined
    if (before?.open === true) return
    this.#timed = tuple
    this.#sinceMs = nowMs
    this.watches = true
  }

  /** `execute` has returned. */
  returned(input: number, tookMs: number): void {
    const at = this.#first + input * INPUT
    this.counts[at + IN.executeMs]! += tookMs
    this.counts[at + IN.executes]!++
  }

  /** A tuple that is timed was acked after so long. */
  processed(input: number, tookMs: number): void {
    const at = this.#first + input * INPUT
    this.counts[at + IN.processMs]! += tookMs
    this.counts[at + IN.processes]!++
  }

  /** To be told while it `watches`. */
  acked(input: number, tuple: object): void {
    if (this.several) this.counts[this.#first + input * INPUT + IN.acked]!++
    if (tuple !== this.#timed) return
    this.#timed = undefined
    this.watches = this.several
    this.processed(input, performance.now() - this.#sinceMs)
  }

  failed(input: number): void {
    this.counts[this.#first + input * INPUT + IN.failed]!++
  }

  /** Adds what the engine has counted of the only input. */
  addTo(counts: number[], engine: { readonly received: number; readonly acked: number }): void {
    if (this.several || counts.length <= this.#first + INPUT) return
    const at = this.#first + INPUT
    counts[at + IN.executed] = engine.received
    counts[at + IN.acked] = engine.acked
  }
}

/** The id of a root on another stream than the first: the engine tells the id alone when the root ends. */
class StreamRoot {
  readonly id: unknown
  readonly at: number

  constructor(id: unknown, at: number) {
    this.id = id
    this.at = at
  }

  /** To whoever compares ids it is the one that the spout gave. */
  valueOf(): unknown {
    return this.id
  }
}

const NOTHING: unknown = Symbol('nothing is timed')

/** The counts of one spout task. */
export class SpoutTally extends Pace {
  readonly counts: Float64Array
  /** It has streams to tell apart. */
  readonly several: boolean
  /** Ends of roots are to be told. */
  watches: boolean
  /** Where the counts of a stream begin, of all but the first. */
  readonly #others = new Map<string, number>()
  // The root that is timed, until it ends.
  #timed: unknown = NOTHING
  #sinceMs = 0

  constructor(shape: Shape, every: number) {
    super(every)
    const layout = tallyLayout(shape)
    this.counts = new Float64Array(layout.length)
    let index = 0
    for (const stream of shape.streams.keys()) {
      if (index > 0) this.#others.set(stream, layout.stream(index))
      index++
    }
    this.several = this.#others.size > 0
    this.watches = this.several
  }

  /** The id under which the engine is to know a root; to be asked where `several`. */
  marked(id: unknown, stream: string): unknown {
    if (id === undefined || id === null) return id
    const at = this.#others.get(stream)
    return at === undefined ? id : new StreamRoot(id, at)
  }

  /** A root that is to be timed is emitted now. */
  begin(known: unknown): void {
    if (known === undefined || known === null) {
      // Nobody will hear of it: the next one.
      this.left = 1
      return
    }
    const nowMs = performance.now()
    this.taken(nowMs)
    if (this.#timed !== NOTHING) return
    this.#timed = known
    this.#sinceMs = nowMs
    this.watches = true
  }

  /** To be told while it `watches`. Gives the id as the spout knows it. */
  acked(known: unknown): unknown {
    const marked = known instanceof StreamRoot
    if (marked) this.counts[known.at + ROOT.acked]!++
    if (known === this.#timed) {
      this.forgotten()
      const at = marked ? known.at : 0
      this.counts[at + ROOT.completeMs]! += performance.now() - this.#sinceMs
      this.counts[at + ROOT.completes]!++
    }
    return marked ? known.id : known
  }

  failed(known: unknown): unknown {
    const marked = known instanceof StreamRoot
    if (marked) this.counts[known.at + ROOT.failed]!++
    if (known === this.#timed) this.forgotten()
    return marked ? known.id : known
  }

  /** The root that is timed will not be heard of again. */
  forgotten(): void {
    this.#timed = NOTHING
    this.watches = this.several
  }

  /** Adds what the engine has counted of roots on the first stream. */
  addTo(
    counts: number[],
    engine: { readonly rootsDone: number; readonly rootsFailed: number },
  ): void {
    if (counts.length === 0) return
    const others = (offset: number) =>
      [...this.#others.values()].reduce((sum, at) => sum + counts[at + offset]!, 0)
    counts[ROOT.acked] = engine.rootsDone - others(ROOT.acked)
    counts[ROOT.failed] = engine.rootsFailed - others(ROOT.failed)
  }
}
