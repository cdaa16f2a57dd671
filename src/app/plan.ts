// Where tasks run: a pure function from a DAG and the executors there are. Tasks are dealt out one by one in the order of
// the DAG, so that one source and one sink on two executors cross the link, and each executor gets its share.
import type { Dag } from '../dag/graph.ts'

export interface Plan {
  /** Changes with every change of placement. */
  readonly version: number
  readonly executors: readonly number[]
  /** Task id -> executor id, as pairs, so that it can be sent. */
  readonly placement: readonly (readonly [task: number, executor: number])[]
}

export function makePlan(dag: Dag, executors: readonly number[]): Plan {
  const placement: [number, number][] = []
  let next = 0
  for (const processor of dag.processors) {
    for (const task of processor.tasks) {
      placement.push([task, executors[next % executors.length]!])
      next++
    }
  }
  return { version: 1, executors, placement }
}

/** The plan after all executors were replaced by others: the tasks are the same, and are dealt out anew. */
export function dealAnew(dag: Dag, plan: Plan, executors: readonly number[]): Plan {
  return { ...makePlan(dag, executors), version: plan.version + 1 }
}

/** The plan after `dead` was replaced by `fresh`: its tasks go there, nothing else moves. */
export function replaceExecutor(plan: Plan, dead: number, fresh: number): Plan {
  const swap = (id: number) => (id === dead ? fresh : id)
  return {
    version: plan.version + 1,
    executors: plan.executors.map(swap),
    placement: plan.placement.map(([task, executor]) => [task, swap(executor)]),
  }
}

/** Source tasks that are placed on an executor. */
export function sourcesOn(dag: Dag, plan: Plan, executorId: number): number[] {
  const here = new Set(
    plan.placement.filter(([, executor]) => executor === executorId).map(([task]) => task),
  )
  const sources = dag.processors.filter(processor => processor.kind === 'source')
  return sources.flatMap(processor => processor.tasks.filter(task => here.has(task)))
}
