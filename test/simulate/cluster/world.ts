// One simulated cluster: faults, then quiet, then a look whether everything is as it has to be. All of it follows from
// its seed. Returns what happened, or throws with the first thing that went wrong.
import { type Log, noLog } from '../../../src/base/log.ts'
import {
  EXECUTOR,
  type ExecutorDoor,
  keyText,
  WORKER,
  type WorkerDoor,
} from '../../../src/cluster/messages.ts'
import { MemoryCluster } from '../../../src/cluster/store/memory-store.ts'
import { Chance, ProcessEnvironment, VirtualTime } from '../virtual-time.ts'
import { clusterApplication } from './application.ts'
import { Client } from './client.ts'
import { Faults } from './faults.ts'
import { type Entry, Machines } from './machines.ts'
import { Network } from './network.ts'
import { ClusterOracle, type ClusterStats } from './oracle.ts'
import { type DoorWatch, type ProcessParts, SimulatedProcess } from './process.ts'
import { Rest } from './rest.ts'
import { type ClusterScenario, clusterScenarioOf } from './scenario.ts'

/** Longest time to come to rest: leases, silences, registrations and back-offs one after another. */
const REST_MS_MAX = 180_000
const LOOK_MS = 500
/** What a worker was told to stop is gone after this time, also when it was only being started. */
const STOPPED_MS = 1000
const EVENTS_MAX = 2_000_000
/** Turns of promises between two events: what takes more goes on at the next one, always alike. */
const PROMISE_TURNS = 12
/** In a cluster at rest, for each process and second: who leads, signs of life, figures. */
const IDLE_FRAMES_MAX = 25
const IDLE_MS = 10_000
/** Processes of one world: far more than any that goes well needs. */
const STARTS_MAX = 600

export interface ClusterResult {
  readonly hash: number
  readonly stats: ClusterStats
}

export interface ClusterWorldOptions {
  /** Makes the scenario drawn from the seed another one. */
  readonly change?: (scenario: ClusterScenario) => ClusterScenario
  readonly door?: DoorWatch
  readonly log?: Log
  readonly onNote?: (text: string) => void
}

export async function runClusterWorld(
  seed: number,
  options: ClusterWorldOptions = {},
): Promise<ClusterResult> {
  const { change = (scenario: ClusterScenario) => scenario } = options
  const world = new ClusterWorld(change(clusterScenarioOf(seed)), options)
  try {
    await world.run()
  } catch (error) {
    world.oracle.broken(error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
  const { violation, hash, stats } = world.oracle
  if (violation !== undefined) throw new Error(`cluster seed ${seed}: ${violation}`)
  return { hash, stats }
}

class ClusterWorld {
  readonly oracle: ClusterOracle
  readonly #scenario: ClusterScenario
  readonly #time = new VirtualTime()
  readonly #chance: Chance
  readonly #network: Network
  readonly #machines: Machines
  readonly #client: Client
  readonly #faults: Faults
  readonly #rest: Rest
  readonly #store: MemoryCluster
  #calm = false

  constructor(scenario: ClusterScenario, options: ClusterWorldOptions) {
    this.#scenario = scenario
    const { log = noLog } = options
    const time = this.#time
    const chance = new Chance(scenario.seed)
    this.#chance = chance
    const oracle = new ClusterOracle(() => time.now())
    this.oracle = oracle
    oracle.onNote = options.onNote
    const network = new Network(time, chance)
    network.delayMsMax = scenario.faults.delayMs
    this.#network = network
    const store = new MemoryCluster({ environment: new ProcessEnvironment(time, chance) })
    this.#store = store
    const { skewMs } = scenario.faults
    const watchDoor: DoorWatch = (process, actor, door) =>
      this.#watchDoor(process, actor, options.door?.(process, actor, door) ?? door)
    const process: ProcessParts = { time, chance, network, log, watchDoor, skewMs }
    const applicationOf = (app: number, code: unknown) =>
      clusterApplication({
        name: `app${code}`,
        draw: scenario.apps[code as number]!,
        ledger: oracle.of(app),
        chance,
        userFails: () => (this.#calm ? 0 : scenario.faults.userFails),
      })
    const parts = { scenario, time, chance, oracle, store, log }
    this.#machines = new Machines({ ...parts, process, applicationOf })
    this.#faults = new Faults({ ...parts, network, machines: this.#machines })
    const started = oracle.started.bind(oracle)
    oracle.started = entry => {
      started(entry)
      this.#faults.started(entry)
    }
    const client = new SimulatedProcess(process, { name: 'client', host: 'host-client' })
    this.#client = new Client(client, this.#machines.masters, oracle)
    const { history } = store
    this.#rest = new Rest({
      ...parts,
      machines: this.#machines,
      client: this.#client,
      history,
    })
  }

  #watchDoor(process: SimulatedProcess, actor: string, door: object): object {
    const entry = this.#machines.entryOf(process)
    if (actor === WORKER && entry !== undefined) return this.#watchWorker(entry, door as WorkerDoor)
    return actor === EXECUTOR && entry !== undefined ? this.#watchExecutor(entry, door) : door
  }

  // Sees whether what is to be stopped ends.
  #watchWorker(worker: Entry, real: WorkerDoor): WorkerDoor {
    const { environment } = worker.process
    const later = (left: () => readonly Entry[]): void => {
      const checkedMs = this.#time.now() + STOPPED_MS
      // A worker that dies or is paused meanwhile does what it can.
      environment.after(STOPPED_MS, () => {
        if (this.#time.now() < checkedMs + 1) this.oracle.stopped(worker.process.name, left())
      })
    }
    return {
      launch: order => real.launch(order),
      stop: async (process, reason) => {
        await real.stop(process, reason)
        const key = keyText(process)
        later(() => this.#machines.startedBy(worker).filter(entry => keyText(entry) === key))
      },
      stopApp: async app => {
        const before = this.#machines.startedBy(worker).filter(entry => entry.app === app)
        later(() => before.filter(entry => this.#machines.live.has(entry)))
        await real.stopApp(app)
      },
      own: (...args) => real.own(...args),
    }
  }

  // Sees what executors obey.
  #watchExecutor(entry: Entry, door: object): ExecutorDoor {
    const { app, executor } = entry
    const { oracle } = this
    const real = door as ExecutorDoor
    const watched: ExecutorDoor = {
      adopt: async (incarnation, appMaster) => {
        const answer = await real.adopt(incarnation, appMaster)
        oracle.adopted(app, executor, incarnation)
        return answer
      },
      control: async (incarnation, method, args) => {
        this.#faults.told(app, method)
        const highest = oracle.of(app).adopted.get(executor) ?? 0
        const answer = await real.control(incarnation, method, args)
        oracle.obeyed(app, executor, incarnation, highest)
        if (method === 'publish') oracle.published(app, incarnation, args[0] as number)
        return answer
      },
    }
    return watched
  }

  // ---- life

  async run(): Promise<void> {
    const { masters, workers, activeMs } = this.#scenario
    for (let n = 1; n <= masters; n++) await this.#machines.startMaster(n)
    for (let n = 1; n <= workers; n++) await this.#machines.startWorker(n)
    this.#scheduleWishes()
    this.#faults.schedule()
    await this.#advance(activeMs)
    for (const book of this.oracle.apps.values()) {
      book.silent()
      this.oracle.stats.silenceMsMax = Math.max(
        this.oracle.stats.silenceMsMax ?? 0,
        book.silenceMsMax,
      )
    }
    this.#calm = true
    this.#network.delayMsMax = 1
    await this.#advance(Math.max(0, this.#faults.lastMs - this.#time.now()) + 1000)
    this.oracle.note('calm')
    await this.#until('it does not come to rest', () => this.#rest.problem())
    this.#keepPromises()
    await this.#checkFlow()
    if (this.#scenario.coldRestart) await this.#restartCold()
    await this.#drain()
    await this.#endAll()
    this.oracle.count('events', this.#time.events)
    this.oracle.note('end', this.#time.events)
  }

  #scheduleWishes(): void {
    const { apps, wishes, activeMs } = this.#scenario
    const { chance } = { chance: this.#chance }
    const client = this.#client
    for (const [number, draw] of apps.entries())
      this.#time.after(draw.submitMs, () => void client.submit(number, draw))
    const times = (count: number, wish: () => Promise<unknown>) => {
      for (let n = 0; n < count; n++)
        this.#time.after(chance.between(500, activeMs), () => void wish())
    }
    const some = () => chance.pick(client.promised.filter(app => app.killed === 'no'))
    const withSome = (wish: (app: NonNullable<ReturnType<typeof some>>) => Promise<unknown>) => {
      const app = some()
      return app === undefined ? Promise.resolve() : wish(app)
    }
    times(wishes.kill, () => withSome(app => client.kill(app)))
    times(wishes.restart, () => withSome(app => client.restart(app)))
    times(wishes.setActive, () => withSome(app => client.setActive(app, chance.happens(0.5))))
  }

  #keepPromises(): void {
    const broken = this.#rest.broken()
    if (broken !== undefined) throw new Error(broken)
  }

  // Applications that are active do something, those that are not do nothing; then all are made active.
  async #checkFlow(): Promise<void> {
    await this.#until('the leader is mistaken', () => this.#leaderKnows())
    const inactive = this.#rest.running().filter(record => record.status === 'inactive')
    const before = inactive.map(({ id }) => this.oracle.of(id).emits)
    await this.#advance(3000)
    for (const [i, { id }] of inactive.entries()) {
      if (this.oracle.of(id).emits > before[i]!)
        throw new Error(`(1) app ${id} is inactive and emits`)
    }
    await this.#untilFlowing()
    for (const app of this.#client.promised) {
      if (app.killed !== 'no' || app.active === true) continue
      if (!(await this.#settled(this.#client.setActive(app, true))))
        throw new Error(`(1) app ${app.id} cannot be made active`)
    }
    await this.#untilFlowing()
  }

  async #leaderKnows(): Promise<string | undefined> {
    const workers = await this.#settled(this.#client.ask(leader => leader.ask('workers')))
    return this.#rest.unknown(workers)
  }

  async #untilFlowing(): Promise<void> {
    const active = this.#rest.running().filter(record => record.status === 'active')
    const before = new Map(active.map(({ id }) => [id, this.oracle.of(id).dones]))
    await this.#until('(1) it does not go on', () => {
      const still = active.find(({ id }) => this.oracle.of(id).dones <= before.get(id)! + 3)
      return still === undefined ? this.#rest.problem() : `app ${still.id} stands still`
    })
  }

  // All processes of an application die at once: what is stored is all that its next app master has.
  async #restartCold(): Promise<void> {
    const before = this.#rest
      .running()
      .map(({ id }) => [id, [...this.oracle.of(id).stands]] as const)
    await this.#advance(6000)
    for (const entry of [...this.#machines.live])
      if (entry.app > 0) this.#machines.kill(entry, 'simulated: all at once')
    await this.#advance(1000)
    await this.#until('it does not start again', () => this.#rest.problem())
    await this.#untilFlowing()
    for (const [id, stands] of before) {
      for (const [task, { low }] of stands) {
        const opened = this.oracle.of(id).openedAt.get(task) ?? 0
        if (opened < low)
          throw new Error(`(2) app ${id}: source ${task} stood at ${low}, was opened at ${opened}`)
      }
    }
  }

  async #drain(): Promise<void> {
    this.oracle.draining = true
    await this.#until('(2) it does not drain', () => {
      const open = this.#rest.running().find(({ id }) => this.oracle.of(id).unfinished() > 0)
      return open === undefined ? undefined : `app ${open.id} has unfinished numbers`
    })
    for (const { id } of this.#rest.running()) {
      const missing = this.oracle.of(id).missing()
      if (missing !== undefined) throw new Error(`(2) app ${id}: ${missing} never arrived`)
    }
  }

  // Then all are killed: nothing is left of them, and the cluster is quiet.
  async #endAll(): Promise<void> {
    for (const { id } of this.#rest.running()) await this.#settled(this.#client.end(id))
    await this.#until('(6) something is left', () => this.#rest.problem() ?? this.#left())
    const before = this.#network.frames
    const { masters, workers } = this.#scenario
    await this.#advance(IDLE_MS)
    const frames = (this.#network.frames - before) / (IDLE_MS / 1000) / (masters + workers + 1)
    this.oracle.stats.idleFramesMax = frames
    if (frames > IDLE_FRAMES_MAX)
      throw new Error(`(7) at rest each process sends ${frames.toFixed(1)} frames a second`)
    const { executors = 0, appMasters = 0 } = this.oracle.stats
    this.oracle.stats.startsMax = executors + appMasters
    if (executors + appMasters > STARTS_MAX)
      throw new Error(`(7) ${executors + appMasters} processes were started`)
  }

  #left(): string | undefined {
    const names = [...this.#machines.live].map(entry => entry.process.name)
    const links = [...this.#network.open.keys()].filter(
      name => name !== 'client' && !names.includes(name),
    )
    return links.length === 0 ? undefined : `links of ${links.join(' ')}`
  }

  // ---- time

  async #until(
    what: string,
    problem: () => string | undefined | Promise<string | undefined>,
  ): Promise<void> {
    const endMs = this.#time.now() + REST_MS_MAX
    for (;;) {
      const now = await problem()
      if (now === undefined) return
      if (this.#time.now() > endMs) throw new Error(`${what}: ${now}`)
      await this.#advance(LOOK_MS)
    }
  }

  async #settled<T>(promise: Promise<T>): Promise<T> {
    let settled = false
    const done = () => {
      settled = true
    }
    promise.then(done, done)
    for (let ms = 0; !settled; ms += 10) {
      if (ms > REST_MS_MAX) throw new Error('a call is never answered')
      await this.#advance(10)
    }
    return promise
  }

  async #advance(ms: number): Promise<void> {
    const endMs = this.#time.now() + ms
    for (;;) {
      const more = this.#time.step(endMs)
      for (let turn = 0; turn < PROMISE_TURNS; turn++) await undefined
      if ((this.#time.events & 0x3f) === 0) this.oracle.look(this.#store.history)
      if (this.oracle.violation !== undefined) throw new Error('stopped')
      if (this.#time.events > EVENTS_MAX) throw new Error('it never rests: too many events')
      if (!more) return
    }
  }
}
