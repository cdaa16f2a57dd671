// A topology as it came over Thrift, made into the plain value that translate() takes. Every mistake is collected. Components
// that are serialised Java objects are shown to a reader that is passed in: multi-lang ones among them are commands like any
// others, the rest cannot run here and is refused by component and class.
import type { Problem } from 'gearpump'
import { asError } from 'gearpump/spi'
import type { Conf } from '../component/api.ts'
import { cluesOf, type LineClues, linesOf, type StormLine } from '../jvm/java-line.ts'
import type { FoundJava, MissingJava } from '../jvm/java-place.ts'
import { readPartialKey } from '../jvm/shell-classes.ts'
import type { OverrideOf } from '../jvm/shell-overrides.ts'
import type {
  Bolt,
  ComponentCommon,
  ComponentObject,
  Grouping as GroupingWord,
  JavaObject,
  JavaObjectArg,
  SpoutSpec,
  StormTopology as TopologyMessage,
} from '../thrift/storm-topology.ts'
import type {
  Component,
  Grouping,
  Implementation,
  JavaArgument,
  JavaObjectSource,
  StormTopology,
  Stream,
} from '../topology/topology.ts'
import type { JarClasses } from './jar-classes.ts'
import { javaClassName } from './java-class-name.ts'

/** What a serialised Java component turned out to be. */
export type JavaComponent =
  | {
      readonly shell: {
        readonly command: readonly string[]
        readonly env?: Readonly<Record<string, string>>
        readonly changeChildCwd?: boolean
      }
    }
  /** One of Storm's own, which runs here without Java. */
  | { readonly native: Implementation }
  /** The name of its class. */
  | { readonly java: string }

export type ReadJavaComponent = (bytes: Uint8Array, overrideOf?: OverrideOf) => JavaComponent

/** Without a reader of Java objects: the class by its name, nothing more. */
export const readClassName: ReadJavaComponent = bytes => ({ java: javaClassName(bytes) })

export interface ReadOptions {
  readonly name: string
  /** The topology's conf as JSON text. */
  readonly jsonConf: string
  readonly message: TopologyMessage
  readonly readJava?: ReadJavaComponent
  /** What the topology's jar tells of its components' classes. */
  readonly jarClasses?: JarClasses
  /** Looks for what runs Java components; without it they are refused. */
  readonly findJava?: FindJava
}

export type FindJava = (lines: readonly StormLine[], conf: Conf) => FoundJava | MissingJava

export interface ReadTopology {
  readonly topology: StormTopology
  readonly problems: readonly Problem[]
  /** What came with the topology and does nothing here. */
  readonly notices: readonly string[]
}

const PARTIAL_KEY = /^(?:org\.apache|backtype)\.storm\.grouping\.PartialKeyGrouping$/

const NO_JVM_HINT = 'only multi-lang (shell) components run without a JVM'

/** Reads all of it, also behind mistakes. */
export function readTopology(options: ReadOptions): ReadTopology {
  const { message, name } = options
  const reader = new Reader(options.readJava ?? readClassName, options.jarClasses)
  const components = [
    ...[...message.spouts].map(([id, spout]) => reader.spout(id, spout)),
    ...[...message.bolts].map(([id, bolt]) => reader.bolt(id, bolt)),
  ]
  for (const id of message.state_spouts.keys()) {
    reader.problem(`component ${id}`, 'is a state spout', 'Storm itself never ran these')
  }
  const config = withoutZooKeeperLogin(reader.conf('topology conf', options.jsonConf))
  const javaLines = reader.checkJava(message.storm_version, config, options.findJava)
  const grouped = components.map(component => reader.settleGroupings(component, components))
  return {
    topology: {
      name,
      config,
      components: grouped,
      ...(javaLines === undefined ? {} : { javaLines }),
    },
    problems: reader.problems,
    notices: [...noticesOf(message), ...noticesOfConf(config, javaLines !== undefined)],
  }
}

class Reader {
  readonly problems: Problem[] = []
  readonly #readJava: ReadJavaComponent
  readonly #jarClasses: JarClasses | undefined
  /** Java components, by their place. */
  readonly #found: { place: string; what: string; clues: LineClues }[] = []

  constructor(readJava: ReadJavaComponent, jarClasses: JarClasses | undefined) {
    this.#readJava = readJava
    this.#jarClasses = jarClasses
  }

  problem(place: string, message: string, hint?: string): void {
    this.problems.push({ place, message, ...(hint === undefined ? {} : { hint }) })
  }

  spout(id: string, { spout_object, common }: SpoutSpec): Component {
    return this.#component(id, 'spout', spout_object, common)
  }

  bolt(id: string, { bolt_object, common }: Bolt): Component {
    return this.#component(id, 'bolt', bolt_object, common)
  }

  #component(
    id: string,
    kind: Component['kind'],
    object: ComponentObject,
    common: ComponentCommon,
  ): Component {
    const place = `component ${id}`
    return {
      id,
      kind,
      place,
      implementation: this.#implementation(place, object),
      inputs: common.inputs.map(([{ componentId, streamId }, grouping]) => ({
        component: componentId,
        stream: streamId,
        grouping: this.#grouping(`${place}, input ${componentId}/${streamId}`, grouping),
        place,
      })),
      streams: streamsOf(common),
      parallelismHint: common.parallelism_hint ?? 1,
      numTasks: undefined,
      config: this.conf(`${place}, its conf`, common.json_conf ?? ''),
    }
  }

  #implementation(place: string, object: ComponentObject): Implementation {
    switch (object.kind) {
      case 'shell': {
        // Exactly two words, also when the second holds blanks: streamparse splits it itself.
        const words = [object.value.execution_command, object.value.script]
        const command = words.filter(word => word !== undefined && word !== '') as string[]
        if (command.length === 0) this.problem(place, 'has an empty command')
        return shell(command)
      }
      case 'serialized_java':
        return this.#java(place, object.value)
      case 'java_object':
        return this.#javaObject(place, object.value)
      case 'unknown':
        this.problem(place, `is of a kind (${object.value.id}) that is not known here`)
        return shell(['unknown'])
    }
  }

  #java(place: string, bytes: Uint8Array): Implementation {
    let component: JavaComponent
    try {
      component = this.#readJava(bytes, this.#jarClasses?.overrideOf)
    } catch (error) {
      this.problem(place, `is a Java object that cannot be read: ${asError(error).message}`)
      return shell(['java'])
    }
    if ('shell' in component) {
      const { command, env = {}, changeChildCwd = true } = component.shell
      return { kind: 'shell', command, env, changeChildCwd }
    }
    if ('native' in component) return component.native
    const className = component.java
    this.#found.push({ place, what: `is the Java class ${className}`, clues: cluesOf(bytes) })
    return { kind: 'java', object: { bytes }, className }
  }

  #javaObject(place: string, { full_class_name: name, args_list }: JavaObject): Implementation {
    const what = `is the Java class ${classShown({ full_class_name: name, args_list })}`
    const backtype = name.startsWith('backtype.') || this.#jarClasses?.isBacktype(name) === true
    this.#found.push({ place, what, clues: { backtype, uids: [] } })
    return { kind: 'java', object: objectOf({ full_class_name: name, args_list }), className: name }
  }

  /** A grouping in Java is evaluated where its tuples are emitted; who emits must be in Java, too, or the grouping known. */
  settleGroupings(component: Component, all: readonly Component[]): Component {
    const inputs = component.inputs.map(input => {
      const { grouping } = input
      if (grouping.type !== 'java') return input
      const source = all.find(({ id }) => id === input.component)
      if (source === undefined || source.implementation.kind === 'java') return input
      const {
        partialKey: fields = source.streams.get(input.stream)?.fields.slice(0, 1),
        className,
      } = grouping
      if (PARTIAL_KEY.test(className) && fields !== undefined) {
        return { ...input, grouping: { type: 'partialKey', fields } as const }
      }
      const place = `component ${component.id}, input ${input.component}/${input.stream}`
      const hint = `"${input.component}" is no Java component, so nobody could ask the grouping`
      this.problem(place, `is grouped by the Java class ${className}`, hint)
      return { ...input, grouping: { type: 'none' } as const }
    })
    return { ...component, inputs }
  }

  /** Refuses Java components where they cannot run. The lines that can host them, if there are any. */
  checkJava(
    version: string | undefined,
    conf: Conf,
    find: FindJava | undefined,
  ): readonly StormLine[] | undefined {
    if (this.#found.length === 0) return undefined
    const lines = linesOf(
      version,
      this.#found.map(({ clues }) => clues),
    )
    const found = find?.(lines, conf)
    if (found !== undefined && !('missing' in found)) return lines
    const hint = found?.missing ?? NO_JVM_HINT
    for (const { place, what } of this.#found) this.problem(place, what, hint)
    return undefined
  }

  #grouping(place: string, { kind, value }: GroupingWord): Grouping {
    switch (kind) {
      case 'fields':
        return value.length === 0 ? { type: 'global' } : { type: 'fields', fields: value }
      case 'local_or_shuffle':
        return { type: 'localOrShuffle' }
      case 'shuffle':
      case 'all':
      case 'none':
      case 'direct':
        return { type: kind }
      case 'custom_object':
        return { type: 'java', object: objectOf(value), className: classShown(value) }
      case 'custom_serialized':
        return serializedGrouping(value)
      case 'unknown':
        this.problem(place, `has a grouping (${value.id}) that is not known here`)
        return { type: 'none' }
    }
  }

  /** JSON text as a conf; nothing at all is an empty one. */
  conf(place: string, text: string): Conf {
    if (text.trim() === '') return {}
    try {
      const value: unknown = JSON.parse(text)
      if (value === null) return {}
      if (typeof value === 'object' && !Array.isArray(value)) return value as Conf
      this.problem(place, 'must be a JSON object')
    } catch (error) {
      this.problem(place, `is no JSON: ${asError(error).message}`)
    }
    return {}
  }
}

// Storm's clients put a secret of their own into each submission. A Nimbus whose ZooKeeper asks for no log-in takes it out again:
// Trident, for one, would log in with it, and want more settings for that.
function withoutZooKeeperLogin(conf: Conf): Conf {
  const {
    'storm.zookeeper.topology.auth.scheme': _scheme,
    'storm.zookeeper.topology.auth.payload': _payload,
    ...others
  } = conf
  return others
}

function shell(command: readonly string[]): Implementation {
  return { kind: 'shell', command, env: {}, changeChildCwd: true }
}

function classShown({ full_class_name }: JavaObject): string {
  return full_class_name === '' ? '(no name)' : full_class_name
}

function objectOf({ full_class_name, args_list }: JavaObject): JavaObjectSource {
  return { class: full_class_name, arguments: args_list.map(typedArgument) }
}

function serializedGrouping(bytes: Uint8Array): Grouping {
  const className = javaClassName(bytes)
  const partialKey = readPartialKey(bytes, className)
  const grouping = { type: 'java', object: { bytes }, className } as const
  return partialKey === undefined ? grouping : { ...grouping, partialKey }
}

function typedArgument({ kind, value }: JavaObjectArg): JavaArgument {
  switch (kind) {
    case 'int_arg':
      return ['int', value]
    case 'long_arg':
      return ['long', value]
    case 'double_arg':
      return ['double', value]
    case 'unknown':
      return ['other', null]
    default:
      return ['other', value]
  }
}

function streamsOf(common: ComponentCommon): ReadonlyMap<string, Stream> {
  return new Map(
    [...common.streams].map(([id, { output_fields, direct }]) => [
      id,
      { fields: output_fields, direct },
    ]),
  )
}

function noticesOfConf(conf: Conf, hasJava: boolean): string[] {
  const consumers = conf['topology.metrics.consumer.register']
  if (hasJava || !Array.isArray(consumers) || consumers.length === 0) return []
  return ['metrics consumers are not run: they hear of Java components, and there are none']
}

function noticesOf(message: TopologyMessage): string[] {
  const notices: string[] = []
  const count = message.worker_hooks?.length ?? 0
  if (count > 0) notices.push(`${count} worker hooks are Java objects and are not run`)
  const jars = [...(message.dependency_jars ?? []), ...(message.dependency_artifacts ?? [])]
  if (jars.length > 0) notices.push(`dependencies are not used: ${jars.join(', ')}`)
  if ((message.shared_memory?.size ?? 0) > 0) notices.push('shared memory is not accounted')
  return notices
}
