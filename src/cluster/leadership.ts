// What a master does while it leads: knows the workers, keeps an app master alive for each application, gives room to
// executors, and writes down what app masters ask it to. It begins with what the store has and what workers and app
// masters say when they register with it, and ends without a trace: nothing of it is needed by the next leader.
import type { ActorAddress } from '../actor/actor.ts'
import type { ActorSystem } from '../actor/actor-system.ts'
import type { Environment } from '../base/environment.ts'
import { asError, EngineError } from '../base/errors.ts'
import { type Log, log } from '../base/log.ts'
import { AppControl, endedError } from './app-control.ts'
import { AppKeeper, type KeeperSettings } from './app-keeper.ts'
import { AppRegistry, isOver } from './app-registry.ts'
import {
  APP_MASTER_ID,
  type AppBriefing,
  type AppRecord,
  type Failure,
  type Grant,
  type ProcessCard,
  type ProcessKey,
  type StoredPlan,
  type Submission,
  type WorkerCard,
  type WorkerDoor,
} from './messages.ts'
import { Notes } from './notes.ts'
import { grantRoom } from './room.ts'
import type { Strategy } from './scheduler.ts'
import type { ClusterStore, Fence } from './store/store.ts'
import { isHeir, WorkerTable } from './worker-table.ts'

/** A worker ends processes at once; one that does not answer is told again when it registers. */
const STOP_APP_TIMEOUT_MS = 3000
/** After a write that was not answered the store is asked what became of it. */
const SETTLE_MS = 1000

export interface LeadershipOptions {
  readonly environment: Environment
  readonly system: ActorSystem
  readonly log: Log
  readonly store: ClusterStore
  readonly fence: Fence
  readonly settings: KeeperSettings
  readonly strategies: ReadonlyMap<string, Strategy>
  readonly strategy: string
  /** A new secret, for the links of an application. */
  readonly secret: () => string
}

export class Leadership {
  readonly workers = new WorkerTable()
  readonly registry: AppRegistry
  readonly notes: Notes
  readonly control: AppControl
  readonly sinceMs: number
  readonly #options: LeadershipOptions
  readonly #keepers = new Map<number, AppKeeper>()
  readonly #watches = new Map<string, { cancel(): void }>()
  #settling = false
  #closed = false

  private constructor(options: LeadershipOptions, registry: AppRegistry) {
    this.#options = options
    this.registry = registry
    this.notes = new Notes(options.store, options.fence)
    const { workers } = this
    this.control = new AppControl({ registry, workers, keeperOf: app => this.#keeperOf(app) })
    this.sinceMs = options.environment.nowUs() / 1000
  }

  static async begin(options: LeadershipOptions): Promise<Leadership> {
    const registry = await AppRegistry.load(options.store, options.fence)
    const leadership = new Leadership(options, registry)
    for (const record of registry.all()) if (!isOver(record)) leadership.#keep(record.id)
    return leadership
  }

  #keep(app: number): AppKeeper {
    const { registry, workers } = this
    const parts = { ...this.#options, registry, workers }
    const keeper = new AppKeeper({ ...parts, app, onFailed: () => this.#over(app) })
    this.#keepers.set(app, keeper)
    keeper.begin()
    return keeper
  }

  // ---- workers

  registerWorker(
    card: WorkerCard,
    processes: readonly ProcessCard[],
    starting: readonly ProcessKey[],
  ): ProcessKey[] {
    const known = this.workers.get(card.id)
    const same = known === undefined || known.card.address.incarnation === card.address.incarnation
    const heir = !same && isHeir(card, known.card)
    if (!same && !heir && known.state === 'up') {
      throw new EngineError('WORKER_NAME_TAKEN', `there is a worker "${card.id}" already`, {
        hint:
          `it runs on ${known.card.host} as pid ${known.card.pid}; give one of them another --name, ` +
          'or wait until the old one is given up',
      })
    }
    if (heir) this.#bury(card.id, `its worker ${card.id}, pid ${known.card.pid}, died`)
    const stop = processes.filter(process => !this.#wanted(process))
    this.workers.register(
      card,
      processes.filter(process => !stop.includes(process)),
    )
    for (const keeper of this.#keepers.values())
      keeper.workerUp(card.id, [...processes, ...starting])
    if (known?.state === 'up') return stop
    this.#watches.get(card.id)?.cancel()
    const watch = this.#options.system.watch(card.address, reason => this.#lost(card, reason))
    this.#watches.set(card.id, watch)
    log(this.#options.log, 'info', `worker ${card.id}`, `is up on ${card.host}`)
    return stop
  }

  // What an application that is over has left, and app masters and executors that were replaced.
  #wanted({ app, executor, incarnation }: ProcessCard): boolean {
    const record = this.registry.get(app)
    if (record === undefined || isOver(record)) return false
    if (executor === APP_MASTER_ID) return incarnation === record.incarnation
    return this.registry.plannedExecutors(app)?.includes(executor) ?? true
  }

  // A worker begins by ending all that one before it in its directory has left.
  #bury(workerId: string, reason: string): void {
    this.#gone(workerId)
    for (const process of this.workers.processesOn(workerId)) {
      const { app, executor } = process
      if (executor !== APP_MASTER_ID)
        this.#keepers.get(app)?.appMaster?.tell('executorEnded', executor, reason, true)
      this.processEnded(workerId, process, reason, true).catch(error => {
        log(this.#options.log, 'warn', `app ${app}`, asError(error).message)
      })
    }
  }

  // Its end may have been noticed after that of what it ran.
  #gone(workerId: string): void {
    for (const [app, keeper] of this.#keepers) {
      keeper.workerGone(workerId).catch(error => {
        if (!this.#closed) log(this.#options.log, 'warn', `app ${app}`, asError(error).message)
      })
    }
  }

  /** See MasterDoor. */
  unregisterWorker(workerId: string, incarnation: string | undefined): void {
    const { card } = this.workers.get(workerId) ?? {}
    if (card?.address.incarnation !== incarnation) return
    log(this.#options.log, 'info', `worker ${workerId}`, 'is being stopped')
    this.#watches.get(workerId)?.cancel()
    this.#watches.delete(workerId)
    this.workers.lose(workerId)
    this.#bury(workerId, `its worker ${workerId} was stopped`)
  }

  #lost(card: WorkerCard, reason: string): void {
    if (this.#closed) return
    log(this.#options.log, 'error', `worker ${card.id}`, `is lost: ${reason}`)
    this.workers.lose(card.id)
    this.#watches.delete(card.id)
    this.#gone(card.id)
  }

  processStarted(workerId: string, process: ProcessCard): void {
    this.workers.started(workerId, process)
    // It was on its way while its application was killed, or while it was replaced.
    if (!this.#wanted(process)) this.#stop(workerId, process, 'it is not wanted any more')
  }

  #stop(workerId: string, process: ProcessKey, reason: string): void {
    const worker = this.workers.get(workerId)
    if (worker === undefined) return
    this.#options.system.ref<WorkerDoor>(worker.card.address).tell('stop', process, reason)
  }

  async processEnded(
    workerId: string,
    process: ProcessKey,
    reason: string,
    withWorker = false,
  ): Promise<void> {
    this.workers.ended(workerId, process)
    if (process.executor !== APP_MASTER_ID) return
    const said = `${reason} (worker ${workerId})`
    await this.#keepers.get(process.app)?.died(process.incarnation, said, { workerId, withWorker })
  }

  // ---- app masters

  async registerAppMaster(
    app: number,
    incarnation: number,
    self: ActorAddress,
  ): Promise<AppBriefing> {
    this.#running(app, incarnation)
    const memory = await this.registry.memoryOf(app)
    // As it is now: it may have been killed, paused or appointed anew meanwhile.
    const record = this.#running(app, incarnation)
    this.#keeperOf(app).registered(incarnation, self)
    return { record, ...memory }
  }

  #running(app: number, incarnation: number): AppRecord {
    const record = this.registry.get(app)
    if (record !== undefined && !isOver(record) && record.incarnation === incarnation) return record
    const why =
      record === undefined || isOver(record)
        ? 'it is over'
        : `app master ${record.incarnation} has it`
    throw new EngineError('FENCED', `application ${app} is not app master ${incarnation}'s: ${why}`)
  }

  #keeperOf(app: number): AppKeeper {
    const keeper = this.#keepers.get(app)
    if (keeper !== undefined) return keeper
    throw new EngineError('APP_NOT_FOUND', `application ${app} does not run`)
  }

  grant(app: number, incarnation: number, count: number, avoid: readonly string[]): Grant[] {
    const { each, strategy, labels } = this.#running(app, incarnation).submission.placement
    const { strategies, environment } = this.#options
    const request = {
      app,
      count,
      each,
      strategy: strategy ?? this.#options.strategy,
      ...(labels === undefined ? {} : { labels }),
      near: this.workers.of(app),
      avoid,
    }
    return grantRoom(this.workers, request, { strategies, environment })
  }

  releaseRoom(app: number, incarnation: number, workerId: string): void {
    this.#running(app, incarnation)
    this.workers.releaseOne(workerId, app)
  }

  async savePlan(app: number, incarnation: number, plan: StoredPlan): Promise<void> {
    this.#running(app, incarnation)
    await this.registry.savePlan(app, plan)
    // Its app master may not reach the worker of an executor that it has given up; the leader may.
    for (const { card, process } of this.workers.processesOf(app)) {
      if (!this.#wanted(process))
        this.#stop(card.id, process, 'it was replaced by another executor')
    }
  }

  async saveClock(app: number, incarnation: number, reservedUs: number): Promise<void> {
    this.#running(app, incarnation)
    await this.registry.save('clocks', app, reservedUs)
  }

  async savePositions(
    app: number,
    incarnation: number,
    positions: readonly (readonly [number, unknown])[],
  ): Promise<void> {
    this.#running(app, incarnation)
    await this.registry.save('positions', app, positions)
  }

  async appStarted(app: number, incarnation: number): Promise<void> {
    this.#running(app, incarnation)
    await this.registry.change(app, record =>
      record.status === 'starting'
        ? { ...record, status: record.submission.active ? 'active' : 'inactive' }
        : undefined,
    )
  }

  async appFailed(app: number, incarnation: number, failure: Failure): Promise<void> {
    this.#running(app, incarnation)
    const endedMs = this.#options.environment.nowUs() / 1000
    await this.registry.change(app, record =>
      isOver(record) ? undefined : { ...record, status: 'failed', endedMs, failure },
    )
    await this.#over(app)
  }

  #over(app: number): Promise<void> {
    this.#keepers.get(app)?.close()
    this.#keepers.delete(app)
    this.workers.releaseAll(app)
    return this.#stopEverywhere(app)
  }

  // ---- clients

  async submit(submission: Submission): Promise<number> {
    const submittedMs = this.#options.environment.nowUs() / 1000
    const { bundle, code } = submission
    const made = this.registry.create(submission, id => ({
      id,
      submission,
      status: 'starting',
      submittedMs,
      endedMs: undefined,
      token: this.#options.secret(),
      incarnation: 0,
      deaths: [],
      failure: undefined,
      versions: [{ version: 1, timeMs: submittedMs, bundle, code }],
    }))
    made.catch(() => this.#settleLater())
    const { id } = await made
    this.#keepStored()
    return id
  }

  // With it, what was stored though its client was not told so.
  #keepStored(): void {
    for (const record of this.registry.all()) {
      if (!this.#closed && !this.#keepers.has(record.id) && !isOver(record)) this.#keep(record.id)
    }
  }

  // A submission may be stored though nobody was told so, and its client may not ask again.
  #settleLater(): void {
    if (this.#closed || this.#settling || !this.registry.inDoubt) return
    this.#settling = true
    this.#options.environment.after(SETTLE_MS, () => {
      this.#settling = false
      if (this.#closed) return
      this.registry.settle().then(
        () => this.#keepStored(),
        () => this.#settleLater(),
      )
    })
  }

  async kill(wanted: number | string): Promise<void> {
    const { id } = this.registry.find(wanted)
    if (!(await this.end(id))) throw endedError(id)
  }

  /** False when it was over already. */
  async end(id: number): Promise<boolean> {
    const endedMs = this.#options.environment.nowUs() / 1000
    let ended = false
    const record = await this.registry.change(id, r => {
      if (isOver(r)) return undefined
      ended = true
      return { ...r, status: 'stopped', endedMs }
    })
    if (!ended || record === undefined) return false
    const keeper = this.#keepers.get(id)
    this.#keepers.delete(id)
    this.workers.releaseAll(id)
    await keeper?.stop()
    await this.#stopEverywhere(id)
    return true
  }

  // Whoever is not reached now is told when it registers.
  async #stopEverywhere(app: number): Promise<void> {
    const ends = this.workers.of(app).map(async workerId => {
      const worker = this.workers.get(workerId)
      if (worker?.state !== 'up') return
      const ref = this.#options.system.ref<WorkerDoor>(worker.card.address)
      await ref.within(STOP_APP_TIMEOUT_MS).ask('stopApp', app)
    })
    for (const end of await Promise.allSettled(ends)) {
      if (end.status === 'rejected')
        log(this.#options.log, 'warn', `app ${app}`, asError(end.reason).message)
    }
  }

  close(): void {
    this.#closed = true
    for (const keeper of this.#keepers.values()) keeper.close()
    for (const watch of this.#watches.values()) watch.cancel()
  }
}
