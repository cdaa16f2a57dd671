// Time and chance of a simulated world: one queue of events for everybody, and an environment for each simulated process
// that dies with it. Same seed, same events in the same order.

import type { Environment, Timer } from '../../src/base/environment.ts'
import { seededRandom } from '../../src/testing/seeded-random.ts'
import { TimerHeap } from '../../src/testing/timer-heap.ts'

/** Any time will do; this is 2025-01-01. */
const START_US = 1_735_689_600_000_000
const NO_TIMER: Timer = { cancel: () => undefined }

/** The only source of chance in a world. */
export class Chance {
  readonly next: () => number

  constructor(seed: number) {
    this.next = seededRandom(seed)
  }

  below(n: number): number {
    return Math.floor(this.next() * n)
  }

  between(least: number, most: number): number {
    return least + this.next() * (most - least)
  }

  happens(probability: number): boolean {
    return probability > 0 && this.next() < probability
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!
  }
}

/** The queue of events of a world, in ms. */
export class VirtualTime {
  readonly #timers = new TimerHeap()
  #nowMs = 0
  events = 0

  now(): number {
    return this.#nowMs
  }

  after(delayMs: number, fn: () => void): Timer {
    return this.#timers.add(this.#nowMs + Math.max(0, delayMs), fn)
  }

  /** Does the next event, if it is due by `limitMs`; else lets time pass until then and returns false. */
  step(limitMs: number): boolean {
    const dueMs = this.#timers.dueMs
    if (dueMs === undefined || dueMs > limitMs) {
      this.#nowMs = limitMs
      return false
    }
    this.#nowMs = dueMs
    this.events++
    this.#timers.takeDue(dueMs)!.fn()
    return true
  }
}

/** What one simulated process sees of time. After `kill` nothing of it runs. */
export class ProcessEnvironment implements Environment {
  readonly #time: VirtualTime
  readonly #chance: Chance
  /** How long a turn may be late at most: a busy machine. */
  lateMs = 0
  /** Wall clock minus true time. Steps back now and then. */
  skewUs: number
  killed = false
  /** Nothing of this process runs before: it is stopped, or its machine is. */
  stalledUntilMs = 0
  #lastDeferMs = 0
  #driftMs = 0

  constructor(time: VirtualTime, chance: Chance, skewUs = 0) {
    this.#time = time
    this.#chance = chance
    this.skewUs = skewUs
  }

  nowUs(): number {
    return Math.floor(START_US + this.#time.now() * 1000 + this.skewUs)
  }

  // Work costs time, so that slices end; a little of it, so that clocks stay near one another.
  monotonicMs(): number {
    this.#driftMs += this.#chance.next() * 0.01
    return this.#time.now() + this.#driftMs
  }

  // Deferred work of one process keeps its order, however late the process is.
  defer(fn: () => void): void {
    const nowMs = this.#time.now()
    const lateMs = this.lateMs === 0 ? 0.01 : this.#chance.next() * this.lateMs
    this.#lastDeferMs = Math.max(this.#lastDeferMs, nowMs + lateMs, this.stalledUntilMs)
    this.#time.after(this.#lastDeferMs - nowMs, () => {
      if (!this.killed) fn()
    })
  }

  after(delayMs: number, fn: () => void): Timer {
    if (this.killed) return NO_TIMER
    let timer: Timer
    const due = () => {
      const leftMs = this.stalledUntilMs - this.#time.now()
      if (leftMs > 0) timer = this.#time.after(leftMs, due)
      else if (!this.killed) fn()
    }
    timer = this.#time.after(delayMs, due)
    return { cancel: () => timer.cancel() }
  }

  random(): number {
    return this.#chance.next()
  }
}
