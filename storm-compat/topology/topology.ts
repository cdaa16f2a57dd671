// The one value in which every Storm front door ends (Flux YAML, TypeScript builder, later Thrift and jars), and
// which translate() turns into an engine DAG. Plain data, but for the factories of in-process components.

import type { BasicBolt, Bolt, Conf, Spout, Values } from '../component/api.ts'
import type { DrpcPart } from '../drpc/part.ts'
import type { StormLine } from '../jvm/java-line.ts'
import type { KafkaBoltOptions } from '../kafka/bolt-options.ts'
import type { KafkaSpoutOptions } from '../kafka/spout-options.ts'

export interface StormTopology {
  readonly name: string
  /** The topology's own conf, without Storm's defaults. */
  readonly config: Conf
  /** Spouts and bolts in the order in which they were declared; ids are unique over both. */
  readonly components: readonly Component[]
  /** Lines of Storm that can host its Java components, the likeliest first; for topologies that have some. */
  readonly javaLines?: readonly StormLine[]
}

/** How the JVM host makes a component or grouping: of its serialised bytes, or of a class and plain arguments. */
export type JavaObjectSource =
  | { readonly bytes: Uint8Array }
  | { readonly class: string; readonly arguments: readonly JavaArgument[] }

/** Numbers of Thrift keep their type on their way; what is a text, a boolean or bytes, is so in Java. */
export type JavaArgument = readonly [type: 'int' | 'long' | 'double' | 'other', value: unknown]

export interface Component {
  readonly id: string
  readonly kind: 'spout' | 'bolt'
  readonly implementation: Implementation
  readonly inputs: readonly Input[]
  readonly streams: ReadonlyMap<string, Stream>
  /** Storm's executors (threads there); here only a figure, and the default number of tasks. */
  readonly parallelismHint: number
  /** Number of tasks; undefined = as many as the hint. */
  readonly numTasks: number | undefined
  /** Settings of this component that override the topology's. */
  readonly config: Conf
  /** Where it was declared, for errors: `file:line:column`. */
  readonly place?: string
}

export interface Stream {
  readonly fields: readonly string[]
  readonly direct: boolean
}

export interface Input {
  readonly component: string
  readonly stream: string
  readonly grouping: Grouping
  readonly place?: string
}

export type Grouping =
  | { readonly type: 'shuffle' | 'all' | 'none' | 'global' | 'direct' | 'localOrShuffle' }
  | { readonly type: 'fields'; readonly fields: readonly string[] }
  | { readonly type: 'partialKey'; readonly fields: readonly string[] }
  /** A grouping in Java: evaluated in the JVM host, by emitters that are in it as well. */
  | {
      readonly type: 'java'
      readonly object: JavaObjectSource
      readonly className: string
      /** What Storm's own PartialKeyGrouping groups by, for emitters that are not in Java. */
      readonly partialKey?: readonly string[]
    }
  | { readonly type: 'custom'; readonly create: () => CustomGrouping }

/** A user's own grouping; one instance per emitting task and edge. */
export interface CustomGrouping {
  /** `targetTasks` are Storm task ids in ascending order. */
  prepare?(sourceComponent: string, stream: string, targetTasks: readonly number[]): void
  /** Ids of the tasks that get the tuple; each must be one of `targetTasks`. */
  chooseTasks(sourceTask: number, values: Values): readonly number[]
}

export type Implementation =
  | {
      readonly kind: 'shell'
      readonly command: readonly string[]
      readonly env: Readonly<Record<string, string>>
      readonly changeChildCwd: boolean
    }
  /** One of Storm's own DRPC components, as plain data. */
  | { readonly kind: 'drpc'; readonly part: DrpcPart }
  | { readonly kind: 'kafka-spout'; readonly options: KafkaSpoutOptions }
  | { readonly kind: 'kafka-bolt'; readonly options: KafkaBoltOptions }
  /** Works in the JVM beside the executor. */
  | { readonly kind: 'java'; readonly object: JavaObjectSource; readonly className: string }
  | { readonly kind: 'spout'; readonly create: () => Spout }
  | { readonly kind: 'bolt'; readonly create: () => Bolt | BasicBolt }
