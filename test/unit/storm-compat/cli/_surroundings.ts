// The world of a `storm` command in memory: a Nimbus that answers by a table, a home of its own, and what was printed.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { EngineError } from '../../../../src/base/errors.ts'
import { storm } from '../../../../storm-compat/cli/storm.ts'
import type {
  DrpcClient,
  NimbusClient,
  ProgramCall,
  Surroundings,
} from '../../../../storm-compat/cli/verb.ts'

/** Where the Nimbus of a local run listens. */
export const LOCAL_PORT = 16_627

export interface Called {
  readonly name: string
  readonly args: Readonly<Record<string, unknown>>
}

/** Method name -> its answer, or what makes it. Others are not known to this Nimbus. */
export type Answers = Readonly<Record<string, unknown>>

export interface World {
  readonly around: Surroundings
  readonly dir: string
  readonly calls: Called[]
  readonly connections: string[]
  readonly programs: ProgramCall[]
  readonly gearCalls: (readonly string[])[]
  printed(): string
  notes(): string
  /** Runs one command line. */
  run(...argv: string[]): Promise<number>
}

export interface WorldOptions {
  readonly answers?: Answers
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: readonly Uint8Array[]
  readonly programExit?: number
  /** Hosts where nobody listens. */
  readonly deadHosts?: readonly string[]
  /** When a daemon is told to end; at once if not given. */
  readonly interrupted?: () => Promise<void>
}

export async function world(t: ExecutionContext, options: WorldOptions = {}): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), 'gearpump-cli-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const out: Buffer[] = []
  const notes: string[] = []
  const calls: Called[] = []
  const connections: string[] = []
  const programs: ProgramCall[] = []
  const gearCalls: (readonly string[])[] = []
  let nowMs = 1_000_000
  const around: Surroundings = {
    env: options.env ?? {},
    homeDir: dir,
    cwd: dir,
    out: text => out.push(Buffer.from(text)),
    note: text => notes.push(`${text}\n`),
    drained: async () => undefined,
    stdin: toAsync(options.stdin ?? []),
    connect: async ({ host, port }) => {
      connections.push(`${host}:${port}`)
      if (options.deadHosts?.includes(host)) {
        throw new EngineError('NIMBUS_UNREACHABLE', `${host}:${port}: nobody listens`)
      }
      const answers = { getLeader: { host, port }, ...options.answers }
      return fakeClient(answers, calls)
    },
    connectDrpc: async ({ host, port }) => {
      connections.push(`${host}:${port}`)
      if (options.deadHosts?.includes(host)) {
        throw new EngineError('DRPC_UNREACHABLE', `${host}:${port}: nobody listens`)
      }
      return fakeClient({ ...options.answers }, calls) as unknown as DrpcClient
    },
    interrupted: options.interrupted ?? (async () => undefined),
    runProgram: async call => {
      programs.push(call)
      return options.programExit ?? 0
    },
    gear: async argv => {
      gearCalls.push(argv)
      return 7
    },
    localNimbus: async () => {
      programs.push({ command: 'nimbus', args: ['start'] })
      return {
        port: LOCAL_PORT,
        close: async () => {
          programs.push({ command: 'nimbus', args: ['close'] })
        },
      }
    },
    nowMs: () => nowMs,
    sleep: async ms => {
      nowMs += ms
    },
  }
  const run = (...argv: string[]) => storm(argv, around.gear, around)
  const printed = () => Buffer.concat(out).toString()
  return {
    around,
    dir,
    calls,
    connections,
    programs,
    gearCalls,
    run,
    printed,
    notes: () => notes.join(''),
  }
}

function fakeClient(answers: Answers, calls: Called[]): NimbusClient {
  const call = async (name: string, args: Readonly<Record<string, unknown>>) => {
    calls.push({ name, args })
    if (!(name in answers)) {
      throw new EngineError('THRIFT_CALL_FAILED', `${name}: Invalid method name: '${name}'`)
    }
    const answer = answers[name]
    return typeof answer === 'function' ? await answer(args) : answer
  }
  return { call, close: () => undefined } as unknown as NimbusClient
}

async function* toAsync(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}
