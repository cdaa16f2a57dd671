// What the JVM host of a topology is started with and told first: the command line of the JVM, and the topology as its components
// see it through their context, as plain data.
import { EngineError } from 'gearpump/spi'
import type { Conf } from '../component/api.ts'
import { describeGrouping, type Surroundings } from '../component/place.ts'
import { topologyConf } from '../topology/settings.ts'
import type { Component, Input } from '../topology/topology.ts'
import { rootOf, type StormLine } from './java-line.ts'
import { findJava, type JavaAround } from './java-place.ts'
import type { HostPlan } from './sidecar.ts'

/** Small, so that one host beside each executor is affordable; state that lives in bolts needs more. */
const HEAP_MB = 96
/** User code recurses less than a server does; there is a thread for each task. */
const STACK_KB = 512
/** Storm's first port of a worker; some components put it into names. */
const WORKER_PORT = 6700

/** Old lines, their kryo, and our own way to the socket reach into these. */
const OPENED = [
  'java.io',
  'java.lang',
  'java.lang.invoke',
  'java.lang.reflect',
  'java.math',
  'java.net',
  'java.nio',
  'java.text',
  'java.time',
  'java.util',
  'java.util.concurrent',
  'java.util.concurrent.atomic',
  'sun.nio.ch',
]

export interface PlanOptions {
  readonly around: Surroundings
  readonly lines: readonly StormLine[]
  /** The topology's jar, and others. */
  readonly jars: readonly string[]
  readonly place: JavaAround
}

/** Throws JAVA_NOT_FOUND or STORM_JARS_NOT_FOUND. */
export function hostPlan({ around, lines, jars, place }: PlanOptions): HostPlan {
  const conf = topologyConf(around.topology, around.names)
  const found = findJava(lines, conf, place)
  if ('missing' in found) {
    const [message = '', hint = ''] = found.missing.split(': ')
    throw new EngineError(
      found.code,
      `the Java components of ${around.topology.name} cannot run: ${message}`,
      {
        hint,
      },
    )
  }
  return {
    command: {
      command: found.java,
      args: [...jvmArguments(conf), '-cp', found.classPath.join(':'), 'gearpump.host.Host'],
      env: environmentOf(conf),
      cwd: around.resources,
    },
    setup: { root: rootOf(found.line), jars, ...described(around) },
    line: found.line,
  }
}

function jvmArguments(conf: Conf): string[] {
  const heap = conf['gearpump.jvm.heap.mb']
  return [
    // A Java 8 does not know modules.
    '-XX:+IgnoreUnrecognizedVMOptions',
    `-Xmx${typeof heap === 'number' ? heap : HEAP_MB}m`,
    `-Xss${STACK_KB}k`,
    '-XX:+UseSerialGC',
    // Both compilers, which halves the cost of a tuple; one thread each, however many cores there are: memory.
    '-XX:CICompilerCount=2',
    '-XX:-UsePerfData',
    '-XX:+ExitOnOutOfMemoryError',
    '-Djava.awt.headless=true',
    '-Dfile.encoding=UTF-8',
    '-Dlog4j.configurationFile=gearpump-log4j2.xml',
    '-Dlog4j2.disable.jmx=true',
    '-Dlogback.configurationFile=gearpump-logback.xml',
    ...OPENED.map(name => `--add-opens=java.base/${name}=ALL-UNNAMED`),
    ...childOptions(conf['topology.worker.childopts']),
  ]
}

function childOptions(value: unknown): string[] {
  if (value === undefined || value === null) return []
  return [value]
    .flat()
    .flatMap(text => String(text).split(/\s+/))
    .filter(word => word !== '')
}

function environmentOf(conf: Conf): Record<string, string> {
  const environment = conf['topology.environment']
  if (typeof environment !== 'object' || environment === null) return {}
  return Object.fromEntries(Object.entries(environment).map(([name, text]) => [name, String(text)]))
}

function described({ topology, numbers, names, resources, pidDir }: Surroundings): object {
  return {
    components: topology.components.map(component => ({
      id: component.id,
      kind: component.kind,
      parallelism: component.parallelismHint,
      conf: JSON.stringify(component.config),
      streams: [...component.streams].map(([id, { fields, direct }]) => [id, fields, direct]),
      inputs: component.inputs.map(inputOf),
    })),
    tasks: [...numbers.taskToComponent],
    stormId: names.stormId,
    codeDir: resources,
    pidDir,
    workerPort: WORKER_PORT,
  }
}

function inputOf({ component, stream, grouping }: Input): unknown[] {
  const description = describeGrouping(grouping)
  const fields = description.type === 'FIELDS' ? description.fields : []
  return [component, stream, description.type.toLowerCase(), fields]
}

/** Components whose integers are Longs to Java: what multi-lang children say passes through Storm as JSON. */
export function longsOf(components: readonly Component[]): ReadonlySet<string> {
  return new Set(components.filter(c => c.implementation.kind === 'shell').map(({ id }) => id))
}

/** The conf as the line knows it: classes of Storm's under the line's own package. */
export function confOf(conf: Conf, line: StormLine): Conf {
  const root = rootOf(line)
  if (root === 'org.apache.storm') return conf
  const renamed = (value: unknown): unknown =>
    typeof value === 'string' ? value.replace(/^org\.apache\.storm\./, `${root}.`) : value
  return Object.fromEntries(Object.entries(conf).map(([key, value]) => [key, renamed(value)]))
}
