// The processes of a simulated cluster: masters, workers, and what workers start, each with the real role inside. A
// process that dies is started again by whoever would do so in a real cluster: masters and workers by the machine,
// everything else by the roles themselves.

import { AppMasterRole } from '../../../src/app/app-master-role.ts'
import type { Application } from '../../../src/app/application.ts'
import { ExecutorRole } from '../../../src/app/executor-role.ts'
import { asError } from '../../../src/base/errors.ts'
import type { Log } from '../../../src/base/log.ts'
import type { BlobShelf } from '../../../src/cluster/blob-shelf.ts'
import { Master } from '../../../src/cluster/master.ts'
import { APP_MASTER_ID } from '../../../src/cluster/messages.ts'
import type { MemoryCluster } from '../../../src/cluster/store/memory-store.ts'
import { builtIn } from '../../../src/cluster/strategies.ts'
import {
  type ProcessHost,
  type ProcessOrder,
  type RunningProcess,
  Worker,
} from '../../../src/cluster/worker.ts'
import type { Address } from '../../../src/transport/link.ts'
import type { Chance, VirtualTime } from '../virtual-time.ts'
import type { ClusterOracle } from './oracle.ts'
import { type ProcessParts, SimulatedProcess } from './process.ts'
import type { ClusterScenario } from './scenario.ts'

/** As the settings have it unless told otherwise. */
const LEASE_MS = 3000
const UNREACHABLE_MS = 5000
const ORPHAN_MS = 5000
const BOOT_MS = 300
const LOAD_MS = 200

export interface Entry {
  readonly kind: 'master' | 'worker' | 'app-master' | 'executor'
  readonly process: SimulatedProcess
  /** Name of the master, or of the worker that it is or that has started it. */
  readonly of: string
  readonly app: number
  readonly executor: number
  readonly incarnation: number
}

export interface MachinesParts {
  readonly scenario: ClusterScenario
  readonly time: VirtualTime
  readonly chance: Chance
  readonly oracle: ClusterOracle
  readonly process: ProcessParts
  readonly store: MemoryCluster
  readonly applicationOf: (app: number, code: unknown) => Application
  readonly log: Log
}

export class Machines {
  /** All that live. */
  readonly live = new Set<Entry>()
  readonly masters: readonly Address[]
  readonly #parts: MachinesParts
  readonly #running = new Map<string, Master>()
  readonly #byProcess = new WeakMap<SimulatedProcess, Entry>()
  /** Of app masters and executors: the worker process that has started them. */
  readonly #parents = new Map<Entry, SimulatedProcess>()
  #lastPid = 0
  #lastSecret = 0

  constructor(parts: MachinesParts) {
    this.#parts = parts
    this.masters = Array.from({ length: parts.scenario.masters }, (_, i) => ({
      kind: 'memory',
      name: `m${i + 1}`,
    }))
  }

  get leaders(): string[] {
    const alive = new Set([...this.live].map(entry => entry.process.name))
    return [...this.#running]
      .filter(([name, master]) => alive.has(name) && master.leads)
      .map(([name]) => name)
  }

  #enter(entry: Entry): Entry {
    this.live.add(entry)
    this.#byProcess.set(entry.process, entry)
    entry.process.onEnd(() => this.live.delete(entry))
    return entry
  }

  entryOf(process: SimulatedProcess): Entry | undefined {
    return this.#byProcess.get(process)
  }

  /** What this worker process has started, and lives. */
  startedBy(worker: Entry): Entry[] {
    return [...this.live].filter(entry => this.#parents.get(entry) === worker.process)
  }

  /** The process is not there any more for anybody who looks from now on. */
  kill(entry: Entry, reason: string): void {
    this.live.delete(entry)
    entry.process.kill(reason)
  }

  // ---- masters

  async startMaster(number: number): Promise<void> {
    const { process: parts, store, log, oracle } = this.#parts
    const name = `m${number}`
    const process = new SimulatedProcess(parts, { name, host: `host-${name}` })
    const { environment, system } = process
    this.#enter({
      ...{ kind: 'master', process, of: name },
      ...{ app: 0, executor: 0, incarnation: 0 },
    })
    const address = await system.listen()
    const master = new Master({
      environment,
      system,
      log,
      name,
      address,
      masters: this.masters,
      store: store.connect(name, { environment, log }),
      leaseMs: LEASE_MS,
      // No application of a simulation has a bundle.
      shelf: {} as BlobShelf,
      settings: {
        appMasterLostMs: UNREACHABLE_MS,
        // Faults are as frequent as here on purpose: nothing is given up for that.
        restarts: 1000,
        windowMs: 600_000,
      },
      strategies: builtIn,
      strategy: 'spread',
      secret: () => `secret-${++this.#lastSecret}`,
      version: 'simulated',
    })
    this.#running.set(name, master)
    master.failure.catch(error => {
      if (process.killed) return
      oracle.broken(`(7) master ${name} gave up: ${asError(error).message}`)
    })
  }

  // ---- workers

  async startWorker(number: number): Promise<void> {
    const { process: parts, log, scenario, oracle } = this.#parts
    const of = `w${number}`
    // What an earlier one has left is swept away.
    for (const entry of [...this.live])
      if (entry.of === of) this.kill(entry, 'a new worker has swept it away')
    const process = new SimulatedProcess(parts, { name: `${of}.${++this.#lastPid}`, host: of })
    const { environment, system } = process
    this.#enter({
      ...{ kind: 'worker', process, of },
      ...{ app: 0, executor: 0, incarnation: 0 },
    })
    process.onEnd(() => this.#orphans(of, process))
    await system.listen()
    const worker = new Worker({
      environment,
      system,
      log,
      card: {
        id: of,
        host: of,
        // As one that is started again in the directory of the one before.
        home: `home-${of}`,
        pid: this.#lastPid,
        slots: scenario.slots,
        cpu: 64,
        memoryMb: 65_536,
        labels: {},
      },
      masters: this.masters,
      processes: this.#processHost(of, process),
      unpacked: async () => '',
    })
    worker.run().catch(error => {
      if (!process.killed) oracle.broken(`worker ${of} gave up: ${asError(error).stack}`)
    })
  }

  // They notice that their worker has gone, and end themselves.
  #orphans(of: string, worker: SimulatedProcess): void {
    for (const entry of [...this.live]) {
      if (entry.of !== of || this.#parents.get(entry) !== worker) continue
      entry.process.environment.after(ORPHAN_MS, () => this.kill(entry, 'its worker has gone'))
    }
  }

  #processHost(of: string, worker: SimulatedProcess): ProcessHost {
    const { chance } = this.#parts
    return {
      start: order =>
        new Promise((resolve, reject) => {
          worker.environment.after(chance.next() * BOOT_MS, () => {
            this.#startProcess(of, worker, order).then(resolve, reject)
          })
        }),
    }
  }

  async #startProcess(
    of: string,
    worker: SimulatedProcess,
    order: ProcessOrder,
  ): Promise<RunningProcess> {
    const { process: parts, oracle } = this.#parts
    const { app, executor, incarnation } = order
    const isAppMaster = executor === APP_MASTER_ID
    const pid = ++this.#lastPid
    const what = isAppMaster ? `am${incarnation}` : `e${executor}`
    const process = new SimulatedProcess(parts, { name: `${of}/a${app}.${what}.${pid}`, host: of })
    const kind = isAppMaster ? 'app-master' : 'executor'
    const entry = this.#enter({ kind, process, of, app, executor, incarnation })
    this.#parents.set(entry, worker)
    process.onEnd(() => this.#parents.delete(entry))
    oracle.started(entry)
    await process.system.listen()
    if (isAppMaster) this.#beginAppMaster(entry, order)
    else this.#beginExecutor(entry, order)
    const ended = new Promise<string>(resolve => {
      process.onEnd(reason => worker.environment.defer(() => resolve(reason)))
    })
    return { pid, node: process.system.node, ended, kill: () => this.kill(entry, 'killed') }
  }

  #load(entry: Entry, code: unknown): () => Promise<Application> {
    const { chance, applicationOf } = this.#parts
    const { environment } = entry.process
    return () =>
      new Promise(resolve => {
        environment.after(chance.next() * LOAD_MS, () => resolve(applicationOf(entry.app, code)))
      })
  }

  #beginAppMaster(entry: Entry, order: ProcessOrder): void {
    const { environment, system } = entry.process
    const role = new AppMasterRole({
      environment,
      system,
      log: this.#parts.log,
      app: order.app,
      incarnation: order.incarnation,
      masters: order.masters,
      load: this.#load(entry, order.code),
    })
    role.ended.then(
      reason => this.kill(entry, reason),
      error => this.kill(entry, asError(error).message),
    )
    role.run().catch(error => this.kill(entry, asError(error).message))
  }

  #beginExecutor(entry: Entry, order: ProcessOrder): void {
    const { environment, system } = entry.process
    new ExecutorRole({
      environment,
      system,
      executorId: order.executor,
      load: this.#load(entry, order.code),
      transport: entry.process.endpoint('links'),
      onEnd: reason => this.kill(entry, reason),
    })
  }
}
