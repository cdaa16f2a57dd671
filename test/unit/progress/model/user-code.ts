// What spouts and bolts do in a model world: emit roots, take inputs, emit anchored to one or several of them, ack,
// fail, hold, ask for more time, answer twice, or never. And what their hosts do for them: time roots out, and let go
// of inputs that user code has abandoned.
import { NONE, type Slot } from '../../../../src/progress/slot-ledger.ts'
import type { Cluster, Executor, Input, Task } from './cluster.ts'
import { releaseAgain } from './mutations.ts'
import type { Tuple } from './oracle.ts'
import type { Random } from './random.ts'

/** Probabilities of this world, and bounds. */
export interface Habits {
  failing: number
  holding: number
  neverAcking: number
  renewing: number
  hopsMax: number
  pendingMax: number
}

const ABANDONED_AFTER = 3

export class UserCode {
  rotations = 0
  joins = 0
  timedOut = 0
  doubleAcks = 0
  renewals = 0
  private readonly cluster: Cluster
  private readonly random: Random
  private readonly habits: Habits

  constructor(cluster: Cluster, random: Random, habits: Habits) {
    this.cluster = cluster
    this.random = random
    this.habits = habits
  }

  mayEmitRoot(task: Task): boolean {
    return task.isSource && task.ready && task.roots.open < this.habits.pendingMax
  }

  emitRoot(task: Task, nowUs: number): number {
    const { cluster, random } = this
    const { executor, roots } = task
    const stamp = task.clock.stamp(nowUs + task.skewUs)
    const root = cluster.oracle.newRoot({ source: task.id, stamp, executor: executor.id })
    roots.stampBy(stamp)
    const slot = roots.push(root)
    const all = random.chance(0.4) || task.next.length === 0
    const targets = all ? task.next : [random.pick(task.next)]
    const made = targets.map((id): [Task, Tuple] => {
      return [cluster.tasks[id]!, cluster.oracle.newTuple([root], this.habits.hopsMax)]
    })
    cluster.send(executor, made, slot)
    if (roots.endAlone(slot)) {
      roots.take()
      cluster.oracle.end(root, 'done')
    } else executor.ledger.release(slot)
    return stamp
  }

  /** A task takes its next input. */
  step(task: Task): void {
    const { random, habits } = this
    const { tuple, slot, executor } = task.inbox.shift()!
    const born = this.rotations
    const input: Input = { tuple, slot, executor, task, open: true, born, never: false }
    const others = executor.held.filter(held => held.task === task && held.open)
    for (let n = random.below(3); n > 0; n--) {
      const anchors = [input, ...others.filter(() => random.chance(0.3))]
      this.emit(executor, task, random.chance(0.1) ? [] : anchors, tuple.hopsLeft)
    }
    if (random.chance(habits.failing)) this.fail(input)
    else if (random.chance(habits.holding)) {
      input.never = random.chance(habits.neverAcking)
      executor.held.push(input)
    } else {
      this.ack(input)
      if (random.chance(0.05)) this.ack(input)
    }
  }

  /** Code that runs later, for inputs held: several of them become anchors of one emit. */
  actLater(executor: Executor): void {
    const { random, habits } = this
    const ready = executor.held.filter(held => !held.never)
    const first = random.pick(ready)
    const group = ready.filter(
      held => held.task === first.task && (held === first || random.chance(0.4)),
    )
    if (random.chance(0.6)) this.emit(executor, first.task, group, habits.hopsMax)
    if (random.chance(habits.renewing)) this.renew(first)
    if (random.chance(0.7)) {
      for (const input of group) {
        if (!random.chance(0.7)) continue
        if (random.chance(habits.failing)) this.fail(input)
        else this.ack(input)
        if (random.chance(0.1)) this.ack(input)
      }
    }
    const closed = group.find(input => !input.open)
    if (closed !== undefined && this.cluster.mutation === 'an acked input is an anchor') {
      this.emit(executor, closed.task, [closed], habits.hopsMax)
    }
    executor.held = executor.held.filter(held => held.open)
  }

  private emit(executor: Executor, task: Task, anchors: readonly Input[], hopsMax: number): void {
    const { cluster, random } = this
    const hopsLeft = Math.min(hopsMax, ...anchors.map(anchor => anchor.tuple.hopsLeft)) - 1
    if (task.next.length === 0 || hopsLeft <= 0) return
    const targets = this.targets(task)
    const roots = anchors.flatMap(anchor => anchor.tuple.roots)
    const made = targets.map((id): [Task, Tuple] => {
      return [cluster.tasks[id]!, cluster.oracle.newTuple(roots, hopsLeft)]
    })
    const slots = [...new Set(anchors.map(anchor => anchor.slot))].filter(slot => slot !== NONE)
    if (slots.length > 1) {
      this.joins++
      const join: Slot = executor.ledger.join(slots)
      cluster.send(executor, made, join)
      executor.ledger.release(join)
    } else cluster.send(executor, made, slots[0] ?? NONE)
    if (random.chance(0.02)) executor.ledger.release(NONE)
  }

  /** All of the next tasks, one of them, or, emitted directly, any task at all. */
  private targets(task: Task): number[] {
    const { random } = this
    if (random.chance(0.3)) return task.next
    if (!random.chance(0.1)) return [random.pick(task.next)]
    return [random.pick(this.cluster.tasks.filter(other => !other.isSource)).id]
  }

  private ack(input: Input): void {
    if (!input.open) {
      this.doubleAcks++
      const unguarded = this.cluster.mutation === 'double acks are not refused'
      if (unguarded) releaseAgain(input.executor.ledger, input.slot)
      return
    }
    input.open = false
    this.cluster.oracle.acked(input.tuple)
    input.executor.ledger.release(input.slot)
  }

  fail(input: Input): void {
    if (!input.open) return
    input.open = false
    this.cluster.oracle.failedAt(input.tuple)
    input.executor.ledger.fail(input.slot)
  }

  renew(input: Input): void {
    this.renewals++
    input.born = this.rotations
    input.executor.ledger.renew(input.slot)
  }

  /** A message timeout period is over everywhere. */
  rotate(): void {
    this.rotations++
    for (const task of this.cluster.tasks) {
      if (!task.isSource) continue
      task.roots.rotate((place, slot) => {
        this.timedOut++
        const root = task.roots.idOf(place) as { cause: boolean }
        root.cause = true
        task.executor.ledger.markFailed(slot)
      })
    }
    for (const executor of this.cluster.executors) {
      for (const { link } of executor.ins.values()) link.startHalfPeriod()
      if (this.cluster.mutation === 'abandoned inputs stay') continue
      for (const input of executor.held) {
        if (input.born <= this.rotations - ABANDONED_AFTER) this.fail(input)
      }
      executor.held = executor.held.filter(held => held.open)
    }
  }
}
