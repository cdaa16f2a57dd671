// A Java component of a submitted topology, without Java: subclasses of Storm's ShellBolt and ShellSpout become the
// command that they would start, Storm's own Kafka classes a plain configuration, and of everything else the classes are
// named. `storm jar` serialises every component as a Java object, also those whose work is all done by a child process.
// What a subclass overrides in Java is not in the stream; who has read its class (shell-overrides.ts) can say.
import { EngineError } from 'gearpump/spi'
import type { DrpcPart } from '../drpc/part.ts'
import { nativeKafka } from '../kafka/java-components.ts'
import type { Implementation } from '../topology/topology.ts'
import { readDrpc } from './drpc-classes.ts'
import {
  classNames,
  fieldOf,
  isObject,
  type JavaClass,
  type JavaObject,
  type JavaPart,
  type JavaValue,
  partOf,
} from './java-nodes.ts'
import { readJavaClass, readJavaObject } from './java-stream.ts'
import { type PlainValue, stormFieldsOf, textMapOf, textsOf } from './java-values.ts'
import { type KafkaComponent, readKafka } from './kafka-classes.ts'
import type { OverrideOf } from './shell-overrides.ts'

/** A component that starts a process, as `ShellDescription` has it. */
export interface JavaShell {
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly changeChildCwd: boolean
}

/** What Flux's FluxShellSpout and FluxShellBolt know beside the command. */
export interface JavaShellOutput {
  readonly streams: ReadonlyMap<string, readonly string[]>
  readonly config: ReadonlyMap<string, PlainValue>
}

/** `superNames` begins with the class next above `className`; both as the stream names them. */
export interface JavaClassNames {
  readonly className: string
  readonly superNames: readonly string[]
  /** The user's class, if Storm put it into one of its own: every basic, windowed or stateful bolt. */
  readonly wraps?: string
  /** Of a component that starts a process: the method for which it needs Java all the same. */
  readonly override?: string
}

export type JavaComponent =
  | { readonly shell: JavaShell; readonly output?: JavaShellOutput; readonly java: JavaClassNames }
  | { readonly kafka: KafkaComponent; readonly java: JavaClassNames }
  | { readonly drpc: DrpcPart; readonly java: JavaClassNames }
  | { readonly java: JavaClassNames }

/** `backtype` until Storm 0.10. */
const SHELL_CLASS = /^(?:org\.apache|backtype)\.storm\.(?:task\.ShellBolt|spout\.ShellSpout)$/
const FLUX_CLASS = /\.storm\.flux\.wrappers\.(?:bolts\.FluxShellBolt|spouts\.FluxShellSpout)$/
const WRAPPER =
  /^(?:org\.apache|backtype)\.storm\.(?:topology\.\w+Executor|coordination\.(?:CoordinatedBolt|BatchBoltExecutor)|drpc\.KeyedFairBolt)$/

/** Where a wrapper has what it wraps; Storm wraps twice at most. */
const WRAPPED_FIELDS = ['bolt', '_bolt', 'delegate', '_delegate']
const WRAPPERS_MAX = 4

const NO_OVERRIDES: OverrideOf = () => undefined

/** Reads `ComponentObject.serialized_java`. Throws JAVA_STREAM_INVALID. */
export function readJavaComponent(
  bytes: Uint8Array,
  overrideOf: OverrideOf = NO_OVERRIDES,
): JavaComponent {
  // The class comes first; of a user's own component the rest may be anything, and is not needed.
  const described = readJavaClass(bytes)
  if (described === undefined) refuse('the component is no Java object', undefined)
  const [className = '', ...superNames] = classNames(described)
  const java = { className, superNames }
  const shellClass = shellClassOf(described)
  if (shellClass !== undefined) {
    const override = overrideOf(belowShell(described))
    if (override !== undefined) return { java: { ...java, override } }
    const object = objectOf(bytes, className)
    const output = outputOf(object)
    const shell = shellOf(partOf(object, shellClass)!, className)
    return { shell, ...(output === undefined ? {} : { output }), java }
  }
  const kafka = readKafka(className, () => objectOf(bytes, className))
  if (kafka !== undefined) return { kafka, java }
  const wrapped = { override: undefined as string | undefined }
  const drpc = readDrpc(
    className,
    () => readable(bytes, className),
    object => {
      wrapped.override ??= overrideOf(belowShell(object.class))
      return wrapped.override === undefined ? wrappedShell(object) : undefined
    },
  )
  if (wrapped.override !== undefined) return { java: { ...java, override: wrapped.override } }
  if (drpc !== undefined) return { drpc, java }
  const wraps = WRAPPER.test(className) ? wrappedClass(bytes, className) : undefined
  return { java: wraps === undefined ? java : { ...java, wraps } }
}

// The class of the wrapper is true whatever the rest is; who cannot be read further is only named less well.
function wrappedClass(bytes: Uint8Array, className: string): string | undefined {
  let object = readable(bytes, className)
  if (object === undefined) return undefined
  for (let depth = 0; depth < WRAPPERS_MAX && WRAPPER.test(object.className); depth++) {
    const outer: JavaObject = object
    const inner = WRAPPED_FIELDS.map(name => fieldOf(outer, name)).find(isObject)
    if (inner === undefined) break
    object = inner
  }
  return object.className === className ? undefined : object.className
}

function readable(bytes: Uint8Array, className: string): JavaObject | undefined {
  try {
    return objectOf(bytes, className)
  } catch (error) {
    if (error instanceof EngineError && error.code === 'JAVA_STREAM_INVALID') return undefined
    throw error
  }
}

function objectOf(bytes: Uint8Array, className: string): JavaObject {
  const value = readJavaObject(bytes)
  if (!isObject(value)) refuse('the component is no Java object', className)
  return value
}

function shellOf(part: JavaPart, className: string): JavaShell {
  const command = textsOf(part.fields.get('command') ?? part.fields.get('_command'))
  if (command === undefined || command.length === 0) {
    refuse('it has no command to start', className)
  }
  return {
    command,
    env: environmentOf(part.fields.get('env')),
    // Storm 1.1 and later; before, a child always ran in the resources folder.
    changeChildCwd: part.fields.get('changeDirectory') !== false,
  }
}

// The process that a component inside of another one starts; undefined if it starts none.
function wrappedShell(object: JavaObject): JavaShell | undefined {
  const shellClass = shellClassOf(object.class)
  if (shellClass === undefined) return undefined
  return shellOf(partOf(object, shellClass)!, object.className)
}

function shellClassOf(described: JavaClass): string | undefined {
  return classNames(described).find(name => SHELL_CLASS.test(name))
}

/** The subclasses of ShellBolt or ShellSpout; none for any other class. */
function belowShell(described: JavaClass): string[] {
  const names = classNames(described)
  return names.slice(
    0,
    Math.max(
      0,
      names.findIndex(name => SHELL_CLASS.test(name)),
    ),
  )
}

function environmentOf(value: JavaValue | undefined): Record<string, string> {
  const entries = [...(textMapOf(value) ?? [])]
  return Object.fromEntries(entries.map(([name, text]) => [name, String(text)]))
}

function outputOf(object: JavaObject): JavaShellOutput | undefined {
  const part = object.parts.find(({ className }) => FLUX_CLASS.test(className))
  if (part === undefined) return undefined
  const config = part.fields.get('componentConfig') ?? part.fields.get('_componentConfig')
  return {
    streams: streamsOf(part.fields.get('outputFields')),
    config: textMapOf(config) ?? new Map(),
  }
}

// Flux 1.1 and later: fields by stream. Before, the fields of the default stream alone.
function streamsOf(value: JavaValue | undefined): ReadonlyMap<string, readonly string[]> {
  const fields = textsOf(value)
  if (fields !== undefined) return new Map([['default', fields]])
  const streams = new Map<string, readonly string[]>()
  for (const [stream, found] of textMapOf(value) ?? []) {
    if (Array.isArray(found)) streams.set(stream, found.map(String))
  }
  return streams
}

/** The fields of a PartialKeyGrouping that names some; undefined for the first field, and for all other classes. */
export function readPartialKey(
  bytes: Uint8Array,
  className: string,
): readonly string[] | undefined {
  if (!className.endsWith('.storm.grouping.PartialKeyGrouping')) return undefined
  return stormFieldsOf(fieldOf(objectOf(bytes, className), 'fields') ?? null)
}

function refuse(reason: string, className: string | undefined): never {
  const what = className === undefined ? 'a component' : `the component of class ${className}`
  throw new EngineError('JAVA_STREAM_INVALID', `${what} cannot be used: ${reason}`, {
    hint: 'look at how the topology makes this component, and submit it again',
    details: { className, reason },
  })
}

/** What runs without Java (commands, Storm's Kafka components), or the class, with why it stays Java. */
export function shellOrClass(
  bytes: Uint8Array,
  overrideOf?: OverrideOf,
): { readonly shell: JavaShell } | { readonly native: Implementation } | { readonly java: string } {
  const read = readJavaComponent(bytes, overrideOf)
  if ('shell' in read) return { shell: read.shell }
  if ('drpc' in read) return { native: { kind: 'drpc', part: read.drpc } }
  if ('kafka' in read) {
    const kafka = nativeKafka(read.kafka)
    return 'native' in kafka ? kafka : { java: `${read.java.className}: ${kafka.java}` }
  }
  const { className, wraps, override } = read.java
  if (override !== undefined) {
    return { java: `${className}: it starts a process, and overrides ${override} in Java` }
  }
  return { java: wraps === undefined ? className : `${wraps} (in ${className})` }
}
