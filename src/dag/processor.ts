// Processors, the vertices of a DAG, and paths, the way they are joined: `lines.to(split, shuffle()).to(count)`.
// Nothing happens here but collecting: `graph` makes a DAG of the paths, and `validateDag` finds the mistakes. The
// types follow what flows: a processor of numbers behind a processor of words does not compile.
import { EngineError } from '../base/errors.ts'
import { hash, type Partitioner } from './partitioner.ts'

/** The port of an output, and of an edge, that names none. */
export const DEFAULT_PORT = 'default'

/** Tasks of one processor. An index fits 16 bits, and no cluster of ours runs more of one kind. */
export const PARALLELISM_MAX = 65_536

/** What the DAG must know of a task's context: the type of what comes out. The real one is the task runtime's. */
export interface OutputOf<Out> {
  output(value: Out, port?: string): unknown
}

/**
 * As much of a task as the DAG must know to follow the types. Methods, not function properties: a real task wants
 * more of its context than `output`, and only methods may ask for more than they are promised here.
 */
export interface TaskLike<In, Out> {
  onStart?(context: OutputOf<Out>): unknown
  onNext(value: In, context: OutputOf<Out>): unknown
  onMessage?(message: unknown, context: OutputOf<Out>): unknown
  onClock?(clockUs: number, context: OutputOf<Out>): unknown
  onStop?(): unknown
  readonly needsOrigin?: boolean
}

/** What the DAG must know of a source's context. */
export interface SourceOutputOf<Out> {
  output(value: Out, id?: unknown, port?: string): unknown
}

/** As much of a source as the DAG must know to follow the types. */
export interface SourceLike<Out> {
  open?(context: SourceOutputOf<Out>): unknown
  next(out: SourceOutputOf<Out>): unknown
  done?(id: unknown): unknown
  fail?(id: unknown): unknown
  onActive?(active: boolean): unknown
  close?(): unknown
}

export interface ProcessorOptions {
  /** Number of tasks; 1 if not given. */
  readonly parallelism?: number
  /** For people: shown beside the name. */
  readonly description?: string
  /** Settings that the tasks read from their context. */
  readonly config?: Readonly<Record<string, unknown>>
  /** Id of its first task, the others follow; if not given, numbered on from the former processor. */
  readonly firstTask?: number
}

/** A line of joined processors: takes `In` at its head, gives `Out` at its tail. A lone processor is one too. */
export interface Path<In, Out> {
  readonly head: AnyProcessor
  readonly tail: AnyProcessor
  readonly links: readonly Link[]
  /**
   * Joins the tail to the head of `next`, and returns the longer path.
   *
   * @param partitioner which tasks of `next` get a message; `hash()` if not given
   * @param port the output of the tail that feeds this edge
   */
  to<N>(next: Path<Out, N>, partitioner?: Partitioner<Out>, port?: string): Path<In, N>
  /** Never there: it only lets the compiler see what goes in and what comes out. */
  readonly flow?: (value: In) => Out
}

/** A vertex of the DAG: a name, and how to make each of its tasks. Made by `processor` and `source`. */
export interface Processor<In, Out> extends Path<In, Out> {
  readonly name: string
  readonly kind: ProcessorKind
  readonly create: () => unknown
  readonly options: ProcessorOptions
}

export type ProcessorKind = 'source' | 'task'

/** Any processor: what it takes and gives is not known here. */
export type AnyProcessor = Processor<never, unknown>

/** An edge between two processors, not yet part of a DAG. */
export interface Link {
  readonly source: AnyProcessor
  readonly target: AnyProcessor
  readonly partitioner: Partitioner
  readonly port: string
}

/**
 * A processor that works on messages. `create` is called once per task.
 *
 * @example const count = processor('count', () => new Count(), { parallelism: 4 })
 */
export function processor<In, Out>(
  name: string,
  create: () => TaskLike<In, Out>,
  options: ProcessorOptions = {},
): Processor<In, Out> {
  return vertex('task', name, create, options)
}

/**
 * A processor that brings messages in. `create` is called once per task.
 *
 * @example const lines = source('lines', () => new FileLines('access.log'))
 */
export function source<Out>(
  name: string,
  create: () => SourceLike<Out>,
  options: ProcessorOptions = {},
): Processor<never, Out> {
  return vertex('source', name, create, options)
}

function vertex<In, Out>(
  kind: ProcessorKind,
  name: string,
  create: () => unknown,
  options: ProcessorOptions,
): Processor<In, Out> {
  const self: Processor<In, Out> = {
    name,
    kind,
    create,
    options,
    get head() {
      return self
    },
    get tail() {
      return self
    },
    links: [],
    to: (next, partitioner, port) => join(self, next, partitioner, port),
  }
  return self
}

function join<In, Mid, Out>(
  left: Path<In, Mid>,
  right: Path<Mid, Out>,
  partitioner: Partitioner<Mid> = hash(),
  port = DEFAULT_PORT,
): Path<In, Out> {
  checkPath(right, `${left.tail.name}.to(…)`)
  // From here on the type of the messages is forgotten; the compiler has seen that it is the same on both sides.
  const link: Link = {
    source: left.tail,
    target: right.head,
    partitioner: partitioner as Partitioner,
    port,
  }
  const joined: Path<In, Out> = {
    head: left.head,
    tail: right.tail,
    links: [...left.links, link, ...right.links],
    to: (next, nextPartitioner, nextPort) => join(joined, next, nextPartitioner, nextPort),
  }
  return joined
}

/** Throws BAD_INPUT for what is no path: files are run without being checked by the compiler. */
export function checkPath(path: unknown, where: string): void {
  const { head, links } = (path ?? {}) as { [K in keyof AnyProcessor]?: unknown }
  if (head !== undefined && Array.isArray(links)) return
  const got = Array.isArray(path) ? 'a list' : path === null ? 'null' : `of type ${typeof path}`
  throw new EngineError('BAD_INPUT', `${where} was given something ${got}, which is no processor`, {
    hint: 'give what processor() or source() returns, or a path: graph(lines.to(split).to(count))',
  })
}
