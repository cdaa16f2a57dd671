// Launches executors as processes of their own on this machine: forked, told what to run over the fork's channel, linked
// with each other by Unix sockets in a private directory. A child whose parent has gone ends itself.
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { revivedError } from '../actor/plain-error.ts'
import { EngineError } from '../base/errors.ts'
import type { LogLine } from '../base/log.ts'
import type { Application, CodeRef } from './application.ts'
import type { ExecutorEvents } from './executor.ts'
import type { ExecutorControl } from './executor-host.ts'
import type { LaunchedExecutor, Launcher } from './launcher.ts'
import { RpcCaller, type RpcMessage } from './rpc.ts'

/** How an executor process is told what to run. */
export interface ExecutorOrder {
  readonly executorId: number
  readonly token: string
  readonly code: CodeRef
  readonly socketDir: string
}

/** Longest wait for a new process's first word; it loads the user's code meanwhile. */
const BOOT_TIMEOUT_MS = 60_000

export interface ProcessLauncher extends Launcher {
  close(): Promise<void>
}

export interface ProcessOptions {
  /** Where the private directory of their sockets is made; the system's directory for temporary files if not given. */
  readonly directory?: string | undefined
  /** What the processes write to stdout, which is this one's, is read by nobody any more. */
  readonly onStdoutGone?: (() => void) | undefined
}

export async function processLauncher(
  application: Application,
  { directory = tmpdir(), onStdoutGone = () => undefined }: ProcessOptions = {},
): Promise<ProcessLauncher> {
  const code = application.code
  if (code === undefined) {
    throw new EngineError(
      'BAD_INPUT',
      `application "${application.name}" cannot run in several processes`,
      {
        hint: 'other processes must be able to load it: run it from a file, or give `code` to application()',
      },
    )
  }
  const socketDir = await mkdtemp(join(directory, 'gearpump-'))
  return {
    launch: async (executorId, token, events) =>
      boot({ executorId, token, code, socketDir }, events, onStdoutGone),
    close: () => rm(socketDir, { recursive: true, force: true }),
  }
}

async function boot(
  order: ExecutorOrder,
  events: ExecutorEvents,
  onStdoutGone: () => void,
): Promise<LaunchedExecutor> {
  const entry = fileURLToPath(
    new URL(
      import.meta.url.endsWith('.ts') ? './executor-process.ts' : './executor-process.js',
      import.meta.url,
    ),
  )
  const child = fork(entry, [], {
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const ended = new Promise<string>(resolve => {
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `exit code ${code}` : `signal ${signal}`),
    )
    // Only when there is no process is this its end; else its exit follows.
    child.on('error', error => {
      if (child.pid === undefined) resolve(error.message)
    })
  })
  const caller = new RpcCaller(channelOf(child), (name, args) => {
    if (name === 'stdoutGone') onStdoutGone()
    else onEvent(events, name, args)
  })
  void ended.then(reason => caller.end(died(order.executorId, child.pid, reason)))
  try {
    await withTimeout(caller.call('load', order), child, order.executorId)
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  return {
    control: controlOf(caller),
    pid: child.pid,
    ended,
    kill: () => void child.kill('SIGKILL'),
  }
}

function channelOf(child: ChildProcess) {
  return {
    send: (message: RpcMessage) => {
      // A child that was killed a moment ago still counts as connected. Its end is told by its exit; without a callback the
      // broken pipe would be an error that nobody handles.
      if (child.connected) child.send(message, () => undefined)
    },
    onMessage: (handle: (message: RpcMessage) => void) => {
      child.on('message', message => handle(message as RpcMessage))
    },
  }
}

function onEvent(events: ExecutorEvents, name: string, args: unknown[]): void {
  if (name === 'clock') events.clock(args[0] as ReadonlyMap<number, number>)
  else if (name === 'overflow') events.overflow(args[0] as boolean)
  else if (name === 'positions') events.positions(args[0] as ReadonlyMap<number, unknown>)
  else if (name === 'log')
    events.log(args[0] as number, args[1] as string, args[2] as LogLine['level'], args[3] as string)
  else if (name === 'metric')
    events.metric(args[0] as number, args[1] as string, args[2] as string, args[3])
  else if (name === 'error')
    events.error(args[0] as number, args[1] as string, revivedError(args[2]))
}

function controlOf(caller: RpcCaller): ExecutorControl {
  const ask = (method: keyof ExecutorControl, ...args: unknown[]) =>
    caller.call(method, ...args) as Promise<never>
  return {
    prepare: () => ask('prepare'),
    start: order => ask('start', order),
    go: (active, floorUs, positions) => ask('go', active, floorUs, positions),
    replacePeer: (dead, fresh) => ask('replacePeer', dead, fresh),
    replan: plan => ask('replan', plan),
    setActive: active => ask('setActive', active),
    suspendSources: suspended => ask('suspendSources', suspended),
    setCredentials: credentials => ask('setCredentials', credentials),
    failOpen: () => ask('failOpen'),
    publish: clockUs => ask('publish', clockUs),
    status: () => ask('status'),
    stalls: () => ask('stalls'),
    close: () => ask('close'),
  }
}

async function withTimeout(
  loaded: Promise<unknown>,
  child: ChildProcess,
  executorId: number,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(
        new EngineError(
          'EXECUTOR_START_FAILED',
          `executor ${executorId} did not load its code in ${BOOT_TIMEOUT_MS / 1000} s`,
        ),
      )
    }, BOOT_TIMEOUT_MS)
  })
  try {
    await Promise.race([loaded, late])
  } finally {
    clearTimeout(timer)
  }
}

function died(executorId: number, pid: number | undefined, reason: string): EngineError {
  return new EngineError('EXECUTOR_DIED', `executor ${executorId} (pid ${pid}) ended: ${reason}`, {
    hint: 'its own lines above say why, if it had the time to write any',
  })
}
