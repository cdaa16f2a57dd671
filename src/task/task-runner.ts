// Runs one task: takes its inputs in order, calls user code, releases or fails each input, waits while a target is
// full or a promise is open. It is also the target that emitters deliver to. The hot path is `deliver` and `run`.
import { asError } from '../base/errors.ts'
import { NONE, type Slot, type SlotLedger } from '../progress/slot-ledger.ts'
import { Emitter, Gate, type Target } from './flow.ts'
import { type Hold, HoldList } from './hold.ts'
import { Inbox, UNKNOWN_WAY, type Way } from './inbox.ts'
import type { RunLoop, Runnable } from './run-loop.ts'
import type { RunnerHost } from './runner-host.ts'
import type { Task } from './task.ts'
import { TurnTimers } from './turn-timers.ts'

// An imported constant is looked up at each use, a module's own is not.
const UNTRACKED: Slot = NONE

/** Tasks so near to the sources may be called in the turn of the one before them: the stack is as deep as that. */
const LEVELS_AT_ONCE = 16

const isPromise = (result: unknown): result is Promise<unknown> =>
  result !== undefined && result !== null && typeof (result as Promise<unknown>).then === 'function'

export class TaskRunner<Context> extends Emitter implements Target, Runnable {
  readonly host: RunnerHost
  readonly level: number
  readonly inbox: Inbox
  readonly holds: HoldList
  readonly timers: TurnTimers
  queued = false
  received = 0
  acked = 0
  failed = 0
  /** Slot of the current input; emits are anchored to it. */
  slot: Slot = NONE
  /** How the current input came; kept only when the inbox is tagged. */
  way: Way = UNKNOWN_WAY
  /** The hold that has taken over the current input. */
  heldBy: Hold | undefined = undefined
  /** Inside `onNext`, or waiting for its promise. */
  inInput = false
  #parked = false
  #stopped = false
  // Has begun, is not parked and not stopped, and stands so near to the sources that the stack will do.
  #atOnce = false
  // The current input is under the hold of the emit that is in progress, and has none of its own.
  #lent = false
  readonly #gate = new Gate()
  readonly #ledger: SlotLedger
  readonly #loop: RunLoop
  readonly #depthMax: number
  readonly #half: number
  // Timers, messages to self, clock: run on the task's own turn, before its inputs.
  #calls: (() => unknown)[] = []
  #task: Task<unknown, unknown> | undefined = undefined
  #context: Context | undefined = undefined

  constructor(host: RunnerHost, place: { taskId: number; level: number; tagged: boolean }) {
    super(place.taskId)
    this.host = host
    this.level = place.level
    this.inbox = new Inbox(place.tagged)
    this.holds = new HoldList(host.ledger, host.loop)
    this.timers = new TurnTimers(host.environment, this)
    this.#ledger = host.ledger
    this.#loop = host.loop
    this.#depthMax = host.profile.inboxDepth
    this.#half = host.profile.inboxDepth >> 1
  }

  /** From now on inputs are handled by `task`. Inputs that came before have waited in the inbox. */
  begin(task: Task<unknown, unknown>, context: Context): void {
    this.#task = task
    this.#context = context
    this.#atOnce = this.level <= LEVELS_AT_ONCE
    this.resume()
  }

  get idle(): boolean {
    return this.inbox.size === 0 && !this.#parked && this.#calls.length === 0
  }

  /** Inputs waiting, in user code, or held. */
  get inFlight(): number {
    return this.inbox.size + this.holds.size + (this.inInput ? 1 : 0)
  }

  /**
   * Something that is another thing as soon as the oldest unfinished input is another: a hold, or a count. Two looks at
   * it tell whether this task stands still. Undefined when it has no input.
   */
  get oldestInput(): unknown {
    if (this.inFlight === 0) return undefined
    return this.holds.oldest ?? this.acked + this.failed
  }

  /** What the oldest unfinished input waits for. */
  get waitsFor(): 'its task to let go of it' | 'onNext to return' | 'its turn' {
    if (this.holds.size > 0) return 'its task to let go of it'
    return this.inInput ? 'onNext to return' : 'its turn'
  }

  // ---- as a target

  deliver(value: unknown, slot: Slot, way: Way, from: Emitter): boolean {
    if (
      way.straight === true &&
      this.#atOnce === true &&
      this.queued === false &&
      this.inInput === false &&
      this.inbox.size === 0 &&
      this.blockedOn === 0 &&
      this.#loop.straight > 0
    ) {
      if (--this.#loop.straight > 0) this.#handle(value, slot, way, from)
      else this.#time(value, slot, way, from)
      return false
    }
    if (slot !== UNTRACKED) this.#ledger.add(slot)
    this.inbox.push(value, slot, way)
    if (this.queued === false) this.resume()
    return this.inbox.size >= this.#depthMax
  }

  /** A message from a link; its slot is an arrival that already counts this entry. */
  arrive(value: unknown, slot: Slot, way: Way): void {
    this.inbox.push(value, slot, way)
    if (!this.queued) this.resume()
  }

  isFull(): boolean {
    return this.inbox.size >= this.#depthMax
  }

  depth(): number {
    return this.inbox.size
  }

  gate(): Gate {
    return this.#gate
  }

  // ---- turns

  override lends(slot: Slot): boolean {
    return this.inInput === true && this.heldBy === undefined && slot === this.slot
  }

  protected override monotonicMs(): number {
    return this.host.environment.monotonicMs()
  }

  protected override resume(): void {
    if (this.#parked || this.#stopped || this.#task === undefined) return
    if (this.#calls.length > 0 || (this.inbox.size > 0 && this.blockedOn === 0))
      this.host.loop.ready(this)
  }

  run(quantum: number): number {
    if (this.#parked || this.#stopped) return 0
    if (this.#calls.length > 0 && !this.#runCalls()) return 1
    const inbox = this.inbox
    const ledger = this.#ledger
    const task = this.#task!
    const context = this.#context! as never
    const from = this.emitted
    const finished = ledger.finished
    const most = Math.min(quantum, finished.length)
    let done = 0
    let released = 0
    // Bounded by what goes in and by what comes out: one input may become many.
    while (done < most && this.emitted - from < quantum && inbox.size > 0 && this.blockedOn === 0) {
      const i = inbox.head
      const value = inbox.values[i]
      const slot = inbox.slots[i]!
      inbox.values[i] = undefined
      if (inbox.tagged === true) this.#came(inbox.ways[i]!)
      inbox.head = (i + 1) & inbox.mask
      inbox.size--
      this.slot = slot
      this.heldBy = undefined
      this.inInput = true
      done++
      try {
        const result = task.onNext(value, context)
        if (isPromise(result)) {
          this.#park(result)
          break
        }
        this.inInput = false
        if (this.heldBy === undefined) {
          this.acked++
          if (slot !== UNTRACKED) finished[released++] = slot
        }
      } catch (error) {
        ledger.releaseFinished(released)
        released = 0
        this.#failInput(error)
      }
    }
    ledger.releaseFinished(released)
    this.slot = NONE
    if (this.#parked) this.slot = this.#parkedSlot
    this.received += done
    inbox.taken(done)
    if (this.#gate.watched && inbox.size <= this.#half) this.#gate.open()
    this.resume()
    return Math.max(done, this.emitted - from)
  }

  // Handles an input in the middle of the emitter's turn: nothing waits before it. The emit's hold is lent to it if it lasts.
  #handle(value: unknown, slot: Slot, way: Way, from: Emitter): void {
    this.slot = slot
    this.way = way
    this.heldBy = undefined
    this.inInput = true
    this.#lent = from.lends(slot)
    if (this.#lent === false && slot !== UNTRACKED) this.#ledger.add(slot)
    this.received++
    try {
      const result = this.#task!.onNext(value, this.#context! as never)
      if (isPromise(result)) {
        this.#park(result)
        return
      }
      this.inInput = false
      if (this.heldBy === undefined) {
        this.acked++
        if (this.#lent === false && slot !== UNTRACKED) this.#ledger.release(slot)
      }
    } catch (error) {
      this.#failInput(error)
    }
    this.#lent = false
    this.slot = UNTRACKED
  }

  // One that stands for many: its time is this task's, and not the emitter's in whose turn it was.
  #time(value: unknown, slot: Slot, way: Way, from: Emitter): void {
    const startMs = this.#loop.startLook()
    this.#handle(value, slot, way, from)
    const workMs = this.#loop.endLook(startMs)
    this.busyMs += workMs
    from.busyMs -= workMs
  }

  /** The current input gets a hold of its own, if it has none: it will be let go later than its emit. */
  own(): void {
    if (this.#lent === false) return
    this.#lent = false
    if (this.slot !== UNTRACKED) this.#ledger.add(this.slot)
  }

  #came(way: Way): void {
    this.way = way
    if (way.origin !== 0) this.host.consumed(way.origin)
  }

  #failInput(thrown: unknown): void {
    this.inInput = false
    this.host.report(this.taskId, asError(thrown))
    if (this.heldBy !== undefined) {
      // It threw after it took over the input: whoever should let go may never have heard of it.
      this.heldBy.fail()
      return
    }
    this.failed++
    this.own()
    if (this.slot !== NONE) this.host.ledger.fail(this.slot)
  }

  #parkedSlot: Slot = NONE

  // Only this task waits; what it emits meanwhile is still anchored to its input.
  #park(promise: Promise<unknown>): void {
    this.own()
    this.#rest()
    this.#parkedSlot = this.slot
    promise.then(
      () => {
        this.inInput = false
        if (this.heldBy === undefined) {
          this.acked++
          if (this.#parkedSlot !== NONE) this.host.ledger.release(this.#parkedSlot)
        }
        this.#unpark()
      },
      error => {
        this.#failInput(error)
        this.#unpark()
      },
    )
  }

  #rest(): void {
    this.#parked = true
    this.#atOnce = false
  }

  #unpark(): void {
    this.#parked = false
    this.#atOnce = !this.#stopped && this.level <= LEVELS_AT_ONCE
    this.slot = NONE
    this.#parkedSlot = NONE
    this.host.loop.wake()
    this.resume()
  }

  /** Runs `fn` on this task's own turn. */
  call(fn: () => unknown): void {
    if (this.#stopped) return
    this.#calls.push(fn)
    if (!this.queued) this.resume()
  }

  // Returns false when one of them returned a promise: the task is parked until it settles.
  #runCalls(): boolean {
    const calls = this.#calls
    this.#calls = []
    for (let i = 0; i < calls.length; i++) {
      try {
        const result = calls[i]!()
        if (!isPromise(result)) continue
        this.#rest()
        this.#calls = [...calls.slice(i + 1), ...this.#calls]
        const resume = () => this.#unpark()
        result.then(resume, error => {
          this.host.report(this.taskId, asError(error))
          resume()
        })
        return false
      } catch (error) {
        this.host.report(this.taskId, asError(error))
      }
    }
    return true
  }

  // ---- ends

  /** One message-timeout period has passed: inputs held through two whole ones fail. */
  rotate(): void {
    this.holds.rotate()
  }

  /** Ends the task: every hold it owns fails (inputs waiting, in hand, or kept). Idempotent. */
  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    this.#atOnce = false
    this.timers.cancelAll()
    const task = this.#task
    if (task?.onStop !== undefined) {
      try {
        await task.onStop()
      } catch (error) {
        this.host.report(this.taskId, asError(error))
      }
    }
    this.failAll()
  }

  /** Rule 12 of the progress protocol: what a dead task held has failed. */
  failAll(): void {
    const inbox = this.inbox
    const ledger = this.host.ledger
    while (inbox.size > 0) {
      const i = inbox.head
      inbox.values[i] = undefined
      if (inbox.tagged) this.#came(inbox.ways[i]!)
      inbox.head = (i + 1) & inbox.mask
      inbox.size--
      if (inbox.slots[i]! !== NONE) ledger.fail(inbox.slots[i]!)
    }
    this.holds.failAll()
    this.#gate.open()
  }
}

/** For edges that close a cycle: over the bound, the sources are paused until there is room again. */
export function guardCycle(host: RunnerHost, target: Target, from: Emitter): void {
  if (target.depth(from) >= host.profile.cycleDepth) host.cycleGuard.block(target, from)
}
