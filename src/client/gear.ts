// The one way in: `connect()` gives a Gear, with which applications are submitted, listed, inspected and killed. Embedded
// now: the applications run in this process, or in executor processes that it starts.
import { AppMaster, type ExecutorInfo, type Launcher } from '../app/app-master.ts'
import type { Application } from '../app/application.ts'
import type { ErrorRecord } from '../app/books.ts'
import type { RunFigures } from '../app/figures.ts'
import { localLauncher } from '../app/local-launcher.ts'
import { type ProcessLauncher, processLauncher } from '../app/process-launcher.ts'
import { type Environment, realEnvironment } from '../base/environment.ts'
import { EngineError, nearestName } from '../base/errors.ts'
import { type Log, noLog } from '../base/log.ts'

export interface ConnectOptions {
  log?: Log
  /** Time and scheduling; the real one unless a test brings its own. */
  environment?: Environment
}

export interface SubmitOptions {
  /** Executor processes; 1 = in this process. */
  executors?: number
  /** False: sources do not run until `setActive(true)`. */
  active?: boolean
}

export interface AppInfo {
  readonly id: number
  readonly name: string
  readonly status: 'active' | 'inactive' | 'failed' | 'stopped'
  readonly startedMs: number
  /** µs since 1970: every root emitted before it has ended. */
  readonly clockUs: number
  readonly executors: readonly ExecutorInfo[]
  readonly figures: RunFigures
  readonly errors: Readonly<Record<string, { total: number; last: readonly ErrorRecord[] }>>
  readonly deaths: readonly { executor: number; timeMs: number; reason: string }[]
}

export interface RunningApp {
  readonly id: number
  readonly name: string
  info(): Promise<AppInfo>
  figures(): Promise<RunFigures>
  /** Pauses (false) or resumes the sources. */
  setActive(active: boolean): Promise<void>
  /** Resolves when every source is exhausted or silent for `idleMs`, and every root has ended. Rejects when the application fails. */
  drained(options?: { idleMs?: number }): Promise<void>
  /** Stops the sources and waits until every root has ended, at most `timeoutMs`. Returns how many are left. */
  drain(timeoutMs: number): Promise<number>
  /** Rejects when the application cannot go on. */
  readonly failure: Promise<never>
  kill(): Promise<void>
}

export interface Gear {
  submit(application: Application, options?: SubmitOptions): Promise<RunningApp>
  list(): Promise<readonly { id: number; name: string; status: AppInfo['status'] }[]>
  /** By id or name. Throws APP_NOT_FOUND. */
  info(app: number | string): Promise<AppInfo>
  kill(app: number | string): Promise<void>
  /** Kills what still runs. Idempotent. */
  close(): Promise<void>
}

/** How often `drained` looks. */
const DRAIN_LOOK_MS = 50
const DEFAULT_IDLE_MS = 3000

/** Opens the embedded engine. */
export async function connect(options: ConnectOptions = {}): Promise<Gear> {
  return new EmbeddedGear(options.environment ?? realEnvironment, options.log ?? noLog)
}

class EmbeddedGear implements Gear {
  readonly #environment: Environment
  readonly #log: Log
  readonly #apps = new Map<number, EmbeddedApp>()
  #nextId = 1

  constructor(environment: Environment, log: Log) {
    this.#environment = environment
    this.#log = log
  }

  async submit(application: Application, options: SubmitOptions = {}): Promise<RunningApp> {
    for (const other of this.#apps.values()) {
      if (other.name !== application.name || other.status === 'stopped') continue
      throw new EngineError('APP_EXISTS', `an application named "${application.name}" is running`, {
        hint: 'kill it first, or choose another name',
      })
    }
    const executors = options.executors ?? 1
    let processes: ProcessLauncher | undefined
    if (executors > 1) processes = await processLauncher(application)
    const launcher: Launcher =
      processes ?? localLauncher({ environment: this.#environment, application })
    const master = new AppMaster({
      environment: this.#environment,
      application,
      executors,
      launcher,
      log: this.#log,
    })
    const app = new EmbeddedApp(
      this.#nextId++,
      master,
      this.#environment,
      processes,
      options.active ?? true,
    )
    this.#apps.set(app.id, app)
    try {
      await master.start(options.active ?? true)
    } catch (error) {
      await app.kill()
      this.#apps.delete(app.id)
      throw error
    }
    return app
  }

  async list() {
    return [...this.#apps.values()].map(({ id, name, status }) => ({ id, name, status }))
  }

  async info(app: number | string): Promise<AppInfo> {
    return this.#find(app).info()
  }

  async kill(app: number | string): Promise<void> {
    await this.#find(app).kill()
  }

  async close(): Promise<void> {
    await Promise.all([...this.#apps.values()].map(app => app.kill()))
  }

  #find(wanted: number | string): EmbeddedApp {
    const apps = [...this.#apps.values()].reverse()
    const found = apps.find(app => app.id === wanted || app.name === wanted)
    if (found !== undefined) return found
    const near = nearestName(
      String(wanted),
      apps.map(app => app.name),
    )
    throw new EngineError('APP_NOT_FOUND', `no application "${wanted}"`, {
      hint: near === undefined ? 'list() names those there are' : `did you mean "${near}"?`,
    })
  }
}

class EmbeddedApp implements RunningApp {
  readonly id: number
  status: AppInfo['status']
  readonly #master: AppMaster
  readonly #environment: Environment
  readonly #processes: ProcessLauncher | undefined
  readonly #startedMs = Date.now()

  constructor(
    id: number,
    master: AppMaster,
    environment: Environment,
    processes: ProcessLauncher | undefined,
    active: boolean,
  ) {
    this.id = id
    this.status = active ? 'active' : 'inactive'
    this.#master = master
    this.#environment = environment
    this.#processes = processes
    master.failure.catch(() => {
      this.status = 'failed'
    })
  }

  get name(): string {
    return this.#master.application.name
  }

  get failure(): Promise<never> {
    return this.#master.failure
  }

  figures(): Promise<RunFigures> {
    return this.#master.figures()
  }

  async info(): Promise<AppInfo> {
    const books = this.#master.errors
    const names = this.#master.application.dag.processors.map(p => p.name)
    return {
      id: this.id,
      name: this.name,
      status: this.status,
      startedMs: this.#startedMs,
      clockUs: this.#master.clockUs,
      executors: this.#master.executors(),
      figures: await this.figures(),
      errors: Object.fromEntries(names.map(name => [name, books.errorsOf(name)])),
      deaths: books.deaths,
    }
  }

  async setActive(active: boolean): Promise<void> {
    await this.#master.setActive(active)
    this.status = active ? 'active' : 'inactive'
  }

  async drained(options: { idleMs?: number } = {}): Promise<void> {
    await Promise.race([
      this.#untilQuiet(options.idleMs ?? DEFAULT_IDLE_MS, Infinity),
      this.failure,
    ])
  }

  async drain(timeoutMs: number): Promise<number> {
    await this.setActive(false)
    await Promise.race([this.#untilQuiet(0, timeoutMs), this.failure])
    return (await this.figures()).pending
  }

  async #untilQuiet(idleMs: number, timeoutMs: number): Promise<void> {
    const deadlineMs = this.#environment.monotonicMs() + timeoutMs
    while (this.status === 'active' || this.status === 'inactive') {
      if (await this.#master.isDrained(idleMs)) return
      if (this.#environment.monotonicMs() >= deadlineMs) return
      await new Promise<void>(resolve => void this.#environment.after(DRAIN_LOOK_MS, resolve))
    }
  }

  async kill(): Promise<void> {
    if (this.status === 'stopped') return
    this.status = 'stopped'
    await this.#master.close()
    await this.#processes?.close()
  }
}
