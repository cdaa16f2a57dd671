// What a verb of `storm` is, and what it sees of the world: a Nimbus, the files of Storm's configuration, the terminal.
// All of it is handed in, so that tests run verbs against a Nimbus in memory.
import type { ClientOptions, ThriftClient } from '../thrift/client.ts'
import type { Methods } from '../thrift/service.ts'
import type { drpcMethods } from '../thrift/storm-drpc.ts'
import type { nimbusMethods } from '../thrift/storm-nimbus.ts'

export type NimbusClient = ThriftClient<typeof nimbusMethods>
export type DrpcClient = ThriftClient<typeof drpcMethods>

/** `gear`'s own entry. */
export type Gear = (
  argv: readonly string[],
  options: { doors: readonly string[]; command: string; runName?: string },
) => Promise<number>

/** A program that a verb starts; stdin, stdout and stderr are those of the command. */
export interface ProgramCall {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** A Nimbus in this very process. */
export interface LocalNimbus {
  readonly port: number
  /** Ends its topologies, too. */
  close(): Promise<void>
}

/** Where a server is, how to come in there, and how long to wait for it. */
export type Door = Pick<
  ClientOptions<Methods>,
  'host' | 'port' | 'security' | 'timeoutMs' | 'connectTimeoutMs' | 'onSlow'
>

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly homeDir: string
  readonly cwd: string
  /** Results go to stdout, remarks to stderr. */
  out(text: string | Uint8Array): void
  note(text: string): void
  /** Resolves when the reader of stdout has taken what was written. */
  drained(): Promise<void>
  readonly stdin: AsyncIterable<Uint8Array>
  connect(door: Door): Promise<NimbusClient>
  connectDrpc(door: Door): Promise<DrpcClient>
  /** Resolves when the user wants the command to end: Ctrl-C, or SIGTERM. */
  interrupted(): Promise<void>
  /** Resolves with the exit code; 128 and more is a signal. */
  runProgram(call: ProgramCall): Promise<number>
  readonly gear: Gear
  localNimbus(): Promise<LocalNimbus>
  nowMs(): number
  sleep(ms: number): Promise<void>
}

export interface Verb {
  /** `storm kill TOPOLOGY [-w SECS]`. */
  readonly usage: string
  readonly summary: string
  /** All that `storm help VERB` says, if the two above are not enough. */
  readonly help?: string
  /** Resolves with the exit code. A StormUsageError is 2, every other error 1. */
  run(argv: readonly string[], around: Surroundings): Promise<number>
}

export const EXIT_OK = 0
export const EXIT_FAILED = 1
export const EXIT_USAGE = 2
