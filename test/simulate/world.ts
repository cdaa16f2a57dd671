// One world: an application with its app master and executors under faults, then calm, then rest. Everything it does
// follows from its seed. Returns what happened, or throws with the first thing that went wrong.
import { AppMaster } from '../../src/app/app-master.ts'
import { type Application, application } from '../../src/app/application.ts'
import { noLog } from '../../src/base/log.ts'
import { graph } from '../../src/dag/graph.ts'
import { type AnyProcessor, type Path, processor, source } from '../../src/dag/processor.ts'
import type { SlotLedger } from '../../src/progress/slot-ledger.ts'
import { Cluster, type SimulatedProcess, watchBlocking } from './cluster.ts'
import { Oracle, pairOf, type Root, type Stats } from './oracle.ts'
import { checkRest } from './rest.ts'
import { type EdgeDraw, type Scenario, scenarioOf } from './scenario.ts'
import { EMITS_PER_INPUT_MAX, numberOf, SimulatedTask, type Stage } from './user-code.ts'
import { SimulatedSource, Store } from './user-source.ts'
import { Chance, ProcessEnvironment, VirtualTime } from './virtual-time.ts'

/** Longest time to come to rest when faults have stopped: back-off of 5 s, silence of 10 s, some replays. */
const CALM_MS_MAX = 120_000
const LOOK_MS = 100
/** What one input of a task may send to one other: its emits, one for kept inputs, one unanchored, with room. */
const BURST_MAX = EMITS_PER_INPUT_MAX + 3
const EVENTS_MAX = 3_000_000

export interface WorldResult {
  readonly hash: number
  readonly stats: Stats
}

export async function runWorld(seed: number): Promise<WorldResult> {
  const world = new World(scenarioOf(seed))
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
  readonly #application: Application
  readonly #consumers = new Map<string, readonly number[]>()
  readonly #exempt = new Set<number>()
  readonly #passing = new Set<number>()
  readonly #emitters = new Map<number, Set<number>>()
  readonly #slotOfTask = new Map<number, number>()
  readonly #tasks: SimulatedTask[] = []

  constructor(scenario: Scenario) {
    this.scenario = scenario
    this.chance = new Chance(scenario.seed)
    this.oracle = new Oracle(scenario, () => this.time.now())
    this.#application = this.#build()
    this.#mapEdges()
    this.cluster = new Cluster({
      scenario,
      application: this.#application,
      time: this.time,
      chance: this.chance,
      oracle: this.oracle,
    })
    this.master = new AppMaster({
      environment: new ProcessEnvironment(this.time, this.chance),
      application: this.#application,
      executors: scenario.executors,
      launcher: this.cluster,
      log: noLog,
    })
    this.master.executors().forEach((executor, slot) => {
      for (const task of executor.tasks) this.#slotOfTask.set(task, slot)
    })
    this.cluster.slotOfFresh = id => this.master.executors().findIndex(e => e.id === id)
    this.cluster.instrument = process => this.#instrument(process)
    this.cluster.onPublish = clockUs => this.#checkClock(clockUs)
  }

  // ---- the application

  #build(): Application {
    const { scenario } = this
    const vertices: AnyProcessor[] = [
      ...scenario.sources.map((parallelism, i) =>
        source(`s${i}`, () => new SimulatedSource(this, task => this.#storeOf(task)), {
          parallelism,
        }),
      ),
      ...scenario.processors.map((parallelism, i) =>
        processor(
          `p${i}`,
          () => {
            const task = new SimulatedTask(this)
            this.#tasks.push(task)
            return task as never
          },
          { parallelism, config: { needsOrigin: true } },
        ),
      ),
    ]
    const paths = scenario.edges.map(edge => {
      const from = vertices[edge.from] as unknown as Path<never, unknown>
      return from.to(vertices[edge.to] as never, partitionerOf(edge), edge.port)
    })
    return application('simulated', graph(...(paths as Path<never, unknown>[])), {
      profile: scenario.profile,
    })
  }

  #mapEdges(): void {
    const { processors, edges } = this.#application.dag
    for (const edge of edges) {
      const targets = processors[edge.target]!.tasks
      for (const from of processors[edge.source]!.tasks) {
        const key = `${from} ${edge.port}`
        this.#consumers.set(key, [...(this.#consumers.get(key) ?? []), ...targets])
        for (const to of targets) {
          if (edge.closesCycle) this.#exempt.add(from * 65_536 + to)
          if (/huffle/.test(edge.partitioner.kind)) this.#passing.add(from * 65_536 + to)
          this.#emitters.set(to, (this.#emitters.get(to) ?? new Set()).add(from))
        }
      }
    }
  }

  #storeOf(task: number): Store {
    const store = this.#stores.get(task) ?? new Store()
    this.#stores.set(task, store)
    return store
  }

  // ---- as a stage

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
    return this.#exempt.has(from * 65_536 + to)
  }

  // Waits for no single target: the edge closes a cycle, or passes over a target that is full.
  #mayPass(from: number, to: number): boolean {
    return this.exempt(from, to) || this.#passing.has(from * 65_536 + to)
  }

  consumers(task: number, port: string): readonly number[] {
    return this.#consumers.get(`${task} ${port}`) ?? []
  }

  checkFlow(task: number): void {
    const { inboxDepth, creditWindow } = this.scenario.profile
    for (const port of ['default', 'side', 'direct']) {
      for (const to of this.consumers(task, port)) {
        const pair = this.pairOf(task, to)
        if (pair === undefined || this.#mayPass(task, to) || !this.oracle.faultless(pair)) continue
        const inFlight = this.oracle.inFlight(task, to)
        if (inFlight >= creditWindow)
          this.oracle.broken(`flow: task ${task} goes on with ${inFlight} on the way to ${to}`)
      }
    }
    const process = this.cluster.live[this.#slotOfTask.get(task)!]
    const inbox = process?.host.executor?.runners.task(task)?.inbox
    if (inbox === undefined) return
    let bound = inboxDepth + this.oracle.exemptInFlight(task)
    for (const from of this.#emitters.get(task) ?? []) {
      const pair = this.pairOf(from, task)
      const windows = pair === undefined ? 0 : 1 + (this.oracle.fences.get(pair) ?? 0)
      bound += BURST_MAX + (creditWindow + BURST_MAX) * windows
    }
    if (inbox.size > bound)
      this.oracle.broken(`flow: ${inbox.size} wait at task ${task}, more than ${bound}`)
    this.oracle.stats.inboxMax = Math.max(this.oracle.stats.inboxMax ?? 0, inbox.size)
  }

  // ---- looking in

  #instrument(process: SimulatedProcess): void {
    const executor = process.host.executor
    if (executor === undefined || process.started) return
    process.started = true
    const { oracle } = this
    for (const runner of executor.runners.sources) {
      const ended = runner.rootEnded.bind(runner)
      runner.rootEnded = (ordinal, done) => {
        const name = runner.order.idOf(ordinal)
        if (name !== undefined && !process.environment.killed) {
          const number = typeof name === 'number' ? name : (name as { root: number }).root
          oracle.ended(oracle.roots[number]!, done)
        }
        ended(ordinal, done)
      }
      watchBlocking(runner, oracle)
    }
    for (const runner of executor.runners.all()) watchBlocking(runner, oracle)
    this.#watchLinks(process, executor.ledger)
  }

  // Numbers of in links are used again as soon as the last slot of a closed one is free, and not before.
  #watchLinks({ id, links }: SimulatedProcess, ledger: SlotLedger): void {
    const { oracle } = this
    const openIn = ledger.openIn.bind(ledger)
    ledger.openIn = link => {
      const taken = new Set(
        [...links].filter(([, l]) => !l.closed || l.liveSlots > 0).map(([number]) => number),
      )
      const number = openIn(link)
      if (taken.has(number)) oracle.broken(`executor ${id}: link number ${number} is in use`)
      if (!links.has(number) && taken.size < links.size)
        oracle.broken(`(5) executor ${id}: the number of a closed link is not free`)
      if (links.has(number)) oracle.count('linkNumbersRecycled')
      oracle.count('sessions')
      links.set(number, link)
      return number
    }
  }

  #checkClock(clockUs: number): void {
    if (clockUs < this.#published) this.oracle.broken('(3) the app clock went back')
    this.#published = Math.max(this.#published, clockUs)
    this.#checkStamps()
  }

  #published = 0

  #checkStamps(): void {
    for (const process of this.cluster.live) {
      for (const source of process?.host.executor?.runners.sources ?? []) {
        const stamp = source.order.lowestStamp()
        if (stamp < this.#published)
          this.oracle.broken(`(3) the app clock passed an open root of task ${source.taskId}`)
      }
    }
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
        const victim = someLive()
        if (victim === undefined) return
        this.oracle.count('crashes')
        cluster.crash(victim)
        this.oracle.died(this.#tasksOf(victim.slot))
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
    if (!faults.clockSteps) return
    for (let n = 4; n > 0; n--) {
      sometime(() => {
        const process = someLive()
        if (process !== undefined) process.environment.skewUs = cluster.skewUs()
      })
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
    const open = this.oracle.roots.filter(root => root.end === undefined)
    if (open.some(root => !isStuck(root))) return false
    if (!replays) return true
    return [...this.#stores.values()].every(
      store => this.#sourcesAreFull() || store.done.size + this.#stuckOf(store) >= ids,
    )
  }

  // So many roots are stuck that no more can be opened.
  #sourcesAreFull(): boolean {
    const { maxOpenRoots } = this.scenario.profile
    const openOf = new Map<number, number>()
    for (const root of this.oracle.roots) {
      if (root.end === undefined) openOf.set(root.task, (openOf.get(root.task) ?? 0) + 1)
    }
    return [...openOf.values()].some(open => open >= maxOpenRoots)
  }

  #stuckOf(store: Store): number {
    return new Set(
      this.oracle.roots
        .filter(r => r.end === undefined && store.idOf.has(r.number))
        .map(r => store.idOf.get(r.number)),
    ).size
  }

  // With a time-out the engine gives up what is kept for ever; without one, user code lets go at last.
  async #letStuckGo(): Promise<void> {
    const { timeoutMs } = this.scenario.profile
    if (timeoutMs > 0) await this.#advance(timeoutMs * 4)
    else for (const task of this.#tasks) task.letAllGo()
    const endMs = this.time.now() + CALM_MS_MAX
    while (this.oracle.open > 0 || this.oracle.inHand.size > 0 || !this.#drained()) {
      if (this.time.now() > endMs) throw new Error(this.#stall())
      await this.#advance(LOOK_MS)
    }
    // Lost credit of what nobody waits for, heartbeats, idle sources: all come to rest.
    await this.#advance(3000)
  }

  #stall(): string {
    const open = this.oracle.roots.filter(r => r.end === undefined)
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
      if ((this.time.events & 0xff) === 0) this.#checkStamps()
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

