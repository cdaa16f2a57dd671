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
  /** Working directory of its shell components. */
  readonly resources: string
  /** The jar with the classes of its Java components, beside the resources. */
  readonly jar?: string
  /** A private directory for pid files. */
  readonly pidDir: string
  readonly active: boolean
}

/** A topology as its host sees it. */
export type HostedInfo = Pick<AppInfo, 'status' | 'figures' | 'errors'>

export interface TopologyHost {
  /** Resolves with notices when every component has started; rejects with the reason when one cannot. */
  submit(request: HostRequest): Promise<readonly string[]>
  list(): Promise<readonly string[]>
  /** Undefined for a topology that is not, or not yet, running. */
  info(id: string): Promise<HostedInfo | undefined>
  setActive(id: string, active: boolean): Promise<void>
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
  /** By topology id; without an app while it starts. */
  readonly #running = new Map<string, { name: string; app?: RunningApp }>()

  constructor({ gear, logDir }: GearHostOptions) {
    this.#gear = gear
    this.#logDir = logDir
  }

  async submit(request: HostRequest): Promise<readonly string[]> {
    const { application, notices } = translate(request.topology, {
      resources: request.resources,
      jars: request.jar === undefined ? [] : [request.jar],
      pidDir: request.pidDir,
      logDir: this.#logDir,
      startedMs: request.startedMs,
    })
    const running: { name: string; app?: RunningApp } = { name: application.name }
    this.#running.set(request.id, running)
    try {
      const { topology, resources, jar, startedMs, active } = request
      const runDir = dirname(request.pidDir)
      const code = submittedCode(topology, {
        resources,
        jar,
        startedMs,
        runDir,
        logDir: this.#logDir,
      })
      const executors = workersOf(topology)
      const options = {
        active,
        executors,
        bundle: jar === undefined ? resources : dirname(resources),
      }
      const app = await this.#gear.submit({ ...application, code }, options)
      if (this.#running.get(request.id) !== running) {
        await app.kill()
        throw new EngineError('TASK_START_FAILED', `${request.id} was killed while it started`)
      }
      running.app = app
    } catch (error) {
      this.#running.delete(request.id)
      throw error
    }
    return notices
  }

  async list(): Promise<readonly string[]> {
    return [...this.#running.keys()]
  }

  async info(id: string): Promise<HostedInfo | undefined> {
    return this.#running.get(id)?.app?.info()
  }

  async setActive(id: string, active: boolean): Promise<void> {
    await this.#running.get(id)?.app?.setActive(active)
  }

  async rebalance(): Promise<void> {
    // All tasks share this process: there is nothing to move.
  }

  async kill(id: string): Promise<void> {
    const running = this.#running.get(id)
    if (running === undefined) return
    this.#running.delete(id)
    await (running.app === undefined ? this.#gear.kill(running.name) : running.app.kill())
  }
}

// Storm's workers are our executors.
function workersOf({ config }: StormTopology): number {
  const workers = Number(config['topology.workers'] ?? 1)
  return Number.isInteger(workers) && workers >= 1 ? workers : 1
}
