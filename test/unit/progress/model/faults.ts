// What goes wrong in a model world, and what is changed under it: executors and tasks die, frames are lost, tasks
// move. Each names the roots that may fail by it, before the ledgers hear of anything.
import type { AppMaster } from './app-master.ts'
import type { Cluster, Executor, Task } from './cluster.ts'
import type { Random } from './random.ts'
import type { UserCode } from './user-code.ts'

interface Tools {
  cluster: Cluster
  random: Random
  master: AppMaster
  user: UserCode
}

export class Faults {
  crashes = 0
  losses = 0
  moved = 0
  /** Peers that have yet to learn of a death. */
  readonly fences: (() => void)[] = []
  private readonly tools: Tools

  constructor(tools: Tools) {
    this.tools = tools
  }

  crashExecutor(executor: Executor): void {
    const { cluster, master } = this.tools
    const { oracle } = cluster
    this.crashes++
    for (const root of oracle.roots) if (root.visited.has(executor.id)) root.cause = true
    for (const task of cluster.tasks) {
      if (task.executor !== executor) continue
      for (const { tuple } of task.inbox) oracle.lost(tuple)
      task.inbox = []
    }
    for (const input of executor.held) {
      input.open = false
      oracle.lost(input.tuple)
    }
    for (const { link, buffer } of executor.outs.values()) {
      link.closed = true // nobody is left to fence it
      for (const { tuple } of buffer) oracle.lost(tuple)
    }
    master.fences.push({ executor: executor.id, incarnation: executor.incarnation })
    cluster.boot(executor)
    for (const task of cluster.tasks) {
      if (task.executor === executor && task.isSource) this.restartSource(task)
    }
    for (const peer of cluster.executors) {
      const out = peer.outs.get(executor.id)
      if (out !== undefined && !out.link.closed) this.fences.push(() => cluster.fence(peer, out))
    }
  }

  /** A task dies alone. A bolt's runner fails what it held; a source's roots are orphans. */
  crashTask(task: Task): void {
    const { cluster, user } = this.tools
    if (task.isSource) {
      this.orphan(task)
      return
    }
    const { oracle } = cluster
    const inbox = task.inbox
    task.inbox = []
    for (const { tuple, slot, executor } of inbox) {
      oracle.failedAt(tuple)
      executor.ledger.fail(slot)
    }
    for (const executor of cluster.executors) {
      for (const input of executor.held) if (input.task === task) user.fail(input)
      executor.held = executor.held.filter(held => held.open)
    }
  }

  private orphan(task: Task): void {
    const { cluster } = this.tools
    cluster.oracle.orphan(task.id)
    if (cluster.mutation === 'orphans are not forgotten') return
    task.roots.clear((_, slot) => task.executor.ledger.orphan(slot))
  }

  // It starts again in the new incarnation of its executor, on another host's clock, when the app master admits it.
  private restartSource(task: Task): void {
    const { cluster, random } = this.tools
    cluster.oracle.orphan(task.id)
    cluster.resetSource(task)
    task.ready = false
    task.skewUs = skew(random)
  }

  loseFrame(): void {
    const { cluster, random } = this.tools
    const busy = [...cluster.channels.values()].filter(c => c.data.length + c.back.length > 0)
    if (busy.length === 0) return
    const { data, back } = random.pick(busy)
    if (data.length > 0 && (back.length === 0 || random.chance(0.6))) {
      const [frame] = data.splice(random.below(data.length), 1)
      for (const { tuple } of frame!.messages) cluster.oracle.lost(tuple)
    } else {
      const at = random.below(back.length)
      // A gap is said again at the next frame, so it is as good as not lost. A renewal is not numbered: a stream
      // loses it only together with numbered frames, and the session ends by those.
      if (back[at]!.kind === 'progress') back.splice(at, 1)
    }
    this.losses++
  }

  /** A task moves: its inbox is passed on as outputs of the same slots, its open inputs finish where they are. */
  move(task: Task): void {
    const { cluster, random } = this.tools
    const to = random.pick(cluster.executors)
    if (task.isSource || to === task.executor) return
    this.moved++
    const inbox = task.inbox
    task.executor = to
    task.inbox = []
    for (const { tuple, slot, executor } of inbox) {
      cluster.send(executor, [[task, tuple]], slot)
      executor.ledger.release(slot)
    }
  }
}

/** How far a host's clock is off: up to 1.5 s either way. */
export function skew(random: Random): number {
  return (random.below(50) - 25) * 60_000
}
