// The app master of a model world, as far as it keeps the app clock: reports that overtake each other, a store that
// answers late, fences that come late, restarts that remember only what was stored. Checks invariant (3): neither a
// source's clock nor the app clock goes back, and no open or later root lies below what was published.
import type { AppClock, ClockDecision } from '../../../../src/progress/app-clock.ts'
import type { Cluster, Executor } from './cluster.ts'
import { makeAppClock, makeSourceClock } from './mutations.ts'
import { Violation } from './oracle.ts'
import type { Random } from './random.ts'

interface Report {
  executor: number
  incarnation: number
  clocks: Map<number, number>
}

export class AppMaster {
  publishedMax = 0
  restarts = 0
  readonly reports: Report[] = []
  readonly fences: { executor: number; incarnation: number }[] = []
  storing: number | undefined
  private stored = 0
  private clock: AppClock
  private readonly cluster: Cluster
  private readonly random: Random

  constructor(cluster: Cluster, random: Random) {
    this.cluster = cluster
    this.random = random
    this.clock = this.newClock()
    for (const task of cluster.tasks) {
      if (task.isSource) this.clock.admit(task.id, task.executor.id)
    }
  }

  private newClock(): AppClock {
    const ids = this.cluster.executors.map(executor => executor.id)
    return makeAppClock(this.cluster.mutation, ids, this.stored)
  }

  /** An executor sends the clocks of its admitted sources. */
  report({ id, incarnation }: Executor, nowUs: number): void {
    const clocks = new Map<number, number>()
    for (const task of this.cluster.tasks) {
      if (!task.isSource || task.executor.id !== id || !task.ready) continue
      const clock = task.clock.read(nowUs + task.skewUs, task.roots.lowestStamp())
      if (clock < task.told) throw new Violation(3, `the clock of source ${task.id} went back`)
      task.told = clock
      clocks.set(task.id, clock)
    }
    this.reports.push({ executor: id, incarnation, clocks })
  }

  takeReport(): void {
    const [report] = this.reports.splice(this.random.below(this.reports.length), 1)
    if (report === undefined) return
    this.carryOut(this.clock.report(report.executor, report.incarnation, report.clocks))
  }

  takeFence(): void {
    const fence = this.fences.shift()
    if (fence !== undefined) this.carryOut(this.clock.fence(fence.executor, fence.incarnation))
  }

  takeStored(): void {
    const value = this.storing!
    this.storing = undefined
    this.stored = value
    this.carryOut(this.clock.stored(value))
  }

  mayAdmit(id: number): boolean {
    return !this.fences.some(fence => fence.executor === id)
  }

  /** A source that has restarted may start. */
  admit(id: number): void {
    const task = this.cluster.tasks[id]!
    const floor = this.clock.admit(task.id, task.executor.id)
    task.clock = makeSourceClock(this.cluster.mutation, floor)
    task.told = 0
    task.ready = true
  }

  /** It dies, with what it remembers and what is on its way to it; what is being stored may be stored or not. */
  restart(): void {
    this.restarts++
    if (this.storing !== undefined && this.random.chance(0.5)) this.stored = this.storing
    this.storing = undefined
    this.reports.length = 0
    this.clock = this.newClock()
  }

  checkStamp(stamp: number): void {
    if (stamp < this.publishedMax) throw new Violation(3, 'a new root lies below the app clock')
  }

  private carryOut({ publish, store }: ClockDecision): void {
    if (store !== undefined) this.storing = store
    if (publish === undefined) return
    if (publish < this.publishedMax) throw new Violation(3, 'the app clock went back')
    this.publishedMax = publish
    for (const { isSource, ready, roots, id } of this.cluster.tasks) {
      if (!isSource || !ready || roots.lowestStamp() >= publish) continue
      throw new Violation(3, `the app clock passed an open root of source ${id}`)
    }
  }
}
