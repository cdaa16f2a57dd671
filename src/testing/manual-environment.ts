// Time, scheduling and chance for tests: nothing happens until the test says so, and the same seed gives the same run.
// Everything in the engine that waits, waits here. What may go wrong: a promise that depends on real input or output (a
// socket, a file, a child process) is not waited for.
import type { Environment, Timer } from '../base/environment.ts'
import { invariant } from '../base/errors.ts'
import { seededRandom } from './seeded-random.ts'
import { TimerHeap } from './timer-heap.ts'

/**
 * Each look at the clock takes so long. Work must cost time, or a run loop, which ends its slice by the clock, would never
 * let go of an endless source. A power of two, so that times stay exact.
 */
const LOOK_MS = 1 / 16
/** Batches of deferred work that `run` does before it gives up: something wakes itself for ever. */
const BATCHES_MAX = 2000
/** Any time will do; this is 2025-01-01. */
const START_US = 1_735_689_600_000_000

export interface ManualEnvironmentOptions {
  /** Of `random()`. 1 if not given. */
  seed?: number
  /** Wall-clock time at the start, µs since 1970. */
  startUs?: number
}

/**
 * An Environment whose time the test moves.
 *
 * @example
 * const environment = new ManualEnvironment({ seed: 7 })
 * const gear = await connect({ environment })
 * await environment.advance(1000)
 */
export class ManualEnvironment implements Environment {
  readonly #random: () => number
  readonly #startUs: number
  readonly #timers = new TimerHeap()
  #deferred: (() => void)[] = []
  #nowMs = 0

  constructor(options: ManualEnvironmentOptions = {}) {
    this.#random = seededRandom(options.seed ?? 1)
    this.#startUs = options.startUs ?? START_US
  }

  // ---- as an Environment

  nowUs(): number {
    return this.#startUs + this.#nowMs * 1000
  }

  monotonicMs(): number {
    this.#nowMs += LOOK_MS
    return this.#nowMs
  }

  defer(fn: () => void): void {
    this.#deferred.push(fn)
  }

  after(delayMs: number, fn: () => void): Timer {
    return this.#timers.add(this.#nowMs + Math.max(0, delayMs), fn)
  }

  random(): number {
    return this.#random()
  }

  // ---- for the test

  /** Virtual ms since the start. */
  now(): number {
    return this.#nowMs
  }

  /** Timers that are set. */
  get timers(): number {
    return this.#timers.size
  }

  /** Work that waits for `run` or `advance`. */
  get deferred(): number {
    return this.#deferred.length
  }

  /** Does all deferred work, and what that defers, until there is none. Timers do not fire, promises do not settle. */
  run(): void {
    for (let batches = 0; this.#deferred.length > 0; batches++) {
      invariant(
        batches < BATCHES_MAX,
        'deferred work comes to an end: something wakes itself for ever',
      )
      this.#runBatch()
    }
  }

  /** Lets `ms` pass: timers fire in their order, deferred work is done, and promises settle in between. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    for (;;) {
      await settled()
      if (this.#deferred.length > 0) {
        this.#runBatch()
        this.#fire(this.#nowMs)
        if (this.#nowMs >= endMs) return
        continue
      }
      const dueMs = this.#timers.dueMs
      if (dueMs === undefined || dueMs > endMs) break
      this.#nowMs = Math.max(this.#nowMs, dueMs)
      this.#fire(this.#nowMs)
    }
    this.#nowMs = Math.max(this.#nowMs, endMs)
  }

  /** Lets time pass, `stepMs` at a time, until `condition` holds. Rejects when `withinMs` have passed. */
  async until(
    condition: () => boolean | Promise<boolean>,
    { withinMs = 60_000, stepMs = 10 }: { withinMs?: number; stepMs?: number } = {},
  ): Promise<void> {
    const endMs = this.#nowMs + withinMs
    await this.advance(0)
    while (!(await condition())) {
      invariant(
        this.#nowMs < endMs,
        `what the test waits for happens within ${withinMs} virtual ms`,
      )
      await this.advance(stepMs)
    }
  }

  /** Waits for a promise while time passes, as long as it needs. Rejects when `withinMs` have passed. */
  async awaiting<T>(promise: Promise<T>, withinMs = 60_000): Promise<T> {
    let settledNow = false
    const done = () => {
      settledNow = true
    }
    promise.then(done, done)
    await this.until(() => settledNow, { withinMs })
    return promise
  }

  /** A part of this environment that can be stopped at once, as a process is by `kill -9`. */
  process(): ManualProcess {
    return new ManualProcess(this)
  }

  #runBatch(): void {
    const batch = this.#deferred
    this.#deferred = []
    for (const fn of batch) fn()
  }

  #fire(nowMs: number): void {
    for (
      let due = this.#timers.takeDue(nowMs);
      due !== undefined;
      due = this.#timers.takeDue(nowMs)
    )
      due.fn()
  }
}

/** One process of a simulated machine: after `kill` nothing of it runs any more. */
export class ManualProcess implements Environment {
  readonly #environment: ManualEnvironment
  readonly #timers = new Set<Timer>()
  #killed = false

  constructor(environment: ManualEnvironment) {
    this.#environment = environment
  }

  /** Timers that are set in this process. */
  get timers(): number {
    return this.#timers.size
  }

  kill(): void {
    this.#killed = true
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
  }

  nowUs(): number {
    return this.#environment.nowUs()
  }

  monotonicMs(): number {
    return this.#environment.monotonicMs()
  }

  defer(fn: () => void): void {
    this.#environment.defer(() => {
      if (!this.#killed) fn()
    })
  }

  after(delayMs: number, fn: () => void): Timer {
    if (this.#killed) return { cancel: () => undefined }
    const timer = this.#environment.after(delayMs, () => {
      this.#timers.delete(mine)
      fn()
    })
    const mine: Timer = {
      cancel: () => {
        this.#timers.delete(mine)
        timer.cancel()
      },
    }
    this.#timers.add(mine)
    return mine
  }

  random(): number {
    return this.#environment.random()
  }
}

// Every promise that can settle without input and output has done so when the next macrotask runs.
function settled(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
