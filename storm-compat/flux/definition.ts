// A Flux file as typed definitions, before any meaning: which keys may stand where, and of which type. It is read
// from the tree of yaml-tree.ts; every mistake becomes a Problem at its own place, and reading goes on after it.
import type { Problem } from 'gearpump/spi'
import { NodeReader } from './node-reader.ts'
import type { FluxNode, MapNode } from './yaml-tree.ts'

/** A value with the place where it stands. */
export interface Placed<T> {
  readonly value: T
  readonly place: string
}

export interface MethodCall {
  readonly name: string
  readonly place: string
  readonly args: readonly FluxNode[]
}

export interface PropertyDefinition {
  readonly name: string
  readonly place: string
  /** One of the two is there. */
  readonly value: FluxNode | undefined
  readonly ref: Placed<string> | undefined
}

/** Something that is made of a class: a component, spout, bolt or custom grouping. */
export interface ObjectDefinition {
  readonly place: string
  /** Folder of the file in which it stands; modules are looked for from there. */
  readonly folder: string
  readonly className: Placed<string>
  readonly constructorArgs: readonly FluxNode[]
  readonly properties: readonly PropertyDefinition[]
  readonly configMethods: readonly MethodCall[]
  readonly factory: Placed<string> | undefined
  readonly factoryArgs: readonly FluxNode[]
}

export interface BeanDefinition extends ObjectDefinition {
  readonly id: Placed<string>
}

export interface VertexDefinition extends BeanDefinition {
  readonly kind: 'spout' | 'bolt'
  readonly parallelism: number
  readonly numTasks: number | undefined
  readonly config: MapNode | undefined
  /** Memory and CPU loads, as the settings that Storm makes of them. */
  readonly loads: Readonly<Record<string, number>>
}

export interface StreamDefinition {
  readonly place: string
  readonly from: Placed<string>
  readonly to: Placed<string>
  readonly grouping: GroupingDefinition
}

export interface GroupingDefinition {
  readonly place: string
  readonly type: Placed<string>
  readonly streamId: string
  readonly args: Placed<readonly string[]> | undefined
  readonly customClass: ObjectDefinition | undefined
}

export interface IncludeDefinition {
  readonly file: Placed<string>
  readonly resource: boolean
  readonly override: boolean
}

export interface FluxDefinition {
  name: Placed<string> | undefined
  /** Settings by key, each with its place. */
  readonly config: Map<string, { readonly keyPlace: string; readonly value: FluxNode }>
  readonly components: BeanDefinition[]
  readonly spouts: VertexDefinition[]
  readonly bolts: VertexDefinition[]
  readonly streams: StreamDefinition[]
  readonly includes: readonly IncludeDefinition[]
}

const TOP_KEYS = [
  'name',
  'config',
  'components',
  'includes',
  'spouts',
  'bolts',
  'streams',
  'topologySource',
  'workerHooks',
]
const OBJECT_KEYS = [
  'className',
  'constructorArgs',
  'properties',
  'configMethods',
  'factory',
  'factoryArgs',
]
const BEAN_KEYS = ['id', ...OBJECT_KEYS]
const LOAD_SETTINGS: Readonly<Record<string, string>> = {
  onHeapMemoryLoad: 'topology.component.resources.onheap.memory.mb',
  offHeapMemoryLoad: 'topology.component.resources.offheap.memory.mb',
  cpuLoad: 'topology.component.cpu.pcore.percent',
}
const VERTEX_KEYS = [
  ...BEAN_KEYS,
  'parallelism',
  'numTasks',
  'config',
  ...Object.keys(LOAD_SETTINGS),
]

const NEEDS_JAR = 'Java code runs only where its jar is submitted, by storm jar'

/** Reads the tree of one file. `folder` is where the file lies. */
export function readDefinition(
  root: FluxNode,
  folder: string,
  problems: Problem[],
): FluxDefinition {
  return new DefinitionReader(folder, problems).definition(root)
}

class DefinitionReader {
  readonly #folder: string
  readonly #problems: Problem[]
  readonly #nodes: NodeReader

  constructor(folder: string, problems: Problem[]) {
    this.#folder = folder
    this.#problems = problems
    this.#nodes = new NodeReader(problems)
  }

  definition(root: FluxNode): FluxDefinition {
    const nodes = this.#nodes
    const top = nodes.map(root, 'a topology', TOP_KEYS)
    this.#refuseJava(top)
    const config = nodes.optionalMap(top, 'config')
    return {
      name: nodes.optionalText(top, 'name'),
      config: new Map(config?.entries),
      components: this.#each(top, 'components', node => this.#bean(node, 'a component', BEAN_KEYS)),
      spouts: this.#each(top, 'spouts', node => this.#vertex(node, 'spout')),
      bolts: this.#each(top, 'bolts', node => this.#vertex(node, 'bolt')),
      streams: this.#each(top, 'streams', node => this.#stream(node)),
      includes: this.#each(top, 'includes', node => this.#include(node)),
    }
  }

  // Reported at their keys, so that all else in the file is still read and checked.
  #refuseJava(top: MapNode | undefined): void {
    for (const key of ['topologySource', 'workerHooks']) {
      const entry = top?.entries.get(key)
      if (entry === undefined || isEmpty(entry.value)) continue
      const message = `${key} names Java code. ${NEEDS_JAR}`
      const hint =
        key === 'topologySource' ? 'declare spouts, bolts and streams instead' : 'leave it out'
      this.#problems.push({ place: entry.keyPlace, message, hint })
    }
  }

  #each<T>(top: MapNode | undefined, key: string, read: (node: FluxNode) => T | undefined): T[] {
    return this.#nodes
      .optionalList(top, key)
      .map(read)
      .filter(item => item !== undefined)
  }

  #bean(node: FluxNode, what: string, keys: readonly string[]): BeanDefinition | undefined {
    const map = this.#nodes.map(node, what, keys)
    if (map === undefined) return undefined
    const id = this.#nodes.text(map, 'id', what)
    const object = this.#object(map, id === undefined ? what : `"${id.value}"`)
    return id === undefined || object === undefined ? undefined : { ...object, id }
  }

  #object(map: MapNode, what: string): ObjectDefinition | undefined {
    const nodes = this.#nodes
    const className = nodes.text(map, 'className', what)
    const properties = nodes.optionalList(map, 'properties').map(n => this.#property(n))
    const configMethods = nodes.optionalList(map, 'configMethods').map(n => this.#method(n))
    const rest = {
      place: map.place,
      folder: this.#folder,
      constructorArgs: nodes.optionalList(map, 'constructorArgs'),
      properties: properties.filter(p => p !== undefined),
      configMethods: configMethods.filter(m => m !== undefined),
      factory: nodes.optionalText(map, 'factory'),
      factoryArgs: nodes.optionalList(map, 'factoryArgs'),
    }
    return className === undefined ? undefined : { ...rest, className }
  }

  #method(node: FluxNode): MethodCall | undefined {
    const map = this.#nodes.map(node, 'a config method', ['name', 'args'])
    const name = this.#nodes.text(map, 'name', 'a config method')
    const args = this.#nodes.optionalList(map, 'args')
    return name === undefined ? undefined : { name: name.value, place: node.place, args }
  }

  #property(node: FluxNode): PropertyDefinition | undefined {
    const map = this.#nodes.map(node, 'a property', ['name', 'value', 'ref'])
    const name = this.#nodes.text(map, 'name', 'a property')
    if (map === undefined || name === undefined) return undefined
    const ref = this.#nodes.optionalText(map, 'ref')
    const value = map.entries.get('value')?.value
    if ((ref === undefined) === (value === undefined)) {
      this.#problems.push({
        place: node.place,
        message: `property "${name.value}" must have a value or a ref, and not both`,
      })
      return undefined
    }
    return { name: name.value, place: node.place, value, ref }
  }

  #vertex(node: FluxNode, kind: 'spout' | 'bolt'): VertexDefinition | undefined {
    const nodes = this.#nodes
    const what = `a ${kind}`
    const bean = this.#bean(node, what, VERTEX_KEYS)
    if (bean === undefined || node.kind !== 'map') return undefined
    const loads: Record<string, number> = {}
    for (const [key, setting] of Object.entries(LOAD_SETTINGS)) {
      const load = nodes.optionalNumber(node, key)
      if (load !== undefined && load >= 0) loads[setting] = load
    }
    // Java's int fields start at -1 there, so a written -1 means "not set".
    const numTasks = nodes.optionalCount(node, 'numTasks', -1)
    return {
      ...bean,
      kind,
      parallelism: nodes.optionalCount(node, 'parallelism') ?? 1,
      numTasks: numTasks === -1 ? undefined : numTasks,
      config: nodes.optionalMap(node, 'config'),
      loads,
    }
  }

  #stream(node: FluxNode): StreamDefinition | undefined {
    const nodes = this.#nodes
    const map = nodes.map(node, 'a stream', ['id', 'name', 'from', 'to', 'grouping'])
    if (map === undefined) return undefined
    const from = nodes.text(map, 'from', 'a stream')
    const to = nodes.text(map, 'to', 'a stream')
    const entry = map.entries.get('grouping')
    if (entry === undefined) {
      this.#problems.push({
        place: map.place,
        message: 'a stream needs a grouping',
        hint: 'such as grouping: {type: SHUFFLE}',
      })
    }
    const grouping = entry === undefined ? undefined : this.#grouping(entry.value)
    if (from === undefined || to === undefined || grouping === undefined) return undefined
    return { place: map.place, from, to, grouping }
  }

  #grouping(node: FluxNode): GroupingDefinition | undefined {
    const nodes = this.#nodes
    const map = nodes.map(node, 'a grouping', ['type', 'streamId', 'args', 'customClass'])
    if (map === undefined) return undefined
    const custom = map.entries.get('customClass')?.value
    const customMap =
      custom === undefined || isEmpty(custom)
        ? undefined
        : nodes.map(custom, 'a custom grouping', OBJECT_KEYS)
    const type = nodes.text(map, 'type', 'a grouping')
    if (type === undefined) return undefined
    return {
      place: map.place,
      type,
      streamId: nodes.optionalText(map, 'streamId')?.value ?? 'default',
      args: nodes.optionalTexts(map, 'args'),
      customClass:
        customMap === undefined ? undefined : this.#object(customMap, 'a custom grouping'),
    }
  }

  #include(node: FluxNode): IncludeDefinition | undefined {
    const nodes = this.#nodes
    const map = nodes.map(node, 'an include', ['resource', 'file', 'override'])
    const file = nodes.text(map, 'file', 'an include')
    const resource = nodes.optionalFlag(map, 'resource') ?? false
    const override = nodes.optionalFlag(map, 'override') ?? false
    return file === undefined ? undefined : { file, resource, override }
  }
}

function isEmpty(node: FluxNode): boolean {
  if (node.kind === 'list') return node.items.length === 0
  return node.kind === 'scalar' && node.value === null
}
