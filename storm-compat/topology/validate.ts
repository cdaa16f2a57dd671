// What makes a topology wrong, found all at once: every front door builds a StormTopology value and asks here before
// it goes on. Pure. Problems stop the topology; warnings tell of what Storm accepts too, but is hardly meant.
import { nearestName, type Problem } from 'gearpump/spi'
import { checkSettings } from './settings.ts'
import { taskCount } from './task-ids.ts'
import type { Component, Input, StormTopology, Stream } from './topology.ts'

/** Topology names appear in file names and URLs; this is Storm's own rule. */
const TOPOLOGY_NAME = /^[^/.:\\]+$/
/** Ids that begin so belong to the system (`__acker`, `__tick`). */
const SYSTEM_PREFIX = '__'
/** What a bolt may subscribe to of Storm's own component, with the fields. */
export const SYSTEM_COMPONENT = '__system'
const SYSTEM_STREAMS: ReadonlyMap<string, Stream> = new Map([
  ['__tick', { fields: ['rate_secs'], direct: false }],
  ['__metrics_tick', { fields: ['interval'], direct: false }],
  ['__credentials', { fields: ['creds'], direct: false }],
])
/** Tasks of one topology: far above what one machine carries, and low enough to catch a slip of the keyboard. */
export const TASKS_MAX = 100_000

/**
 * Every mistake in the topology; empty if it may run.
 *
 * @example const problems = validateTopology(topology)
 * if (problems.length > 0) throw new UserError('TOPOLOGY_INVALID', topology.name, problems)
 */
export function validateTopology(topology: StormTopology): Problem[] {
  return [
    ...validateStructure(topology),
    ...settingsProblems('topology config', topology.config),
    ...topology.components.flatMap(c => settingsProblems(placeOf(c), c.config)),
  ]
}

/** The same without the settings, for front doors that know the place of each setting and check them themselves. */
export function validateStructure(topology: StormTopology): Problem[] {
  const byId = new Map(topology.components.map(c => [c.id, c]))
  return [
    ...nameProblems(topology),
    ...repeatedIds(topology.components),
    ...topology.components.flatMap(componentProblems),
    ...topology.components.flatMap(component =>
      component.inputs.flatMap(input => inputProblems(component, input, byId)),
    ),
    ...sizeProblems(topology),
  ]
}

/** What Storm accepts as well, but what cannot work as meant: bolts that get nothing, direct streams misused. */
export function topologyWarnings(topology: StormTopology): Problem[] {
  const byId = new Map(topology.components.map(c => [c.id, c]))
  return [
    ...unreachableBolts(topology.components),
    ...topology.components.flatMap(component =>
      component.inputs.flatMap(input => directWarnings(component, input, byId)),
    ),
  ]
}

function nameProblems({ name, components }: StormTopology): Problem[] {
  const problems: Problem[] = []
  if (!TOPOLOGY_NAME.test(name)) {
    problems.push({
      place: 'topology name',
      message: name === '' ? 'the topology has no name' : `"${name}" is not a valid topology name`,
      hint: 'a name must not be empty and must not contain / . : or \\',
    })
  }
  if (!components.some(c => c.kind === 'spout')) {
    problems.push({
      place: 'topology',
      message: 'there is no spout',
      hint: 'a topology needs at least one spout to start the flow',
    })
  }
  return problems
}

function repeatedIds(components: readonly Component[]): Problem[] {
  const first = new Map<string, Component>()
  const problems: Problem[] = []
  for (const component of components) {
    const earlier = first.get(component.id)
    if (earlier === undefined) {
      first.set(component.id, component)
      continue
    }
    const where = earlier.place === undefined ? '' : ` at ${earlier.place}`
    problems.push({
      place: placeOf(component),
      message: `the id "${component.id}" is taken by another ${earlier.kind}${where}`,
      hint: 'ids are unique over spouts and bolts',
    })
  }
  return problems
}

function componentProblems(component: Component): Problem[] {
  const { id, kind, parallelismHint, numTasks, inputs, streams } = component
  const place = placeOf(component)
  const problems: Problem[] = []
  if (id === '') problems.push({ place, message: `a ${kind} has no id` })
  if (id.startsWith(SYSTEM_PREFIX)) {
    problems.push({ place, message: `"${id}" is not a valid id`, hint: 'ids with __ are reserved' })
  }
  if (!isPositiveInteger(parallelismHint)) {
    problems.push({
      place,
      message: `the parallelism of ${kind} "${id}" must be a positive integer, is ${String(parallelismHint)}`,
    })
  }
  if (numTasks !== undefined && !isPositiveInteger(numTasks)) {
    problems.push({
      place,
      message: `the number of tasks of ${kind} "${id}" must be a positive integer, is ${String(numTasks)}`,
    })
  }
  if (kind === 'spout' && inputs.length > 0) {
    problems.push({
      place: inputs[0]!.place ?? place,
      message: `spout "${id}" must not have inputs, but subscribes to "${inputs[0]!.component}"`,
      hint: 'only bolts take inputs',
    })
  }
  if (component.implementation.kind === 'shell' && component.implementation.command.length === 0) {
    problems.push({ place, message: `${kind} "${id}" has an empty command` })
  }
  for (const [stream, declared] of streams)
    problems.push(...streamProblems(component, stream, declared))
  problems.push(...repeatedInputs(component))
  return problems
}

function streamProblems(component: Component, stream: string, declared: Stream): Problem[] {
  const place = placeOf(component)
  const problems: Problem[] = []
  if (stream === '' || stream.startsWith(SYSTEM_PREFIX)) {
    problems.push({
      place,
      message: `"${stream}" is not a valid stream id of "${component.id}"`,
      hint: 'ids must not be empty, and ids with __ are reserved',
    })
  }
  const repeated = declared.fields.find((field, i) => declared.fields.indexOf(field) !== i)
  if (repeated !== undefined) {
    problems.push({
      place,
      message: `stream "${stream}" of "${component.id}" declares field "${repeated}" twice`,
    })
  }
  return problems
}

function repeatedInputs(component: Component): Problem[] {
  const seen = new Set<string>()
  const problems: Problem[] = []
  for (const input of component.inputs) {
    const key = JSON.stringify([input.component, input.stream])
    if (seen.has(key)) {
      problems.push({
        place: input.place ?? placeOf(component),
        message: `"${component.id}" subscribes twice to stream "${input.stream}" of "${input.component}"`,
        hint: 'one grouping per stream: to get tuples twice, declare a second stream at the source',
      })
    }
    seen.add(key)
  }
  return problems
}

function inputProblems(
  component: Component,
  input: Input,
  byId: ReadonlyMap<string, Component>,
): Problem[] {
  const place = input.place ?? placeOf(component)
  const streams =
    input.component === SYSTEM_COMPONENT ? SYSTEM_STREAMS : byId.get(input.component)?.streams
  if (streams === undefined) {
    return [
      {
        place,
        message: `"${component.id}" subscribes to component "${input.component}", which does not exist`,
        ...didYouMean(input.component, byId.keys()),
      },
    ]
  }
  const stream = streams.get(input.stream)
  if (stream === undefined) {
    return [
      {
        place,
        message: `"${component.id}" subscribes to stream "${input.stream}" of "${input.component}", which it does not declare`,
        ...didYouMean(input.stream, streams.keys()),
      },
    ]
  }
  const { grouping } = input
  if (grouping.type !== 'fields' && grouping.type !== 'partialKey') return []
  return grouping.fields
    .filter(field => !stream.fields.includes(field))
    .map(field => ({
      place,
      message: `"${component.id}" groups by field "${field}", which stream "${input.stream}" of "${input.component}" does not have`,
      ...didYouMean(field, stream.fields),
    }))
}

function settingsProblems(place: string, config: Component['config']): Problem[] {
  return checkSettings(config).problems.map(problem => ({ ...problem, place }))
}

function sizeProblems(topology: StormTopology): Problem[] {
  const total = topology.components.reduce((sum, c) => sum + taskCount(topology, c), 0)
  if (!(total > TASKS_MAX)) return []
  return [
    {
      place: 'topology',
      message: `${total} tasks are more than one topology may have (${TASKS_MAX})`,
      hint: 'lower the parallelism, or set topology.max.task.parallelism',
    },
  ]
}

function unreachableBolts(components: readonly Component[]): Problem[] {
  const spouts = components.filter(c => c.kind === 'spout').map(c => c.id)
  const reached = new Set([...spouts, SYSTEM_COMPONENT])
  let grew = true
  while (grew) {
    grew = false
    for (const component of components) {
      if (reached.has(component.id)) continue
      if (!component.inputs.some(input => reached.has(input.component))) continue
      reached.add(component.id)
      grew = true
    }
  }
  return components
    .filter(c => !reached.has(c.id))
    .map(c => ({
      place: placeOf(c),
      message: `bolt "${c.id}" gets nothing: no path leads to it from a spout`,
      hint: c.inputs.length === 0 ? 'it subscribes to nothing' : 'look at what it subscribes to',
    }))
}

// Storm declares direct streams but never compares them with the groupings: a multi-lang component cannot even
// declare one in Flux, and yet emitDirect works. Hence warnings only.
function directWarnings(
  component: Component,
  input: Input,
  byId: ReadonlyMap<string, Component>,
): Problem[] {
  const stream = byId.get(input.component)?.streams.get(input.stream)
  if (stream === undefined || stream.direct === (input.grouping.type === 'direct')) return []
  const place = input.place ?? placeOf(component)
  const name = `stream "${input.stream}" of "${input.component}"`
  if (stream.direct) {
    return [
      {
        place,
        message: `${name} is direct, but "${component.id}" subscribes with ${input.grouping.type} grouping`,
        hint: 'emitDirect to it will be an error; use direct grouping',
      },
    ]
  }
  return [
    {
      place,
      message: `"${component.id}" subscribes with direct grouping to ${name}, which is not declared direct`,
      hint: 'only emitDirect reaches it; an ordinary emit will be an error',
    },
  ]
}

function didYouMean(name: string, known: Iterable<string>): { hint?: string } {
  const names = [...known]
  const near = nearestName(name, names)
  if (near !== undefined) return { hint: `did you mean "${near}"?` }
  return names.length === 0
    ? {}
    : { hint: `there are: ${names.slice(0, NAMES_SHOWN_MAX).join(', ')}` }
}

/** Names listed in a hint when none is near. */
const NAMES_SHOWN_MAX = 8

function isPositiveInteger(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0
}

function placeOf(component: Component): string {
  return component.place ?? `component ${component.id}`
}
