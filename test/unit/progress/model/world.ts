// A random little cluster around the real ledger, links, roots and clocks, run to its end in one thread, with
// the oracle beside it. `runWorld` throws at the first broken invariant:
//   (1) a root completes only after all its descendants were acked;
//   (2) each root ends exactly once, and fails only for a cause;
//   (3) clocks never go back, nor past an open root;
//   (4) tuples that are stuck delay no others, and what is lost fails without waiting for the timeout;
//   (5) when all is quiet, ledgers and links are empty.
import { AppMaster } from './app-master.ts'
import { Cluster, type Executor } from './cluster.ts'
import { Faults, skew } from './faults.ts'
import type { Mutation } from './mutations.ts'
import { Violation } from './oracle.ts'
import { Random } from './random.ts'
import { type Habits, UserCode } from './user-code.ts'

export interface Scenario extends Habits {
  seed: number
  executors: number
  sources: number
  bolts: number
  cyclic: boolean
  crashes: boolean
  losses: boolean
  changes: boolean
  /** In links of 32 positions, so that their foot is failed. */
  narrow: boolean
  roots: number
  steps: number
}

// A step takes 0 to 4 ticks; the app clock's reserve is 50.
const TICK_US = 60_000
const QUIET_AFTER_MAX = 400_000

export interface WorldCounts {
  roots: number
  tuples: number
  completed: number
  failed: number
  timedOut: number
  joins: number
  doubleAcks: number
  renewals: number
  crashes: number
  losses: number
  fences: number
  moved: number
  restarts: number
  published: number
}

export function runWorld(scenario: Scenario, mutation?: Mutation): WorldCounts {
  return new World(scenario, mutation).run()
}

class World {
  private readonly scenario: Scenario
  private readonly random: Random
  private readonly cluster: Cluster
  private readonly user: UserCode
  private readonly master: AppMaster
  private readonly faults: Faults
  private nowUs = 1000 * TICK_US
  private rootsLeft: number

  constructor(scenario: Scenario, mutation: Mutation) {
    this.scenario = scenario
    this.random = new Random(scenario.seed)
    this.rootsLeft = scenario.roots
    this.cluster = new Cluster(mutation, scenario.executors, scenario.narrow ? 32 : undefined)
    this.lay()
    this.user = new UserCode(this.cluster, this.random, scenario)
    this.master = new AppMaster(this.cluster, this.random)
    const { cluster, random, master, user } = this
    this.faults = new Faults({ cluster, random, master, user })
  }

  // Tasks, and edges between them: forward ones, and backward ones between bolts if the world is cyclic.
  private lay(): void {
    const { random, cluster, scenario } = this
    const { sources, bolts, cyclic } = scenario
    for (let id = 0; id < sources + bolts; id++) {
      cluster.addTask(id < sources, random.pick(cluster.executors), skew(random))
    }
    for (const from of cluster.tasks) {
      for (let to = sources; to < sources + bolts; to++) {
        const edge = to > from.id ? 0.5 : cyclic && !from.isSource ? 0.3 : 0
        if (random.chance(edge)) from.next.push(to)
      }
    }
  }

  run(): WorldCounts {
    for (let step = 0; step < this.scenario.steps; step++) this.step()
    this.settle()
    for (let n = 0; n < 3; n++) this.heartbeat() // finds the last lost frame
    this.cluster.oracle.checkQuiet()
    this.rootsLeft = 0 // what is open now waits for time-outs
    this.checkRenewals()
    for (let n = 0; n < 5; n++) {
      this.user.rotate()
      this.settle()
      this.heartbeat()
    }
    this.checkEmpty()
    return this.counts()
  }

  private step(): void {
    const { random, scenario, cluster, faults, master } = this
    this.nowUs += TICK_US * (random.chance(0.02) ? -random.below(20) : random.below(5))
    if (scenario.crashes && random.chance(0.01))
      faults.crashExecutor(random.pick(cluster.executors))
    if (scenario.crashes && random.chance(0.01)) faults.crashTask(random.pick(cluster.tasks))
    if (scenario.crashes && random.chance(0.005)) master.restart()
    if (scenario.losses && random.chance(0.03)) faults.loseFrame()
    if (scenario.changes && random.chance(0.03)) faults.move(random.pick(cluster.tasks))
    if (random.chance(0.01)) this.user.rotate()
    if (random.chance(0.15)) master.report(random.pick(cluster.executors), this.nowUs)
    if (master.reports.length > 0 && random.chance(0.5)) master.takeReport()
    const choices = this.choices()
    if (choices.length > 0) random.pick(choices)()
  }

  /** All that could happen next; none of it needs a fault. */
  private choices(): (() => void)[] {
    const { random, cluster, user, master, faults } = this
    const choices: (() => void)[] = []
    const sources = cluster.tasks.filter(task => user.mayEmitRoot(task))
    if (this.rootsLeft > 0 && sources.length > 0) {
      choices.push(() => {
        this.rootsLeft--
        master.checkStamp(user.emitRoot(random.pick(sources), this.nowUs))
      })
    }
    for (const task of cluster.tasks) {
      if (task.inbox.length > 0) choices.push(() => user.step(task))
      if (task.isSource && !task.ready && master.mayAdmit(task.executor.id)) {
        choices.push(() => master.admit(task.id))
      }
    }
    for (const executor of cluster.executors) this.addChoicesOf(executor, choices)
    for (const channel of cluster.channels.values()) {
      if (channel.data.length > 0) choices.push(() => cluster.receiveData(channel))
      if (channel.back.length > 0) choices.push(() => cluster.receiveBack(channel))
    }
    if (master.storing !== undefined) choices.push(() => master.takeStored())
    if (master.fences.length > 0) choices.push(() => master.takeFence())
    const { fences } = faults
    if (fences.length > 0) choices.push(() => fences.splice(random.below(fences.length), 1)[0]!())
    return choices
  }

  private addChoicesOf(executor: Executor, choices: (() => void)[]): void {
    const { cluster, user } = this
    if (executor.held.some(held => !held.never)) choices.push(() => user.actLater(executor))
    for (const out of executor.outs.values()) {
      if (out.buffer.length > 0) choices.push(() => cluster.flushData(executor, out))
    }
    for (const inn of executor.ins.values()) {
      if (inn.link.closed || !(inn.link.dirty || inn.link.renewing)) continue
      choices.push(() => cluster.flushBack(executor, inn, false))
    }
  }

  private settle(): void {
    for (let n = 0; n < QUIET_AFTER_MAX; n++) {
      const choices = this.choices()
      if (choices.length === 0) return
      this.random.pick(choices)()
    }
    throw new Violation(4, 'never quiet')
  }

  private heartbeat(): void {
    for (const executor of this.cluster.executors) {
      for (const out of executor.outs.values()) this.cluster.flushData(executor, out)
      for (const inn of executor.ins.values()) this.cluster.flushBack(executor, inn, true)
    }
    this.settle()
  }

  // When every stuck input asks for more time in each period, no root ends, however many hops away it is.
  private checkRenewals(): void {
    const { roots } = this.cluster.oracle
    const open = roots.filter(root => root.end === undefined && !root.orphan)
    for (let period = 0; period < 3; period++) {
      for (const { held } of this.cluster.executors)
        for (const input of held) this.user.renew(input)
      this.settle()
      this.user.rotate()
      this.settle()
      const ended = open.find(root => root.end !== undefined)
      if (ended !== undefined) throw new Violation(4, `root ${ended.number} was renewed, but ended`)
    }
  }

  private checkEmpty(): void {
    const { executors, tasks, oracle } = this.cluster
    const open = oracle.roots.find(root => root.end === undefined && !root.orphan)
    if (open !== undefined) throw new Violation(2, `root ${open.number} never ended`)
    for (const { roots } of tasks) roots.rest()
    for (const { id, ledger, outs, ins } of executors) {
      if (ledger.live !== 0) throw new Violation(5, `executor ${id} keeps ${ledger.live} slots`)
      for (const { link } of outs.values()) {
        if (link.sent.open !== 0 || link.sent.aside !== 0)
          throw new Violation(5, 'an out link is left')
      }
      for (const { link } of ins.values()) {
        const empty = link.liveSlots === 0 && (link.closed || (link.ahead === 0 && !link.dirty))
        if (!empty) throw new Violation(5, 'an in link keeps positions')
      }
    }
    const pending = tasks.find(task => task.roots.open > 0)
    if (pending !== undefined) throw new Violation(5, `source ${pending.id} has roots`)
  }

  private counts(): WorldCounts {
    const { user, faults, master } = this
    const { oracle, fences } = this.cluster
    const { tuples, completed, failed } = oracle
    const { timedOut, joins, doubleAcks, renewals } = user
    const { crashes, losses, moved } = faults
    return {
      ...{ roots: oracle.roots.length, tuples, completed, failed, timedOut, joins, doubleAcks },
      ...{ renewals, crashes, losses, fences, moved, restarts: master.restarts },
      published: master.publishedMax,
    }
  }
}
