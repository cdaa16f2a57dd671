// What one task of a component counts for Storm's statistics, beside what the engine counts: emits by stream, inputs and their
// latencies by input. One array of numbers per task, so that a count costs an addition; the layout follows from the
// component alone, and readers of the figures (nimbus/statistics.ts) use the same one. Counts are exact. Latencies
// are sampled as in Storm (`topology.stats.sample.rate`), one sample under way at a time: which tuple is taken does not
// depend on how long it will take, so the mean is right.
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

/** The counts of one bolt task. */
export class BoltTally {
  readonly counts: Float64Array
  readonly #first: number
  readonly #every: number
  #left: number
  // The tuple whose processing is timed, until it is let go.
  #timed: object | undefined = undefined
  #sinceMs = 0

  constructor(shape: Shape, every: number) {
    const layout = tallyLayout(shape)
    this.counts = new Float64Array(layout.length)
    this.#first = layout.input(TICKS)
    this.#every = every
    this.#left = every
  }

  /** A tuple comes in. True: this one is to be timed. */
  executed(input: number): boolean {
    this.counts[this.#first + input * INPUT + IN.executed]!++
    return --this.#left === 0
  }

  /** A tuple that is to be timed is executed now. */
  begin(tuple: object): void {
    this.#left = this.#every
    const before = this.#timed as { readonly open?: boolean } | undefined
    if (before?.open === true) return
    this.#timed = tuple
    this.#sinceMs = performance.now()
  }

  /** `execute` has returned. */
  returned(input: number, tookMs: number): void {
    const at = this.#first + input * INPUT
    this.counts[at + IN.executeMs]! += tookMs
    this.counts[at + IN.executes]!++
  }

  acked(input: number, tuple: object): void {
    const at = this.#first + input * INPUT
    this.counts[at + IN.acked]!++
    if (tuple !== this.#timed) return
    this.#timed = undefined
    this.counts[at + IN.processMs]! += performance.now() - this.#sinceMs
    this.counts[at + IN.processes]!++
  }

  failed(input: number): void {
    this.counts[this.#first + input * INPUT + IN.failed]!++
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

  /** Two of equal ids are the same root to whoever compares them. */
  toJSON(): unknown {
    return this.id
  }
}

const NOTHING: unknown = Symbol('nothing is timed')

/** The counts of one spout task. */
export class SpoutTally {
  readonly counts: Float64Array
  /** Where the counts of a stream begin, of all but the first. */
  readonly #others = new Map<string, number>()
  readonly #every: number
  #left: number
  // The root that is timed, until it ends.
  #timed: unknown = NOTHING
  #sinceMs = 0

  constructor(shape: Shape, every: number) {
    const layout = tallyLayout(shape)
    this.counts = new Float64Array(layout.length)
    this.#every = every
    this.#left = every
    let index = 0
    for (const stream of shape.streams.keys()) {
      if (index > 0) this.#others.set(stream, layout.stream(index))
      index++
    }
  }

  /** A root is emitted. Gives the id under which the engine is to know it. */
  emitted(id: unknown, stream: string): unknown {
    if (id === undefined || id === null) return id
    const known = this.#others.size === 0 ? id : this.#marked(id, stream)
    if (--this.#left === 0) this.#time(known)
    return known
  }

  #marked(id: unknown, stream: string): unknown {
    const at = this.#others.get(stream)
    return at === undefined ? id : new StreamRoot(id, at)
  }

  #time(id: unknown): void {
    this.#left = this.#every
    if (this.#timed !== NOTHING) return
    this.#timed = id
    this.#sinceMs = performance.now()
  }

  acked(known: unknown): unknown {
    const marked = this.#others.size > 0 && known instanceof StreamRoot
    const at = marked ? known.at : 0
    this.counts[at + ROOT.acked]!++
    if (known === this.#timed) {
      this.#timed = NOTHING
      this.counts[at + ROOT.completeMs]! += performance.now() - this.#sinceMs
      this.counts[at + ROOT.completes]!++
    }
    return marked ? known.id : known
  }

  failed(known: unknown): unknown {
    const marked = this.#others.size > 0 && known instanceof StreamRoot
    this.counts[(marked ? known.at : 0) + ROOT.failed]!++
    if (known === this.#timed) this.#timed = NOTHING
    return marked ? known.id : known
  }

  /** No root that is open now will be heard of again. */
  forgotten(): void {
    this.#timed = NOTHING
  }
}
