// A worker: the agent of one machine. It registers with whoever leads, starts app masters and executors as processes when
// it is told to, and tells of their ends. It decides nothing, and what it runs goes on while there is no master.
import type { ActorAddress, ActorRef } from '../actor/actor.ts'
import type { ActorSystem } from '../actor/actor-system.ts'
import type { Environment } from '../base/environment.ts'
import { asError, EngineError } from '../base/errors.ts'
import { type Log, log } from '../base/log.ts'
import type { Address } from '../transport/link.ts'
import { MasterLink } from './master-link.ts'
import {
  APP_MASTER_ID,
  type AppMasterDoor,
  type BundleRef,
  keyText,
  type Launched,
  type LaunchOrder,
  MASTER,
  type MasterDoor,
  type ProcessCard,
  type ProcessKey,
  WORKER,
  type WorkerCard,
  type WorkerDoor,
} from './messages.ts'

/** A leader that is told so late need not be told at all: it hears what runs when the worker registers. */
const TELL_MS = 60_000
/** Two workers of one name: the second asks again at this pace, for the first may be about to be given up. */
const NAME_TAKEN_MS = 2000
/** A leader hears that this worker stops, if there is one; the others find out. */
const LEAVE_MS = 500
/** It says what it runs at this pace: a worker that was given up is back, and what it should not run is stopped. */
const AGAIN_MS = 5000

/** What a process is started with. */
export interface ProcessOrder extends ProcessKey {
  readonly name: string
  readonly code: unknown
  /** Where the bundle was unpacked. */
  readonly directory: string
  readonly worker: { readonly id: string; readonly host: string }
  readonly masters: readonly Address[]
}

export interface RunningProcess {
  readonly pid: number
  /** Where its actors are. */
  readonly node: Address
  /** Resolves with the reason: exit code or signal, and the last lines it wrote. */
  readonly ended: Promise<string>
  /** Ends it and what it started, at once. Idempotent. */
  kill(): void
}

/** Where processes come from: real ones, or this very process in tests and simulations. */
export interface ProcessHost {
  /** Resolves when it listens; rejects with its last lines when it does not come so far. */
  start(order: ProcessOrder): Promise<RunningProcess>
}

export interface WorkerOptions {
  readonly environment: Environment
  readonly system: ActorSystem
  readonly log: Log
  readonly card: Omit<WorkerCard, 'address'>
  readonly masters: readonly Address[]
  readonly processes: ProcessHost
  /** Fetches and unpacks a bundle, once; gives the directory. */
  readonly unpacked: (bundle: BundleRef) => Promise<string>
}

interface Entry {
  readonly order: LaunchOrder
  readonly launched: Promise<Launched>
  process: RunningProcess | undefined
  /** Why it was told to end. */
  stopped: string | undefined
  /** The newest app master that has ordered it or taken it over: it hears of its end. */
  owner: Owner | undefined
  /** Its end is told after its start, whatever becomes of the leader in between. */
  told: Promise<void>
}

interface Owner {
  readonly incarnation: number
  readonly address: ActorAddress
}

export class Worker {
  readonly #options: WorkerOptions
  readonly #link: MasterLink<MasterDoor>
  readonly #entries = new Map<string, Entry>()
  readonly #card: WorkerCard
  #registered = false
  #closed = false

  constructor(options: WorkerOptions) {
    this.#options = options
    const { system, environment, masters } = options
    const self = system.spawn<WorkerDoor>(WORKER, () => this.#door())
    this.#card = { ...options.card, address: self.address }
    this.#link = new MasterLink<MasterDoor>({ system, environment, masters, door: MASTER })
  }

  get address() {
    return this.#card.address
  }

  /** Registers with each leader there is, for as long as it lives. Rejects on what cannot be mended by waiting. */
  run(): Promise<void> {
    const absent = (reason: string) => this.#say('warn', `looks for a master: ${reason}`)
    const met = async (leader: ActorRef<MasterDoor>): Promise<void> => {
      if (this.#closed) return
      try {
        const stop = await leader.ask('registerWorker', this.#card, ...this.#entriesNow())
        for (const process of stop) this.#stop(process, 'the master does not know of it any more')
        if (!this.#registered)
          this.#say('info', `registered with the master, ${this.#entries.size} processes run here`)
        this.#registered = true
      } catch (error) {
        if (!(error instanceof EngineError) || error.code !== 'WORKER_NAME_TAKEN') throw error
        this.#say('warn', error.message)
        await new Promise<void>(resolve => {
          this.#options.environment.after(NAME_TAKEN_MS, resolve)
        })
        throw new EngineError('NOT_LEADER', 'not registered yet')
      }
    }
    return this.#link.follow(AGAIN_MS, met, absent)
  }

  /** Whether something that runs here, or is being started, has come with this bundle. */
  uses(hash: string): boolean {
    for (const { order } of this.#entries.values()) if (order.bundle?.hash === hash) return true
    return false
  }

  #entriesNow(): [runs: ProcessCard[], starting: ProcessKey[]] {
    const runs: ProcessCard[] = []
    const starting: ProcessKey[] = []
    for (const { order, process } of this.#entries.values()) {
      const { app, executor, incarnation } = order
      if (process !== undefined) runs.push(cardOf(order, process))
      else starting.push({ app, executor, incarnation })
    }
    return [runs, starting]
  }

  #say(level: 'info' | 'warn', text: string): void {
    log(this.#options.log, level, `worker ${this.#card.id}`, text)
  }

  #door(): WorkerDoor {
    return {
      launch: order => this.#launch(order),
      stop: async (process, reason) => this.#stop(process, reason),
      stopApp: app => this.#stopApp(app),
      own: async (app, incarnation, address) => this.#own(app, { incarnation, address }),
    }
  }

  #own(app: number, owner: Owner): void {
    for (const entry of this.#entries.values()) {
      const { order, owner: before } = entry
      const older = before !== undefined && before.incarnation < owner.incarnation
      if (order.app === app && older) entry.owner = owner
    }
  }

  #launch(order: LaunchOrder): Promise<Launched> {
    if (this.#closed) return Promise.reject(this.#stopping())
    const key = keyText(order)
    const known = this.#entries.get(key)
    if (known !== undefined) return known.launched
    const entry: { -readonly [K in keyof Entry]: Entry[K] } = {
      order,
      launched: undefined as never,
      process: undefined,
      stopped: undefined,
      owner:
        order.owner === undefined
          ? undefined
          : { incarnation: order.incarnation, address: order.owner },
      told: Promise.resolve(),
    }
    this.#entries.set(key, entry)
    entry.launched = this.#start(entry).catch(error => {
      this.#entries.delete(key)
      throw error
    })
    return entry.launched
  }

  async #start(entry: Entry): Promise<Launched> {
    const { order } = entry
    const { processes, unpacked, masters } = this.#options
    const directory = order.bundle === undefined ? '' : await unpacked(order.bundle)
    this.#checkWanted(entry)
    const { app, executor, incarnation, name, code } = order
    const { id, host } = this.#card
    const process = await processes.start({
      app,
      executor,
      incarnation,
      name,
      code,
      directory,
      worker: { id, host },
      masters,
    })
    entry.process = process
    void process.ended.then(reason => this.#ended(entry, reason))
    if (entry.stopped !== undefined) process.kill()
    this.#checkWanted(entry)
    this.#tell(entry, leader => leader.ask('processStarted', id, cardOf(order, process)))
    return { pid: process.pid, node: process.node }
  }

  #stopping(): EngineError {
    return new EngineError('WORKER_STOPPING', `worker ${this.#card.id} is being stopped`, {
      hint: 'it is started on another worker',
    })
  }

  #checkWanted({ order, stopped }: Entry): void {
    if (this.#closed) throw this.#stopping()
    if (stopped === undefined) return
    throw new EngineError(
      'EXECUTOR_START_FAILED',
      `${described(order)} is not wanted any more: ${stopped}`,
    )
  }

  #ended(entry: Entry, reason: string): void {
    const { order } = entry
    this.#entries.delete(keyText(order))
    const why = entry.stopped ?? reason
    this.#say(entry.stopped === undefined ? 'warn' : 'info', `${described(order)} ended: ${why}`)
    if (entry.owner !== undefined)
      this.#options.system
        .ref<AppMasterDoor>(entry.owner.address)
        .tell('executorEnded', order.executor, why, this.#closed)
    if (this.#closed) return
    const { app, executor, incarnation } = order
    const { id } = this.#card
    this.#tell(entry, leader => leader.ask('processEnded', id, { app, executor, incarnation }, why))
  }

  // The leader is told, and if there is none the next one hears it with the registration.
  #tell(entry: Entry, what: (leader: ActorRef<MasterDoor>) => Promise<void>): void {
    entry.told = entry.told
      .then(() => this.#link.call(TELL_MS, what))
      .catch(error => {
        if (!this.#closed) this.#say('warn', `the master was not told: ${asError(error).message}`)
      })
  }

  #stop(process: ProcessKey, reason: string): void {
    const entry = this.#entries.get(keyText(process))
    if (entry === undefined) return
    entry.stopped ??= reason
    entry.process?.kill()
  }

  async #stopApp(app: number): Promise<void> {
    const ends: Promise<unknown>[] = []
    for (const entry of this.#entries.values()) {
      if (entry.order.app !== app) continue
      this.#stop(entry.order, 'the application has ended')
      ends.push(entry.process?.ended ?? Promise.resolve())
    }
    await Promise.all(ends)
  }

  // Nothing new comes from now on, and what runs here is replaced before it is missed.
  async #leave(): Promise<void> {
    if (!this.#registered) return
    const { id, address } = this.#card
    const { environment } = this.#options
    const told = this.#link
      .call(LEAVE_MS, leader =>
        leader.within(LEAVE_MS).ask('unregisterWorker', id, address.incarnation),
      )
      .catch(error => this.#say('info', `no master knows that it stops: ${asError(error).message}`))
    await Promise.race([told, new Promise<void>(done => void environment.after(LEAVE_MS, done))])
  }

  /** Ends everything that it has started. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#link.close()
    await this.#leave()
    const entries = [...this.#entries.values()]
    for (const { order } of entries) this.#stop(order, 'its worker was stopped')
    await Promise.all(entries.map(entry => entry.process?.ended))
  }
}

function cardOf(order: LaunchOrder, { pid, node }: RunningProcess): ProcessCard {
  const { app, executor, incarnation, each } = order
  return { app, executor, incarnation, pid, node, each }
}

function described({ app, name, executor, incarnation }: LaunchOrder): string {
  const what = executor === APP_MASTER_ID ? `app master ${incarnation}` : `executor ${executor}`
  return `${what} of app ${app} (${name})`
}
