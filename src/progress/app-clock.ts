// The clock of an application, in microseconds: the lowest clock of all its source tasks. It drives offsets, `onClock` and
// checkpoints; no completion waits for it. It lives in the app master, and must not go back though app master and
// executors die in any order. So nothing is published above `reserved`, which is stored first and outlives the app
// master; a starting source begins at `reserved`; and a restarted app master hears everybody before it publishes.
// What to store and publish is decided here and done by the caller.
import { invariant } from '../base/errors.ts'

/** What the caller has to do now. `store`: put it where it outlives the app master, then call `stored` with it. */
export interface ClockDecision {
  publish?: number
  store?: number
}

export type ExecutorId = string | number
export type SourceId = string | number

export interface AppClockOptions {
  /** The executors of the stored plan: nothing is published before each has reported or is fenced. */
  executors: Iterable<ExecutorId>
  /** The value stored last; 0 in a new application. */
  reserved?: number
}

// A restarted source's stamps run ahead of time by at most this much.
const RESERVE_US = 3_000_000
// More is reserved when less than this is left, so that publishing need not wait for the store.
const RESERVE_LEFT_US = 1_000_000
// Executors remembered. Above it those fenced first are forgotten: nothing of theirs can still be on its way.
const EXECUTORS_KEPT = 10_000

interface Executor {
  /** The newest incarnation heard; -1 before the first report. */
  incarnation: number
  fenced: boolean
  clocks: Map<SourceId, number>
  /** Tasks taken out, which late reports may still name. */
  retired: Set<SourceId>
}

export class AppClock {
  private readonly executors = new Map<ExecutorId, Executor>()
  private readonly unheard: Set<ExecutorId>
  private publishedUs = 0
  protected reservedUs: number
  private storing: number | undefined

  constructor({ executors, reserved = 0 }: AppClockOptions) {
    this.unheard = new Set(executors)
    this.reservedUs = reserved
  }

  /** Every root of the application with a lower stamp has ended. */
  get published(): number {
    return this.publishedUs
  }

  /** Nothing above it was ever published. */
  get reserved(): number {
    return this.reservedUs
  }

  /** Executors that publishing waits for. */
  get waitingFor(): ExecutorId[] {
    return [...this.unheard]
  }

  /** A CLOCK frame: the clocks of the admitted source tasks of an executor. Frames may overtake each other. */
  report(
    id: ExecutorId,
    incarnation: number,
    clocks: ReadonlyMap<SourceId, number>,
  ): ClockDecision {
    const executor = this.executorOf(id)
    const known = executor.incarnation
    if (incarnation < known || (executor.fenced && (known < 0 || incarnation === known))) return {}
    // What was admitted before the first report of an incarnation stays counted; only `fence` takes clocks out.
    executor.incarnation = incarnation
    executor.fenced = false
    for (const [task, clock] of clocks) {
      if (executor.retired.has(task)) continue
      executor.clocks.set(task, Math.max(clock, executor.clocks.get(task) ?? clock))
    }
    this.unheard.delete(id)
    return this.decide()
  }

  /**
   * An executor is dead. Its sources are not counted any more; what it may still report is ignored. Fence before the
   * next incarnation's sources are admitted. Without `incarnation` the newest one heard is meant; if none was heard,
   * the id itself is dead for ever.
   */
  fence(id: ExecutorId, incarnation?: number): ClockDecision {
    const executor = this.executorOf(id)
    this.unheard.delete(id)
    if (incarnation === undefined || incarnation >= executor.incarnation) {
      executor.incarnation = incarnation ?? executor.incarnation
      executor.fenced = true
      executor.clocks.clear()
      executor.retired.clear()
      this.forgetOldFences()
    }
    return this.decide()
  }

  /** A source task starts in an executor: it is counted from now on, and must not stamp below the floor returned. */
  admit(task: SourceId, id: ExecutorId): number {
    const executor = this.executorOf(id)
    executor.retired.delete(task)
    executor.clocks.set(task, this.reservedUs)
    return this.reservedUs
  }

  /** A source task is gone for good from an executor that lives on. */
  retire(task: SourceId, id: ExecutorId): ClockDecision {
    const executor = this.executorOf(id)
    executor.clocks.delete(task)
    executor.retired.add(task)
    return this.decide()
  }

  /** What a decision asked to store is stored. */
  stored(reserved: number): ClockDecision {
    invariant(reserved === this.storing, `stored ${reserved}, but ${this.storing} was asked for`)
    this.storing = undefined
    this.reservedUs = reserved
    return this.decide()
  }

  private decide(): ClockDecision {
    const decision: ClockDecision = {}
    if (this.unheard.size > 0) return decision
    const clock = this.lowest()
    if (clock === Infinity) return decision
    if (this.storing === undefined && clock > this.reservedUs - RESERVE_LEFT_US) {
      this.storing = Math.max(clock + RESERVE_US, this.reservedUs)
      decision.store = this.storing
    }
    const allowed = Math.min(clock, this.reservedUs)
    if (allowed > this.publishedUs) {
      this.publishedUs = allowed
      decision.publish = allowed
    }
    return decision
  }

  private lowest(): number {
    let lowest = Infinity
    for (const { clocks } of this.executors.values()) {
      for (const clock of clocks.values()) if (clock < lowest) lowest = clock
    }
    return lowest
  }

  private forgetOldFences(): void {
    if (this.executors.size <= EXECUTORS_KEPT) return
    for (const [id, { fenced, clocks }] of this.executors) {
      if (!fenced || clocks.size > 0) continue
      this.executors.delete(id)
      return
    }
  }

  private executorOf(id: ExecutorId): Executor {
    let executor = this.executors.get(id)
    if (executor === undefined) {
      executor = { incarnation: -1, fenced: false, clocks: new Map(), retired: new Set() }
      this.executors.set(id, executor)
    }
    return executor
  }
}
