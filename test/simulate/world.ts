// One world: an application with its app master and executors under faults, then calm, then rest. Everything it does
// follows from its seed. Returns what happened, or throws with the first thing that went wrong.
import { AppMaster } from '../../src/app/app-master.ts'
import { noLog } from '../../src/base/log.ts'
import { Cluster } from './cluster.ts'
import { Inspector } from './inspector.ts'
import { Oracle, pairOf, type Root, type Stats } from './oracle.ts'
import { checkRest } from './rest.ts'
import { type Scenario, scenarioOf } from './scenario.ts'
import { applicationOf, EdgeMap } from './topology.ts'
import { SimulatedTask, type Stage } from './user-code.ts'
import { SimulatedSource, Store } from './user-source.ts'
import { Chance, ProcessEnvironment, VirtualTime } from './virtual-time.ts'

/** Longest time to come to rest when faults have stopped: back-off of 5 s, silence of 10 s, some replays. */
const CALM_MS_MAX = 120_000
const LOOK_MS = 100
const CLOCK_STEPS = 8
const EVENTS_MAX = 3_000_000

export interface WorldResult {
  readonly hash: number
  readonly stats: Stats
}

/** `change` makes the scenario drawn from the seed another one, to lean on something. */
export async function runWorld(
  seed: number,
  change: (scenario: Scenario) => Scenario = scenario => scenario,
): Promise<WorldResult> {
  const world = new World(change(scenarioOf(seed)))
  try {
    await world.run()
  } catch (error) {
    world.oracle.broken(error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
  const { violation } = world.oracle
  if (violation !== undefined) throw new Error(`seed ${seed}: ${violation}`)
  return { hash: world.oracle.hash, stats: world.oracle.stats }
}

class World implements Stage {
  readonly scenario: Scenario
  readonly oracle: Oracle
  readonly chance: Chance
  readonly time = new VirtualTime()
  readonly cluster: Cluster
  readonly master: AppMaster
  calm = false
  readonly #stores = new Map<number, Store>()
  readonly #edges: EdgeMap
  readonly #inspector: Inspector
  readonly #slotOfTask = new Map<number, number>()
  readonly #tasks: SimulatedTask[] = []

  constructor(scenario: Scenario) {
    this.scenario = scenario
    this.chance = new Chance(scenario.seed)
    this.oracle = new Oracle(scenario, () => this.time.now())
    const application = applicationOf(scenario, {
      source: () => new SimulatedSource(this, task => this.#storeOf(task)),
      task: () => {
        const task = new SimulatedTask(this)
        this.#tasks.push(task)
        return task
      },
    })
    this.#edges = new EdgeMap(application)
    this.#inspector = new Inspector({
      scenario,
      oracle: this.oracle,
      edges: this.#edges,
      stage: this,
    })
    this.cluster = new Cluster({
      scenario,
      application,
      time: this.time,
      chance: this.chance,
      oracle: this.oracle,
    })
    this.master = new AppMaster({
      environment: new ProcessEnvironment(this.time, this.chance),
      application,
      executors: scenario.executors,
      launcher: this.cluster,
      log: noLog,
    })
    this.master.executors().forEach((executor, slot) => {
      for (const task of executor.tasks) this.#slotOfTask.set(task, slot)
    })
    this.cluster.slotOfFresh = id => this.master.executors().findIndex(e => e.id === id)
    this.cluster.instrument = process => this.#inspector.instrument(process)
    this.cluster.onPublish = clockUs => this.#inspector.published(clockUs, this.cluster.live)
  }

  // ---- as a stage

  #storeOf(task: number): Store {
    const store = this.#stores.get(task) ?? new Store()
    this.#stores.set(task, store)
    return store
  }

  now(): number {
    return this.time.now()
  }

  later(context: { readonly executorId: number }, delayMs: number, fn: () => void): void {
    const process = this.cluster.live.find(p => p?.id === context.executorId)
    process?.environment.after(delayMs, fn)
  }

  pairOf(from: number, to: number): string | undefined {
    const a = this.#slotOfTask.get(from)!
    const b = this.#slotOfTask.get(to)!
    return a === b ? undefined : pairOf(a, b)
  }

  exempt(from: number, to: number): boolean {
    return this.#edges.closesCycle(from, to)
  }

  consumers(task: number, port: string): readonly number[] {
    return this.#edges.consumers(task, port)
  }

  checkFlow(task: number): void {
    this.#inspector.checkFlow(task, this.cluster.live[this.#slotOfTask.get(task)!])
  }

  // ---- life

  async run(): Promise<void> {
    await this.#settle(this.master.start(), 10_000)
    this.#scheduleFaults()
    await this.#advance(this.scenario.activeMs)
    await this.#calmDown()
    await this.#letStuckGo()
    await checkRest({
      ...this.#parts(),
      pause: () => this.#advance(7),
      settle: <T>(promise: Promise<T>) => this.#settle(promise, 10_000),
    })
    await this.#settle(this.master.close(), 20_000)
    this.oracle.count('events', this.time.events)
    this.oracle.note('end', this.time.events)
  }

  #parts() {
    const { oracle, scenario, cluster, master } = this
    return { oracle, scenario, cluster, master, stores: this.#stores }
  }

  #scheduleFaults(): void {
    const { faults } = this.scenario
    const { chance, time, cluster } = this
    Object.assign(cluster.network.faults, {
      delayMsMax: faults.delayMs,
      loss: faults.loss,
      duplication: faults.duplication,
      reordering: faults.reordering,
    })
    const sometime = (fn: () => void) => {
      time.after(chance.next() * this.scenario.activeMs, () => {
        if (!this.calm) fn()
      })
    }
    const someLive = () => chance.pick(cluster.live.filter(p => p?.started))
    for (let n = faults.crash; n > 0; n--) {
      sometime(() => {
        this.#crashSome()
        // One death at a time is not all there is: another, perhaps of one that is just starting.
        if (chance.happens(0.3)) time.after(chance.between(0, 400), () => this.#crashSome())
      })
    }
    for (const kind of ['sever', 'cut'] as const) {
      for (let n = faults[kind]; n > 0; n--) {
        sometime(() => {
          const one = someLive()
          const other = someLive()
          if (one === undefined || other === undefined || one === other) return
          this.oracle.count(kind === 'sever' ? 'severed' : 'cuts')
          cluster.disturb(kind, one, other)
        })
      }
    }
    for (let n = faults.stall; n > 0; n--) {
      sometime(() => {
        const process = someLive()
        if (process !== undefined) cluster.stall(process)
      })
    }
    for (let n = this.scenario.pauses; n > 0; n--) {
      sometime(() => void this.#pause())
    }
    if (!faults.clockSteps) return
    for (let n = CLOCK_STEPS; n > 0; n--) {
      sometime(() => {
        const process = someLive()
        if (process !== undefined) process.environment.skewUs = cluster.skewUs()
      })
    }
  }

  #crashSome(): void {
    const victim = this.chance.pick(this.cluster.live.filter(process => process !== undefined))
    if (victim === undefined || this.calm) return
    this.oracle.count('crashes')
    this.cluster.crash(victim)
    this.oracle.died(this.#tasksOf(victim.slot))
  }

  // The user pauses the run for a while.
  async #pause(): Promise<void> {
    this.oracle.count('pauses')
    this.time.after(this.chance.between(10, 500), () => void this.#tellActive(true))
    await this.#tellActive(false)
  }

  async #tellActive(active: boolean): Promise<void> {
    try {
      await this.master.setActive(active)
    } catch {
      // One that dies meanwhile does not answer; its successor starts as the app master was told last.
      this.oracle.note('not answered', active ? 1 : 0)
    }
  }

  #tasksOf(slot: number): Set<number> {
    return new Set([...this.#slotOfTask].filter(([, s]) => s === slot).map(([task]) => task))
  }

  async #calmDown(): Promise<void> {
    this.calm = true
    Object.assign(this.cluster.network.faults, { loss: 0, duplication: 0, reordering: 0 })
    const endMs = this.time.now() + CALM_MS_MAX
    while (!this.#drained()) {
      if (this.time.now() > endMs) throw new Error(this.#stall())
      await this.#advance(LOOK_MS)
      for (const process of this.cluster.live) if (process) process.environment.lateMs = 0
    }
  }

  // Every id is out, and every root has ended but those that wait for an input kept for ever.
  #drained(): boolean {
    const { ids, replays } = this.scenario
    if (this.cluster.live.some(process => process === undefined || !process.started)) return false
    for (const store of this.#stores.values()) {
      if (store.next < ids && !this.#sourcesAreFull()) return false
    }
    for (const root of this.oracle.openRoots) if (!isStuck(root)) return false
    if (!replays) return true
    return [...this.#stores.values()].every(
      store => this.#sourcesAreFull() || store.done.size + this.#stuckOf(store) >= ids,
    )
  }

  // So many roots are stuck that no more can be opened.
  #sourcesAreFull(): boolean {
    const { maxOpenRoots } = this.scenario.profile
    const openOf = new Map<number, number>()
    for (const { task } of this.oracle.openRoots) openOf.set(task, (openOf.get(task) ?? 0) + 1)
    return [...openOf.values()].some(open => open >= maxOpenRoots)
  }

  #stuckOf(store: Store): number {
    return new Set(
      [...this.oracle.openRoots].map(r => store.idOf.get(r.number)).filter(id => id !== undefined),
    ).size
  }

  // With a time-out the engine gives up what is kept for ever; without one, user code lets go at last.
  async #letStuckGo(): Promise<void> {
    const { timeoutMs } = this.scenario.profile
    if (timeoutMs > 0) await this.#advance(timeoutMs * 4)
    else for (const task of this.#tasks) task.letAllGo()
    const endMs = this.time.now() + CALM_MS_MAX
    while (this.oracle.openRoots.size > 0 || this.oracle.inHand.size > 0 || !this.#drained()) {
      if (this.time.now() > endMs) throw new Error(this.#stall())
      await this.#advance(LOOK_MS)
    }
    for (const process of this.cluster.live) if (process) process.environment.lateMs = 0
    // Lost credit of what nobody waits for, heartbeats, idle sources: all come to rest.
    await this.#advance(Math.max(0, this.cluster.disturbedUntilMs - this.time.now()) + 3000)
  }

  #stall(): string {
    const open = [...this.oracle.openRoots]
    const root = open.find(r => !isStuck(r)) ?? open[0]
    const waits = root?.deliveries
      .filter(d => d.state !== 'acked')
      .map(
        d =>
          `message ${d.message.number} ${d.from}->${d.to} ${d.state}${d.stuck ? ' for ever' : ''}`,
      )
    const blocked = this.cluster.live.flatMap(process =>
      [
        ...(process?.host.executor?.runners.sources ?? []),
        ...(process?.host.executor?.runners.all() ?? []),
      ]
        .filter(runner => runner.blockedOn > 0)
        .map(runner => `task ${runner.taskId} waits for ${runner.blockedOn}`),
    )
    return `(4) does not come to rest: ${open.length} roots open; root ${root?.number}: ${waits?.join(', ')}; ${blocked.join(', ')}`
  }

  // ---- time

  async #advance(ms: number): Promise<void> {
    const endMs = this.time.now() + ms
    for (;;) {
      const more = this.time.step(endMs)
      // Promises settle between events; what takes more than these turns goes on at the next one, always alike.
      await undefined
      await undefined
      await undefined
      if (this.oracle.violation !== undefined) throw new Error('stopped')
      if (this.time.events > EVENTS_MAX) throw new Error('it never rests: too many events')
      if (!more) return
      if ((this.time.events & 0xff) === 0) {
        this.#inspector.checkStamps(this.cluster.live)
        this.oracle.checkAges()
      }
    }
  }

  async #settle<T>(promise: Promise<T>, withinMs: number): Promise<T> {
    let settled = false
    const done = () => {
      settled = true
    }
    promise.then(done, done)
    const endMs = this.time.now() + withinMs
    while (!settled) {
      if (this.time.now() > endMs) throw new Error(`it takes more than ${withinMs} ms`)
      await this.#advance(5)
    }
    return promise
  }
}

function isStuck(root: Root): boolean {
  return root.deliveries.some(delivery => delivery.stuck)
}
