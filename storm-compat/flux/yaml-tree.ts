// YAML text as a small tree in which every node knows its `file:line:column`. This is the only file that knows the
// yaml library. It reads YAML 1.1, as Storm's parser does (`yes` is true, `010` is 8), expands aliases and merge
// keys under a bound, and refuses what could do harm: alias loops and bombs, deep nesting, tags, huge files.
import { asError, type Problem } from 'gearpump/spi'
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type Pair,
  parseDocument,
  type Scalar,
} from 'yaml'

export type FluxNode = MapNode | ListNode | ScalarNode

export interface MapNode {
  readonly kind: 'map'
  readonly place: string
  readonly entries: ReadonlyMap<string, { readonly keyPlace: string; readonly value: FluxNode }>
}

export interface ListNode {
  readonly kind: 'list'
  readonly place: string
  readonly items: readonly FluxNode[]
}

export interface ScalarNode {
  readonly kind: 'scalar'
  readonly place: string
  readonly value: string | number | bigint | boolean | null
  /** As written, without quotes: for numbers that are meant as text. */
  readonly text: string
}

/** Characters of one file. Topologies of hundreds of components stay below a tenth of it. */
export const TEXT_MAX = 1 << 20
/** Levels of nesting; a Flux file has about six, and values of settings a few more. */
export const DEPTH_MAX = 64
/** Nodes after aliases were expanded, so that a few lines of aliases cannot grow into gigabytes. */
export const NODES_MAX = 100_000
/** Mistakes in the syntax that are reported: one slip often makes many of them. */
const SYNTAX_PROBLEMS_MAX = 20

/**
 * Parses one document. `place` turns an offset of the text into `file:line:column`. A key that stands twice has its last
 * value, as Storm's parser has it, and a notice.
 */
export function parseYaml(
  text: string,
  place: (offset: number) => string,
  problems: Problem[],
  notices: string[] = [],
): FluxNode | undefined {
  if (text.length > TEXT_MAX) {
    problems.push({ place: place(0), message: `the file has more than ${TEXT_MAX} characters` })
    return undefined
  }
  const before = problems.length
  try {
    refuseDeepText(text, place)
    // The library knows no line that ends in a return alone; YAML does. The length stays the same, and so do places.
    const document = parseDocument(text.replace(/\r(?!\n)/g, '\n'), {
      version: '1.1',
      intAsBigInt: true,
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'error',
      // A date is text: no setting of Storm is one, and JSON has none.
      customTags: tags => tags.filter(tag => typeof tag === 'string' || !isDateTag(tag.tag)),
    })
    const errors = [...document.errors, ...document.warnings].filter(
      error => !isGluedComment(error),
    )
    for (const error of errors.slice(0, SYNTAX_PROBLEMS_MAX)) {
      problems.push(syntaxProblem(error.code, error.message, place(error.pos[0])))
    }
    if (problems.length > before) return undefined
    return new TreeBuilder(document, place, notices).build()
  } catch (thrown) {
    if (thrown instanceof TreeError) problems.push({ place: thrown.place, message: thrown.message })
    else if (thrown instanceof RangeError) {
      problems.push({ place: place(0), message: 'the file is nested too deeply to be read' })
    } else
      problems.push({
        place: place(0),
        message: `the file is not YAML: ${asError(thrown).message}`,
      })
    return undefined
  }
}

/** A node as plain data, as it would be in JSON. Integers beyond 2^53 stay exact as bigint. */
export function toValue(node: FluxNode): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value
    case 'list':
      return node.items.map(toValue)
    case 'map':
      return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, toValue(value)]))
  }
}

function isDateTag(tag: string): boolean {
  return tag === 'tag:yaml.org,2002:timestamp'
}

// `"a"#why`: Storm's parser takes it for a comment all the same, and so does this one, once it has complained.
function isGluedComment({ code, message }: { code: string; message: string }): boolean {
  return code === 'MISSING_CHAR' && message.startsWith('Comments must be separated')
}

function syntaxProblem(code: string, message: string, place: string): Problem {
  if (code === 'TAG_RESOLVE_FAILED') {
    return { place, message: 'YAML tags are not supported', hint: 'name the class in className' }
  }
  return { place, message: message.replace(/\s+/g, ' ').trim() }
}

// The parser itself recurses, and text of nothing but brackets ends the whole process in it. The lexer does not.
function refuseDeepText(text: string, place: (offset: number) => string): void {
  let offset = 0
  let brackets = 0
  let dashes = 0
  for (const token of new Lexer().lex(text)) {
    if (token === '[' || token === '{') brackets++
    else if (token === ']' || token === '}') brackets--
    else if (token === '-' || token === '?') dashes++
    else if (token.includes('\n')) dashes = 0
    if (brackets > DEPTH_MAX || dashes > DEPTH_MAX) throw tooDeep(place(offset))
    // Control tokens of the lexer stand for no text.
    if (!CONTROL_TOKENS.has(token)) offset += token.length
  }
}

/** Byte order mark excepted, these are what the lexer puts between the tokens of the text. */
const CONTROL_TOKENS: ReadonlySet<string> = new Set(['\u0002', '\u0018', '\u001f'])

function tooDeep(place: string): TreeError {
  return new TreeError(place, `nested more than ${DEPTH_MAX} levels deep`)
}

class TreeError extends Error {
  readonly place: string

  constructor(place: string, message: string) {
    super(message)
    this.place = place
  }
}

interface Entry {
  readonly keyPlace: string
  readonly value: FluxNode
}

type Entries = Map<string, Entry>

class TreeBuilder {
  readonly #document: Document
  readonly #place: (offset: number) => string
  readonly #notices: string[]
  readonly #open = new Set<unknown>()
  #nodes = 0

  constructor(document: Document, place: (offset: number) => string, notices: string[]) {
    this.#document = document
    this.#place = place
    this.#notices = notices
  }

  build(): FluxNode {
    return this.#node(this.#document.contents, this.#place(0), 0)
  }

  // An empty value has no node of its own, so its place is its parent's.
  #node(node: unknown, parentPlace: string, depth: number): FluxNode {
    const place = this.#placeOf(node) ?? parentPlace
    if (++this.#nodes > NODES_MAX) {
      throw new TreeError(
        place,
        `the file grows to more than ${NODES_MAX} nodes through its aliases`,
      )
    }
    if (depth > DEPTH_MAX) throw tooDeep(place)
    if (isAlias(node)) return this.#alias(node, place, depth)
    if (isScalar(node)) return scalarNode(node, place)
    if (isSeq(node)) {
      return { kind: 'list', place, items: node.items.map(n => this.#node(n, place, depth + 1)) }
    }
    if (isMap(node)) return this.#map(node.items, place, depth)
    return { kind: 'scalar', place, value: null, text: '' }
  }

  #alias(alias: Alias, place: string, depth: number): FluxNode {
    const target = alias.resolve(this.#document)
    if (target === undefined) throw new TreeError(place, `there is no anchor &${alias.source}`)
    if (this.#open.has(target)) throw new TreeError(place, `alias *${alias.source} contains itself`)
    this.#open.add(target)
    try {
      return this.#node(target, place, depth + 1)
    } finally {
      this.#open.delete(target)
    }
  }

  #map(pairs: readonly Pair[], place: string, depth: number): MapNode {
    const entries: Entries = new Map()
    const merged: FluxNode[] = []
    for (const { key, value } of pairs) {
      const keyPlace = this.#placeOf(key) ?? place
      const name = this.#node(key, place, depth + 1)
      if (name.kind !== 'scalar') throw new TreeError(keyPlace, 'a key must be a word')
      const child = this.#node(value, keyPlace, depth + 1)
      if (name.text === '<<') merged.push(child)
      else this.#set(entries, name.text, { keyPlace, value: child })
    }
    for (const source of merged) mergeInto(entries, source)
    return { kind: 'map', place, entries }
  }

  #set(entries: Entries, key: string, entry: Entry): void {
    if (entries.has(key)) {
      this.#notices.push(`${entry.keyPlace}: "${key}" stands twice; this one counts`)
    }
    entries.set(key, entry)
  }

  #placeOf(node: unknown): string | undefined {
    const range = (node as { range?: readonly number[] | null } | null)?.range
    return range?.[0] === undefined ? undefined : this.#place(range[0])
  }
}

// `<<: *base`: what is there already wins.
function mergeInto(entries: Entries, source: FluxNode): void {
  if (source.kind === 'list') {
    for (const item of source.items) mergeInto(entries, item)
    return
  }
  if (source.kind !== 'map') throw new TreeError(source.place, '<< needs a map')
  for (const [key, entry] of source.entries) if (!entries.has(key)) entries.set(key, entry)
}

function scalarNode(scalar: Scalar, place: string): ScalarNode {
  const text = scalar.source ?? (scalar.value === null ? '' : String(scalar.value))
  return { kind: 'scalar', place, text, value: scalarValue(scalar.value, text) }
}

function scalarValue(value: unknown, text: string): ScalarNode['value'] {
  switch (typeof value) {
    case 'bigint':
      return Number.isSafeInteger(Number(value)) ? Number(value) : value
    case 'boolean':
      // Storm's parser takes yes, no, on and off for booleans, but not the single letters.
      return text.length === 1 ? text : value
    case 'number':
    case 'string':
      return value
    default:
      return value === null || value === undefined ? null : text
  }
}
