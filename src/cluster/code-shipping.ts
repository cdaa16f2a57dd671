// Makes the name of an application's code fit to travel. A CodeRef says which module other processes import, with which
// input, and both hold paths of the host where it was submitted. Here those below the bundle's root become
// `bundle:/relative` (a file URL: `bundle:file:/relative`), those of this engine's own package `gearpump:/relative`, and
// `revive` puts a worker's own directories in their place. What other hosts would not find is refused, all of it at once.
//
// The engine's own modules are named without `dist` and ending, so that one host may run the build and another one the
// sources.
import { access, realpath } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { asError, EngineError, type Problem, UserError } from '../base/errors.ts'

/** What names an application's code to another process; the same shape as the engine's CodeRef. */
export interface ShippedCode {
  readonly module: string
  readonly export: string
  readonly input: unknown
}

export interface PortableCode extends ShippedCode {
  /** False: everything it names is part of the engine, and no bundle need travel with it. */
  readonly needsBundle: boolean
}

export interface ShippingOptions {
  /** The directory that is bundled. */
  readonly root: string
  /**
   * Fields of the input, in which an absolute path outside of the bundle is meant as it stands: the user wrote it for
   * the hosts where it will be read.
   */
  readonly keep?: readonly string[]
  /** Where this package lies; another one only in tests. */
  readonly ownPackage?: string
}

/** Arguments and settings are the user's words; the directories of a run are replaced on each host. */
export const KEPT_FIELDS = ['args', 'config', 'properties', 'runDir', 'logDir'] as const

const BUNDLE = 'bundle:'
const OWN = 'gearpump:'
const FILE = 'file:'
/** Before a text that looks like one of ours and is none. */
const LITERAL = 'literal:'

/** Plain data is not deeper; what is, is a circle. */
const DEPTH_MAX = 64

/** Instead of the ending of a module of ours. */
const MODULE = '.module'
/** Parts of our package that are compiled: in `dist` as `.js`, in the sources as `.ts`. */
const COMPILED = /^(?:\/dist)?(\/(?:src|storm-compat|connectors)\/.+)\.(?:js|ts)$/

/**
 * The same code, named so that each host can find it. Throws CODE_NOT_PORTABLE with all that lies outside.
 *
 * @example
 * const portable = await makePortable(application.code, { root: await bundleRootOf(file) })
 * const code = await revive(portable, '/data/bundles/3f…') // on another host
 */
export async function makePortable(
  code: ShippedCode,
  options: ShippingOptions,
): Promise<PortableCode> {
  const ownPackage = options.ownPackage ?? OWN_PACKAGE
  const root = resolve(options.root)
  const shipping = new Shipping({
    roots: [root, await realpath(root)],
    ownPackages: [ownPackage, await realpath(ownPackage)],
    keep: options.keep ?? KEPT_FIELDS,
  })
  const module = shipping.module(code.module)
  const input = shipping.value(code.input, ['input'])
  if (shipping.problems.length > 0)
    throw new UserError('CODE_NOT_PORTABLE', 'the application cannot be shipped', shipping.problems)
  return { module, export: code.export, input, needsBundle: shipping.needsBundle }
}

/** The code as this host can import it; the bundle is unpacked in `directory`. Its names are not believed. */
export function revive(
  portable: ShippedCode,
  directory: string,
  ownPackage = OWN_PACKAGE,
): ShippedCode {
  const places: Places = { directory: resolve(directory), ownPackage }
  const { module, export: name, input } = portable
  if (!isDoor(module) && !module.startsWith(BUNDLE) && !module.startsWith(OWN))
    throw new EngineError('CODE_NOT_PORTABLE', `"${module}" is no module of a bundle`)
  return {
    module: revivedText(module, places),
    export: name,
    input: mapped(input, text => revivedText(text, places), 0),
  }
}

/** The directory that is bundled for a file: the nearest one with a package.json, else the file's own. */
export async function bundleRootOf(file: string): Promise<string> {
  const own = dirname(resolve(file))
  for (let directory = own; ; directory = dirname(directory)) {
    const found = await access(join(directory, 'package.json')).catch(asError)
    if (!(found instanceof Error)) return directory
    if (dirname(directory) === directory) return own
  }
}

const runsSources = import.meta.url.endsWith('.ts')
const OWN_PACKAGE = fileURLToPath(
  new URL(runsSources ? '../..' : '../../..', import.meta.url),
).replace(/[/\\]$/, '')

// ---- there

interface ShippingPlaces {
  /** As they are written, and without links: a module's URL is of the second kind. */
  readonly roots: readonly string[]
  readonly ownPackages: readonly string[]
  readonly keep: readonly string[]
}

class Shipping {
  readonly problems: Problem[] = []
  needsBundle = false
  readonly #places: ShippingPlaces
  /** A project may lie in our package's directory, such as one of a user who works in a clone. */
  readonly #rootIsInOwn: boolean

  constructor(places: ShippingPlaces) {
    this.#places = places
    const { roots, ownPackages } = places
    this.#rootIsInOwn = roots.some(
      root => below(root, ownPackages) !== undefined && !ownPackages.includes(root),
    )
  }

  module(module: string): string {
    // A package's door: each host has its own, or finds it in the bundle.
    if (isDoor(module)) return module
    if (module.startsWith(FILE) || isAbsolute(module)) return this.#text(module, ['module'])
    this.#refuse(['module'], `is "${module}": neither a file URL nor a package's door`)
    return module
  }

  value(value: unknown, path: readonly string[]): unknown {
    if (typeof value === 'string') return this.#text(value, path)
    if (typeof value !== 'object' || value === null) return this.#plain(value, path)
    if (path.length > DEPTH_MAX)
      return this.#refuse(path, `is nested over ${DEPTH_MAX} levels deep`)
    if (Array.isArray(value)) return value.map((item, i) => this.value(item, [...path, `${i}`]))
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null)
      return this.#refuse(path, 'is no plain data')
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, this.value(inner, [...path, key])]),
    )
  }

  #plain(value: unknown, path: readonly string[]): unknown {
    if (typeof value === 'function' || typeof value === 'symbol')
      return this.#refuse(path, `is a ${typeof value}: only plain data travels`)
    return value
  }

  #text(text: string, path: readonly string[]): string {
    const isUrl = text.startsWith(FILE)
    const file = isUrl ? pathOfUrl(text) : text
    if (file === undefined || !isAbsolute(file)) {
      if (!isUrl) return escaped(text)
      this.#refuse(path, `is no file URL of this host: ${text}`)
      return text
    }
    const form = isUrl ? FILE : ''
    // The own package first: a file of it needs no bundle, even when it is the bundle's root.
    const own = below(file, this.#places.ownPackages)
    const bundled = below(file, this.#places.roots)
    if (own !== undefined && !(this.#rootIsInOwn && bundled !== undefined))
      return `${OWN}${form}${encoded(own.replace(COMPILED, `$1${MODULE}`), text, isUrl)}`
    if (bundled !== undefined) {
      this.needsBundle = true
      return `${BUNDLE}${form}${encoded(bundled, text, isUrl)}`
    }
    if (!isUrl && path[0] === 'input' && this.#places.keep.includes(path[1] ?? '')) return text
    this.#refuse(path, `is ${file}, which lies outside of ${this.#places.roots[0]}`)
    return text
  }

  #refuse(path: readonly string[], message: string): undefined {
    const hint = 'only what is in the bundle travels: put it there, or name it by an argument'
    this.problems.push({ place: path.slice(0, 8).join('.'), message, hint })
    return undefined
  }
}

/** `gearpump/storm`, `@me/words`: to be found by its name on each host. */
function isDoor(module: string): boolean {
  return /^[@a-z0-9][^:\\]*$/i.test(module) && !module.split('/').includes('..')
}

// Text that is one of our own forms by chance must come out as it went in.
function escaped(text: string): string {
  return [BUNDLE, OWN, LITERAL].some(prefix => text.startsWith(prefix)) ? LITERAL + text : text
}

function pathOfUrl(url: string): string | undefined {
  try {
    return fileURLToPath(url)
  } catch {
    // Another host's, or no URL at all: there is no path here, and that is the answer.
    return undefined
  }
}

/** What follows the root, with `/` first; a path that climbs out of it by `..` is not below it. */
function below(file: string, roots: readonly string[]): string | undefined {
  const inside = (root: string, path: string) => path === root || path.startsWith(root + sep)
  const root = roots.find(r => inside(r, file) && inside(r, resolve(file)))
  return root === undefined ? undefined : file.slice(root.length).split(sep).join('/')
}

function encoded(relative: string, url: string, isUrl: boolean): string {
  if (!isUrl) return relative
  const { search, hash } = new URL(url)
  return (relative === '' ? '' : pathToFileURL(relative).pathname) + search + hash
}

// ---- here

interface Places {
  readonly directory: string
  readonly ownPackage: string
}

function revivedText(text: string, { directory, ownPackage }: Places): string {
  if (text.startsWith(LITERAL)) return text.slice(LITERAL.length)
  if (text.startsWith(BUNDLE)) return placed(text, text.slice(BUNDLE.length), directory)
  if (!text.startsWith(OWN)) return text
  return placed(text, text.slice(OWN.length), ownPackage, ownFile)
}

function ownFile(relative: string): string {
  if (!relative.endsWith(MODULE)) return relative
  const module = relative.slice(0, -MODULE.length)
  return runsSources ? `${module}.ts` : `/dist${module}.js`
}

function placed(
  text: string,
  rest: string,
  directory: string,
  named = (relative: string) => relative,
): string {
  const isUrl = rest.startsWith(FILE)
  const relative = isUrl ? rest.slice(FILE.length) : rest
  const [, path = '', query = ''] = (isUrl ? /^([^?#]*)(.*)$/s : /^(.*)()$/s).exec(relative) ?? []
  const plain = isUrl ? decodedPath(path) : path
  const file = plain === undefined ? undefined : directory + named(plain).split('/').join(sep)
  if (file === undefined || below(file, [directory]) === undefined)
    throw new EngineError('CODE_NOT_PORTABLE', `"${text}" names no file in ${directory}`, {
      hint: 'it was altered on its way, or made to reach other files: submit the application again',
    })
  return isUrl ? pathToFileURL(file).href + query : file
}

function decodedPath(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    // A broken escape sequence: there is no such path, and that is the answer.
    return undefined
  }
}

function mapped(value: unknown, textOf: (text: string) => string, depth: number): unknown {
  if (typeof value === 'string') return textOf(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth > DEPTH_MAX)
    throw new EngineError('CODE_NOT_PORTABLE', `its input is nested over ${DEPTH_MAX} levels deep`)
  if (Array.isArray(value)) return value.map(item => mapped(item, textOf, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, mapped(inner, textOf, depth + 1)]),
  )
}
