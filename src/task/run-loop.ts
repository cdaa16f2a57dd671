// The run loop of one executor: a ready queue with downstream before sources, work in quanta, slices of about a
// millisecond, then a yield so that sockets and timers have their turn. The clock is looked at once a quantum, and that
// is adapted when tasks are slow, so that a slice stays short. Nothing spins: when nothing is ready, nothing is scheduled.
import type { Environment } from '../base/environment.ts'

/** Something with work to do. `run` does at most `quantum` messages and returns how many it did. */
export interface Runnable {
  /** 0 = sources; larger = further downstream = first. */
  readonly level: number
  queued: boolean
  busyMs: number
  run(quantum: number): number
}

/** Longest time before input and output get their turn. */
const SLICE_MS = 1
/** Messages between two looks at the clock, at most: a look costs about 45 ns. */
const QUANTUM_MAX = 128
/** A run counts for a few messages. */
const RUN_COST = 4
/** Keeps the count of turns a small integer. */
const TURNS_MASK = 0x3fffffff

class ReadyQueue {
  #items: (Runnable | undefined)[] = new Array(16).fill(undefined)
  #head = 0
  size = 0

  push(item: Runnable): void {
    if (this.size === this.#items.length) this.#grow()
    this.#items[(this.#head + this.size) & (this.#items.length - 1)] = item
    this.size++
  }

  shift(): Runnable {
    const item = this.#items[this.#head]!
    this.#items[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#items.length - 1)
    this.size--
    return item
  }

  // Bounded by the number of runnables: each is queued at most once.
  #grow(): void {
    const old = this.#items
    this.#items = new Array(old.length * 2).fill(undefined)
    for (let i = 0; i < this.size; i++) this.#items[i] = old[(this.#head + i) & (old.length - 1)]
    this.#head = 0
  }
}

export class RunLoop {
  readonly #environment: Environment
  readonly #afterTurn: () => void
  readonly #queues: ReadyQueue[] = [new ReadyQueue()]
  #top = 0
  #waiting = 0
  #scheduled = false
  #running = false
  #quantum = 64
  #turnStartUs = 0
  #turnStartMs = 0
  readonly #turn = () => this.turn()

  /** `afterTurn` runs at the end of each slice: frames leave, watermarks are told. */
  constructor(environment: Environment, afterTurn: () => void) {
    this.#environment = environment
    this.#afterTurn = afterTurn
  }

  /** Counts turns, round and round: for what is done once a turn. */
  turns = 0

  /**
   * How many messages more may be handled in the middle of the turn of their emitters before the clock is looked at; the
   * last of them is to be timed, by `startLook` and `endLook`. 0 = none: no slice is running, or it is over.
   */
  straight = 0
  // That number at first: odd, so that of two that take turns each is timed.
  #straightPerLook = 1
  #straightLookMs = 0

  /** Monotonic ms. */
  startLook(): number {
    this.straight = this.#straightPerLook
    return this.#environment.monotonicMs()
  }

  /** Returns the time, ms, of all messages that one timed message stands for: not more than has passed since the last. */
  endLook(startMs: number): number {
    const nowMs = this.#environment.monotonicMs()
    if (nowMs - this.#turnStartMs >= SLICE_MS) this.straight = 0
    const sinceMs = nowMs - this.#straightLookMs
    this.#straightLookMs = nowMs
    return Math.min((nowMs - startMs) * this.#straightPerLook, sinceMs)
  }

  /** Wall-clock µs, read at the start of the turn. */
  get turnUs(): number {
    if (!this.#running) this.#turnStartUs = this.#environment.nowUs()
    return this.#turnStartUs
  }

  /** Monotonic ms, read at the start of the turn. */
  get turnMs(): number {
    if (!this.#running) this.#turnStartMs = this.#environment.monotonicMs()
    return this.#turnStartMs
  }

  get idle(): boolean {
    return this.#waiting === 0 && !this.#running
  }

  ready(item: Runnable): void {
    if (item.queued) return
    item.queued = true
    const level = item.level
    while (this.#queues.length <= level) this.#queues.push(new ReadyQueue())
    this.#queues[level]!.push(item)
    this.#waiting++
    if (level > this.#top) this.#top = level
    this.wake()
  }

  /** Makes sure that a turn, and with it the end of a turn, comes soon. */
  wake(): void {
    if (this.#scheduled || this.#running) return
    this.#scheduled = true
    this.#environment.defer(this.#turn)
  }

  turn(): void {
    this.#scheduled = false
    this.#running = true
    this.turns = (this.turns + 1) & TURNS_MASK
    try {
      this.#slice()
    } finally {
      this.#running = false
      this.straight = 0
    }
    this.#afterTurn()
    if (this.#waiting > 0) this.wake()
  }

  #slice(): void {
    const environment = this.#environment
    this.#turnStartUs = environment.nowUs()
    const startMs = environment.monotonicMs()
    this.#turnStartMs = startMs
    let lookMs = startMs
    this.#straightPerLook = Math.max(1, this.#quantum - 1)
    this.straight = this.#straightPerLook
    this.#straightLookMs = startMs
    let budget = this.#quantum
    let lowest = this.#queues.length
    while (this.#waiting > 0) {
      const item = this.#next()
      if (item.level < lowest) lowest = item.level
      budget -= item.run(this.#quantum) + RUN_COST
      if (budget > 0) continue
      const nowMs = environment.monotonicMs()
      // Sampled: the time since the last look goes to the one that is running now.
      item.busyMs += nowMs - lookMs
      this.#adapt(nowMs - lookMs)
      budget = this.#quantum
      lookMs = nowMs
      if (nowMs - startMs >= SLICE_MS) break
    }
    // A cycle that never rests must not shut out what lies above it for ever: one of each level had to wait long enough.
    for (let level = lowest - 1; level >= 0 && this.#waiting > 0; level--) {
      if (this.#queues[level]!.size > 0) this.#take(level).run(this.#quantum)
    }
  }

  #take(level: number): Runnable {
    this.#waiting--
    const item = this.#queues[level]!.shift()
    item.queued = false
    return item
  }

  #next(): Runnable {
    while (this.#queues[this.#top]!.size === 0) this.#top--
    return this.#take(this.#top)
  }

  #adapt(elapsedMs: number): void {
    if (elapsedMs > SLICE_MS) this.#quantum = Math.max(1, this.#quantum >> 1)
    else if (elapsedMs < SLICE_MS / 4 && this.#quantum < QUANTUM_MAX) this.#quantum *= 2
  }
}
