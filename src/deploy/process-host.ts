// Starts app masters and executors as processes of this machine, for a worker: one entry file for both, told over the
// fork's channel what it is, its output in a log file with the last lines kept for whoever asks why it died. A process
// whose worker has gone ends itself; what a worker that was killed left behind is ended by the next one.
import { type ChildProcess, fork } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EngineError } from '../base/errors.ts'
import { APP_MASTER_ID } from '../cluster/messages.ts'
import type { ProcessHost, ProcessOrder, RunningProcess } from '../cluster/worker.ts'
import type { Address } from '../transport/link.ts'
import type { LogDirectories } from './log-directories.ts'
import { endMarked } from './marked-processes.ts'
import type { NodeSettings } from './node-settings.ts'
import { ProcessOutput } from './process-output.ts'

/** A process only loads our own code before its first word. */
const BOOT_TIMEOUT_MS = 30_000
/** Marks all that a worker starts, and all that one process of it starts. */
export const WORKER_MARK = 'GEARPUMP_WORKER'
export const RUN_MARK = 'GEARPUMP_RUN_DIR'

/** What a process is told first. */
export interface BootOrder {
  readonly order: ProcessOrder
  readonly node: NodeSettings
  readonly runDir: string
  readonly logDir: string
  /** It ends itself so long after its worker has gone. */
  readonly orphanMs: number
}

export interface RealProcessHostOptions {
  readonly node: NodeSettings
  /** The worker's own directory: `run`, `logs`. */
  readonly directory: string
  readonly orphanMs: number
  readonly logs: LogDirectories
}

export class RealProcessHost implements ProcessHost {
  readonly #options: RealProcessHostOptions
  readonly #mark: string

  constructor(options: RealProcessHostOptions) {
    this.#options = options
    this.#mark = `${WORKER_MARK}=${options.directory}`
  }

  /** Ends what an earlier worker with this directory has left, and removes its files. Returns the pids. */
  sweep(): number[] {
    const ended = endMarked(this.#mark)
    rmSync(join(this.#options.directory, 'run'), { recursive: true, force: true })
    return ended
  }

  async start(order: ProcessOrder): Promise<RunningProcess> {
    const { logs } = this.#options
    const logDir = logs.begun(order.app, order.name)
    const over = (): void => void logs.ended(order.app)
    try {
      const running = await this.#start(order, logDir)
      running.ended.then(over, over)
      return running
    } catch (error) {
      over()
      throw error
    }
  }

  async #start(order: ProcessOrder, logDir: string): Promise<RunningProcess> {
    const { directory, node, orphanMs } = this.#options
    const { app, executor, incarnation } = order
    const what = executor === APP_MASTER_ID ? `app-master-${incarnation}` : `executor-${executor}`
    const runDir = join(directory, 'run', `${app}-${what}`)
    await Promise.all([
      mkdir(runDir, { recursive: true, mode: 0o700 }).then(() =>
        mkdir(join(runDir, 'pids'), { recursive: true }),
      ),
      mkdir(logDir, { recursive: true }),
    ])
    const child = fork(entry(), [], {
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
      env: { ...process.env, [WORKER_MARK]: directory, [RUN_MARK]: runDir },
    })
    const output = new ProcessOutput({ path: join(logDir, `${what}.log`) })
    output.take(child.stdout!)
    output.take(child.stderr!)
    const ended = endOf(child, output).then(async reason => {
      endMarked(`${RUN_MARK}=${runDir}`)
      await rm(runDir, { recursive: true, force: true })
      return reason
    })
    const boot: BootOrder = { order, node, runDir, logDir, orphanMs }
    const address = await booted(child, boot, ended, what)
    return { pid: child.pid!, node: address, ended, kill: () => killGroup(child) }
  }
}

function entry(): string {
  const file = import.meta.url.endsWith('.ts') ? './process-main.ts' : './process-main.js'
  return fileURLToPath(new URL(file, import.meta.url))
}

async function booted(
  child: ChildProcess,
  boot: BootOrder,
  ended: Promise<string>,
  what: string,
): Promise<Address> {
  let timer: NodeJS.Timeout | undefined
  const failed = (why: string) =>
    new EngineError(
      'EXECUTOR_START_FAILED',
      `${what} of app ${boot.order.app} did not start: ${why}`,
      {
        hint: `its log is in ${boot.logDir}`,
      },
    )
  try {
    return await new Promise<Address>((resolve, reject) => {
      child.once('message', address => resolve(address as Address))
      void ended.then(reason => reject(failed(reason)))
      timer = setTimeout(
        () => reject(failed(`no word in ${BOOT_TIMEOUT_MS / 1000} s`)),
        BOOT_TIMEOUT_MS,
      )
      if (child.connected) child.send(boot, () => undefined)
    })
  } catch (error) {
    killGroup(child)
    throw error
  } finally {
    clearTimeout(timer)
  }
}

// The process leads a group of its own.
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It has just ended by itself.
  }
}

function endOf(child: ChildProcess, output: ProcessOutput): Promise<string> {
  return new Promise(resolve => {
    const end = (how: string) =>
      void output.end().then(tail => resolve(tail === '' ? how : `${how}, last lines:\n${tail}`))
    child.once('error', error => {
      if (child.pid === undefined) end(error.message)
    })
    child.once('exit', (code, signal) =>
      end(signal === null ? `exit code ${code}` : `signal ${signal}`),
    )
  })
}
