// What a Storm component is when it is written in TypeScript, and what the shell components are built on: spouts,
// bolts, tuples, collectors and the context, with Storm's names and meanings. The engine side of these interfaces
// (who calls them, on which turn) is in spout-source.ts and bolt-task.ts.

/** The values of one tuple, in the order of the stream's declared fields. */
export type Values = readonly unknown[]

/** Any setting of a topology or component: JSON-like data, keys as Storm spells them. */
export type Conf = Readonly<Record<string, unknown>>

/** One delivery of a tuple to one bolt task. Must be acked or failed exactly once by a rich bolt. */
export interface Tuple {
  readonly values: Values
  /** Id of the component that emitted it; `__system` for ticks. */
  readonly sourceComponent: string
  readonly sourceStream: string
  /** Storm task id of the emitter; -1 for ticks. */
  readonly sourceTask: number
  readonly fields: readonly string[]
  /** The value of a named field. Throws when the stream has no such field. */
  get(field: string): unknown
}

/** Where a rich bolt emits, acks and fails. */
export interface OutputCollector {
  /**
   * Emits on `stream` (default `default`), anchored to `anchors`. Returns the ids of the tasks it went to,
   * concatenated over the stream's consumers. Never blocks. Throws for an unknown stream, and for an anchor that
   * was acked or failed before.
   */
  emit(
    values: Values,
    anchors?: Tuple | readonly Tuple[] | null,
    stream?: string,
  ): readonly number[]
  /** Emits to one task of a direct consumer; a task that does not consume the stream is ignored, as in Storm. */
  emitDirect(
    task: number,
    values: Values,
    anchors?: Tuple | readonly Tuple[] | null,
    stream?: string,
  ): void
  ack(tuple: Tuple): void
  fail(tuple: Tuple): void
  /** Starts the message timeout of the tuple's roots anew. */
  resetTimeout(tuple: Tuple): void
  reportError(error: Error): void
  /**
   * Resolves when every consumer has room again; undefined when it has room now. A component that emits from its
   * own events (not from `execute`) waits for it before it takes more work.
   */
  ready(): Promise<void> | undefined
}

export interface BasicOutputCollector {
  /** Emits anchored to the input that is being executed. */
  emit(values: Values, stream?: string): readonly number[]
  emitDirect(task: number, values: Values, stream?: string): void
  reportError(error: Error): void
}

export interface SpoutOutputCollector {
  /**
   * Emits a root. With a message id (anything but undefined and null) it is tracked and later acked or failed
   * exactly once; without, it is unreliable. Ack and fail are told on a later turn, never inside `emit`.
   */
  emit(values: Values, messageId?: unknown, stream?: string): readonly number[]
  emitDirect(task: number, values: Values, messageId?: unknown, stream?: string): void
  reportError(error: Error): void
  /**
   * Forgets every root that has not ended: neither ack nor fail will be told. For a spout whose process died, so
   * that its successor hears nothing of what it never emitted. They count as `lost`.
   */
  orphanAll(): void
  /** Tells that no more tuples will come, so that a run until drained can end. */
  exhausted(): void
}

/** Secrets of a topology, by name. */
export type Credentials = Readonly<Record<string, string>>

/** A rich spout. All methods are called on one turn at a time; one that returns a promise holds the next call. */
export interface Spout {
  open(conf: Conf, context: TopologyContext, collector: SpoutOutputCollector): void | Promise<void>
  /** Emits at most a few tuples and returns; nothing emitted means: wait (`topology.sleep.spout.wait.*`) and ask again. */
  nextTuple(): void | Promise<void>
  ack?(messageId: unknown): void | Promise<void>
  fail?(messageId: unknown): void | Promise<void>
  activate?(): void | Promise<void>
  deactivate?(): void | Promise<void>
  close?(): void | Promise<void>
  /** Before `open`, if there are any, and whenever others were uploaded. */
  setCredentials?(credentials: Credentials): void | Promise<void>
  declareOutputFields(declarer: OutputFieldsDeclarer): void
  getComponentConfiguration?(): Conf
}

/** A rich bolt: acks and fails its inputs itself. A promise from `execute` parks only this task until it settles. */
export interface Bolt {
  prepare(conf: Conf, context: TopologyContext, collector: OutputCollector): void | Promise<void>
  execute(tuple: Tuple): void | Promise<void>
  cleanup?(): void | Promise<void>
  /** Before `prepare`, if there are any, and whenever others were uploaded. */
  setCredentials?(credentials: Credentials): void | Promise<void>
  declareOutputFields(declarer: OutputFieldsDeclarer): void
  getComponentConfiguration?(): Conf
}

/** A basic bolt: emits are anchored to its input, which is acked on return and failed by `FailedException`. */
export interface BasicBolt {
  readonly basic: true
  prepare?(conf: Conf, context: TopologyContext): void | Promise<void>
  execute(tuple: Tuple, collector: BasicOutputCollector): void | Promise<void>
  cleanup?(): void | Promise<void>
  /** As for a rich bolt. */
  setCredentials?(credentials: Credentials): void | Promise<void>
  declareOutputFields(declarer: OutputFieldsDeclarer): void
  getComponentConfiguration?(): Conf
}

/** Thrown by a bolt to fail its input without being restarted. */
export class FailedException extends Error {
  override readonly name = 'FailedException'
}

export interface OutputFieldsDeclarer {
  declare(fields: readonly string[], direct?: boolean): void
  declareStream(stream: string, fields: readonly string[], direct?: boolean): void
}

export type GroupingDescription =
  | {
      type:
        | 'SHUFFLE'
        | 'ALL'
        | 'NONE'
        | 'DIRECT'
        | 'CUSTOM_OBJECT'
        | 'CUSTOM_SERIALIZED'
        | 'LOCAL_OR_SHUFFLE'
    }
  | { type: 'FIELDS'; fields: readonly string[] }

/** What a component may know of its place in the topology, from the user's part of it only. */
export interface TopologyContext {
  readonly topologyName: string
  /** `name-N-epochSeconds`. */
  readonly stormId: string
  readonly componentId: string
  readonly taskId: number
  /** Position among the tasks of the component, from 0. */
  readonly taskIndex: number
  /** Storm's numbering: 1..N over component ids in alphabetical order, `__acker` included (a number and a name only). */
  readonly taskToComponent: ReadonlyMap<number, string>
  componentTasks(componentId: string): readonly number[]
  /** The streams this component declares. */
  readonly streams: ReadonlyMap<string, readonly string[]>
  /** stream -> consumer component -> grouping, for this component's outputs; a stream without consumers has no entry. */
  readonly targets: ReadonlyMap<string, ReadonlyMap<string, GroupingDescription>>
  /** source component -> stream -> grouping, for this component's inputs. */
  readonly sources: ReadonlyMap<string, ReadonlyMap<string, GroupingDescription>>
  /** source component -> every stream it declares (subscribed or not) -> fields. */
  readonly sourceFields: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>
  /** Directory that holds the topology's resources: the working directory of shell components. */
  readonly resources: string
  /** Directory of this run for pid files. Exists. */
  readonly pidDir: string
  /** Where this component's own log lines go, if a log folder was given. */
  readonly log: ComponentLog
  /** Adds to a metric of this component (created at first use). */
  metric(name: string, params: unknown): void
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error'

export interface ComponentLog {
  write(level: LogLevel, text: string): void
}
