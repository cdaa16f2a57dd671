// Figures of a run: what each task counted, and what is made of them for a component and for the whole.
import type { Tally } from '../task/task.ts'

export interface TaskFigures {
  readonly task: number
  readonly processor: string
  readonly emitted: number
  readonly received: number
  readonly acked: number
  readonly failed: number
  /** Inputs waiting, in user code, or held; for a source its open roots. */
  readonly inFlight: number
  readonly busyMs: number
  readonly blockedMs: number
  /** Sources only. */
  readonly roots: RootFigures | undefined
  /** What the task counts by itself, if it does. */
  readonly tally?: Tally | undefined
}

/** Roots with a message id: emitted = acked + failed + pending + lost. */
export interface RootFigures {
  readonly emitted: number
  readonly acked: number
  readonly failed: number
  readonly pending: number
  readonly lost: number
  /** Ids that failed and were not acked since. */
  readonly unresolved: number
}

export interface ExecutorStatus {
  readonly executorId: number
  readonly tasks: readonly TaskFigures[]
  /** No message under way in this executor. */
  readonly quiet: boolean
  /** Every source here has said that no more will come. */
  readonly exhausted: boolean
  /** For how long every source here has emitted nothing, ms. */
  readonly idleMs: number
  /** For how long this executor has been there, ms. */
  readonly upMs?: number
}

/** One task that runs, for those who want to see more than its processor's sums. */
export interface TaskTally {
  readonly task: number
  readonly tally: Tally
}

export interface ComponentFigures {
  tasks: number
  emitted: number
  received: number
  acked: number
  failed: number
  inFlight: number
  busyMs: number
  blockedMs: number
  /** Sum of what its tasks counted by themselves, executors that are gone included. */
  tally?: Tally
}

export interface RunFigures {
  emitted: number
  acked: number
  failed: number
  pending: number
  lost: number
  unresolved: number
  components: Record<string, ComponentFigures>
}

export function sumFigures(tasks: Iterable<TaskFigures>): RunFigures {
  const total: RunFigures = {
    emitted: 0,
    acked: 0,
    failed: 0,
    pending: 0,
    lost: 0,
    unresolved: 0,
    components: {},
  }
  for (const task of tasks) {
    const component = componentOf(total.components, task.processor)
    component.tasks++
    component.emitted += task.emitted
    component.received += task.received
    component.acked += task.acked
    component.failed += task.failed
    component.inFlight += task.inFlight
    component.busyMs += task.busyMs
    component.blockedMs += task.blockedMs
    if (task.tally !== undefined) component.tally = addTallies(component.tally, task.tally)
    if (task.roots === undefined) continue
    total.emitted += task.roots.emitted
    total.acked += task.roots.acked
    total.failed += task.roots.failed
    total.pending += task.roots.pending
    total.lost += task.roots.lost
    total.unresolved += task.roots.unresolved
  }
  return total
}

/** Number by number. */
export function addTallies(a: Tally | undefined, b: Tally): Tally {
  return a === undefined ? b : b.map((count, i) => count + (a[i] ?? 0))
}

function componentOf(components: Record<string, ComponentFigures>, name: string): ComponentFigures {
  let component = components[name]
  if (component === undefined) {
    component = {
      tasks: 0,
      emitted: 0,
      received: 0,
      acked: 0,
      failed: 0,
      inFlight: 0,
      busyMs: 0,
      blockedMs: 0,
    }
    components[name] = component
  }
  return component
}
