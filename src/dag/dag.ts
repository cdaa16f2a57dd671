// The DAG as the engine reads it: plain, numbered, ordered. `graph` makes it, `validateDag` judges it, executors build
// tasks and links from it. Everybody refers to processors, edges and tasks by the ids given here; ids of tasks are
// never given anew, since keys are routed by them.
import type { Partitioner } from './partitioner.ts'
import type { ProcessorKind } from './processor.ts'

/** The graph of an application, numbered and ordered. */
export interface Dag {
  /** 0 for the graph as submitted; each change makes the next. */
  readonly version: number
  /** In topological order: `processors[i].id === i`. */
  readonly processors: readonly ProcessorSpec[]
  /** In the order in which they were written: `edges[i].id === i`. */
  readonly edges: readonly Edge[]
}

export interface ProcessorSpec {
  readonly id: number
  readonly name: string
  readonly kind: ProcessorKind
  readonly parallelism: number
  readonly description: string
  readonly config: Readonly<Record<string, unknown>>
  readonly create: () => unknown
  /** Ids of its tasks, ascending and without gaps. */
  readonly tasks: readonly number[]
  /** Edges on the longest way from a source, those that close a cycle not counted. */
  readonly level: number
}

export interface Edge {
  readonly id: number
  /** Id of the sending processor. */
  readonly source: number
  /** Id of the receiving processor. */
  readonly target: number
  readonly partitioner: Partitioner
  /** Which output of the source feeds it. */
  readonly port: string
  /** True for an edge that leads back to where it came from: such an edge never waits for room. */
  readonly closesCycle: boolean
}
