// What an application looks like from outside, and what can be done with applications: the same for those in this process
// (embedded-gear.ts) and in a cluster (remote-gear.ts). `connect()` gives one or the other.

import type { AppReport } from '../app/app-report.ts'
import type { Application } from '../app/application.ts'
import type { RunFigures } from '../app/figures.ts'
import type { MasterSummary, Needs, WorkerSummary } from '../cluster/messages.ts'

export interface SubmitOptions {
  /** Executor processes; 1 = in this process. */
  executors?: number
  /** False: sources do not run until `setActive(true)`. */
  active?: boolean
  /** In a cluster: what each executor takes of its worker, beside one slot. */
  each?: Partial<Needs>
  /** In a cluster: how executors are placed (spread, pack, locality, or one of the cluster's own). */
  strategy?: string
  /** In a cluster: only workers with these labels. */
  labels?: Readonly<Record<string, string>>
  /** In a cluster: the directory, zip or jar that travels; default: the nearest directory with a package.json, or the file's own. */
  bundle?: string
  /** Secrets for its tasks (`context.credentials`), by name. They are kept with it, and never shown. */
  credentials?: Readonly<Record<string, string>>
  /** A word of the submitter's own, by which it finds the application again in `list()`. */
  tag?: string
  /** In a cluster: how often one executor may die in a window before the application fails; default: 100 in 10 minutes. */
  restarts?: { readonly executors: number; readonly windowMs: number }
}

/** starting: no task has run yet. failed: it could not start, or go on. stopped: it was killed. */
export type AppState = 'starting' | 'active' | 'inactive' | 'failed' | 'stopped'

export interface AppInfo extends AppReport {
  readonly id: number
  readonly name: string
  readonly status: AppState
  readonly startedMs: number
  /** In a cluster: what else there is to know. */
  readonly cluster?: ClusterInfo
}

export interface ClusterInfo {
  readonly endedMs: number | undefined
  /** Where the app master runs; undefined while there is none. */
  readonly appMaster: string | undefined
  readonly incarnation: number
  /** Deaths of app masters. */
  readonly deaths: readonly {
    readonly timeMs: number
    readonly what: string
    readonly reason: string
  }[]
  readonly failure:
    | {
        readonly code: string | undefined
        readonly message: string
        readonly hint: string | undefined
      }
    | undefined
  /** Why executors wait to be started. */
  readonly waiting: string | undefined
  /** Hash of what travelled; undefined when all was part of this package. */
  readonly bundle: string | undefined
}

export interface AppEntry {
  readonly id: number
  readonly name: string
  readonly tag?: string | undefined
  readonly status: AppState
  readonly submittedMs?: number
  readonly endedMs?: number | undefined
  readonly executors?: number
  readonly appMaster?: string | undefined
}

export interface RunningApp {
  readonly id: number
  readonly name: string
  info(): Promise<AppInfo>
  figures(): Promise<RunFigures>
  /** Pauses (false) or resumes the sources. */
  setActive(active: boolean): Promise<void>
  /** Gives its tasks other secrets than those of before. */
  setCredentials(credentials: Readonly<Record<string, string>>): Promise<void>
  /**
   * Deals the tasks out anew to so many executors, which take the place of those there are. The sources rest meanwhile;
   * tasks keep their number. Resolves when data flows again.
   */
  rebalance(executors: number): Promise<void>
  /** Resolves when every source is exhausted or silent for `idleMs`, and every root has ended. Rejects when the application fails. */
  drained(options?: { idleMs?: number }): Promise<void>
  /** Stops the sources and waits until every root has ended, at most `timeoutMs`. Returns how many are left. */
  drain(timeoutMs: number): Promise<number>
  /** Rejects when the application cannot go on. */
  readonly failure: Promise<never>
  kill(): Promise<void>
}

export interface Gear {
  /** Resolves when data flows. */
  submit(application: Application, options?: SubmitOptions): Promise<RunningApp>
  list(): Promise<readonly AppEntry[]>
  /** By id or name. Throws APP_NOT_FOUND. */
  info(app: number | string): Promise<AppInfo>
  /** One that runs already, by id or name. Throws APP_NOT_FOUND. */
  app(app: number | string): Promise<RunningApp>
  kill(app: number | string): Promise<void>
  /** Embedded: kills what still runs. In a cluster: lets go of it. Idempotent. */
  close(): Promise<void>
}

/** A cluster, beyond its applications. */
export interface ClusterGear extends Gear {
  /** Kills it and submits the same again, under a new id. */
  restart(app: number | string): Promise<number>
  workers(): Promise<readonly WorkerSummary[]>
  master(): Promise<MasterSummary>
  /** What a gateway in front of the cluster has to remember. */
  readonly notes: GearNotes
}

/** Content that the cluster keeps, by its hash. */
export interface BlobRef {
  readonly hash: string
  readonly sizeBytes: number
}

/** A short text under a name, with the blobs that belong to it. */
export interface GearNote {
  readonly name: string
  readonly text: string
  readonly blobs: readonly BlobRef[]
  /** Changes with each write. */
  readonly revision: number
}

/**
 * Kept as long as the cluster keeps its applications. The last write of a name wins.
 *
 * @example
 * const blob = await cluster.notes.upload('/tmp/words.jar')
 * await cluster.notes.write('gate/words', 'submitted', [blob])
 */
export interface GearNotes {
  /** Those whose names begin with `prefix`. */
  list(prefix: string): Promise<readonly GearNote[]>
  /** Resolves with the note's revision. */
  write(name: string, text: string, blobs?: readonly BlobRef[]): Promise<number>
  /** What is not there is removed already. */
  remove(name: string): Promise<void>
  /** Sends a file, of at least one byte. It is kept while a note, or an application, has it. */
  upload(file: string): Promise<BlobRef>
  /** Writes a blob into a new file. Throws BLOB_NOT_FOUND. */
  download(blob: BlobRef, file: string): Promise<void>
}
