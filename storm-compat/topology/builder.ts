// TopologyBuilder: a Storm topology written in TypeScript, with the method names of Storm's own builder. It only
// describes; nothing is started and no process is spawned here. In-process components are given as factories, since
// every task gets an instance of its own; one more instance is made by createTopology to ask for its output fields,
// so constructors must do no work (open and prepare are for that).
import { asError, type Problem, UserError } from 'gearpump/spi'
import type { BasicBolt, Bolt, Conf, Spout } from '../component/api.ts'
import { askOutputs, isBolt, isSpout } from './outputs.ts'
import { isShell, type ShellDescription } from './shell.ts'
import type {
  Component,
  CustomGrouping,
  Grouping,
  Implementation,
  Input,
  StormTopology,
  Stream,
} from './topology.ts'
import { validateTopology } from './validate.ts'

export { type ShellDescription, type ShellOptions, shellBolt, shellSpout } from './shell.ts'

const DEFAULT_STREAM = 'default'

/** What both declarers offer: settings and sizes of one component. */
export class ComponentDeclarer {
  readonly #config: Record<string, unknown> = {}
  #numTasks: number | undefined

  addConfiguration(key: string, value: unknown): this {
    this.#config[key] = value
    return this
  }

  addConfigurations(conf: Conf): this {
    Object.assign(this.#config, conf)
    return this
  }

  setNumTasks(tasks: number): this {
    this.#numTasks = tasks
    return this
  }

  setDebug(debug: boolean): this {
    return this.addConfiguration('topology.debug', debug)
  }

  setMaxSpoutPending(messages: number): this {
    return this.addConfiguration('topology.max.spout.pending', messages)
  }

  setMaxTaskParallelism(tasks: number): this {
    return this.addConfiguration('topology.max.task.parallelism', tasks)
  }

  setCPULoad(percent: number): this {
    return this.addConfiguration('topology.component.cpu.pcore.percent', percent)
  }

  setMemoryLoad(onHeapMb: number, offHeapMb?: number): this {
    this.addConfiguration('topology.component.resources.onheap.memory.mb', onHeapMb)
    if (offHeapMb === undefined) return this
    return this.addConfiguration('topology.component.resources.offheap.memory.mb', offHeapMb)
  }

  /** What was declared; read by the builder. */
  declared(): { config: Conf; numTasks: number | undefined; inputs: readonly Input[] } {
    return { config: { ...this.#config }, numTasks: this.#numTasks, inputs: [] }
  }
}

export class SpoutDeclarer extends ComponentDeclarer {}

/** Subscriptions of a bolt. The stream may be left out everywhere: it is `default` then. */
export class BoltDeclarer extends ComponentDeclarer {
  readonly #inputs: Input[] = []

  shuffleGrouping(component: string, stream?: string): this {
    return this.grouping(component, stream, { type: 'shuffle' })
  }

  localOrShuffleGrouping(component: string, stream?: string): this {
    return this.grouping(component, stream, { type: 'localOrShuffle' })
  }

  allGrouping(component: string, stream?: string): this {
    return this.grouping(component, stream, { type: 'all' })
  }

  globalGrouping(component: string, stream?: string): this {
    return this.grouping(component, stream, { type: 'global' })
  }

  noneGrouping(component: string, stream?: string): this {
    return this.grouping(component, stream, { type: 'none' })
  }

  directGrouping(component: string, stream?: string): this {
    return this.grouping(component, stream, { type: 'direct' })
  }

  fieldsGrouping(component: string, fields: readonly string[]): this
  fieldsGrouping(component: string, stream: string, fields: readonly string[]): this
  fieldsGrouping(component: string, ...rest: StreamThen<readonly string[]>): this {
    const [stream, fields] = streamThen(rest)
    return this.grouping(component, stream, { type: 'fields', fields: [...fields] })
  }

  partialKeyGrouping(component: string, fields: readonly string[]): this
  partialKeyGrouping(component: string, stream: string, fields: readonly string[]): this
  partialKeyGrouping(component: string, ...rest: StreamThen<readonly string[]>): this {
    const [stream, fields] = streamThen(rest)
    return this.grouping(component, stream, { type: 'partialKey', fields: [...fields] })
  }

  customGrouping(component: string, create: () => CustomGrouping): this
  customGrouping(component: string, stream: string, create: () => CustomGrouping): this
  customGrouping(component: string, ...rest: StreamThen<() => CustomGrouping>): this {
    const [stream, create] = streamThen(rest)
    return this.grouping(component, stream, { type: 'custom', create })
  }

  /** Subscribes with a grouping that is already a value. */
  grouping(component: string, stream: string | undefined, grouping: Grouping): this {
    this.#inputs.push({ component, stream: stream ?? DEFAULT_STREAM, grouping })
    return this
  }

  override declared(): ReturnType<ComponentDeclarer['declared']> {
    return { ...super.declared(), inputs: [...this.#inputs] }
  }
}

// Storm puts the stream before the last argument; where it is missing, the last argument moves up.
type StreamThen<T> = readonly [T] | readonly [stream: string, T]

function streamThen<T>(rest: StreamThen<T>): [stream: string | undefined, value: T] {
  return rest.length === 1 ? [undefined, rest[0]] : [rest[0], rest[1]]
}

interface Entry {
  readonly id: string
  readonly kind: 'spout' | 'bolt'
  readonly what: ShellDescription | (() => Spout) | (() => Bolt | BasicBolt)
  readonly parallelismHint: number
  readonly declarer: ComponentDeclarer
}

/**
 * Collects spouts and bolts and makes a StormTopology of them.
 *
 * @example
 * const builder = new TopologyBuilder()
 * builder.setSpout('words', shellSpout(['node', 'words.js'], ['word']))
 * builder.setBolt('count', () => new CountBolt(), 4).fieldsGrouping('words', ['word'])
 * const topology = builder.createTopology('word-count', { 'topology.workers': 2 })
 */
export class TopologyBuilder {
  readonly #entries: Entry[] = []

  setSpout(
    id: string,
    spout: (() => Spout) | ShellDescription,
    parallelismHint = 1,
  ): SpoutDeclarer {
    const declarer = new SpoutDeclarer()
    this.#entries.push({ id, kind: 'spout', what: spout, parallelismHint, declarer })
    return declarer
  }

  setBolt(
    id: string,
    bolt: (() => Bolt | BasicBolt) | ShellDescription,
    parallelismHint = 1,
  ): BoltDeclarer {
    const declarer = new BoltDeclarer()
    this.#entries.push({ id, kind: 'bolt', what: bolt, parallelismHint, declarer })
    return declarer
  }

  /** The topology, checked. Throws a UserError that lists everything that is wrong with it. */
  createTopology(name: string, config: Conf = {}): StormTopology {
    const problems: Problem[] = []
    const components = this.#entries.map(entry => componentOf(entry, problems))
    const topology: StormTopology = { name, config: { ...config }, components }
    problems.push(...validateTopology(topology))
    if (problems.length > 0) {
      throw new UserError('TOPOLOGY_INVALID', `topology "${name}" cannot be built`, problems)
    }
    return topology
  }
}

function componentOf(entry: Entry, problems: Problem[]): Component {
  const { id, kind, what, parallelismHint } = entry
  const { config, numTasks, inputs } = entry.declarer.declared()
  const common = { id, kind, inputs, parallelismHint, numTasks }
  if (isShell(what)) {
    const { command, env, changeChildCwd } = what
    return {
      ...common,
      implementation: { kind: 'shell', command, env, changeChildCwd },
      streams: what.streams,
      config: { ...what.config, ...config },
    }
  }
  const outputs = outputsOf(entry, what, problems)
  return {
    ...common,
    implementation: { kind, create: what } as Implementation,
    streams: outputs.streams,
    config: { ...outputs.config, ...config },
  }
}

// Makes the one instance that only declares. What it throws is the user's mistake and joins the list.
function outputsOf(
  { id, kind }: Entry,
  create: () => Spout | Bolt | BasicBolt,
  problems: Problem[],
): { streams: ReadonlyMap<string, Stream>; config: Conf } {
  const place = `component ${id}`
  const nothing = { streams: new Map<string, Stream>(), config: {} }
  if (typeof create !== 'function') {
    problems.push({
      place,
      message: `${kind} "${id}" is not a factory`,
      hint: 'pass a function that makes it, such as () => new MyBolt()',
    })
    return nothing
  }
  try {
    const instance = create()
    if (kind === 'spout' ? isSpout(instance) : isBolt(instance)) return askOutputs(instance)
    problems.push({
      place,
      message: `the factory of "${id}" does not make a ${kind}`,
      hint: `a ${kind} has ${kind === 'spout' ? 'open, nextTuple' : 'prepare, execute'} and declareOutputFields`,
    })
    return nothing
  } catch (thrown) {
    problems.push({
      place,
      message: `${kind} "${id}" cannot declare its outputs: ${asError(thrown).message}`,
    })
    return nothing
  }
}
