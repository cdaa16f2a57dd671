// An app master of a cluster: an AppMaster behind an actor, with its memory at the leader's and its executors on workers.
// It registers with each leader there is. When the leader says that a newer app master was appointed, or an executor
// that it obeys another, it ends itself at once and leaves everything to the newer one.
import type { ActorAddress } from '../actor/actor.ts'
import type { ActorSystem } from '../actor/actor-system.ts'
import { revivedError } from '../actor/plain-error.ts'
import type { Environment } from '../base/environment.ts'
import { asError, EngineError, type ErrorCode } from '../base/errors.ts'
import { type Log, type LogLine, log } from '../base/log.ts'
import { MasterLink } from '../cluster/master-link.ts'
import {
  APP_MASTER,
  type AppBriefing,
  type AppMasterDoor,
  type AppRecord,
  type Failure,
  MASTER,
  type MasterDoor,
} from '../cluster/messages.ts'
import type { Credentials } from '../task/task.ts'
import type { Address } from '../transport/link.ts'
import { AppMaster } from './app-master.ts'
import type { Application } from './application.ts'
import { ClusterLauncher } from './cluster-launcher.ts'
import type { PlanMemory } from './launcher.ts'

export interface AppMasterRoleOptions {
  readonly environment: Environment
  readonly system: ActorSystem
  readonly log: Log
  readonly app: number
  readonly incarnation: number
  readonly masters: readonly Address[]
  readonly load: () => Promise<Application>
}

/** A start that failed for one of these fails everywhere: the user has to mend it. */
const USERS: readonly ErrorCode[] = [
  'TASK_START_FAILED',
  'BAD_INPUT',
  'FILE_NOT_FOUND',
  'MODULE_NOT_LOADED',
  'TOPOLOGY_INVALID',
  'FLUX_INVALID',
  'SHELL_START_FAILED',
  'SERIALIZER_UNKNOWN',
  'EXECUTOR_DIED',
]
/** A failure is told for so long; then whoever watches the process tells of its end. */
const TELL_MS = 60_000
/** It registers anew at this pace: one that was replaced, or not told what its users want, hears of it then. */
const AGAIN_MS = 15_000
/** The answer to `stop` leaves first. */
const ANSWER_MS = 50

export class AppMasterRole {
  readonly #options: AppMasterRoleOptions
  readonly #link: MasterLink<MasterDoor>
  readonly #self: ActorAddress
  #launcher: ClusterLauncher | undefined = undefined
  #master: AppMaster | undefined = undefined
  /** As told last. */
  #active: boolean | undefined = undefined
  #positions = new Map<number, unknown>()
  #storingPositions = false
  #starting = true
  #planStored: Promise<void> = Promise.resolve()
  #end: (reason: string) => void = () => undefined
  /** Resolves with the reason when this process has nothing left to do. */
  readonly ended: Promise<string>

  constructor(options: AppMasterRoleOptions) {
    this.#options = options
    const { system, environment, masters } = options
    this.#link = new MasterLink<MasterDoor>({ system, environment, masters, door: MASTER })
    this.#self = system.spawn<AppMasterDoor>(APP_MASTER, () => this.#door()).address
    this.ended = new Promise(resolve => {
      this.#end = reason => {
        this.#link.close()
        this.#launcher?.close()
        resolve(reason)
      }
    })
  }

  /** Takes the application over, or starts it, and stays with it. */
  async run(): Promise<void> {
    try {
      const briefing = await this.#register()
      const application = await this.#options.load()
      this.#link.follow(AGAIN_MS, () => this.#registerAgain()).catch(this.#over)
      await this.#start(briefing, application)
      await this.#master!.failure
    } catch (error) {
      await this.#failed(asError(error))
    }
  }

  #register(): Promise<AppBriefing> {
    const { app, incarnation } = this.#options
    return this.#link.call(Infinity, leader =>
      leader.ask('registerAppMaster', app, incarnation, this.#self),
    )
  }

  async #registerAgain(): Promise<void> {
    const { record } = await this.#register()
    const active = isActive(record)
    if (this.#master !== undefined && active !== this.#active) await this.#setActive(active)
    await this.#master?.setCredentials(record.submission.credentials ?? {})
    this.#keepCount(record)
  }

  // What is written down holds: an app master may have died amid a rebalance, or not have been told of one.
  #keepCount({ submission }: AppRecord): void {
    const { executors } = submission.placement
    if (this.#starting || this.#master?.executors().length === executors) return
    this.#master?.rebalance(executors).catch(this.#over)
  }

  // What is said while the application is still being loaded holds when it starts.
  async #setActive(active: boolean): Promise<void> {
    this.#active = active
    await this.#master?.setActive(active)
  }

  readonly #over = (error: unknown): void => {
    this.#end(asError(error).message)
  }

  async #start(briefing: AppBriefing, application: Application): Promise<void> {
    const { environment, system, log: lines, app, incarnation } = this.#options
    const { record, plan, reservedUs, positions } = briefing
    const { submission, token, versions } = record
    const { bundle, code } = versions.at(-1)!
    const { executors, each } = submission.placement
    const launcher = new ClusterLauncher({
      environment,
      system,
      log: lines,
      link: this.#link,
      app,
      incarnation,
      name: submission.name,
      bundle,
      code,
      each,
      self: this.#self,
      onFenced: this.#over,
    })
    this.#launcher = launcher
    this.#positions = new Map(positions)
    const memory = plan?.memory as PlanMemory | undefined
    const master = new AppMaster({
      environment,
      application,
      executors,
      launcher,
      log: lines,
      token,
      restarts: submission.restarts,
      memory: this.#memory(),
      resume: memory === undefined ? undefined : { ...memory, reservedUs },
      reservedUs,
      positions: new Map(positions),
      credentials: submission.credentials,
      onPositions: changed => this.#keepPositions(changed),
    })
    this.#master = master
    this.#active ??= isActive(record)
    await master.start(this.#active)
    await this.#link.call(Infinity, leader => leader.ask('appStarted', app, incarnation))
    log(lines, 'info', `app ${app}`, `"${submission.name}" runs on ${executors} executors`)
    this.#starting = false
    this.#keepCount(record)
  }

  #memory() {
    const { app, incarnation } = this.#options
    return {
      savePlan: (memory: PlanMemory) => {
        const plan = { executors: memory.plan.executors, memory }
        // One at a time: one that is repeated must not come after a newer one.
        const saved = this.#planStored.then(() =>
          this.#link.call(Infinity, leader => leader.ask('savePlan', app, incarnation, plan)),
        )
        this.#planStored = saved.catch(() => undefined)
        return saved
      },
      saveClock: (reservedUs: number) =>
        this.#link.call(Infinity, leader => leader.ask('saveClock', app, incarnation, reservedUs)),
    }
  }

  // One write at a time; what changes meanwhile goes with the next.
  #keepPositions(changed: ReadonlyMap<number, unknown>): void {
    for (const [task, position] of changed) this.#positions.set(task, position)
    if (this.#storingPositions) return
    this.#storingPositions = true
    // What is reported in one turn is written once.
    this.#options.environment.defer(() => {
      const { app, incarnation } = this.#options
      const positions = [...this.#positions]
      this.#link
        .call(Infinity, leader => leader.ask('savePositions', app, incarnation, positions))
        .then(() => {
          this.#storingPositions = false
          if (positions.some(([task, position]) => this.#positions.get(task) !== position))
            this.#keepPositions(new Map())
        }, this.#over)
    })
  }

  async #failed(error: Error): Promise<void> {
    const engine = error instanceof EngineError ? error : undefined
    if (engine !== undefined && USERS.includes(engine.code)) {
      const { app, incarnation } = this.#options
      const failure: Failure = { code: engine.code, message: engine.message, hint: engine.hint }
      try {
        await this.#link.call(TELL_MS, leader => leader.ask('appFailed', app, incarnation, failure))
      } catch (untold) {
        log(this.#options.log, 'error', `app ${app}`, asError(untold).message)
      }
    }
    // It was killed, or another one has taken over: nobody's fault.
    const isNews = engine?.code === 'FENCED'
    const text = isNews ? error.message : (error.stack ?? error.message)
    log(this.#options.log, isNews ? 'info' : 'error', `app ${this.#options.app}`, text)
    this.#end(error.message)
  }

  // ---- the door

  #door(): AppMasterDoor {
    return {
      event: (executor, name, args) => this.#event(executor, name, args),
      executorEnded: (...args) => this.#launcher?.ended(...args),
      call: (method, args) => this.#call(method, args),
      stop: () => this.#stop(),
    }
  }

  #event(executor: number, name: string, args: unknown[]): void {
    const events = this.#launcher?.eventsOf(executor)
    if (events === undefined) return
    const [a, b, c, d] = args
    if (name === 'clock') events.clock(a as ReadonlyMap<number, number>)
    else if (name === 'overflow') events.overflow(a as boolean)
    else if (name === 'positions') events.positions(a as ReadonlyMap<number, unknown>)
    else if (name === 'log')
      events.log(a as number, b as string, c as LogLine['level'], d as string)
    else if (name === 'metric') events.metric(a as number, b as string, c as string, d)
    else if (name === 'error') events.error(a as number, b as string, revivedError(c))
  }

  async #call(method: string, args: unknown[]): Promise<unknown> {
    const master = this.#master
    if (method === 'setActive') return this.#setActive(args[0] as boolean)
    if (master === undefined) {
      throw new EngineError('APP_MASTER_ABSENT', 'the app master is still loading the application')
    }
    switch (method) {
      case 'report':
        return { ...(await master.report()), waiting: this.#launcher?.waiting }
      case 'figures':
        return master.figures()
      case 'rebalance':
        return master.rebalance(args[0] as number)
      case 'setCredentials':
        return master.setCredentials(args[0] as Credentials)
      case 'isDrained':
        return master.isDrained(args[0] as number)
      default:
        throw new EngineError('UNKNOWN_METHOD', `an app master has no "${method}"`)
    }
  }

  async #stop(): Promise<void> {
    this.#launcher?.close()
    await this.#master?.close()
    this.#options.environment.after(ANSWER_MS, () => this.#end('the application was stopped'))
  }
}

function isActive({ status, submission }: AppRecord): boolean {
  return status === 'starting' ? submission.active : status === 'active'
}
