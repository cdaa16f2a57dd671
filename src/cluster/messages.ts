// What masters, workers, app masters, executors and clients say to each other: the doors (the methods each actor
// answers) and the plain data in them. Nothing here does anything. `src/app` and `src/cluster` meet in this file only.
//
// Who may speak is settled in three ways. A leader's writes carry its fence (the store refuses an old leader). An app
// master's words carry its incarnation, which the leader stored before the app master was started: an older one is told
// FENCED and ends itself. An executor's id is never used twice: whoever was replaced is refused by its peers.
import type { ActorAddress } from '../actor/actor.ts'
import type { Address } from '../transport/link.ts'

/** The names under which actors are found. */
export const MASTER = 'master'
export const GEAR = 'gear'
export const WORKER = 'worker'
export const APP_MASTER = 'app-master'
export const EXECUTOR = 'executor'

/** Executor number of an app master, where processes are listed. */
export const APP_MASTER_ID = 0

export interface BundleRef {
  /** SHA-256 of the archive, hex. */
  readonly hash: string
  readonly sizeBytes: number
}

/** What one executor takes of its worker, beside one slot. */
export interface Needs {
  readonly cpu: number
  readonly memoryMb: number
}

/** How an application is to be placed. */
export interface PlacementWish {
  readonly executors: number
  readonly each: Needs
  readonly strategy?: string
  readonly labels?: Readonly<Record<string, string>>
}

export interface Submission {
  readonly name: string
  /** Chosen by the client: the same request heard twice is one application. */
  readonly requestId: string
  /** Undefined: all that it needs is part of this package. */
  readonly bundle: BundleRef | undefined
  /** Where the application is in its bundle; see code-shipping.ts. */
  readonly code: unknown
  readonly placement: PlacementWish
  readonly active: boolean
  /** Secrets, by name; no client is answered them. */
  readonly credentials?: Readonly<Record<string, string>>
  /** A word of the client's own, by which it finds the application again; shown in lists. */
  readonly tag?: string
  /** How often each executor may die in a window before the application fails; undefined: as often as it likes. */
  readonly restarts?: { readonly executors: number; readonly windowMs: number }
}

/**
 * starting: no task has run yet. failed: it could not start, or could not go on. stopped: somebody killed it. An
 * application whose app master is being replaced keeps its status: its executors flow.
 */
export type AppStatus = 'starting' | 'active' | 'inactive' | 'failed' | 'stopped'

export interface Death {
  readonly timeMs: number
  /** `app master 3`, `executor 2 (worker w1, pid 4711)`. */
  readonly what: string
  readonly reason: string
  /** Where it ran, when that is known. */
  readonly workerId?: string
  /** It went with its worker, or was to begin on one that went: not the application's fault, and not counted as such. */
  readonly withWorker?: boolean
}

export interface Failure {
  readonly code: string | undefined
  readonly message: string
  readonly hint: string | undefined
}

/** What the store keeps of an application under `apps/ID`. */
export interface AppRecord {
  readonly id: number
  readonly submission: Submission
  readonly status: AppStatus
  readonly submittedMs: number
  readonly endedMs: number | undefined
  /** Secret of the links between its executors; empty where a client is answered. */
  readonly token: string
  /** Of the newest app master; 0 before the first. */
  readonly incarnation: number
  /** The worker that was told to start it. */
  readonly appMasterOn?: string
  readonly deaths: readonly Death[]
  readonly failure: Failure | undefined
  /** Every DAG the application has had; the last one runs. */
  readonly versions: readonly DagVersion[]
}

export interface DagVersion {
  readonly version: number
  readonly timeMs: number
  /** Undefined: all that it needs is part of this package. */
  readonly bundle: BundleRef | undefined
  readonly code: unknown
}

/** What the store keeps under `plans/ID`: all that a new app master needs to take over running executors. */
export interface StoredPlan {
  /** Ids of its executors; a process with another id was replaced. */
  readonly executors: readonly number[]
  /** Of src/app; nobody else reads it. */
  readonly memory: unknown
}

/** What the leader tells an app master when it registers. */
export interface AppBriefing {
  readonly record: AppRecord
  readonly plan: StoredPlan | undefined
  /** The app clock's floor, µs since 1970. */
  readonly reservedUs: number
  /** Source task id -> position. */
  readonly positions: readonly (readonly [task: number, position: unknown])[]
}

export interface WorkerCard {
  readonly id: string
  readonly host: string
  readonly address: ActorAddress
  readonly pid: number
  /** Names its data directory, which one living worker has at a time; undefined when nothing says so. */
  readonly home?: string
  readonly slots: number
  readonly cpu: number
  readonly memoryMb: number
  readonly labels: Readonly<Record<string, string>>
}

/** One process on a worker: an executor, or (executor 0) an app master. */
export interface ProcessCard {
  readonly app: number
  readonly executor: number
  /** Of the app master that it is, or that ordered it. */
  readonly incarnation: number
  readonly pid: number
  readonly node: Address
  readonly each: Needs
}

export type ProcessKey = Pick<ProcessCard, 'app' | 'executor' | 'incarnation'>

export function keyText({ app, executor, incarnation }: ProcessKey): string {
  return executor === APP_MASTER_ID ? `${app}/app-master/${incarnation}` : `${app}/${executor}`
}

/** What a worker is told to start. */
export interface LaunchOrder extends ProcessKey {
  readonly name: string
  /** Undefined: all that it needs is part of this package. */
  readonly bundle: BundleRef | undefined
  readonly code: unknown
  readonly each: Needs
  /** Who hears of its end, beside the leader. */
  readonly owner: ActorAddress | undefined
}

export interface Launched {
  readonly pid: number
  readonly node: Address
}

/** Room for one executor on a worker, kept for its app master until it runs or is given back. */
export interface Grant {
  readonly workerId: string
  readonly worker: ActorAddress
  readonly host: string
}

// ---- doors

/** A master, to the other roles. All but the last three are answered by the leader only; the others say NOT_LEADER. */
export interface MasterDoor {
  /**
   * A worker is there, or has found a new leader; it runs `processes` and is `starting` more. Returns what it has to
   * stop. Idempotent.
   */
  registerWorker(
    card: WorkerCard,
    processes: readonly ProcessCard[],
    starting: readonly ProcessKey[],
  ): Promise<ProcessKey[]>
  /** A worker is about to stop, and ends all that it runs: it is to be replaced at once. */
  unregisterWorker(workerId: string, incarnation: string | undefined): Promise<void>
  processStarted(workerId: string, process: ProcessCard): Promise<void>
  processEnded(workerId: string, process: ProcessKey, reason: string): Promise<void>
  /** Idempotent. FENCED when a newer app master was appointed, or the application has ended. */
  registerAppMaster(app: number, incarnation: number, self: ActorAddress): Promise<AppBriefing>
  /** Room for `count` executors, or NO_RESOURCES. */
  grant(app: number, incarnation: number, count: number, avoid: string[]): Promise<Grant[]>
  /** An executor could not be started in the room that it was granted on that worker. */
  releaseRoom(app: number, incarnation: number, workerId: string): Promise<void>
  savePlan(app: number, incarnation: number, plan: StoredPlan): Promise<void>
  saveClock(app: number, incarnation: number, reservedUs: number): Promise<void>
  savePositions(app: number, incarnation: number, positions: [number, unknown][]): Promise<void>
  appStarted(app: number, incarnation: number): Promise<void>
  appFailed(app: number, incarnation: number, failure: Failure): Promise<void>
  leader(): Promise<LeaderCard | undefined>
  readBlob(hash: string, offset: number, bytes: number): Promise<Uint8Array>
  /** Fetches a blob from another master; answers when it is on disk here. */
  pullBlob(blob: BundleRef, from: Address): Promise<void>
}

export interface LeaderCard {
  readonly name: string
  readonly address: Address
  /** Another number for each time that somebody becomes the leader. */
  readonly term: number
}

/** A master, to clients. The leader answers; the others say NOT_LEADER. */
export interface GearDoor {
  submit(submission: Submission): Promise<number>
  list(): Promise<AppSummary[]>
  /** By id or name. APP_NOT_FOUND. */
  find(app: number | string): Promise<AppRecord>
  /** Asks the app master: one of the methods of AppMasterDoor's `call`. */
  call(app: number, method: string, args: unknown[]): Promise<unknown>
  setActive(app: number, active: boolean): Promise<void>
  /** Instead of those there are. */
  setCredentials(app: number, credentials: Readonly<Record<string, string>>): Promise<void>
  /** Deals its tasks out anew to so many executors. NO_RESOURCES when they would find no room. */
  rebalance(app: number, executors: number): Promise<void>
  kill(app: number | string): Promise<void>
  /** Kills it and submits the same again, under a new id. The same request heard twice is one restart. */
  restart(app: number | string, requestId: string): Promise<number>
  workers(): Promise<WorkerSummary[]>
  master(): Promise<MasterSummary>
  leader(): Promise<LeaderCard | undefined>
  /** Appends to a blob that is being sent; no bytes = how much there is? Returns the bytes held. */
  writeBlob(blob: BundleRef, offset: number, bytes: Uint8Array): Promise<number>
  /** At most `bytes` from `offset`; none at and beyond the end. */
  readBlob(blob: BundleRef, offset: number, bytes: number): Promise<Uint8Array>
  /** Notes of gateways; see notes.ts. */
  notes(prefix: string): Promise<readonly Note[]>
  /** A majority of the masters has the blobs when this is answered. Returns the note's revision. */
  writeNote(name: string, text: string, blobs: readonly BundleRef[]): Promise<number>
  removeNote(name: string): Promise<void>
}

/** What a gateway remembers in the cluster. */
export interface Note {
  readonly name: string
  readonly text: string
  readonly blobs: readonly BundleRef[]
  /** Changes with each write. */
  readonly revision: number
}

export interface AppSummary {
  readonly id: number
  readonly name: string
  readonly tag: string | undefined
  readonly status: AppStatus
  readonly submittedMs: number
  readonly endedMs: number | undefined
  readonly executors: number
  /** Worker that runs the app master. */
  readonly appMaster: string | undefined
}

export interface WorkerSummary {
  readonly id: string
  readonly host: string
  readonly state: 'up' | 'lost'
  readonly pid: number
  readonly slots: number
  readonly slotsUsed: number
  readonly cpu: number
  readonly cpuUsed: number
  readonly memoryMb: number
  readonly memoryMbUsed: number
  readonly labels: Readonly<Record<string, string>>
  readonly processes: readonly ProcessCard[]
}

export interface MasterSummary {
  readonly name: string
  readonly address: Address
  readonly pid: number
  readonly store: string
  readonly leaderSinceMs: number
  readonly masters: readonly {
    readonly address: Address
    readonly state: 'leader' | 'standby' | 'silent'
  }[]
  readonly workers: number
  readonly apps: number
  readonly version: string
  readonly rssMb: number
}

export interface WorkerDoor {
  /** Starts a process; answers when it listens. The same order heard twice starts one. WORKER_STOPPING. */
  launch(order: LaunchOrder): Promise<Launched>
  /** Ends it at once. Unknown ones are gone already. */
  stop(process: ProcessKey, reason: string): Promise<void>
  /** Ends all of an application. */
  stopApp(app: number): Promise<void>
  /** An app master has taken the application's executors over: it hears of their ends, instead of who ordered them. */
  own(app: number, incarnation: number, owner: ActorAddress): Promise<void>
}

export interface AppMasterDoor {
  /** An executor speaks without being asked: one of the methods of ExecutorEvents. */
  event(executor: number, name: string, args: unknown[]): void
  /** `withWorker`: its worker is gone or stops, so that it is nobody's fault here. */
  executorEnded(executor: number, reason: string, withWorker?: boolean): void
  /** `report`, `figures`, `setActive`, `rebalance`, `isDrained`. */
  call(method: string, args: unknown[]): Promise<unknown>
  /** Ends the executors in order, then itself. */
  stop(): Promise<void>
}

export interface ExecutorDoor {
  /**
   * Whoever has the highest incarnation is its app master from now on. Answers whether data flows here: one that an
   * earlier app master was only starting cannot be taken over, for nobody knows how far that had come.
   */
  adopt(incarnation: number, appMaster: ActorAddress): Promise<boolean>
  /** One of the methods of ExecutorControl. FENCED for any but its app master. */
  control(incarnation: number, method: string, args: unknown[]): Promise<unknown>
}
