// From Flux definitions to the StormTopology value: makes the components, joins them by their streams, and checks
// names. What the topology itself can get wrong (fields, ids, names) is left to topology/validate.ts.
import { nearestName, type Problem } from 'gearpump/spi'
import type { BasicBolt, Bolt, Spout } from '../component/api.ts'
import { askOutputs, isBolt, isSpout } from '../topology/outputs.ts'
import { checkSettings } from '../topology/settings.ts'
import type {
  Component,
  CustomGrouping,
  Grouping,
  Implementation,
  Input,
} from '../topology/topology.ts'
import { SYSTEM_COMPONENT } from '../topology/validate.ts'
import { PartialKey } from './classes.ts'
import type {
  FluxDefinition,
  GroupingDefinition,
  ObjectDefinition,
  StreamDefinition,
  VertexDefinition,
} from './definition.ts'
import type { ObjectMaker } from './objects.ts'
import { ShellComponent } from './shell-component.ts'
import { type FluxNode, toValue } from './yaml-tree.ts'

const SIMPLE_GROUPINGS: Readonly<
  Record<string, Exclude<Grouping['type'], 'fields' | 'partialKey' | 'custom' | 'java'>>
> = {
  SHUFFLE: 'shuffle',
  LOCAL_OR_SHUFFLE: 'localOrShuffle',
  ALL: 'all',
  GLOBAL: 'global',
  NONE: 'none',
  DIRECT: 'direct',
}
const GROUPINGS = [...Object.keys(SIMPLE_GROUPINGS), 'FIELDS', 'PARTIAL_KEY', 'CUSTOM']

export interface Found {
  readonly problems: Problem[]
  readonly notices: string[]
}

/** The components of a topology, spouts first. Mistakes go into `found`; components that have some are left out. */
export function buildComponents(
  definition: FluxDefinition,
  maker: ObjectMaker,
  found: Found,
): Component[] {
  reportSharedIds(definition, found.problems)
  for (const bean of definition.components) maker.tryMake(bean, found.problems)
  const vertices = [...definition.spouts, ...definition.bolts]
  const components = new Map<string, Component>()
  for (const vertex of vertices) {
    const component = componentOf(vertex, maker, found)
    if (component !== undefined) components.set(vertex.id.value, component)
  }
  const inputs = inputsOf(definition, components, maker, found)
  const listening = new Set(definition.streams.map(stream => stream.to.value))
  return [...components.values()]
    .filter(({ id, kind, place }) => {
      if (kind === 'spout' || listening.has(id)) return true
      found.notices.push(`${place}: bolt "${id}" is left out: no stream leads to it`)
      return false
    })
    .map(component => ({ ...component, inputs: inputs.get(component.id) ?? [] }))
}

// Within spouts and within bolts the last one of an id stays (includes.ts); one of each kind cannot share it.
function reportSharedIds({ spouts, bolts }: FluxDefinition, problems: Problem[]): void {
  const places = new Map(spouts.map(({ id }) => [id.value, id.place]))
  for (const { id } of bolts) {
    const earlier = places.get(id.value)
    if (earlier === undefined) continue
    problems.push({
      place: id.place,
      message: `the id "${id.value}" is taken already`,
      hint: `at ${earlier}`,
    })
  }
}

function componentOf(
  vertex: VertexDefinition,
  maker: ObjectMaker,
  found: Found,
): Component | undefined {
  const { id, kind, parallelism, numTasks } = vertex
  const made = implement(vertex, maker, found.problems)
  const config = {
    ...made?.config,
    ...vertex.loads,
    ...settingsOf(vertex.config?.entries ?? new Map(), found),
  }
  if (made === undefined) return undefined
  reportConfig(`component ${id.value}`, id.place, made.config, found)
  for (const notice of checkSettings(vertex.loads).notices) {
    found.notices.push(`component ${id.value}: ${notice}`)
  }
  return {
    id: id.value,
    kind,
    implementation: made.implementation,
    inputs: [],
    streams: made.streams,
    parallelismHint: parallelism,
    numTasks,
    config,
    place: id.place,
  }
}

type Made = Pick<Component, 'implementation' | 'streams' | 'config'>

function implement(
  vertex: VertexDefinition,
  maker: ObjectMaker,
  problems: Problem[],
): Made | undefined {
  const { kind, className } = vertex
  const before = problems.length
  const made = maker.tryMake(vertex, problems)
  if (problems.length > before) return undefined
  const shellKind = /Spout$/.test(className.value) ? 'spout' : 'bolt'
  if (made instanceof ShellComponent && shellKind === kind) {
    const { command, env, changeChildCwd, streams, config } = made.describe()
    return { implementation: { kind: 'shell', command, env, changeChildCwd }, streams, config }
  }
  if (kind === 'spout' ? isSpout(made) : isBolt(made)) {
    const create = () => maker.make(vertex) as Spout & Bolt & BasicBolt
    try {
      const outputs = askOutputs(made as Spout & Bolt & BasicBolt)
      return { implementation: { kind, create } as Implementation, ...outputs }
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown)
      problems.push({
        place: className.place,
        message: `${className.value} cannot declare its outputs: ${reason}`,
      })
      return undefined
    }
  }
  problems.push({
    place: className.place,
    message: `${className.value} is not a ${kind}`,
    hint: `a ${kind} has ${kind === 'spout' ? 'open, nextTuple' : 'prepare, execute'} and declareOutputFields`,
  })
  return undefined
}

/** Settings as plain data, each checked at its own place. */
export function settingsOf(
  entries: ReadonlyMap<string, { readonly keyPlace: string; readonly value: FluxNode }>,
  found: Found,
): Record<string, unknown> {
  const settings: [string, unknown][] = []
  for (const [key, { keyPlace, value }] of entries) {
    const plain = toValue(value)
    settings.push([key, plain])
    const { problems, notices } = checkSettings({ [key]: plain })
    found.problems.push(...problems.map(problem => ({ ...problem, place: keyPlace })))
    found.notices.push(...notices.map(notice => `${keyPlace}: ${notice}`))
  }
  return Object.fromEntries(settings)
}

function reportConfig(
  what: string,
  place: string,
  config: Component['config'],
  found: Found,
): void {
  const { problems, notices } = checkSettings(config)
  found.problems.push(...problems.map(problem => ({ ...problem, place })))
  found.notices.push(...notices.map(notice => `${what}: ${notice}`))
}

function inputsOf(
  definition: FluxDefinition,
  components: ReadonlyMap<string, Component>,
  maker: ObjectMaker,
  { problems, notices }: Found,
): Map<string, Input[]> {
  const names = endsOf(definition)
  const inputs = new Map<string, Input[]>()
  for (const stream of definition.streams) {
    const grouping = groupingOf(stream, components, maker, problems)
    const sound = reportEnds(stream, names, problems)
    if (grouping === undefined || !sound) continue
    const input = {
      component: stream.from.value,
      stream: stream.grouping.streamId,
      grouping,
      place: stream.place,
    }
    const list = inputs.get(stream.to.value) ?? []
    inputs.set(stream.to.value, list)
    const at = list.findIndex(i => i.component === input.component && i.stream === input.stream)
    if (at === -1) list.push(input)
    else {
      // Storm keeps subscriptions in a map: the last grouping is the one that counts.
      notices.push(`${input.place}: takes the place of the subscription at ${list[at]!.place}`)
      list[at] = input
    }
  }
  return inputs
}

interface Ends {
  readonly spouts: ReadonlySet<string>
  readonly bolts: ReadonlySet<string>
  readonly listening: ReadonlySet<string>
}

function endsOf({ spouts, bolts, streams }: FluxDefinition): Ends {
  return {
    spouts: new Set(spouts.map(s => s.id.value)),
    bolts: new Set(bolts.map(b => b.id.value)),
    listening: new Set(streams.map(s => s.to.value)),
  }
}

// Unknown names are told here, where both are at hand; validateStructure would see only what was built.
function reportEnds({ from, to }: StreamDefinition, ends: Ends, problems: Problem[]): boolean {
  const { spouts, bolts, listening } = ends
  const before = problems.length
  if (spouts.has(to.value)) {
    problems.push({
      place: to.place,
      message: `"${to.value}" is a spout and cannot take a stream`,
      hint: 'streams lead to bolts',
    })
  } else if (!bolts.has(to.value)) {
    problems.push(unknownEnd('bolt', to, bolts))
  }
  if (bolts.has(from.value) && !listening.has(from.value)) {
    problems.push({
      place: from.place,
      message: `bolt "${from.value}" never runs, since no stream leads to it`,
      hint: 'add a stream to it, or take this one out',
    })
  } else if (from.value !== SYSTEM_COMPONENT && !spouts.has(from.value) && !bolts.has(from.value)) {
    problems.push(unknownEnd('spout or bolt', from, [...spouts, ...bolts]))
  }
  return problems.length === before
}

function unknownEnd(
  what: string,
  { value, place }: StreamDefinition['from'],
  known: Iterable<string>,
): Problem {
  const names = [...known]
  const near = nearestName(value, names)
  const listed = names.slice(0, NAMES_SHOWN_MAX).join(', ')
  return {
    place,
    message: `there is no ${what} "${value}"`,
    hint: near === undefined ? `there are: ${listed}` : `did you mean "${near}"?`,
  }
}

/** Names listed in a hint when none is near. */
const NAMES_SHOWN_MAX = 8

function groupingOf(
  stream: StreamDefinition,
  components: ReadonlyMap<string, Component>,
  maker: ObjectMaker,
  problems: Problem[],
): Grouping | undefined {
  const { grouping } = stream
  const { type, args } = grouping
  const name = type.value.toUpperCase()
  const simple = SIMPLE_GROUPINGS[name]
  if (simple !== undefined) return { type: simple }
  if (name === 'FIELDS' || name === 'PARTIAL_KEY') {
    if (args !== undefined) {
      return { type: name === 'FIELDS' ? 'fields' : 'partialKey', fields: args.value }
    }
    problems.push({
      place: grouping.place,
      message: `${name} grouping needs args`,
      hint: 'the fields to group by, such as args: ["word"]',
    })
    return undefined
  }
  if (name === 'CUSTOM') return customGrouping(stream, components, maker, problems)
  const near = nearestName(name, GROUPINGS)
  problems.push({
    place: type.place,
    message: `there is no grouping type "${type.value}"`,
    hint: near === undefined ? `there are ${GROUPINGS.join(', ')}` : `did you mean ${near}?`,
  })
  return undefined
}

function customGrouping(
  { from, grouping }: StreamDefinition,
  components: ReadonlyMap<string, Component>,
  maker: ObjectMaker,
  problems: Problem[],
): Grouping | undefined {
  const { customClass } = grouping
  if (customClass === undefined) {
    problems.push(missingClass(grouping))
    return undefined
  }
  const before = problems.length
  const made = maker.tryMake(customClass, problems)
  if (problems.length > before) return undefined
  if (made instanceof PartialKey) {
    const first = components.get(from.value)?.streams.get(grouping.streamId)?.fields.slice(0, 1)
    return { type: 'partialKey', fields: made.fields ?? first ?? [] }
  }
  if (isCustomGrouping(made)) {
    return { type: 'custom', create: () => maker.make(customClass) as CustomGrouping }
  }
  problems.push(notGrouping(customClass))
  return undefined
}

function missingClass({ place }: GroupingDefinition): Problem {
  return { place, message: 'CUSTOM grouping needs customClass' }
}

function notGrouping({ className: { value, place } }: ObjectDefinition): Problem {
  return { place, message: `${value} is not a grouping`, hint: 'a grouping has chooseTasks' }
}

function isCustomGrouping(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    'chooseTasks' in value &&
    typeof value.chooseTasks === 'function'
  )
}
