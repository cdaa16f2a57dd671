// An executor of a cluster: an ExecutorHost behind an actor. It obeys the app master with the highest incarnation, tells
// it what it has to tell, and goes on without one: a new app master finds it, and hears again what it may have missed.
import type { ActorAddress, ActorRef } from '../actor/actor.ts'
import type { ActorSystem } from '../actor/actor-system.ts'
import { bareError, plainError } from '../actor/plain-error.ts'
import type { Environment } from '../base/environment.ts'
import { EngineError } from '../base/errors.ts'
import { type AppMasterDoor, EXECUTOR, type ExecutorDoor } from '../cluster/messages.ts'
import type { FramePool } from '../transport/frame-pool.ts'
import type { Transport } from '../transport/link.ts'
import type { Application } from './application.ts'
import type { ExecutorEvents } from './executor.ts'
import { type ExecutorControl, ExecutorHost } from './executor-host.ts'

/** Whoever started it comes for it at once; an executor that nobody comes for was started in vain. */
const ADOPTION_MS = 60_000

export interface ExecutorRoleOptions {
  readonly environment: Environment
  readonly system: ActorSystem
  readonly executorId: number
  readonly load: () => Promise<Application>
  /** Of the links to other executors. */
  readonly transport: Transport
  readonly pool?: FramePool
  /** There is nothing left to do for this process. */
  readonly onEnd: (reason: string) => void
}

export class ExecutorRole {
  readonly address: ActorAddress
  readonly #options: ExecutorRoleOptions
  #incarnation = 0
  #appMaster: ActorRef<AppMasterDoor> | undefined = undefined
  #host: ExecutorHost | undefined = undefined
  /** What is told once, and a new app master has to hear. */
  readonly #positions = new Map<number, unknown>()
  #overflowing = false
  /** Its sources are open. */
  #flows = false
  /** It was told to close: no app master can make it flow again. */
  #closed = false

  constructor(options: ExecutorRoleOptions) {
    this.#options = options
    this.address = options.system.spawn<ExecutorDoor>(EXECUTOR, () => this.#door()).address
    options.environment.after(ADOPTION_MS, () => {
      if (this.#appMaster === undefined) options.onEnd('no app master came for it')
    })
  }

  #door(): ExecutorDoor {
    return {
      adopt: async (incarnation, appMaster) => this.#adopt(incarnation, appMaster),
      control: (incarnation, method, args) => this.#control(incarnation, method, args),
    }
  }

  #adopt(incarnation: number, appMaster: ActorAddress): boolean {
    this.#check(incarnation)
    this.#incarnation = incarnation
    this.#appMaster = this.#options.system.ref<AppMasterDoor>(appMaster)
    if (this.#overflowing) this.#tell('overflow', true)
    if (this.#positions.size > 0) this.#tell('positions', new Map(this.#positions))
    return this.#flows && !this.#closed
  }

  #check(incarnation: number): void {
    if (incarnation >= this.#incarnation) return
    throw new EngineError(
      'FENCED',
      `executor ${this.#options.executorId} obeys app master ${this.#incarnation}, not ${incarnation}`,
    )
  }

  async #control(incarnation: number, method: string, args: unknown[]): Promise<unknown> {
    this.#check(incarnation)
    if (method === 'load') return this.#load(args[0] as string)
    const host = this.#host
    if (host === undefined) {
      throw new EngineError(
        'EXECUTOR_START_FAILED',
        `executor ${this.#options.executorId} is empty`,
      )
    }
    if (method === 'close') this.#closed = true
    const call = host[method as keyof ExecutorControl] as (...args: unknown[]) => Promise<unknown>
    const answer = await call.apply(host, args)
    if (method === 'go') this.#flows = true
    return answer
  }

  async #load(token: string): Promise<void> {
    if (this.#host !== undefined) return
    const { environment, executorId, load, transport, pool } = this.#options
    const application = await load()
    this.#host = new ExecutorHost({
      environment,
      application,
      executorId,
      transport,
      ...(pool === undefined ? {} : { pool }),
      token,
      events: this.#events(),
    })
  }

  #tell(name: keyof ExecutorEvents, ...args: unknown[]): void {
    this.#appMaster?.tell('event', this.#options.executorId, name, args)
  }

  #events(): ExecutorEvents {
    return {
      error: (taskId, processor, error) =>
        this.#tell('error', taskId, processor, bareError(plainError(error))),
      log: (...args) => this.#tell('log', ...args),
      metric: (...args) => this.#tell('metric', ...args),
      clock: clocks => this.#tell('clock', clocks),
      overflow: overflowing => {
        this.#overflowing = overflowing
        this.#tell('overflow', overflowing)
      },
      positions: positions => {
        for (const [task, position] of positions) this.#positions.set(task, position)
        this.#tell('positions', positions)
      },
    }
  }

  /** It ends by itself: its app master is told why, and need not find out. */
  async close(reason: string, withWorker = false): Promise<void> {
    this.#appMaster?.tell('executorEnded', this.#options.executorId, reason, withWorker)
    await this.#host?.close()
  }
}
