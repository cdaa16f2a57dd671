// loadFlux: a Flux YAML file (and what it includes) becomes a StormTopology. In order: substitute, parse, read,
// merge the includes, import modules, build, validate. Nothing is started. All mistakes are reported together, each
// with `file:line:column`, in one UserError.
import { readFile } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import { EngineError, type Problem, UserError } from 'gearpump/spi'
import type { Conf } from '../component/api.ts'
import { checkSettings } from '../topology/settings.ts'
import type { StormTopology } from '../topology/topology.ts'
import { topologyWarnings, validateStructure } from '../topology/validate.ts'
import { buildComponents, type Found, settingsOf } from './build.ts'
import { ClassTable } from './classes.ts'
import { type FluxDefinition, type ObjectDefinition, readDefinition } from './definition.ts'
import { INCLUDES_MAX, includePath, keepLast, mergeInclude } from './includes.ts'
import { ObjectMaker } from './objects.ts'
import { parseProperties, substitute, type Values } from './substitution.ts'
import { parseYaml } from './yaml-tree.ts'

export interface FluxOptions {
  /** Values for `${name}`: a map, or the path of a Java properties file (`--filter`). */
  properties?: Readonly<Record<string, string>> | string
  /** True: `${ENV-NAME}` is replaced too (`--env-filter`). */
  envFilter?: boolean
  /** The environment to take these from; by default the one of the process. */
  env?: Readonly<Record<string, string | undefined>>
  /** Settings that win over the file's (`-c key=value`). */
  overrides?: Conf
  /** A name that wins over the file's. */
  name?: string
  /** Included files must lie in or below this folder; by default the one of the file. */
  includeRoot?: string
  /** The folder the user is in: included files that are not beside the file are looked for here and below, as in Storm. */
  workingFolder?: string
}

export interface LoadedFlux {
  readonly topology: StormTopology
  /** What was left out or does nothing, and what is hardly meant; one line each. */
  readonly notices: readonly string[]
}

/**
 * Loads a Flux file. Throws a UserError (FLUX_INVALID) that lists everything that is wrong with it.
 *
 * Modules that the file names (`className: ./bolts.ts#CountBolt`) are imported, so their code runs.
 *
 * @example const { topology, notices } = await loadFlux('word-count.yaml', { overrides: { 'topology.workers': 2 } })
 */
export async function loadFlux(file: string, options: FluxOptions = {}): Promise<LoadedFlux> {
  const found: Found = { problems: [], notices: [] }
  const values = await valuesOf(options)
  const definition = await readFluxFile(file, values, found)
  if (definition === undefined) throw invalid(file, found.problems)
  await addIncludes(definition, file, { values, options, found })

  const classes = new ClassTable()
  await classes.load(objectsOf(definition))
  const maker = new ObjectMaker(definition.components, classes)
  const config = { ...settingsOf(definition.config, found), ...overridesOf(options, found) }
  const components = buildComponents(definition, maker, found)
  const name = nameOf(definition, file, options, found.problems)
  const topology: StormTopology = { name, config, components }
  found.problems.push(...wholeProblems(topology, definition, file))
  if (found.problems.length > 0) throw invalid(file, found.problems)
  for (const { place, message } of topologyWarnings(topology)) {
    found.notices.push(`${place}: ${message}`)
  }
  return { topology, notices: [...new Set(found.notices)] }
}

function invalid(file: string, problems: readonly Problem[]): UserError {
  // What two components refer to is tried twice, and says the same twice.
  const once = new Map(problems.map(problem => [`${problem.place} ${problem.message}`, problem]))
  const inOrder = [...once.values()].sort((a, b) => comparePlaces(a.place, b.place))
  return new UserError('FLUX_INVALID', `${file} is not a topology that can run`, inOrder)
}

// By file, line and column, as one reads.
function comparePlaces(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

// The checks of the whole know no file, and must not complain again of what could not be made.
function wholeProblems(
  topology: StormTopology,
  definition: FluxDefinition,
  file: string,
): Problem[] {
  const made = new Set(topology.components.map(c => c.id))
  const components = topology.components.map(component => ({
    ...component,
    inputs: component.inputs.filter(input => made.has(input.component)),
  }))
  return validateStructure({ ...topology, components }).flatMap(problem => {
    if (problem.place === 'topology name') {
      const place = definition.name?.place
      return place === undefined ? [] : [{ ...problem, place }]
    }
    if (problem.place !== 'topology') return [problem]
    // A spout that could not be made is told at its own place.
    return definition.spouts.length > 0 ? [] : [{ ...problem, place: `${file}:1:1` }]
  })
}

function nameOf(
  definition: FluxDefinition,
  file: string,
  options: FluxOptions,
  problems: Problem[],
): string {
  const name = options.name ?? definition.name?.value
  if (name !== undefined) return name
  problems.push({ place: `${file}:1:1`, message: 'the topology has no name', hint: 'add name: …' })
  return ''
}

function overridesOf({ overrides = {} }: FluxOptions, found: Found): Conf {
  const { problems, notices } = checkSettings(overrides)
  found.problems.push(...problems.map(p => ({ ...p, place: `-c ${p.place}` })))
  found.notices.push(...notices.map(notice => `-c ${notice}`))
  return overrides
}

async function valuesOf({ properties, envFilter, env }: FluxOptions): Promise<Values> {
  return {
    properties:
      typeof properties === 'string'
        ? parseProperties(await readText(properties))
        : properties && new Map(Object.entries(properties)),
    env: envFilter === true ? (env ?? process.env) : undefined,
  }
}

async function readFluxFile(
  file: string,
  values: Values,
  { problems, notices }: Found,
): Promise<FluxDefinition | undefined> {
  const { text, place, unknown } = substitute(await readText(file), values)
  for (const { name, place: at } of unknown) {
    notices.push(`${file}:${at}: \${${name}} has no value and is kept as it is`)
  }
  const root = parseYaml(text, offset => `${file}:${place(offset)}`, problems, notices)
  if (root === undefined) return undefined
  if (root.kind === 'map') {
    const definition = readDefinition(root, dirname(resolve(file)), problems)
    keepLast(definition, notices)
    return definition
  }
  problems.push({ place: root.place, message: 'a topology must be a map that begins with name: …' })
  return undefined
}

async function addIncludes(
  definition: FluxDefinition,
  file: string,
  how: { values: Values; options: FluxOptions; found: Found },
): Promise<void> {
  const { values, options, found } = how
  const folder = dirname(resolve(file))
  const { includeRoot: root = folder, workingFolder: working } = options
  for (const include of definition.includes.slice(0, INCLUDES_MAX)) {
    const path = includePath(include, { folder, root, working }, found.problems)
    if (path === undefined) continue
    const included = await readFluxFile(shownPath(path), values, found)
    if (included !== undefined) found.notices.push(...mergeInclude(definition, included, include))
  }
  if (definition.includes.length > INCLUDES_MAX) {
    const place = definition.includes[INCLUDES_MAX]!.file.place
    found.problems.push({ place, message: `more than ${INCLUDES_MAX} files are included` })
  }
}

function objectsOf({ components, spouts, bolts, streams }: FluxDefinition): ObjectDefinition[] {
  const groupings = streams.map(s => s.grouping.customClass).filter(c => c !== undefined)
  return [...components, ...spouts, ...bolts, ...groupings]
}

// Short paths for people who are in the folder, full ones for all others.
function shownPath(path: string): string {
  const way = relative(process.cwd(), path)
  return way.startsWith('..') ? path : way
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    throw new EngineError(
      'FILE_NOT_FOUND',
      missing ? `there is no file ${file}` : `${file} cannot be read`,
      { hint: `looked for ${resolve(file)}`, details: { file }, cause },
    )
  }
}
