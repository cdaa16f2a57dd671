// The engine in this very process, behind the same interface as a cluster: applications run here, or in executor processes
// that this one starts.
import { AppMaster } from '../app/app-master.ts'
import type { Application } from '../app/application.ts'
import type { RunFigures } from '../app/figures.ts'
import type { LaunchedExecutor, Launcher } from '../app/launcher.ts'
import { localLauncher } from '../app/local-launcher.ts'
import {
  type ProcessLauncher,
  type ProcessOptions,
  processLauncher,
} from '../app/process-launcher.ts'
import type { Environment } from '../base/environment.ts'
import { EngineError, nearestName } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { AppInfo, AppState, Gear, RunningApp, SubmitOptions } from './gear.ts'
import { DEFAULT_IDLE_MS, untilQuiet } from './until-quiet.ts'

/** How often `drained` looks. */
const DRAIN_LOOK_MS = 50
/** Ended applications that can still be asked for their figures. */
const STOPPED_KEPT = 100

export class EmbeddedGear implements Gear {
  readonly #environment: Environment
  readonly #log: Log
  readonly #apps = new Map<number, EmbeddedApp>()
  #nextId = 1

  readonly #processes: ProcessOptions
  #closed = false

  constructor(environment: Environment, log: Log, processes: ProcessOptions = {}) {
    this.#environment = environment
    this.#log = log
    this.#processes = processes
  }

  async submit(application: Application, options: SubmitOptions = {}): Promise<RunningApp> {
    this.#check(application, options)
    const executors = options.executors ?? 1
    const launcher = new EmbeddedLauncher(this.#environment, application, this.#processes)
    await launcher.use(executors)
    try {
      // Another call may have come first.
      this.#check(application, options)
    } catch (error) {
      await launcher.close()
      throw error
    }
    const master = new AppMaster({
      environment: this.#environment,
      application,
      executors,
      launcher,
      log: this.#log,
      credentials: options.credentials,
    })
    const app = new EmbeddedApp(
      this.#nextId++,
      master,
      this.#environment,
      launcher,
      options.active ?? true,
      options.tag,
    )
    this.#apps.set(app.id, app)
    this.#forgetOldest()
    try {
      await master.start(options.active ?? true)
    } catch (error) {
      await app.kill()
      this.#apps.delete(app.id)
      throw error
    }
    return app
  }

  // Plain JavaScript may give anything; what would run without executors would never end.
  #check(application: Application, { executors = 1 }: SubmitOptions): void {
    if (this.#closed)
      throw new EngineError('BAD_INPUT', 'nothing can be submitted: this gear was closed', {
        hint: 'connect() again',
      })
    if (application?.dag === undefined || application.profile === undefined)
      throw new EngineError('BAD_INPUT', 'what was submitted is no application', {
        hint: 'submit what application(name, graph(…)) gives',
      })
    checkExecutors(executors)
    for (const other of this.#apps.values()) {
      if (other.name !== application.name || other.status === 'stopped') continue
      throw new EngineError('APP_EXISTS', `an application named "${application.name}" is running`, {
        hint: 'kill it first, or choose another name',
      })
    }
  }

  async list() {
    return [...this.#apps.values()].map(({ id, name, status, tag }) => ({ id, name, status, tag }))
  }

  async info(app: number | string): Promise<AppInfo> {
    return this.#find(app).info()
  }

  async app(app: number | string): Promise<RunningApp> {
    return this.#find(app)
  }

  async kill(app: number | string): Promise<void> {
    await this.#find(app).kill()
  }

  // Those that have ended are shown for a while.
  #forgetOldest(): void {
    const stopped = [...this.#apps.values()].filter(app => app.status === 'stopped')
    for (const { id } of stopped.slice(0, -STOPPED_KEPT)) this.#apps.delete(id)
  }

  async close(): Promise<void> {
    this.#closed = true
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
  readonly tag: string | undefined
  status: AppState
  readonly #master: AppMaster
  readonly #environment: Environment
  readonly #launcher: EmbeddedLauncher
  readonly #startedMs = Date.now()

  constructor(
    id: number,
    master: AppMaster,
    environment: Environment,
    launcher: EmbeddedLauncher,
    active: boolean,
    tag: string | undefined,
  ) {
    this.id = id
    this.tag = tag
    this.status = active ? 'active' : 'inactive'
    this.#master = master
    this.#environment = environment
    this.#launcher = launcher
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
    const { id, name, status } = this
    return { id, name, status, startedMs: this.#startedMs, ...(await this.#master.report()) }
  }

  async setActive(active: boolean): Promise<void> {
    await this.#master.setActive(active)
    // One that was killed, or has failed, is not made to run by this.
    if (this.#runs()) this.status = active ? 'active' : 'inactive'
  }

  #runs(): boolean {
    return this.status === 'active' || this.status === 'inactive'
  }

  setCredentials(credentials: Readonly<Record<string, string>>): Promise<void> {
    return this.#master.setCredentials(credentials)
  }

  async rebalance(executors: number): Promise<void> {
    checkExecutors(executors)
    await this.#launcher.use(executors)
    await Promise.race([this.#master.rebalance(executors), this.failure])
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

  #untilQuiet(idleMs: number, timeoutMs: number): Promise<void> {
    return untilQuiet({
      environment: this.#environment,
      periodMs: DRAIN_LOOK_MS,
      timeoutMs,
      runs: () => this.#runs(),
      isQuiet: () => this.#master.isDrained(idleMs),
    })
  }

  async kill(): Promise<void> {
    if (this.status === 'stopped') return
    this.status = 'stopped'
    await this.#master.close()
    await this.#launcher.close()
  }
}

function checkExecutors(executors: unknown): void {
  if (Number.isInteger(executors) && Number(executors) >= 1) return
  const given = typeof executors === 'string' ? `"${executors}"` : String(executors)
  throw new EngineError('BAD_INPUT', `executors is ${given}; it must be a whole number from 1`)
}

/** One executor lives in this process, several in processes of their own. */
class EmbeddedLauncher implements Launcher {
  readonly #application: Application
  readonly #local: Launcher
  #processes: ProcessLauncher | undefined = undefined
  #executors = 1

  readonly #options: ProcessOptions

  constructor(environment: Environment, application: Application, options: ProcessOptions) {
    this.#application = application
    this.#options = options
    this.#local = localLauncher({ environment, application })
  }

  /** How many there will be. Throws BAD_INPUT when other processes cannot load the application. */
  async use(executors: number): Promise<void> {
    if (executors > 1) this.#processes ??= await processLauncher(this.#application, this.#options)
    this.#executors = executors
  }

  launch(...launch: Parameters<Launcher['launch']>): Promise<LaunchedExecutor> {
    const processes = this.#executors > 1 ? this.#processes : undefined
    return (processes ?? this.#local).launch(...launch)
  }

  async close(): Promise<void> {
    await this.#processes?.close()
  }
}
