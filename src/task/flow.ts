// Flow control: who must wait for whom. An emitter stops taking inputs while a target it has emitted to is full; the
// target wakes it when it has drained to half. Waiting is lazy: nothing is kept for pairs that do not wait.
import type { Slot } from '../progress/slot-ledger.ts'
import type { Way } from './inbox.ts'

/** Where messages of an edge go: a task here, or one in another executor. */
export interface Target {
  readonly taskId: number
  /** Takes the message (always). Returns true when the emitter should now wait. */
  deliver(value: unknown, slot: Slot, way: Way, from: Emitter): boolean
  /** Whether the emitter would have to wait before it emits here. */
  isFull(from: Emitter): boolean
  gate(from: Emitter): Gate
  /** How many messages wait there, as far as this emitter can tell. */
  depth(from: Emitter): number
}

/** Who waits at a gate. */
interface Waiter {
  unblock(): void
}

/** A place that can be full. */
export class Gate {
  #waiters: Set<Waiter> | undefined = undefined

  get watched(): boolean {
    return this.#waiters !== undefined
  }

  /** Returns false when it was waiting here already. */
  wait(waiter: Waiter): boolean {
    if (this.#waiters === undefined) this.#waiters = new Set()
    if (this.#waiters.has(waiter)) return false
    this.#waiters.add(waiter)
    return true
  }

  /** There is room again. */
  open(): void {
    const waiters = this.#waiters
    if (waiters === undefined) return
    this.#waiters = undefined
    for (const waiter of waiters) waiter.unblock()
  }
}

/** The request/ack credit of one (source task, target task) pair across executors: counts what is on its way. */
export class Pair {
  readonly gate = new Gate()
  readonly sourceTask: number
  readonly targetTask: number
  readonly window: number
  /** The outbox it belongs to; a task that has moved to another executor gets a new pair. */
  readonly box: unknown
  pending = 0

  constructor(sourceTask: number, targetTask: number, window: number, box: unknown) {
    this.sourceTask = sourceTask
    this.targetTask = targetTask
    this.window = window
    this.box = box
  }

  /** The target has taken `count` messages more. */
  consumed(count: number): void {
    this.pending = Math.max(0, this.pending - count)
    if (this.gate.watched && this.pending <= this.window >> 1) this.gate.open()
  }

  /** The session is gone, and with it all that was on its way. */
  reset(): void {
    this.pending = 0
    this.gate.open()
  }
}

/** What emits: a task or a source. Counts what it waits for. */
export abstract class Emitter {
  readonly taskId: number
  blockedOn = 0
  emitted = 0
  /** Time at work, ms, sampled. */
  busyMs = 0
  /** Total time spent blocked, ms, closed periods only. */
  blockedMs = 0
  #blockedSinceMs = 0
  #onReady: (() => void)[] = []
  // Pairs this task has talked over, if any; the last one is kept at hand, for many tasks talk to one other.
  pairs: Map<number, Pair> | undefined = undefined
  lastPair: Pair | undefined = undefined

  constructor(taskId: number) {
    this.taskId = taskId
  }

  /** Whether the hold under which it emits now, on this slot, is the engine's own: no user code can let it go meanwhile. */
  abstract lends(slot: Slot): boolean
  protected abstract monotonicMs(): number
  /** All it waited for has room again. */
  protected abstract resume(): void

  /** Waits for room at `target`; `from` is the emitter whose messages fill it, if that is another one. */
  block(target: Target, from: Emitter = this): void {
    if (target.gate(from).wait(this)) this.blocked()
  }

  /** There is one thing more to wait for; `unblock` follows. */
  blocked(): void {
    if (this.blockedOn++ === 0) this.#blockedSinceMs = this.monotonicMs()
  }

  unblock(): void {
    if (--this.blockedOn > 0) return
    this.blockedMs += this.monotonicMs() - this.#blockedSinceMs
    const waiting = this.#onReady
    this.#onReady = []
    for (const resolve of waiting) resolve()
    this.resume()
  }

  /** Resolves when nothing is waited for; undefined when that is so now. */
  ready(): Promise<void> | undefined {
    if (this.blockedOn === 0) return undefined
    return new Promise(resolve => this.#onReady.push(resolve))
  }

  blockedTotalMs(): number {
    return this.blockedMs + (this.blockedOn > 0 ? this.monotonicMs() - this.#blockedSinceMs : 0)
  }
}

/** Makes an emitter wait at several targets until the first of them has room. One per edge that may choose. */
export class FirstRoom {
  readonly #emitter: Emitter
  #waiting = false

  constructor(emitter: Emitter) {
    this.#emitter = emitter
  }

  wait(targets: readonly Target[]): void {
    if (this.#waiting) return
    this.#waiting = true
    // It may still stand at some gate from a former wait; whichever opens has room.
    for (const target of targets) target.gate(this.#emitter).wait(this)
    this.#emitter.blocked()
  }

  unblock(): void {
    if (!this.#waiting) return
    this.#waiting = false
    this.#emitter.unblock()
  }
}

/**
 * An edge that closes a cycle never waits. Pauses the sources instead, while any such edge is over its bound
 * (`Profile.cycleDepth`). One per executor.
 */
export class CycleGuard extends Emitter {
  readonly #onChange: (paused: boolean) => void

  constructor(onChange: (paused: boolean) => void) {
    super(0)
    this.#onChange = onChange
  }

  override block(target: Target, from: Emitter): void {
    const before = this.blockedOn
    super.block(target, from)
    if (before === 0 && this.blockedOn > 0) this.#onChange(true)
  }

  override lends(): boolean {
    return false
  }

  protected override monotonicMs(): number {
    return 0
  }

  protected override resume(): void {
    this.#onChange(false)
  }
}
