// How large a submitted topology may be. Looking for mistakes takes time that grows with the square of some of these sizes, and
// the engine's own turn waits meanwhile; so what is absurd is refused before anybody looks closely.
import type { Problem } from 'gearpump'
import type { Component, StormTopology } from '../topology/topology.ts'

export const COMPONENTS_MAX = 10_000
/** Inputs of all components together. */
export const INPUTS_MAX = 100_000
/** Streams of one component, and fields of one stream or grouping. */
export const NAMES_MAX = 1000
/** Letters of an id or a field. */
export const NAME_LENGTH_MAX = 1000
/** Inputs that lead nowhere: each is compared with every name there is, to find the one that was meant. */
export const DANGLING_MAX = 100

/** One problem if the topology is too large to be looked at, else none. */
export function sizeProblem({ components }: StormTopology): Problem | undefined {
  if (components.length > COMPONENTS_MAX) {
    return tooMany(`it has ${components.length} components`, COMPONENTS_MAX)
  }
  const inputs = components.reduce((sum, component) => sum + component.inputs.length, 0)
  if (inputs > INPUTS_MAX) return tooMany(`its components have ${inputs} inputs`, INPUTS_MAX)
  for (const component of components) {
    const problem = namesProblem(component)
    if (problem !== undefined) return problem
  }
  const streams = new Map(components.map(component => [component.id, component.streams]))
  const dangling = components
    .flatMap(component => component.inputs)
    .filter(input => streams.get(input.component)?.has(input.stream) !== true)
  if (dangling.length <= DANGLING_MAX) return undefined
  const { stream, component } = dangling[0]!
  const where = `"${stream}" of "${component}"`
  return {
    place: 'topology',
    message: `${dangling.length} inputs lead to no stream, the first to ${where}`,
    hint: 'these are too many to be listed',
  }
}

function namesProblem({ id, streams, inputs }: Component): Problem | undefined {
  const place = `component ${id.slice(0, NAME_LENGTH_MAX)}`
  const lists = [...streams.values()].map(({ fields }) => fields)
  for (const { grouping } of inputs) if ('fields' in grouping) lists.push(grouping.fields)
  const longest = Math.max(streams.size, ...lists.map(list => list.length))
  if (longest > NAMES_MAX) {
    return { place, message: `has ${longest} streams or fields in a list; ${NAMES_MAX} are taken` }
  }
  const names = [id, ...streams.keys(), ...lists.flat()]
  const name = names.find(({ length }) => length > NAME_LENGTH_MAX)
  if (name === undefined) return undefined
  return { place, message: `has a name of ${name.length} letters; ${NAME_LENGTH_MAX} are taken` }
}

function tooMany(what: string, most: number): Problem {
  return { place: 'topology', message: `${what}; ${most} are taken` }
}
