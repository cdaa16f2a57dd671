// Loads what a user wants to run from a file. A front door reads its own kinds of files (YAML); a module is imported
// and may export a Program, an Application, a DAG, a value that a door accepts, or a function that returns one of these.
// Executor processes load the same file through `loadForExecutor`: only plain options travel. What may go wrong
// is the user's: no such export, arguments that do not fit, a module that throws. Their errors keep their own stack.
import { execFile } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import {
  type Application,
  type ArgumentSpec,
  application,
  type Program,
} from '../app/application.ts'
import { prepareOwnName, prepareTypeScript } from '../app/user-modules.ts'
import { asError, EngineError, nearestName, type Problem, UserError } from '../base/errors.ts'
import type { Dag } from '../dag/graph.ts'
import type { FrontDoor, Loaded, RunOptions } from './front-door.ts'

export interface ProgramOptions extends RunOptions {
  /** Modules that export `frontDoor`, asked in this order: `['gearpump/storm']`. */
  readonly doors: readonly string[]
}

export type DeclaredArguments = Readonly<Record<string, ArgumentSpec>>

export interface LoadedProgram extends Loaded {
  /** What the file declares, if it exports a Program. */
  readonly args?: DeclaredArguments
}

/** Where an application is looked for in a module, in this order. */
const EXPORTS = ['default', 'app', 'topology', 'dag'] as const

const MODULE_EXTENSIONS = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs']

/** A function may return a function or a Program; a chain longer than this is a mistake. */
const RETURNS_MAX = 4

/**
 * Loads a file. Throws a UserError that lists every mistake, or MODULE_NOT_LOADED with the module's own error as cause.
 *
 * @example const { application, notices } = await loadProgram({ ...options, doors: ['gearpump/storm'] })
 */
export async function loadProgram(options: ProgramOptions): Promise<LoadedProgram> {
  checkName(options.name)
  await checkFile(options.file)
  const loaded = isModule(options.file) ? await loadModule(options) : await loadByDoor(options)
  const { name = loaded.application.name } = options
  const code = { module: import.meta.url, export: 'loadForExecutor', input: options }
  return { ...loaded, application: { ...loaded.application, name, code } }
}

/** The same application in another process; named by `application.code`. */
export async function loadForExecutor(options: ProgramOptions): Promise<Application> {
  return (await loadProgram(options)).application
}

/** The arguments that a file declares; undefined when it cannot have any. Runs the module, builds nothing. */
export async function declaredArguments(
  file: string,
  doors: readonly string[],
): Promise<DeclaredArguments | undefined> {
  await checkFile(file)
  if (!isModule(file)) return undefined
  const value = await exportOf(file, doors)
  return isProgram(value) ? value.args : undefined
}

function checkName(name: string | undefined): void {
  if (name === undefined || (name !== '' && !/[/.:\\]/.test(name))) return
  const problem = {
    place: '--name',
    message: `"${name}" is no name`,
    hint: 'leave out / . : and \\',
  }
  throw new UserError('BAD_INPUT', 'the name cannot be used', [problem])
}

async function checkFile(file: string): Promise<void> {
  const found = await stat(file).catch(asError)
  if (found instanceof Error) {
    throw new EngineError('FILE_NOT_FOUND', `there is no file ${file}`, { cause: found })
  }
  if (!found.isFile()) throw new EngineError('FILE_NOT_FOUND', `${file} is no file`)
}

function isModule(file: string): boolean {
  return MODULE_EXTENSIONS.includes(extname(file).toLowerCase())
}

// ---- doors

export function openDoors(names: readonly string[]): Promise<FrontDoor[]> {
  return Promise.all(names.map(openDoor))
}

async function openDoor(name: string): Promise<FrontDoor> {
  const module = (await import(name)) as { frontDoor?: FrontDoor }
  if (module.frontDoor !== undefined) return module.frontDoor
  throw new EngineError('MODULE_NOT_LOADED', `${name} exports no frontDoor`)
}

async function loadByDoor(options: ProgramOptions): Promise<LoadedProgram> {
  const { file } = options
  const extension = extname(file).toLowerCase()
  const doors = await openDoors(options.doors)
  const door = doors.find(d => d.extensions.includes(extension))
  if (door === undefined) {
    const known = [...doors.flatMap(d => d.extensions), ...MODULE_EXTENSIONS].join(' ')
    const message = `${file}: files that end in "${extension}" cannot be run`
    throw new EngineError('BAD_INPUT', message, { hint: `these can: ${known}` })
  }
  refuseArguments(options, '; properties in it are filled by --filter FILE')
  // Such a file may name modules; a loader for TypeScript is too slow to start for all that name none.
  if (/\.[mc]?ts\b/.test(await readFile(file, 'utf8'))) prepareTypeScript()
  return door.load(options)
}

function refuseArguments({ file, args }: ProgramOptions, hint = ''): void {
  const problems = Object.keys(args).map(name => ({
    place: `argument --${name}`,
    message: `${basename(file)} declares no arguments${hint}`,
  }))
  if (problems.length > 0) throw new UserError('BAD_INPUT', 'arguments after --', problems)
}

// ---- modules

async function loadModule(options: ProgramOptions): Promise<LoadedProgram> {
  let value = await exportOf(options.file, options.doors)
  let declared: DeclaredArguments | undefined
  let called = false
  for (let returns = 0; returns < RETURNS_MAX; returns++) {
    if (isProgram(value)) {
      const program = value
      declared = program.args
      const { values, problems } = fillArguments(program.args, options.args)
      if (problems.length > 0)
        throw new UserError('BAD_INPUT', `arguments of ${options.file}`, problems)
      value = await callUser(options.file, () => program.build(values as never))
    } else if (typeof value === 'function') {
      const make = value as (args: unknown) => unknown
      called = true
      value = await callUser(options.file, () => make(options.args))
    } else break
  }
  if (declared === undefined && !called) refuseArguments(options)
  const loaded = await translated(value, options)
  return declared === undefined ? loaded : { ...loaded, args: declared }
}

async function translated(value: unknown, options: ProgramOptions): Promise<Loaded> {
  if (isApplication(value)) return { application: configured(value, options), notices: [] }
  if (isDag(value)) {
    const name = basename(options.file, extname(options.file)).replace(/[/.:\\]/g, '-')
    return { application: configured(application(name, value), options), notices: [] }
  }
  const door = await doorFor(value, options.doors)
  if (door !== undefined) return door.translate(value, options)
  const message = `${options.file} returns ${described(value)}, which is nothing that can run`
  throw new EngineError('MODULE_NOT_LOADED', message, {
    hint: 'return what application() or graph() gives, or a topology',
  })
}

function configured(app: Application, { config }: ProgramOptions): Application {
  return { ...app, config: { ...app.config, ...config } }
}

async function doorFor(value: unknown, doors: readonly string[]): Promise<FrontDoor | undefined> {
  if (typeof value !== 'object' || value === null) return undefined
  return (await openDoors(doors)).find(door => door.accepts(value))
}

async function exportOf(file: string, doors: readonly string[]): Promise<unknown> {
  const module = await importFile(file)
  const found: string[] = []
  for (const name of EXPORTS) {
    const value = unwrapped(await module[name])
    if (value === undefined) continue
    const usable =
      isProgram(value) || isApplication(value) || isDag(value) || typeof value === 'function'
    if (usable || (await doorFor(value, doors)) !== undefined) return value
    found.push(`${name} is ${described(value)}`)
  }
  const others = Object.keys(module).filter(name => !EXPORTS.includes(name as never))
  const has = [...found, ...others.map(name => `there is "${name}"`)].slice(0, 10).join(', ')
  throw new EngineError(
    'MODULE_NOT_LOADED',
    `${file} exports nothing that can run${has === '' ? '' : `: ${has}`}`,
    {
      hint:
        `looked for the exports ${EXPORTS.join(', ')}: each may be what program(), application() or graph() gives, ` +
        'a topology, or a function that returns one of these',
    },
  )
}

// What a compiler made CommonJS of `export default` is the default of the default.
function unwrapped(value: unknown): unknown {
  const { __esModule, default: inner } = shape<{ __esModule: unknown; default: unknown }>(value)
  return __esModule === true ? inner : value
}

// By their shape, not by their class: the module may have another copy of this package.
function isProgram(value: unknown): value is Program {
  const { kind, build } = shape<Program>(value)
  return kind === 'program' && typeof build === 'function'
}

function isDag(value: unknown): value is Dag {
  const { processors, edges } = shape<Dag>(value)
  return Array.isArray(processors) && Array.isArray(edges)
}

function isApplication(value: unknown): value is Application {
  const { name, dag, profile } = shape<Application>(value)
  return typeof name === 'string' && isDag(dag) && typeof profile === 'object'
}

function shape<T>(value: unknown): { readonly [K in keyof T]?: unknown } {
  return typeof value === 'object' && value !== null ? value : {}
}

function described(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  return typeof value === 'object' ? 'an object of another kind' : `a ${typeof value}`
}

// ---- the user's code

async function callUser(file: string, make: () => unknown): Promise<unknown> {
  try {
    return await make()
  } catch (thrown) {
    throw isOurs(thrown) ? thrown : notLoaded(`${file} failed to make its application`, thrown)
  }
}

async function importFile(file: string): Promise<Record<string, unknown>> {
  if (/ts$/i.test(extname(file))) prepareTypeScript()
  prepareOwnName(file)
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>
  } catch (thrown) {
    if (isOurs(thrown)) throw thrown
    const where = thrown instanceof SyntaxError ? await syntaxPlace(file) : undefined
    if (where !== undefined)
      throw notLoaded(`${file} cannot be read as JavaScript:\n${where}`, undefined)
    throw notLoaded(`${file} failed while it was loaded`, thrown)
  }
}

function notLoaded(message: string, thrown: unknown): EngineError {
  if (thrown === undefined) return new EngineError('MODULE_NOT_LOADED', message)
  const cause = asError(thrown)
  const hint = hintFor(cause)
  return new EngineError('MODULE_NOT_LOADED', `${message}: ${cause.message}`, {
    cause,
    ...(hint === undefined ? {} : { hint }),
  })
}

function hintFor({ code, message }: Error & { code?: unknown }): string | undefined {
  if (code === 'ERR_MODULE_NOT_FOUND' && message.startsWith('Cannot find package'))
    return 'install it in the project of the file; path aliases of tsconfig.json are not read, "imports" of package.json are'
  if (message === 'Invalid or unexpected token')
    return 'decorators and JSX are not TypeScript alone: compile such a file, and run what comes out'
  return undefined
}

function isOurs(thrown: unknown): boolean {
  return thrown instanceof Error && (thrown.name === 'EngineError' || thrown.name === 'UserError')
}

// An import's SyntaxError does not say where; Node's own check of the file does. A file that it finds right imports
// another one that is wrong, or is TypeScript, whose loader has put the place into the message.
async function syntaxPlace(file: string): Promise<string | undefined> {
  if (/ts$/i.test(extname(file))) return undefined
  try {
    await promisify(execFile)(process.execPath, ['--check', file])
    return undefined
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string }
    return stderr.replace(/\n {4}at [\s\S]*$/, '').trim() || undefined
  }
}

// ---- arguments

type Value = string | number | boolean

export interface FilledArguments {
  readonly values: Readonly<Record<string, Value | undefined>>
  readonly problems: readonly Problem[]
}

/** `--x` without a value is given as true, and `--no-x` as `{ 'no-x': true }`. */
export function fillArguments(
  specs: Readonly<Record<string, ArgumentSpec>>,
  given: Readonly<Record<string, Value>>,
): FilledArguments {
  const problems: Problem[] = []
  const fill = new Map<string, Value>()
  for (const [name, value] of Object.entries(given)) {
    const denied = deniedName(name, specs)
    if (denied !== undefined && value === true) fill.set(denied, false)
    else if (Object.hasOwn(specs, name)) fill.set(name, value)
    else problems.push(unknownArgument(name, Object.keys(specs)))
  }
  const values = Object.entries(specs).map(([name, spec]) => [
    name,
    argumentOf(name, spec, fill.get(name), problems),
  ])
  return { values: Object.fromEntries(values) as FilledArguments['values'], problems }
}

function deniedName(
  name: string,
  specs: Readonly<Record<string, ArgumentSpec>>,
): string | undefined {
  const positive = name.startsWith('no-') ? name.slice('no-'.length) : undefined
  if (positive === undefined || Object.hasOwn(specs, name) || !Object.hasOwn(specs, positive))
    return undefined
  return specs[positive]!.type === 'boolean' ? positive : undefined
}

function unknownArgument(name: string, known: readonly string[]): Problem {
  const near = nearestName(name, known)
  const list =
    known.length === 0 ? 'none is declared' : `there are: ${known.map(n => `--${n}`).join(' ')}`
  return {
    place: `argument --${name}`,
    message: 'is not declared by the file',
    hint: near === undefined ? list : `did you mean --${near}?`,
  }
}

function argumentOf(
  name: string,
  spec: ArgumentSpec,
  given: Value | undefined,
  problems: Problem[],
): Value | undefined {
  const place = `argument --${name}`
  const { type = 'string' } = spec
  if (spec.default !== undefined && typeof spec.default !== type) {
    const message = `its default is a ${typeof spec.default}, its type is ${type}`
    problems.push({ place, message, hint: `write type: '${typeof spec.default}' in program()` })
    return undefined
  }
  if (given === undefined) {
    if (spec.default !== undefined) return spec.default
    if (spec.required === true)
      problems.push({ place, message: 'is required', hint: example(name, type) })
    return undefined
  }
  const value = converted(type, given)
  if (value === undefined) {
    const got = given === true ? 'it has no value' : `"${given}" is none`
    problems.push({ place, message: `must be a ${type}: ${got}`, hint: example(name, type) })
  }
  return value
}

function converted(type: NonNullable<ArgumentSpec['type']>, given: Value): Value | undefined {
  if (typeof given === type) return given
  if (typeof given !== 'string') return undefined
  if (type === 'boolean') return given === 'true' ? true : given === 'false' ? false : undefined
  const number = Number(given)
  return given.trim() === '' || !Number.isFinite(number) ? undefined : number
}

function example(name: string, type: NonNullable<ArgumentSpec['type']>): string {
  if (type === 'boolean') return `write --${name} or --${name} false`
  return `write --${name} ${type === 'number' ? '4' : 'text'}`
}
