// Groupings that are Java objects. The host evaluates them, since only Java can, and sends the chosen tasks along with each emit;
// here they wait for the moment at which the engine asks, which is within the same emit.
import type { TaskNumbers } from '../topology/task-ids.ts'
import type { Component, Input, JavaObjectSource, StormTopology } from '../topology/topology.ts'

/** One Java grouping of a stream that a Java component emits on. */
export interface JavaGrouping {
  readonly stream: string
  readonly consumer: string
  readonly object: JavaObjectSource
  /** Tasks of the consumer, ascending. */
  readonly targets: readonly number[]
}

/** Those that the emits of a component go through, in one order for both sides. */
export function javaGroupingsOf(
  { components }: StormTopology,
  numbers: TaskNumbers,
  emitter: Component,
): JavaGrouping[] {
  return components.flatMap(({ id: consumer, inputs }) =>
    inputs.flatMap(({ component, stream, grouping }: Input) =>
      component === emitter.id && grouping.type === 'java'
        ? [{ stream, consumer, object: grouping.object, targets: tasksOf(numbers, consumer) }]
        : [],
    ),
  )
}

function tasksOf({ tasks }: TaskNumbers, component: string): readonly number[] {
  return tasks.find(({ component: id }) => id === component)?.ids ?? []
}

/** What the host chose for the emit that is being made. */
export class ChosenTasks {
  readonly #byEdge = new Map<string, readonly number[]>()

  set(consumer: string, stream: string, tasks: readonly number[]): void {
    this.#byEdge.set(`${stream} ${consumer}`, tasks)
  }

  of(consumer: string, stream: string): readonly number[] {
    return this.#byEdge.get(`${stream} ${consumer}`) ?? []
  }
}
