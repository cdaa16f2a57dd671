// Storm's numbering of tasks: 1..N over the component ids in the order of Java's String.compareTo, `__acker`
// included. Users hard-code and log these numbers, and they travel in the context of every child process, so they
// must be the same as under Storm, although no acker runs here. Pure; the same topology always gives the same ids.
import type { Conf } from '../component/api.ts'
import type { Component, StormTopology } from './topology.ts'

/** The component that Storm adds to every topology with ackers. A name and some numbers only. */
export const ACKER = '__acker'

export interface ComponentTasks {
  readonly component: string
  /** Ascending; empty for a component whose `topology.tasks` is 0. */
  readonly ids: readonly number[]
}

export interface TaskNumbers {
  /** In the order of the ids, `__acker` among them. */
  readonly tasks: readonly ComponentTasks[]
  readonly taskToComponent: ReadonlyMap<number, string>
}

/**
 * Numbers the tasks of a valid topology.
 *
 * @example numberTasks(topology).taskToComponent.get(1) // '__acker', if no component id sorts before it
 */
export function numberTasks(topology: StormTopology): TaskNumbers {
  const counts = new Map<string, number>()
  const ackers = ackerCount(topology.config)
  if (ackers > 0) counts.set(ACKER, ackers)
  for (const component of topology.components) {
    counts.set(component.id, taskCount(topology, component))
  }

  const tasks: ComponentTasks[] = []
  const taskToComponent = new Map<number, string>()
  let next = 1
  // The default sort compares UTF-16 units, which is what String.compareTo does.
  for (const component of [...counts.keys()].sort()) {
    const ids = Array.from({ length: counts.get(component)! }, () => next++)
    for (const id of ids) taskToComponent.set(id, component)
    tasks.push({ component, ids })
  }
  return { tasks, taskToComponent }
}

/** How many tasks a component gets: its own number, else `topology.tasks`, else its hint; never above the cap. */
export function taskCount(topology: StormTopology, component: Component): number {
  const wanted =
    component.numTasks ??
    numberIn('topology.tasks', component.config, topology.config) ??
    component.parallelismHint
  const cap = numberIn('topology.max.task.parallelism', component.config, topology.config)
  return cap === undefined ? wanted : Math.min(wanted, cap)
}

// Storm caps the user's components before it adds its ackers, so these are never capped.
function ackerCount(config: Conf): number {
  return numberIn('topology.acker.executors', config) ?? numberIn('topology.workers', config) ?? 1
}

// A key that is there, but null, hides the one behind it, as in Storm's merge.
function numberIn(key: string, ...confs: Conf[]): number | undefined {
  const conf = confs.find(c => key in c)
  const value = conf?.[key]
  return typeof value === 'number' ? value : undefined
}
