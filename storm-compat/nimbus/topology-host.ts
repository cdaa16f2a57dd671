// What the Nimbus needs of whatever runs topologies, as a small interface; and the host that runs them in an engine of this
// process.
import { dirname } from 'node:path'
import { type AppInfo, EngineError, type Gear, type RunningApp } from 'gearpump'
import type { StormTopology } from '../topology/topology.ts'
import { translate } from '../translate/translate.ts'
import { submittedCode } from './submitted-topology.ts'

export interface HostRequest {
  readonly topology: StormTopology
  /** `name-1-epochSeconds`: the topology's id from now on, here and for its components. */
  readonly id: string
  /** Where the id's time comes from. */
  readonly startedMs: number
  /** Working directory of its shell components, in a folder of this topology's own, which travels with it. */
  readonly resources: string
  /** The jar with the classes of its Java components, beside the resources. */
  readonly jar?: string
  /** A private directory for pid files. */
  readonly pidDir: string
  readonly active: boolean
  /** Of the submission: for components that listen for them. */
  readonly credentials: Readonly<Record<string, string>>
}

/** A topology as its host sees it. */
export type HostedInfo = Pick<AppInfo, 'status' | 'figures' | 'errors' | 'tallies'> &
  Partial<Pick<AppInfo, 'executors'>> & {
    /** Why it does not run any more. */
    readonly failure?: string
  }

export interface HostedTopology {
  readonly id: string
  /** Whether it emits; undefined while it starts and after it failed. */
  readonly active: boolean | undefined
}

export interface TopologyHost {
  /** Resolves with notices when every component has started; rejects with the reason when one cannot. */
  submit(request: HostRequest): Promise<readonly string[]>
  /** All there are, those that start or have failed included. */
  list(): Promise<readonly HostedTopology[]>
  /** Undefined for a topology that is not, or not yet, running. */
  info(id: string): Promise<HostedInfo | undefined>
  setActive(id: string, active: boolean): Promise<void>
  /** Instead of those of before. */
  setCredentials(id: string, credentials: Readonly<Record<string, string>>): Promise<void>
  /** Tasks keep their number. Resolves when the host has moved what it wants to move. */
  rebalance(id: string, wish: RebalanceWish): Promise<void>
  /** Ends a topology, also one that is starting. Idempotent. */
  kill(id: string): Promise<void>
}

export interface RebalanceWish {
  readonly workers: number | undefined
  readonly executors: ReadonlyMap<string, number>
}

export interface GearHostOptions {
  readonly gear: Gear
  /** Where components' log files go; undefined = nowhere. */
  readonly logDir?: string
}

/**
 * Runs topologies in the engine behind a client.
 *
 * @example const host = gearHost({ gear: await connect() })
 */
export function gearHost(options: GearHostOptions): TopologyHost {
  return new GearHost(options)
}

class GearHost implements TopologyHost {
  readonly #gear: Gear
  readonly #logDir: string | undefined
  /** Submitted here and not answered yet; false once it was killed. */
  readonly #starting = new Map<string, boolean>()
  /** Ids of applications by those of topologies, which are their tags. */
  readonly #apps = new Map<string, number>()

  constructor({ gear, logDir }: GearHostOptions) {
    this.#gear = gear
    this.#logDir = logDir
  }

  async submit(request: HostRequest): Promise<readonly string[]> {
    const { topology, id, resources, jar, startedMs, active, credentials } = request
    const { application, notices } = translate(topology, {
      resources,
      jars: jar === undefined ? [] : [jar],
      pidDir: request.pidDir,
      logDir: this.#logDir,
      startedMs,
    })
    this.#starting.set(id, true)
    try {
      const runDir = dirname(request.pidDir)
      const code = await submittedCode(topology, {
        resources,
        jar,
        startedMs,
        runDir,
        logDir: this.#logDir,
      })
      const executors = workersOf(topology)
      const bundle = dirname(resources)
      const options = { active, executors, bundle, tag: id, credentials }
      const app = await this.#gear.submit({ ...application, code }, options)
      if (this.#starting.get(id) !== true) {
        await app.kill()
        throw new EngineError('TASK_START_FAILED', `${id} was killed while it started`)
      }
    } finally {
      this.#starting.delete(id)
    }
    return notices
  }

  async list(): Promise<readonly HostedTopology[]> {
    const apps = (await this.#gear.list()).filter(({ tag }) => tag !== undefined)
    this.#apps.clear()
    const living = apps.filter(({ status }) => status !== 'stopped')
    for (const { tag, id } of living) this.#apps.set(tag!, id)
    return living.map(({ tag, status }) => ({
      id: tag!,
      active: status === 'active' ? true : status === 'inactive' ? false : undefined,
    }))
  }

  async #app(id: string): Promise<RunningApp | undefined> {
    if (!this.#apps.has(id)) await this.list()
    const app = this.#apps.get(id)
    return app === undefined ? undefined : this.#gear.app(app)
  }

  async info(id: string): Promise<HostedInfo | undefined> {
    if (this.#starting.has(id)) return undefined
    const info = await (await this.#app(id))?.info()
    const failure = info?.cluster?.failure?.message
    return info === undefined || failure === undefined ? info : { ...info, failure }
  }

  async setActive(id: string, active: boolean): Promise<void> {
    await (await this.#app(id))?.setActive(active)
  }

  async setCredentials(id: string, credentials: Readonly<Record<string, string>>): Promise<void> {
    await (await this.#app(id))?.setCredentials(credentials)
  }

  // Storm's executors are threads, of which there are none here: they are figures.
  async rebalance(id: string, { workers }: RebalanceWish): Promise<void> {
    if (workers !== undefined) await (await this.#app(id))?.rebalance(workers)
  }

  async kill(id: string): Promise<void> {
    if (this.#starting.has(id)) this.#starting.set(id, false)
    const app = await this.#app(id)
    try {
      await app?.kill()
    } catch (error) {
      // It has ended before: that is what was wanted.
      if (!(error instanceof EngineError) || error.code !== 'APP_NOT_FOUND') throw error
    }
    this.#apps.delete(id)
  }
}

// Storm's workers are our executors.
function workersOf({ config }: StormTopology): number {
  const workers = Number(config['topology.workers'] ?? 1)
  return Number.isInteger(workers) && workers >= 1 ? workers : 1
}
