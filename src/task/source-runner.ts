// Runs one source: asks it for messages while nothing is full and fewer than the bound are open, makes a root of each
// one that has an id, and tells it on its own turn how each root ended. A source with nothing to say is asked
// again after a wait that grows; it never spins.
import { asError } from '../base/errors.ts'
import { RootTable } from '../progress/root-table.ts'
import { NONE, type Slot, type SlotLedger } from '../progress/slot-ledger.ts'
import { SourceClock } from '../progress/source-clock.ts'
import { FailedIds } from './failed-ids.ts'
import { Emitter } from './flow.ts'
import { IdleWait } from './idle-wait.ts'
import { ParkedCall } from './parked-call.ts'
import type { RunLoop, Runnable } from './run-loop.ts'
import type { RunnerHost } from './runner-host.ts'
import type { Source, Tally } from './task.ts'
import { TurnTimers } from './turn-timers.ts'

// An imported constant is looked up at each use, a module's own is not.
const UNTRACKED: Slot = NONE

export interface SourceSettings {
  /** Number of this source in its executor: names it in the ledger. */
  readonly number: number
  readonly taskId: number
  /** 0 = no bound. */
  readonly maxOpenRoots: number
  readonly idleWaitMs: number
}

export class SourceRunner<Context> extends Emitter implements Runnable {
  readonly host: RunnerHost
  readonly level = 0
  readonly roots: RootTable
  readonly clock = new SourceClock()
  readonly failedIds = new FailedIds()
  queued = false
  /** Roots with an id whose end was told. */
  rootsDone = 0
  rootsFailed = 0
  rootsLost = 0
  exhausted = false
  lastActivityMs: number
  readonly #settings: SourceSettings
  readonly #ledger: SlotLedger
  readonly #loop: RunLoop
  readonly #idle: IdleWait
  readonly #tracked: boolean
  #source: Source<unknown> | undefined = undefined
  #context: Context | undefined = undefined
  #parked = false
  #stopped = false
  #active = true
  #suspended = false
  // Roots are stamped once a turn: asking the clock costs more than a root.
  #turn = -1
  #calls: (() => unknown)[] = []
  #hears = false
  // Parked in `next`; and whether `wake` was called meanwhile.
  #asking = false
  #woken = false
  readonly #call = new ParkedCall()
  readonly timers: TurnTimers

  constructor(host: RunnerHost, settings: SourceSettings) {
    super(settings.taskId)
    this.host = host
    this.#ledger = host.ledger
    this.#loop = host.loop
    this.#idle = new IdleWait(host.environment, settings.idleWaitMs, () => {
      if (!this.queued) this.resume()
    })
    this.roots = new RootTable(host.ledger, settings.number)
    this.#settings = settings
    this.#tracked = host.profile.guarantee === 'at-least-once'
    this.lastActivityMs = host.environment.monotonicMs()
    this.timers = new TurnTimers(host.environment, this)
  }

  begin(source: Source<unknown>, context: Context): void {
    this.#source = source
    this.#context = context
    this.#hears = source.done !== undefined || source.fail !== undefined
    this.lastActivityMs = this.monotonicMs()
    this.resume()
  }

  /** Roots with an id that are open, or ended and not told. */
  get rootsPending(): number {
    return this.roots.pending
  }

  get rootsEmitted(): number {
    return this.rootsDone + this.rootsFailed + this.rootsLost + this.rootsPending
  }

  get active(): boolean {
    return this.#active
  }

  /** Nothing under way: no open root, nothing left to tell, no call open. */
  get settled(): boolean {
    return (
      this.#source !== undefined &&
      this.rootsPending === 0 &&
      this.#calls.length === 0 &&
      // A source may spend its life in a `next` that waits for news. While inactive it must come to its end.
      (!this.#parked || (this.#asking && this.#active))
    )
  }

  // ---- position

  get keepsPosition(): boolean {
    return this.#source?.position !== undefined
  }

  /** While it stands still, so does the position. */
  get activity(): number {
    return this.emitted + this.rootsEmitted + this.rootsDone + this.rootsFailed
  }

  /** Only on the source's own turn, or just before `stop`. */
  readPosition(): unknown {
    return this.#source?.position?.()
  }

  /** See `ParkedCall`. */
  deafness(): string | undefined {
    return this.#parked ? this.#call.deafness(this.monotonicMs(), this.roots.untold) : undefined
  }

  readTally(): Tally | undefined {
    return this.#source?.tally?.()
  }

  // ---- roots

  /** Opens a root for `id`; the caller emits under the slot and then calls `closeRoot`. NONE = untracked. */
  openRoot(id: unknown): Slot {
    if (this.#turn !== this.#loop.turns) this.#newTurn()
    if (id === undefined || id === null) return NONE
    if (this.#tracked === true) return this.roots.push(id)
    this.roots.pushEnded(id)
    if (!this.queued) this.resume()
    return NONE
  }

  #newTurn(): void {
    const loop = this.#loop
    this.#turn = loop.turns
    this.lastActivityMs = loop.turnMs
    this.roots.stampBy(this.clock.stamp(loop.turnUs))
  }

  closeRoot(slot: Slot): void {
    if (slot === UNTRACKED) return
    if (this.roots.endAlone(slot) === false) this.#ledger.release(slot)
    else if (this.queued === false) this.resume()
  }

  /** Instead of `closeRoot`, when the emit threw: some of its consumers may not have got the message. */
  failRoot(slot: Slot): void {
    if (slot !== NONE) this.host.ledger.fail(slot)
  }

  /** From the ledger, which keeps the rows of these roots. */
  rootsEnded(places: Int32Array, n: number): true {
    for (let i = 0; i < n; i++) this.roots.done(places[i]!)
    if (this.queued === false) this.resume()
    return true
  }

  rootFailed(place: number): void {
    this.roots.fail(place)
    if (!this.queued) this.resume()
  }

  /** Nobody will hear of the roots that are open now, nor of those ended but not told. */
  orphanAll(): void {
    const ledger = this.host.ledger
    this.rootsLost += this.rootsPending
    this.roots.clear((_, slot) => ledger.orphan(slot))
  }

  rotate(): void {
    this.roots.rotate((_, slot) => this.host.ledger.markFailed(slot))
  }

  /** The promise of the app clock: no later root is stamped below it. */
  readClock(): number {
    // A clock told is a promise: the next root is stamped anew.
    this.#turn = -1
    return this.clock.read(this.host.environment.nowUs(), this.roots.lowestStamp())
  }

  // ---- turns

  override lends(): boolean {
    return true
  }

  protected override monotonicMs(): number {
    return this.host.environment.monotonicMs()
  }

  protected override resume(): void {
    if (this.#parked || this.#stopped || this.#source === undefined) return
    if (this.#calls.length > 0 || this.roots.untold > 0 || this.#mayAsk()) {
      this.host.loop.ready(this)
    }
  }

  #mayAsk(): boolean {
    const bound = this.#settings.maxOpenRoots
    return (
      this.#active === true &&
      this.#parked === false &&
      this.#suspended === false &&
      this.exhausted === false &&
      this.blockedOn === 0 &&
      this.#idle.waiting === false &&
      (bound === 0 || this.rootsPending < bound)
    )
  }

  run(quantum: number): number {
    if (this.#parked || this.#stopped) return 0
    if (!this.#runCalls() || !this.#tellEnded()) return 1
    const source = this.#source!
    const context = this.#context! as never
    const from = this.emitted
    let done = 0
    // A source may emit many at once; the turn is bounded by what comes out.
    while (done < quantum && this.emitted - from < quantum && this.#mayAsk()) {
      done++
      try {
        const result = source.next(context)
        if (result === true) {
          this.#idle.forget()
        } else if (result === false) {
          this.#idle.begin()
        } else if (result === 'end') {
          this.exhausted = true
        } else if (typeof result?.then === 'function') {
          this.#asking = true
          this.#woken = false
          this.#park('next', result, answer => this.#answered(answer))
          break
        } else {
          this.#idle.begin()
        }
      } catch (error) {
        this.host.report(this.taskId, asError(error))
        this.#idle.begin()
      }
    }
    this.roots.rest()
    this.resume()
    return Math.max(done, this.emitted - from)
  }

  #answered(answer: unknown): void {
    if (answer === true) this.#idle.forget()
    else if (answer === 'end') this.exhausted = true
    else if (!this.#woken) this.#idle.begin()
  }

  wake(): void {
    this.#idle.forget()
    this.#woken = true
    if (this.#idle.end()) this.resume()
  }

  // Tells the source what has ended, each as a turn of its own. False: it parked.
  #tellEnded(): boolean {
    const roots = this.roots
    const failedIds = this.failedIds
    while (roots.untold > 0) {
      const id = roots.take()
      if (roots.wasDone === true) {
        this.rootsDone++
        if (failedIds.any === true) failedIds.done(id)
        if (this.#hears === true && this.#tellDone(id) === false) return false
      } else {
        this.rootsFailed++
        failedIds.failed(id)
        if (this.#hears === true && this.#tellFailed(id) === false) return false
      }
    }
    return true
  }

  #tellDone(id: unknown): boolean {
    try {
      return !this.#parksOn('done', this.#source!.done?.(id))
    } catch (error) {
      this.host.report(this.taskId, asError(error))
      return true
    }
  }

  #tellFailed(id: unknown): boolean {
    const source = this.#source!
    try {
      const result = source.fail?.(id)
      // A failed id is emitted again at the source's next turn: it must not sleep through that, nor have ended.
      if (source.fail !== undefined) this.#askAgain()
      return !this.#parksOn('fail', result)
    } catch (error) {
      this.host.report(this.taskId, asError(error))
      return true
    }
  }

  #askAgain(): void {
    this.exhausted = false
    this.#idle.forget()
    this.#idle.end()
  }

  /** Runs `fn` on the source's own turn, soon. */
  call(fn: () => unknown): void {
    if (this.#stopped) return
    this.#calls.push(fn)
    if (!this.queued) this.resume()
  }

  #runCalls(): boolean {
    // Those made meanwhile have their turn later: one that makes another must not stop the source.
    for (let left = this.#calls.length; left > 0; left--) {
      const fn = this.#calls.shift()!
      try {
        if (this.#parksOn('a callback', fn())) return false
      } catch (error) {
        this.host.report(this.taskId, asError(error))
      }
    }
    return true
  }

  // Plain JavaScript may return anything; a promise parks the source.
  #parksOn(method: string, result: unknown): boolean {
    if (typeof (result as Partial<Promise<unknown>> | undefined | null)?.then !== 'function')
      return false
    this.#park(method, result as Promise<unknown>, () => undefined)
    return true
  }

  #park(method: string, promise: Promise<unknown>, then: (answer: unknown) => void): void {
    this.#parked = true
    this.#call.begin(method, this.monotonicMs())
    const unpark = () => {
      this.#parked = false
      this.#asking = false
      this.host.loop.wake()
      this.resume()
    }
    promise.then(
      answer => {
        then(answer)
        unpark()
      },
      error => {
        this.host.report(this.taskId, asError(error))
        if (this.#asking) this.#idle.begin()
        unpark()
      },
    )
  }

  // ---- control

  /** Told by the user: while inactive, `next` is not called; what is open goes on. */
  setActive(active: boolean): void {
    if (this.#active === active) return
    this.#active = active
    if (this.#source !== undefined) this.call(() => this.#source?.onActive?.(active))
  }

  /** Told by the engine: too much waits on edges that close a cycle. */
  suspend(suspended: boolean): void {
    this.#suspended = suspended
    if (!suspended) this.resume()
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    this.timers.cancelAll()
    this.#idle.end()
    try {
      await this.#source?.close?.()
    } catch (error) {
      this.host.report(this.taskId, asError(error))
    }
  }
}
