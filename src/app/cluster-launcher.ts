// Executors on the workers of a cluster: asks the leader for room, a worker for a process, and talks to the process as an
// actor. What may go wrong on the way (no room, a worker that dies, no leader) is waited out or tried elsewhere; what the
// user's code does wrong is passed on.
import type { ActorAddress, ActorRef } from '../actor/actor.ts'
import type { ActorSystem } from '../actor/actor-system.ts'
import type { Environment } from '../base/environment.ts'
import { asError, EngineError } from '../base/errors.ts'
import { type Log, log } from '../base/log.ts'
import type { MasterLink } from '../cluster/master-link.ts'
import {
  type BundleRef,
  EXECUTOR,
  type ExecutorDoor,
  type Grant,
  type MasterDoor,
  type Needs,
  type WorkerDoor,
} from '../cluster/messages.ts'
import type { Address } from '../transport/link.ts'
import type { ExecutorEvents } from './executor.ts'
import type { ExecutorControl } from './executor-host.ts'
import { ElsewhereError, type LaunchedExecutor, type Launcher } from './launcher.ts'

/** A worker may have to fetch the bundle first. */
const LAUNCH_TIMEOUT_MS = 120_000
/** User code is loaded and started: databases are opened, other processes begin. */
const START_TIMEOUT_MS = 300_000
const CONTROL_TIMEOUT_MS = 10_000
/** Room that is not given back within this is free when its promise lapses. */
const GIVE_BACK_MS = 10_000
/** Room comes with a worker or with the end of an executor, which nobody tells. Soon at first; many may wait for long. */
const NO_ROOM_FIRST_MS = 250
const NO_ROOM_MAX_MS = 1000
/** A worker that has failed before, and was chosen again because there is no other. */
const ELSEWHERE_WAIT_MS = 500
/** Workers that are avoided: where each host has a new name, they would pile up. */
const AVOID_MAX = 64
/** A worker tells of a death at once; when the connection breaks first its word is waited for, since it knows why. */
const REASON_WAIT_MS = 700
/** A process whose worker does not answer is left to the leader. */
const KILL_WAIT_MS = 3000

export interface ClusterLauncherOptions {
  readonly environment: Environment
  readonly system: ActorSystem
  readonly log: Log
  readonly link: MasterLink<MasterDoor>
  readonly app: number
  readonly incarnation: number
  readonly name: string
  readonly bundle: BundleRef | undefined
  readonly code: unknown
  readonly each: Needs
  /** This app master, for the executors. */
  readonly self: ActorAddress
  /** A newer app master was met. */
  readonly onFenced: (error: Error) => void
}

/** What is stored of an executor. */
interface Place {
  readonly workerId: string
  readonly worker: ActorAddress
  readonly pid: number
  readonly node: Address
}

interface Wanted {
  readonly resolve: (grant: Grant) => void
  readonly reject: (error: Error) => void
}

export class ClusterLauncher implements Launcher {
  readonly #options: ClusterLauncherOptions
  readonly #ends = new Map<number, (reason: string, withWorker: boolean) => void>()
  readonly #events = new Map<number, ExecutorEvents>()
  #wanted: Wanted[] = []
  /** Workers where an executor could not be started last time, or where one cannot be reached. */
  readonly #avoid = new Set<string>()
  /** Why executors wait for room; for people. */
  waiting: string | undefined = undefined
  #closed = false

  constructor(options: ClusterLauncherOptions) {
    this.#options = options
  }

  async launch(id: number, token: string, events: ExecutorEvents): Promise<LaunchedExecutor> {
    const grant = await this.#room()
    let launched: LaunchedExecutor | undefined
    try {
      const place = await this.#start(id, grant)
      launched = this.#connect(id, place, events)
      await this.#ask(this.#ref(place).within(LAUNCH_TIMEOUT_MS), 'load', [token])
      this.#avoid.delete(grant.workerId)
      return launched
    } catch (error) {
      if (launched === undefined) this.#stopAt(grant.worker, id)
      else launched.kill()
      if (this.#closed || !isOfThePlace(error)) throw error
      this.#say('warn', `executor ${id}: ${grant.workerId}: ${asError(error).message}`)
      if (this.#avoid.has(grant.workerId)) await this.#wait(ELSEWHERE_WAIT_MS)
      this.#avoidWorker(grant.workerId)
      throw new ElsewhereError(id, asError(error))
    }
  }

  #avoidWorker(workerId: string): void {
    this.#avoid.add(workerId)
    const [first] = this.#avoid
    if (this.#avoid.size > AVOID_MAX) this.#avoid.delete(first!)
  }

  // It may have been started though nobody said so.
  #stopAt(worker: ActorAddress, id: number): void {
    const { system, app, incarnation } = this.#options
    const key = { app, executor: id, incarnation }
    system.ref<WorkerDoor>(worker).tell('stop', key, 'its app master has given it up')
  }

  async adopt(
    id: number,
    kept: unknown,
    events: ExecutorEvents,
  ): Promise<LaunchedExecutor | undefined> {
    const place = kept as Place
    const launched = this.#connect(id, place, events)
    try {
      const { system, app, incarnation, self } = this.#options
      system.ref<WorkerDoor>(place.worker).tell('own', app, incarnation, self)
      if (!(await this.#ref(place).ask('adopt', incarnation, self)))
        throw new EngineError('EXECUTOR_START_FAILED', 'it was being started, or ended')
      return launched
    } catch (error) {
      this.#checkFenced(error)
      this.#say('warn', `executor ${id} cannot be taken over: ${asError(error).message}`)
      this.#ends.delete(id)
      launched.kill()
      return undefined
    }
  }

  /** A worker tells that a process has ended. */
  ended(id: number, reason: string, withWorker = false): void {
    this.#ends.get(id)?.(reason, withWorker)
  }

  close(): void {
    this.#closed = true
    const ended = new EngineError('EXECUTOR_START_FAILED', 'the application has ended')
    for (const { reject } of this.#wanted.splice(0)) reject(ended)
  }

  // ---- room

  // Those asked for in one turn are placed as one.
  #room(): Promise<Grant> {
    return new Promise((resolve, reject) => {
      this.#wanted.push({ resolve, reject })
      if (this.#wanted.length === 1) this.#options.environment.defer(() => void this.#askRoom())
    })
  }

  async #askRoom(): Promise<void> {
    const wanted = this.#wanted
    this.#wanted = []
    try {
      const grants = await this.#granted(wanted.length)
      for (const [i, { resolve }] of wanted.entries()) resolve(grants[i]!)
    } catch (error) {
      this.#checkFenced(error)
      for (const { reject } of wanted) reject(asError(error))
    }
  }

  async #granted(count: number): Promise<Grant[]> {
    const { link, app, incarnation } = this.#options
    let waitMs = NO_ROOM_FIRST_MS
    while (true) {
      try {
        const grants = await link.call(Infinity, leader =>
          leader.ask('grant', app, incarnation, count, [...this.#avoid]),
        )
        this.waiting = undefined
        return grants
      } catch (error) {
        if (this.#closed || !(error instanceof EngineError) || error.code !== 'NO_RESOURCES')
          throw error
        if (this.waiting !== error.message) this.#say('warn', `waits: ${error.message}`)
        this.waiting = error.message
        await this.#wait(waitMs)
        waitMs = Math.min(NO_ROOM_MAX_MS, 2 * waitMs)
      }
    }
  }

  #giveBack({ workerId }: Grant): void {
    const { link, app, incarnation } = this.#options
    link
      .call(GIVE_BACK_MS, leader => leader.ask('releaseRoom', app, incarnation, workerId))
      .catch(error => {
        if (!this.#closed) this.#say('debug', `room on ${workerId}: ${asError(error).message}`)
      })
  }

  // ---- processes

  async #start(id: number, grant: Grant): Promise<Place> {
    const { system, app, incarnation, name, bundle, code, each, self } = this.#options
    const worker = system.ref<WorkerDoor>(grant.worker).within(LAUNCH_TIMEOUT_MS)
    const order = { app, executor: id, incarnation, name, bundle, code, each, owner: self }
    const { pid, node } = await worker.ask('launch', order).catch(error => {
      this.#giveBack(grant)
      throw error
    })
    const place: Place = { workerId: grant.workerId, worker: grant.worker, pid, node }
    await this.#ref(place).ask('adopt', incarnation, self)
    return place
  }

  #ref({ node }: Place): ActorRef<ExecutorDoor> {
    return this.#options.system.ref<ExecutorDoor>({ node, name: EXECUTOR })
  }

  #connect(id: number, place: Place, events: ExecutorEvents): LaunchedExecutor {
    const { environment, system } = this.#options
    const ref = this.#ref(place)
    let end: (reason: string) => void = () => undefined
    const ended = new Promise<string>(resolve => {
      end = resolve
    })
    let over = false
    let workerIsGone = false
    const workerWatch = system.watch(place.worker, () => {
      workerIsGone = true
      this.#avoidWorker(place.workerId)
    })
    const watch = system.watch(ref.address, reason => {
      environment.after(REASON_WAIT_MS, () => {
        if (over) return
        // It may only be cut off, or paused: whoever takes its place must not meet it again.
        this.#avoidWorker(place.workerId)
        kill()
        end(`it cannot be reached: ${reason}`)
      })
    })
    this.#ends.set(id, (reason, withWorker) => {
      workerIsGone ||= withWorker
      end(`${reason} (worker ${place.workerId}, pid ${place.pid})`)
    })
    this.#events.set(id, events)
    const kill = (): void => {
      this.#stopAt(place.worker, id)
      environment.after(KILL_WAIT_MS, () => end('its worker has not told of its end'))
    }
    void ended.then(() => {
      over = true
      watch.cancel()
      workerWatch.cancel()
      this.#ends.delete(id)
      this.#events.delete(id)
    })
    return {
      control: this.#controlOf(ref),
      pid: place.pid,
      where: place.workerId,
      place,
      ended,
      endedWithWorker: () => workerIsGone,
      kill,
    }
  }

  /** What executors tell goes to whoever launched them. */
  eventsOf(id: number): ExecutorEvents | undefined {
    return this.#events.get(id)
  }

  #controlOf(ref: ActorRef<ExecutorDoor>): ExecutorControl {
    const soon = ref.within(CONTROL_TIMEOUT_MS)
    const long = ref.within(START_TIMEOUT_MS)
    return {
      prepare: () => this.#ask(soon, 'prepare', []),
      start: order => this.#ask(long, 'start', [order]),
      go: (...args) => this.#ask(long, 'go', args),
      replacePeer: (...args) => this.#ask(soon, 'replacePeer', args),
      replan: (...args) => this.#ask(soon, 'replan', args),
      setActive: (...args) => this.#ask(soon, 'setActive', args),
      suspendSources: (...args) => this.#ask(soon, 'suspendSources', args),
      setCredentials: (...args) => this.#ask(soon, 'setCredentials', args),
      failOpen: () => this.#ask(soon, 'failOpen', []),
      publish: (...args) => this.#ask(soon, 'publish', args),
      status: () => this.#ask(soon, 'status', []),
      stalls: () => this.#ask(soon, 'stalls', []),
      close: () => this.#ask(soon, 'close', []),
    }
  }

  async #ask(ref: ActorRef<ExecutorDoor>, method: string, args: unknown[]): Promise<never> {
    try {
      return (await ref.ask('control', this.#options.incarnation, method, args)) as never
    } catch (error) {
      this.#checkFenced(error)
      throw error
    }
  }

  #checkFenced(error: unknown): void {
    if (error instanceof EngineError && error.code === 'FENCED') this.#options.onFenced(error)
  }

  #say(level: 'debug' | 'info' | 'warn', text: string): void {
    log(this.#options.log, level, `app ${this.#options.app}`, text)
  }

  #wait(ms: number): Promise<void> {
    return new Promise(resolve => void this.#options.environment.after(ms, resolve))
  }
}

const OF_THE_PLACE = [
  'NODE_UNREACHABLE',
  'ACTOR_NOT_FOUND',
  'ASK_TIMED_OUT',
  'EXECUTOR_START_FAILED',
  'WORKER_STOPPING',
  'BLOB_NOT_FOUND',
  'UNAUTHORIZED',
  'OVERLOADED',
]

// Another worker may do better; with the user's own code it would be the same everywhere.
function isOfThePlace(error: unknown): boolean {
  return error instanceof EngineError && OF_THE_PLACE.includes(error.code)
}
