// Keeps one application's app master alive: appoints one, watches it, and appoints the next when it is gone. Each has an
// incarnation number that is stored before it is started, so that of two that believe to be it only one is heard. The
// executors are not this file's business: they flow whether there is an app master or not.
import type { ActorAddress, ActorRef } from '../actor/actor.ts'
import type { ActorSystem } from '../actor/actor-system.ts'
import { Backoff, RESTART_BACKOFF } from '../base/backoff.ts'
import type { Environment, Timer } from '../base/environment.ts'
import { asError, EngineError, type ErrorCode } from '../base/errors.ts'
import { type Log, log } from '../base/log.ts'
import { type AppRegistry, isOver } from './app-registry.ts'
import {
  APP_MASTER_ID,
  type AppMasterDoor,
  type AppRecord,
  type Death,
  type Failure,
  keyText,
  type ProcessKey,
  type WorkerDoor,
} from './messages.ts'
import type { WorkerTable } from './worker-table.ts'

/** A worker may have to fetch the bundle first. */
const LAUNCH_TIMEOUT_MS = 120_000
/** From its first word to its registration an app master only connects. */
const REGISTER_TIMEOUT_MS = 30_000
/** Looks for a worker at this pace while there is none. */
const NO_WORKER_MS = 500
/** Deaths kept with the record, of those that count, at least, and of those with their workers. */
const DEATHS_KEPT = 20
/** An app master is missed at once, its worker by its silence: a death so long before is put down to the worker's. */
const WITH_WORKER_MS = 30_000
/** A launch that fails so has met a worker that is gone or stops; nothing of the application has begun yet. */
const OF_WORKER: readonly ErrorCode[] = [
  'NODE_UNREACHABLE',
  'ACTOR_NOT_FOUND',
  'ASK_TIMED_OUT',
  'WORKER_STOPPING',
]
/** Closing executors may take 8 s each, all at once. */
const STOP_TIMEOUT_MS = 12_000

export interface KeeperSettings {
  /** After a change of leaders an app master may be silent for so long, if its worker says nothing of it. */
  readonly appMasterLostMs: number
  /** More deaths than this in the window, and the application has failed. */
  readonly restarts: number
  readonly windowMs: number
}

export interface KeeperOptions {
  readonly environment: Environment
  readonly system: ActorSystem
  readonly log: Log
  readonly registry: AppRegistry
  readonly workers: WorkerTable
  readonly settings: KeeperSettings
  readonly app: number
  /** It has failed: its app masters died too often. What is left of it has to be ended. */
  readonly onFailed: () => Promise<void>
}

/** Where an app master was when it died, and whether that is why. */
export interface DeathPlace {
  readonly workerId: string | undefined
  readonly withWorker: boolean
}

export class AppKeeper {
  readonly #options: KeeperOptions
  readonly #backoff = new Backoff(RESTART_BACKOFF)
  /** The app master that is there, or is expected. */
  #incarnation: number
  #appMaster: ActorRef<AppMasterDoor> | undefined = undefined
  #watch: { cancel(): void } | undefined = undefined
  #timer: Timer | undefined = undefined
  #closed = false
  #saidNoWorker = false
  /** Where the last one could not be started. */
  #avoid: string | undefined = undefined
  /** An earlier leader has appointed it, and it has not come to this one yet. */
  #inherited = false

  constructor(options: KeeperOptions) {
    this.#options = options
    this.#incarnation = this.#record()?.incarnation ?? 0
  }

  get appMaster(): ActorRef<AppMasterDoor> | undefined {
    return this.#appMaster
  }

  /** Appoints the first app master; or, under a new leader, waits for the one that there should be. */
  begin(): void {
    if (this.#incarnation === 0) this.#appoint()
    else {
      this.#inherited = true
      this.#expect(this.#options.settings.appMasterLostMs, 'it did not come to the new leader')
    }
  }

  /** A worker has come, with all that it runs or is starting. */
  workerUp(workerId: string, processes: readonly ProcessKey[]): void {
    const { app } = this.#options
    if (this.#closed) return
    if (this.#saidNoWorker) this.#after(0, () => this.#appoint())
    const incarnation = this.#incarnation
    if (!this.#inherited || this.#record()?.appMasterOn !== workerId) return
    const own = keyText({ app, executor: APP_MASTER_ID, incarnation })
    if (!processes.some(process => keyText(process) === own))
      this.#diedLater(incarnation, `worker ${workerId} does not run it any more`)
  }

  #record(): AppRecord | undefined {
    return this.#options.registry.get(this.#options.app)
  }

  // Runs nothing that a lost leadership must not: each step of it is fenced by the store or by the incarnation.
  #appoint(): void {
    this.#start().catch(error => {
      if (this.#closed) return
      log(this.#options.log, 'warn', this.#name, `no app master yet: ${asError(error).message}`)
      this.#after(NO_WORKER_MS, () => this.#appoint())
    })
  }

  get #name(): string {
    return `app ${this.#options.app}`
  }

  async #start(): Promise<void> {
    const { registry, workers, system, app } = this.#options
    const worker = workers.forAppMaster(this.#avoid)
    if (worker === undefined) {
      if (!this.#saidNoWorker)
        log(this.#options.log, 'warn', this.#name, 'waits for a worker: none is up')
      this.#saidNoWorker = true
      this.#after(NO_WORKER_MS, () => this.#appoint())
      return
    }
    this.#saidNoWorker = false
    const record = await registry.change(app, r =>
      isOver(r) ? undefined : { ...r, incarnation: r.incarnation + 1, appMasterOn: worker.id },
    )
    if (this.#closed || record === undefined || isOver(record)) return
    const { incarnation } = record
    this.#incarnation = incarnation
    this.#backoff.started(this.#options.environment.monotonicMs())
    const version = record.versions.at(-1)!
    const ref = system.ref<WorkerDoor>(worker.address)
    try {
      const each = { cpu: 0, memoryMb: 0 }
      const key = { app, executor: APP_MASTER_ID, incarnation }
      const order = { ...key, name: record.submission.name, each, owner: undefined }
      const { bundle, code } = version
      const launched = await ref.within(LAUNCH_TIMEOUT_MS).ask('launch', { ...order, bundle, code })
      this.#avoid = undefined
      workers.started(worker.id, { ...key, ...launched, each })
      if (!this.#closed && this.#appMaster === undefined && this.#incarnation === incarnation)
        this.#expect(REGISTER_TIMEOUT_MS, 'it did not register')
    } catch (error) {
      const code = error instanceof EngineError ? error.code : undefined
      // It said so itself: nothing else is placed there until it is back.
      if (code === 'WORKER_STOPPING') workers.lose(worker.id)
      this.#avoid = worker.id
      const withWorker = code !== undefined && OF_WORKER.includes(code)
      const reason = `worker ${worker.id}: ${asError(error).message}`
      await this.died(incarnation, reason, { workerId: worker.id, withWorker })
    }
  }

  #expect(withinMs: number, reason: string): void {
    const incarnation = this.#incarnation
    this.#after(withinMs, () => {
      if (this.#appMaster === undefined) this.#diedLater(incarnation, reason)
    })
  }

  /** An app master says that it is there. Throws FENCED when it is not the one. */
  registered(incarnation: number, address: ActorAddress): void {
    if (incarnation !== this.#incarnation) {
      throw new EngineError(
        'FENCED',
        `app master ${incarnation} of ${this.#name} was replaced by app master ${this.#incarnation}`,
        { hint: 'it ends itself; the newer one has its executors' },
      )
    }
    this.#timer?.cancel()
    this.#watch?.cancel()
    this.#inherited = false
    const ref = this.#options.system.ref<AppMasterDoor>(address)
    this.#appMaster = ref
    this.#watch = this.#options.system.watch(address, reason => {
      if (this.#appMaster === ref) this.#diedLater(incarnation, reason)
    })
  }

  #diedLater(incarnation: number, reason: string): void {
    this.died(incarnation, reason).catch(error => {
      log(this.#options.log, 'warn', this.#name, asError(error).message)
      this.#after(NO_WORKER_MS, () => this.#diedLater(incarnation, reason))
    })
  }

  /** An app master is gone, or does not answer. Another is appointed, unless it was replaced already. */
  async died(incarnation: number, reason: string, place?: DeathPlace): Promise<void> {
    const { environment, registry, app, log: lines } = this.#options
    if (this.#closed || incarnation !== this.#incarnation) return
    const { workerId, withWorker } = place ?? this.#placeOf(incarnation)
    const registered = this.#appMaster !== undefined
    this.#forget()
    // The next one gets another number, so that this death is told once.
    this.#incarnation = -1
    log(lines, 'error', this.#name, `app master ${incarnation} died: ${reason}`)
    this.#endProcess(incarnation, reason)
    this.#options.workers.releaseAll(app)
    const timeMs = environment.nowUs() / 1000
    const death: Death = {
      ...{ timeMs, what: `app master ${incarnation}`, reason, withWorker },
      ...(workerId === undefined ? {} : { workerId }),
    }
    try {
      await registry.change(app, r =>
        isOver(r) ? undefined : this.#afterDeath({ ...r, deaths: this.#kept(r.deaths, death) }),
      )
    } catch (error) {
      this.#incarnation = incarnation
      throw error
    }
    const record = this.#record()
    if (record?.status === 'failed') await this.#options.onFailed()
    if (this.#closed || record === undefined || isOver(record)) return
    // One that has run, and went with its worker, has not failed.
    const waitMs = registered && withWorker ? 0 : this.#backoff.failed(environment.monotonicMs())
    this.#after(waitMs, () => this.#appoint())
  }

  // An app master that nobody knows of ran on a worker that the leader has not heard of either.
  #placeOf(incarnation: number): DeathPlace {
    const { workers, app } = this.#options
    const workerId = workers.appMasterOf(app, incarnation)?.workerId
    if (workerId === undefined) return { workerId, withWorker: true }
    return { workerId, withWorker: workers.get(workerId)?.state !== 'up' }
  }

  // Those that came with workers must not push out what counts.
  #kept(deaths: readonly Death[], death: Death): Death[] {
    const all = [...deaths, death]
    const counting = all.filter(d => d.withWorker !== true)
    const others = all.filter(d => d.withWorker === true).slice(-DEATHS_KEPT)
    const kept = counting.slice(-Math.max(DEATHS_KEPT, this.#options.settings.restarts + 1))
    return all.filter(d => kept.includes(d) || others.includes(d))
  }

  /** A worker is gone: app masters that were missed there just before went with it. */
  async workerGone(workerId: string): Promise<void> {
    const { registry, app, environment } = this.#options
    const sinceMs = environment.nowUs() / 1000 - WITH_WORKER_MS
    const isMistaken = (d: Death) =>
      d.workerId === workerId && d.withWorker !== true && d.timeMs >= sinceMs
    await registry.change(app, r =>
      isOver(r) || !r.deaths.some(isMistaken)
        ? undefined
        : { ...r, deaths: r.deaths.map(d => (isMistaken(d) ? { ...d, withWorker: true } : d)) },
    )
  }

  #afterDeath(record: AppRecord): AppRecord {
    const { restarts, windowMs } = this.#options.settings
    const nowMs = this.#options.environment.nowUs() / 1000
    const recent = record.deaths.filter(d => d.withWorker !== true && nowMs - d.timeMs < windowMs)
    if (recent.length <= restarts) return record
    const message =
      `its app master died ${recent.length} times in ${windowMs / 1000} s, ` +
      `last: ${recent.at(-1)!.reason}`
    const failure: Failure = {
      code: 'APP_MASTER_DIED',
      message,
      hint: "see the app master's log on its worker, mend the cause and `gear app restart` it",
    }
    return { ...record, status: 'failed', endedMs: nowMs, failure }
  }

  // It may only be paused or cut off: then its worker ends it, now or when it is back.
  #endProcess(incarnation: number, reason: string): void {
    const { workers, system, app } = this.#options
    const process: ProcessKey = { app, executor: APP_MASTER_ID, incarnation }
    const place = workers.appMasterOf(app, incarnation)
    const worker = place === undefined ? undefined : workers.get(place.workerId)
    if (worker === undefined) return
    workers.ended(worker.card.id, process)
    system.ref<WorkerDoor>(worker.card.address).tell('stop', process, reason)
  }

  /** Ends the app master, which ends its executors. Waits for it, in bounded time. */
  async stop(): Promise<void> {
    const appMaster = this.#appMaster
    this.close()
    if (appMaster === undefined) return
    try {
      await appMaster.within(STOP_TIMEOUT_MS).ask('stop')
    } catch (error) {
      // Its workers end what is left.
      log(this.#options.log, 'debug', this.#name, asError(error).message)
    }
  }

  #forget(): void {
    this.#inherited = false
    this.#watch?.cancel()
    this.#timer?.cancel()
    this.#watch = undefined
    this.#appMaster = undefined
  }

  #after(delayMs: number, fn: () => void): void {
    this.#timer?.cancel()
    this.#timer = this.#options.environment.after(delayMs, () => {
      if (!this.#closed) fn()
    })
  }

  close(): void {
    this.#closed = true
    this.#forget()
  }
}
