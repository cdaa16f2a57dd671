// The waist: one Storm topology in, one engine application out. Pure but for the factories of components. Components become
// processors with Storm's task ids, streams become ports, groupings become partitioners. No acker comes out.
import { homedir } from 'node:os'
import {
  type AnyProcessor,
  type Application,
  application,
  broadcast,
  direct,
  first,
  graph,
  localOrShuffle,
  multicast,
  type Partitioner,
  type Path,
  type Problem,
  type Processor,
  processor,
  shuffle,
  source,
  UserError,
  unicast,
} from 'gearpump/spi'
import type { Values } from '../component/api.ts'
import { BoltTask } from '../component/bolt-task.ts'
import { ComponentPlace, type Surroundings } from '../component/place.ts'
import { ShellBolt } from '../component/shell-bolt.ts'
import { ShellSpout } from '../component/shell-spout.ts'
import { SpoutSource } from '../component/spout-source.ts'
import type { Origin } from '../component/tuple.ts'
import { doubleSerialiser } from '../component/values.ts'
import { boltOfPart, spoutOfPart } from '../drpc/part.ts'
import { hostPlan, longsOf } from '../jvm/host-plan.ts'
import { JavaBolt } from '../jvm/java-bolt.ts'
import { ChosenTasks, type JavaGrouping, javaGroupingsOf } from '../jvm/java-groupings.ts'
import type { StormLine } from '../jvm/java-line.ts'
import type { JavaAround } from '../jvm/java-place.ts'
import { JavaSpout } from '../jvm/java-spout.ts'
import { javaValueSerialiser } from '../jvm/java-value.ts'
import { Sidecar } from '../jvm/sidecar.ts'
import { kafkaBolt } from '../kafka/kafka-bolt.ts'
import { kafkaSpout } from '../kafka/kafka-spout.ts'
import { childModules } from '../multilang/own-resources.ts'
import { checkSettings, topologyConf } from '../topology/settings.ts'
import { numberTasks } from '../topology/task-ids.ts'
import type { Component, Grouping, Input, StormTopology } from '../topology/topology.ts'
import { topologyWarnings, validateTopology } from '../topology/validate.ts'
import { fieldsChoice } from './java-hash.ts'
import { partialKeyChoice } from './partial-key.ts'

export interface TranslateOptions {
  /** Directory of the topology's resources: working directory of shell components. */
  readonly resources: string
  /** An existing private directory for pid files. */
  readonly pidDir: string
  /** Where components' log files go; undefined = nowhere. */
  readonly logDir?: string | undefined
  /** Jars with the classes of its Java components: what was submitted, or named. */
  readonly jars?: readonly string[]
  /** Where Java and Storm's jars are looked for; by default the environment of this process. */
  readonly javaAround?: JavaAround
  /** When the run began, ms since 1970; part of the storm id. */
  readonly startedMs: number
}

export interface Translated {
  readonly application: Application
  /** Settings without effect here, unreachable bolts: one line each. */
  readonly notices: readonly string[]
}

/** The Java side of one application in one process. */
interface JavaSide {
  readonly sidecar: Sidecar
  readonly longsOf: ReadonlySet<string>
  readonly chosen: ChosenTasks
}

interface ComponentSide extends JavaSide {
  readonly groupings: readonly JavaGrouping[]
}

const ANY_LINE: readonly StormLine[] = ['2', '1.2', '1.0']

type ShellImplementation = Component['implementation'] & { kind: 'shell' }

/** Storm bounds nothing when max.spout.pending is not set; open roots cost memory, so there is a bound all the same. */
const OPEN_ROOTS_MAX = 1 << 20

/**
 * The engine application of a topology. Throws a UserError (TOPOLOGY_INVALID) that lists every mistake.
 *
 * @example const { application } = translate(builder.createTopology('wc', {}), { resources, pidDir, startedMs: Date.now() })
 */
export function translate(topology: StormTopology, options: TranslateOptions): Translated {
  const { problems, notices } = check(topology)
  if (problems.length > 0)
    throw new UserError('TOPOLOGY_INVALID', `topology "${topology.name}"`, problems)
  const around: Surroundings = {
    topology,
    names: {
      stormId: `${topology.name}-1-${Math.floor(options.startedMs / 1000)}`,
      name: topology.name,
      mode: 'local',
    },
    numbers: numberTasks(topology),
    resources: options.resources,
    pidDir: options.pidDir,
    logDir: options.logDir,
  }
  return { application: buildApplication(around, javaSide(around, options)), notices }
}

// One host for all Java components of the process; it starts when the first of them does.
function javaSide(around: Surroundings, { jars = [], javaAround }: TranslateOptions): JavaSide {
  const { components, javaLines: lines = ANY_LINE } = around.topology
  const place = javaAround ?? { env: process.env, homeDir: homedir() }
  const plan = () => hostPlan({ around, lines, jars, place })
  return { sidecar: new Sidecar({ plan }), longsOf: longsOf(components), chosen: new ChosenTasks() }
}

function check(topology: StormTopology): { problems: Problem[]; notices: string[] } {
  const problems = [...validateTopology(topology)]
  const notices = topologyWarnings(topology).map(warning => `${warning.place}: ${warning.message}`)
  for (const conf of [topology.config, ...topology.components.map(component => component.config)]) {
    notices.push(...checkSettings(conf).notices)
  }
  return { problems, notices: [...new Set(notices)] }
}

function buildApplication(around: Surroundings, java: JavaSide): Application {
  const { topology, names, numbers } = around
  const conf = topologyConf(topology, names)
  // Filled once the DAG has numbered its edges; tasks look at it only when they run.
  const origins: Origin[] = []
  const processors = new Map<string, AnyProcessor>()
  for (const { component: id, ids } of numbers.tasks) {
    const component = topology.components.find(c => c.id === id)
    if (component !== undefined && ids.length > 0)
      processors.set(id, makeProcessor(around, component, ids, origins, java))
  }
  const joined = topology.components.flatMap(component =>
    component.inputs.map(input => ({
      component,
      input,
      path: join(topology, processors, component, input, java.chosen),
    })),
  )
  const dag = graph(
    ...processors.values(),
    ...joined.flatMap(({ path }) => (path === undefined ? [] : [path])),
  )
  for (const edge of dag.edges) {
    const component = topology.components.find(c => c.id === dag.processors[edge.source]!.name)!
    const fields = component.streams.get(edge.port)!.fields
    const input = inputNumber(topology, dag.processors[edge.target]!.name, component.id, edge.port)
    origins[edge.id] = { component: component.id, stream: edge.port, fields, input }
  }
  const timeouts = conf['topology.enable.message.timeouts'] !== false
  return application(topology.name, dag, {
    profile: {
      guarantee: conf['topology.acker.executors'] === 0 ? 'at-most-once' : 'at-least-once',
      timeoutMs: timeouts ? numberOf(conf['topology.message.timeout.secs'], 30) * 1000 : 0,
      maxOpenRoots: OPEN_ROOTS_MAX,
    },
    serialisers: [doubleSerialiser, javaValueSerialiser],
  })
}

// As the tally counts them: from 1 in the order of the component's inputs.
function inputNumber(
  { components }: StormTopology,
  target: string,
  source: string,
  stream: string,
): number {
  const inputs = components.find(({ id }) => id === target)?.inputs ?? []
  return 1 + inputs.findIndex(input => input.component === source && input.stream === stream)
}

function makeProcessor(
  around: Surroundings,
  component: Component,
  ids: readonly number[],
  origins: readonly Origin[],
  java: JavaSide,
): AnyProcessor {
  const place = new ComponentPlace(around, component)
  const groupings = javaGroupingsOf(around.topology, around.numbers, component)
  const side = { ...java, groupings }
  const options = { parallelism: ids.length, firstTask: ids[0]! }
  if (component.kind === 'spout') {
    const create = () => new SpoutSource(place, spoutFactory(component, place, side))
    const config = {
      maxOpenRoots: numberOf(place.conf['topology.max.spout.pending'], OPEN_ROOTS_MAX),
      idleWaitMs: numberOf(place.conf['topology.sleep.spout.wait.strategy.time.ms'], 1),
    }
    return source<Values>(component.id, create, { ...options, config })
  }
  const create = () => new BoltTask(place, boltFactory(component, place, side), origins)
  return processor<Values, Values>(component.id, create, {
    ...options,
    config: { needsOrigin: true },
  }) as AnyProcessor
}

function spoutFactory(component: Component, place: ComponentPlace, side: ComponentSide) {
  const { implementation } = component
  if (implementation.kind === 'shell')
    return () => new ShellSpout(shellCommand(implementation, place))
  if (implementation.kind === 'kafka-spout') return kafkaSpout(implementation.options)
  if (implementation.kind === 'java') {
    return () => new JavaSpout({ ...implementation, ...side })
  }
  if (implementation.kind === 'spout') return implementation.create
  if (implementation.kind === 'drpc') {
    const { part } = implementation
    if (part.part === 'spout') return () => spoutOfPart(part)
  }
  throw new UserError('TOPOLOGY_INVALID', component.id, [
    { place: component.id, message: 'a bolt cannot be a spout' },
  ])
}

function boltFactory(component: Component, place: ComponentPlace, side: ComponentSide) {
  const { implementation } = component
  if (implementation.kind === 'shell')
    return () => new ShellBolt(shellCommand(implementation, place))
  if (implementation.kind === 'kafka-bolt') return kafkaBolt(implementation.options)
  if (implementation.kind === 'java') return () => new JavaBolt({ ...implementation, ...side })
  if (implementation.kind === 'bolt') return implementation.create
  if (implementation.kind === 'drpc') {
    const { part } = implementation
    if (part.part !== 'spout') return () => boltOfPart(part)
  }
  throw new UserError('TOPOLOGY_INVALID', component.id, [
    { place: component.id, message: 'a spout cannot be a bolt' },
  ])
}

function shellCommand(shell: ShellImplementation, place: ComponentPlace): ShellImplementation {
  return { ...shell, env: childModules(place.conf, shell.command, shell.env) }
}

function join(
  topology: StormTopology,
  processors: ReadonlyMap<string, AnyProcessor>,
  component: Component,
  input: Input,
  chosen: ChosenTasks,
): Path<never, unknown> | undefined {
  const from = processors.get(input.component) as Processor<never, Values> | undefined
  const to = processors.get(component.id) as Processor<Values, unknown> | undefined
  if (from === undefined || to === undefined) return undefined
  const fields = topology.components
    .find(c => c.id === input.component)!
    .streams.get(input.stream)!.fields
  const tasks = numberTasksOf(to)
  const sourceTasks = numberTasksOf(from)
  const partitioner =
    input.grouping.type === 'java'
      ? javaPartitioner(component.id, input.stream, tasks, chosen)
      : partitionerOf(input, input.grouping, fields, tasks, sourceTasks)
  return from.to(to, partitioner, input.stream) as Path<never, unknown>
}

function numberTasksOf(of: AnyProcessor): readonly number[] {
  const firstTask = of.options.firstTask!
  return Array.from({ length: of.options.parallelism! }, (_, index) => firstTask + index)
}

function partitionerOf(
  input: Input,
  grouping: Exclude<Grouping, { type: 'java' }>,
  fields: readonly string[],
  tasks: readonly number[],
  sourceTasks: readonly number[],
): Partitioner<Values> {
  const positions = (names: readonly string[]) => names.map(name => fields.indexOf(name))
  switch (grouping.type) {
    case 'shuffle':
    case 'none':
      return shuffle()
    case 'localOrShuffle':
      return localOrShuffle()
    case 'all':
      return broadcast()
    case 'global':
      return first()
    case 'direct':
      return direct()
    case 'fields':
      return tasks.length === 1
        ? first()
        : unicast(targets => fieldsChoice(positions(grouping.fields), targets))
    case 'partialKey':
      return tasks.length === 1
        ? first()
        : unicast(targets => partialKeyChoice(positions(grouping.fields), targets))
    case 'custom':
      return customPartitioner(input, grouping, tasks, sourceTasks)
  }
}

// The host has asked the grouping already.
function javaPartitioner(
  consumer: string,
  stream: string,
  tasks: readonly number[],
  chosen: ChosenTasks,
): Partitioner<Values> {
  return multicast(() => () => chosen.of(consumer, stream).map(task => tasks.indexOf(task)))
}

function customPartitioner(
  input: Input,
  grouping: Grouping & { type: 'custom' },
  tasks: readonly number[],
  sourceTasks: readonly number[],
): Partitioner<Values> {
  return multicast((_targets, sourceIndex) => {
    const custom = grouping.create()
    custom.prepare?.(input.component, input.stream, tasks)
    // A task that is none of the targets becomes an index out of range, which the engine refuses by name.
    return values =>
      custom.chooseTasks(sourceTasks[sourceIndex]!, values).map(task => tasks.indexOf(task))
  })
}

function numberOf(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise
}
