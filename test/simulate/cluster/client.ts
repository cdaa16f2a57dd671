// Clients of a simulated cluster: they submit, kill, restart, pause, and remember what they were promised. A call whose
// outcome they were not told may have been carried out or not.
import type { ActorRef } from '../../../src/actor/actor.ts'
import { asError, EngineError } from '../../../src/base/errors.ts'
import { MasterLink } from '../../../src/cluster/master-link.ts'
import { type AppRecord, GEAR, type GearDoor } from '../../../src/cluster/messages.ts'
import type { Address } from '../../../src/transport/link.ts'
import type { ClusterOracle } from './oracle.ts'
import type { SimulatedProcess } from './process.ts'
import type { AppDraw } from './scenario.ts'

const CALL_MS = 15_000
const SUBMIT_TIMEOUT_MS = 60_000
const KILL_TIMEOUT_MS = 30_000
const AGAIN_MS = 500

/** An application as its client knows it. */
export interface Promised {
  readonly id: number
  readonly draw: AppDraw
  /** 'maybe': somebody was told to end it and did not say whether he did. */
  killed: 'no' | 'maybe' | 'yes'
  /** As told last; undefined when the last call was not answered. */
  active: boolean | undefined
}

export class Client {
  readonly promised: Promised[] = []
  /** Calls that are not over. */
  busy = 0
  readonly #process: SimulatedProcess
  readonly #link: MasterLink<GearDoor>
  readonly #oracle: ClusterOracle

  constructor(process: SimulatedProcess, masters: readonly Address[], oracle: ClusterOracle) {
    const { system, environment } = process
    this.#process = process
    this.#oracle = oracle
    this.#link = new MasterLink<GearDoor>({ system, environment, masters, door: GEAR })
  }

  ask<T>(what: (leader: ActorRef<GearDoor>) => Promise<T>): Promise<T> {
    return this.#link.call(CALL_MS, what)
  }

  async #work<T>(name: string, work: () => Promise<T>): Promise<T | EngineError> {
    this.busy++
    this.#oracle.count(name)
    try {
      return await work()
    } catch (thrown) {
      const error = asError(thrown)
      this.#oracle.note(name, error.message)
      if (!(error instanceof EngineError)) throw error
      return error
    } finally {
      this.busy--
    }
  }

  /** Says the same again until it is answered. */
  async submit(number: number, draw: AppDraw): Promise<void> {
    const submission = {
      name: `app${number}`,
      requestId: `request-${number}`,
      bundle: undefined,
      code: number,
      placement: { executors: draw.executors, each: { cpu: 1, memoryMb: 512 } },
      active: draw.active,
    }
    for (;;) {
      const id = await this.#work('submits', () =>
        this.ask(leader => leader.within(SUBMIT_TIMEOUT_MS).ask('submit', submission)),
      )
      if (typeof id === 'number') {
        this.#oracle.note('submitted', number, id)
        this.promised.push({ id, draw, killed: 'no', active: draw.active })
        return
      }
      if (id.code === 'APP_EXISTS')
        this.#oracle.broken(`(5) the same request was taken for another: ${id.message}`)
      await new Promise<void>(resolve => {
        this.#process.environment.after(AGAIN_MS, resolve)
      })
    }
  }

  async kill(app: Promised): Promise<void> {
    if (app.killed !== 'no') return
    app.killed = 'maybe'
    const answer = await this.#work('kills', () =>
      this.ask(leader => leader.within(KILL_TIMEOUT_MS).ask('kill', app.id)),
    )
    if (!(answer instanceof EngineError) || answer.code === 'APP_NOT_FOUND') app.killed = 'yes'
  }

  /** Throws unless it is over: a kill that is repeated after a change of leaders finds what it has done itself. */
  async end(id: number): Promise<void> {
    const answer = await this.#work('kills', () =>
      this.ask(leader => leader.within(KILL_TIMEOUT_MS).ask('kill', id)),
    )
    if (answer instanceof EngineError && answer.code !== 'APP_NOT_FOUND') throw answer
  }

  async restart(app: Promised): Promise<void> {
    if (app.killed !== 'no') return
    app.killed = 'maybe'
    // One application is restarted once at most.
    const requestId = `restart-${app.id}`
    const id = await this.#work('restarts', () =>
      this.ask(leader => leader.within(KILL_TIMEOUT_MS).ask('restart', app.id, requestId)),
    )
    if (typeof id !== 'number') return
    app.killed = 'yes'
    this.#oracle.note('restarted', app.id, id)
    this.promised.push({ id, draw: app.draw, killed: 'no', active: app.draw.active })
  }

  async setActive(app: Promised, active: boolean): Promise<boolean> {
    if (app.killed !== 'no') return false
    app.active = undefined
    const answer = await this.#work('setActives', () =>
      this.ask(leader => leader.ask('setActive', app.id, active)),
    )
    if (answer instanceof EngineError) return false
    app.active = active
    return true
  }

  /** What the leader says of an application. */
  async find(id: number): Promise<AppRecord | undefined> {
    const record = await this.#work('finds', () => this.ask(leader => leader.ask('find', id)))
    return record instanceof EngineError ? undefined : record
  }
}
