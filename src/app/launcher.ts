// The seams of an app master: what it is made of, where executors come from (this process, processes of this machine,
// workers of a cluster), and where what the next app master needs is kept.
import type { Environment } from '../base/environment.ts'
import { EngineError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Credentials } from '../task/task.ts'
import type { Address } from '../transport/link.ts'
import type { Application } from './application.ts'
import type { BooksMemory } from './books.ts'
import type { ExecutorEvents } from './executor.ts'
import type { ExecutorControl } from './executor-host.ts'
import type { Plan } from './plan.ts'
import type { Positions } from './position-book.ts'
import type { RestartLimits } from './restart-budget.ts'

/** An executor that was launched: what it can be asked, and how it ended. */
export interface LaunchedExecutor {
  readonly control: ExecutorControl
  readonly pid: number | undefined
  /** Resolves with the reason when it has ended, asked for or not. */
  readonly ended: Promise<string>
  /** Once it has ended: whether it went with its worker, and is not to blame. */
  readonly endedWithWorker?: () => boolean
  /** Where it is, for an app master to come: plain data. Absent where there will be none. */
  readonly place?: unknown
  /** The name of that place, for people. */
  readonly where?: string
  /** Ends it at once. Idempotent. */
  kill(): void
}

/** Thrown by a launch that did not succeed where it was tried: elsewhere, and under another id, it may. */
export class ElsewhereError extends EngineError {
  constructor(executorId: number, cause: Error) {
    super('EXECUTOR_START_FAILED', `executor ${executorId}: ${cause.message}`, { cause })
  }
}

export interface Launcher {
  /** Once for each id, for nobody knows what became of a launch that was not answered. Throws ElsewhereError. */
  launch(executorId: number, token: string, events: ExecutorEvents): Promise<LaunchedExecutor>
  /**
   * Takes over an executor that an earlier app master launched and that runs; undefined when it cannot be reached.
   * `place` is what was stored of it.
   */
  adopt?(
    executorId: number,
    place: unknown,
    events: ExecutorEvents,
  ): Promise<LaunchedExecutor | undefined>
}

/** All that the next app master needs to take over from this one. Plain data. */
export interface PlanMemory {
  readonly plan: Plan
  readonly nextId: number
  /** Executor id -> its place and where its links are. */
  readonly places: readonly (readonly [id: number, place: unknown, links: Address | undefined])[]
  readonly books: BooksMemory
}

/** Where an app master's memory is kept, if there is such a place. Each waits until it is kept. */
export interface AppMasterMemory {
  savePlan(memory: PlanMemory): Promise<void>
  saveClock(reservedUs: number): Promise<void>
}

/** What an app master that takes over begins with. */
export interface Resumption extends PlanMemory {
  readonly reservedUs: number
}

export interface AppMasterOptions {
  readonly environment: Environment
  readonly application: Application
  readonly executors: number
  readonly launcher: Launcher
  readonly log: Log
  /** Secret of the links between the executors; by default a new one. */
  readonly token?: string
  /** How often each executor may die; by default as often as it was up in between. */
  readonly restarts?: RestartLimits | undefined
  readonly memory?: AppMasterMemory
  /** Given: executors of an earlier app master run, and are taken over. */
  readonly resume?: Resumption | undefined
  /** The floor of the app clock, where the application ran before; part of `resume` too. */
  readonly reservedUs?: number
  /** Where the sources of an earlier run stood, by task id. */
  readonly positions?: Positions
  /** Secrets of the application; none if not given. */
  readonly credentials?: Credentials | undefined
  /** Called with the positions that have changed, to store them. */
  readonly onPositions?: (positions: Positions) => void
}
