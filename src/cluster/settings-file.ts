// `gear.yaml` as a small tree in which every node knows its `file:line:column`, and a flag's text as the same kind of
// node. Plain YAML only: no anchors, no tags, no merge keys, for a file of two levels needs none of them and a reader
// should see the value where he looks. Mistakes in the syntax become problems, all of them at once.
import { isMap, isScalar, isSeq, LineCounter, type Pair, parseDocument } from 'yaml'
import { asError, type Problem } from '../base/errors.ts'

export type SettingNode = ScalarNode | ListNode | MapNode

export interface ScalarNode {
  readonly kind: 'scalar'
  readonly place: string
  readonly value: string | number | boolean | null
  /** As written, without quotes: for a number that is meant as text. */
  readonly text: string
}

export interface ListNode {
  readonly kind: 'list'
  readonly place: string
  readonly items: readonly SettingNode[]
}

export interface MapNode {
  readonly kind: 'map'
  readonly place: string
  readonly entries: readonly {
    readonly key: string
    readonly keyPlace: string
    readonly value: SettingNode
  }[]
}

/** Characters; every setting with its documentation is a fifth of it. */
const TEXT_MAX = 65_536
/** One slip often makes many mistakes of syntax. */
const SYNTAX_PROBLEMS_MAX = 20

/** Undefined when there are problems, or when the file says nothing. */
export function parseSettings(
  file: string,
  text: string,
  problems: Problem[],
): MapNode | undefined {
  const problem = (place: string, message: string) => void problems.push({ place, message })
  if (text.length > TEXT_MAX) {
    problem(`${file}:1:1`, `the file has more than ${TEXT_MAX} characters`)
    return undefined
  }
  const before = problems.length
  const lines = new LineCounter()
  const placeOf: PlaceOf = offset => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  try {
    const document = parseDocument(text, {
      prettyErrors: false,
      logLevel: 'error',
      lineCounter: lines,
      uniqueKeys: true,
    })
    for (const { pos, message } of [...document.errors, ...document.warnings].slice(
      0,
      SYNTAX_PROBLEMS_MAX,
    ))
      problem(placeOf(pos[0]), withoutText(message))
    if (problems.length > before || document.contents === null) return undefined
    const root = nodeOf(document.contents, placeOf(0), placeOf)
    if (root.kind === 'map') return root
    problem(root.place, 'the file must have names with values, such as "worker:"')
  } catch (thrown) {
    if (thrown instanceof NotPlain) problem(thrown.place, thrown.message)
    // The parser recurses; nothing that is meant is so deep.
    else if (thrown instanceof RangeError) problem(`${file}:1:1`, 'the file is nested too deeply')
    else problem(`${file}:1:1`, `the file is not YAML: ${asError(thrown).message}`)
  }
  return undefined
}

// The parser quotes what it stumbled over, after a colon, and that may be a token.
function withoutText(message: string): string {
  return message.replace(/\s+/g, ' ').replace(/: .*$/, '').trim()
}

type PlaceOf = (offset: number) => string

class NotPlain extends Error {
  readonly place: string

  constructor(place: string, message: string) {
    super(message)
    this.place = place
  }
}

// An empty value has no place of its own, so it is its key's.
function nodeOf(node: unknown, parentPlace: string, placeOf: PlaceOf): SettingNode {
  const range = (node as { range?: readonly number[] | null } | null)?.range
  const place = range?.[0] === undefined ? parentPlace : placeOf(range[0])
  if (isScalar(node)) {
    const { value, source } = node
    const plain = typeof value === 'number' || typeof value === 'boolean' ? value : undefined
    const text = source ?? (value === null ? '' : String(value))
    return { kind: 'scalar', place, text, value: plain ?? (value === null ? null : text) }
  }
  if (isSeq(node))
    return { kind: 'list', place, items: node.items.map(item => nodeOf(item, place, placeOf)) }
  if (isMap(node))
    return { kind: 'map', place, entries: node.items.map(p => entryOf(p, place, placeOf)) }
  if (node === null || node === undefined) return { kind: 'scalar', place, text: '', value: null }
  throw new NotPlain(place, 'anchors and aliases are not read here: write the value')
}

function entryOf({ key, value }: Pair, place: string, placeOf: PlaceOf): MapNode['entries'][0] {
  const name = nodeOf(key, place, placeOf)
  if (name.kind !== 'scalar') throw new NotPlain(name.place, 'a name must be a word')
  return { key: name.text, keyPlace: name.place, value: nodeOf(value, name.place, placeOf) }
}
