// Front doors: other forms in which an application may be written than a DAG of ours. A door is a module that exports
// `frontDoor`; the command line is given the doors' names and asks each. Executor processes load the
// same file through the same door, so all options are plain data.
import type { Application } from '../app/application.ts'
import type { Log } from '../base/log.ts'
import type { Gear } from './gear.ts'

/** How a file is to be run. Plain data: it travels to executor processes. */
export interface RunOptions {
  /** Absolute path of the file. */
  readonly file: string
  /** A name that wins over the file's. */
  readonly name?: string | undefined
  /** Settings that win over the file's own. */
  readonly config: Readonly<Record<string, unknown>>
  /** Directory with what components need at run time; undefined = `resources` beside the file. */
  readonly resources: string | undefined
  /** Properties to substitute in the file, as read from the file the user named. */
  readonly properties: Readonly<Record<string, string>>
  /** Whether `${ENV-NAME}` is substituted. */
  readonly envFilter: boolean
  /** Values of the arguments that the file declares. */
  readonly args: Readonly<Record<string, string | number | boolean>>
  /** Private directory of this run; exists, removed at its end. */
  readonly runDir: string
  /** Directory for the components' log files; exists. Undefined = none are written. */
  readonly logDir: string | undefined
  /** When the run began, ms since 1970: part of names that must be the same in every process. */
  readonly startedMs: number
}

export interface Loaded {
  readonly application: Application
  /** What the user should know: settings that are ignored, parts that were left out. */
  readonly notices: readonly string[]
}

export interface FrontDoor {
  /** Endings of files that this door reads itself: `.yaml`. */
  readonly extensions: readonly string[]
  /** Throws a UserError that lists every mistake with its place. */
  load(options: RunOptions): Promise<Loaded>
  /** Whether a value that a module exports is this door's. */
  accepts(value: unknown): boolean
  /** An application of such a value. */
  translate(value: unknown, options: RunOptions): Promise<Loaded>
  /** Listens for clients of another system, and runs what they submit. */
  serve?(gear: Gear, options: ServeOptions): Promise<Service>
}

/** Where clients of another system come in, and who may. */
export interface ServeOptions {
  /** Where topologies are submitted; undefined = nowhere. 0 = any port that is free, here and below. */
  readonly port: number | undefined
  readonly address: string
  /** Where those clients' pages and dashboards ask over HTTP, on loopback; undefined = nowhere. */
  readonly uiPort?: number | undefined
  /** Ports of a DRPC server; undefined = none is started. */
  readonly drpc: DrpcPorts | undefined
  /** PEM texts. With `ca` only clients with a certificate that it signed get in. */
  readonly tls: { readonly cert: string; readonly key: string; readonly ca?: string } | undefined
  /** Passwords of those who may come in; undefined = they need none. */
  readonly users: ReadonlyMap<string, string> | undefined
  /** The host that clients are told to come back to; undefined = the address under which each came. */
  readonly advertise: string | undefined
  readonly log: Log
}

/** Each is the one that the other system's users know if it is undefined. */
export interface DrpcPorts {
  /** Of those who call functions. */
  readonly callers: number | undefined
  /** Of the applications that answer them. */
  readonly invocations: number | undefined
  /** Of callers over HTTP. */
  readonly http: number | undefined
}

/** Something that listens until it is closed. */
export interface Service {
  /** For people: what it is and where. */
  readonly name: string
  close(): Promise<void>
}
