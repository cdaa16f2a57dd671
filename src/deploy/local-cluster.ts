// A whole cluster on one machine: a master in this process, and workers as processes of their own that are started again
// when they die; or all of it in this process. Its data goes with it unless a directory is named.
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Backoff } from '../base/backoff.ts'
import { EngineError } from '../base/errors.ts'
import { type Log, log } from '../base/log.ts'
import { masterText } from '../cluster/master-address.ts'
import { loadSettings } from '../cluster/settings.ts'
import type { Settings } from '../cluster/settings-table.ts'
import { type RunningMaster, runMaster } from './run-master.ts'
import { type RunningWorker, runWorker } from './run-worker.ts'

const WORKERS_MAX = 256
/** A worker ends its executors in order first. */
const WORKER_CLOSE_MAX_MS = 10_000

export interface LocalClusterOptions {
  /** Settings by their full names. */
  readonly flags: Readonly<Record<string, string | true>>
  readonly config: string | undefined
  readonly log: Log
  /** 0 = any. */
  readonly port: number
  readonly workers: number
  readonly sameProcess: boolean
}

export interface LocalCluster {
  /** `host:port` of the master. */
  readonly address: string
  readonly failure: Promise<unknown>
  close(): Promise<void>
}

type Running = Pick<RunningWorker, 'failure' | 'close'>

export async function runLocalCluster(options: LocalClusterOptions): Promise<LocalCluster> {
  const { log: lines, workers, sameProcess } = options
  if (!Number.isInteger(workers) || workers < 1 || workers > WORKERS_MAX)
    throw new EngineError('BAD_INPUT', `--workers must be a whole number from 1 to ${WORKERS_MAX}`)
  const named = await loadSettings({ path: options.config, flags: options.flags })
  const own = named.sources['host.dataDir'] === 'default'
  const dataDir = own
    ? await mkdtemp(join(tmpdir(), 'gearpump-local-'))
    : named.values['host.dataDir']
  const values = { ...named.values, 'host.dataDir': dataDir }
  const host = '127.0.0.1'
  const closers: (() => Promise<void>)[] = []
  if (own) closers.push(() => rm(dataDir, { recursive: true, force: true }))
  const close = async () => {
    for (const one of closers.splice(0).reverse()) await one()
  }
  try {
    const master = await runMaster({
      settings: { ...values, 'cluster.masters': [masterText({ host, port: options.port })] },
      log: lines,
      host,
      port: options.port,
    })
    closers.push(() => master.close())
    const settings = { ...values, 'cluster.masters': [textOf(master)] }
    const failures: Promise<unknown>[] = [master.master.failure]
    const names = Array.from({ length: workers }, (_, i) => `w${i + 1}`)
    const start = (name: string): Promise<Running> =>
      sameProcess
        ? runWorker({ settings, log: lines, name, sameProcess })
        : startWorker(settings, lines, name)
    for (const running of await Promise.all(names.map(start))) {
      failures.push(running.failure)
      closers.push(() => running.close())
    }
    // All at once.
    closers.splice(-names.length, names.length, all(closers.slice(-names.length)))
    return { address: textOf(master), failure: Promise.race(failures), close }
  } catch (error) {
    await close()
    throw error
  }
}

function textOf({ address }: RunningMaster): string {
  if (address.kind !== 'tcp') throw new EngineError('BUG', 'a master listens on TCP')
  return masterText(address)
}

function all(closers: readonly (() => Promise<void>)[]): () => Promise<void> {
  return async () => {
    await Promise.all(closers.map(close => close()))
  }
}

/** What a worker process is told first. */
export interface WorkerOrder {
  readonly settings: Settings
  readonly name: string
}

async function startWorker(settings: Settings, lines: Log, name: string): Promise<Running> {
  const backoff = new Backoff()
  let child: ChildProcess
  let closing = false
  let again: NodeJS.Timeout | undefined
  const start = (): void => {
    backoff.started(performance.now())
    child = fork(entry(), [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    child.on('error', error => log(lines, 'error', `worker ${name}`, error.message))
    child.send({ settings, name } satisfies WorkerOrder, () => undefined)
    child.once('exit', (code, signal) => {
      if (closing) return
      log(
        lines,
        'error',
        `worker ${name}`,
        `died (${signal ?? `exit code ${code}`}), and is started again`,
      )
      again = setTimeout(start, backoff.failed(performance.now()))
    })
  }
  start()
  return {
    failure: new Promise<never>(() => undefined),
    close: async () => {
      closing = true
      clearTimeout(again)
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
      // It ends in order when its channel closes.
      child.disconnect()
      const late = setTimeout(() => child.kill('SIGKILL'), WORKER_CLOSE_MAX_MS)
      await ended
      clearTimeout(late)
    },
  }
}

function entry(): string {
  const file = import.meta.url.endsWith('.ts') ? './worker-main.ts' : './worker-main.js'
  return fileURLToPath(new URL(file, import.meta.url))
}
