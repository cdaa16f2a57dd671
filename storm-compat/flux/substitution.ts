// Replaces `${name}`, `${list[0]}` and `${ENV-NAME}` in the text of a Flux file before it is parsed, as Storm does,
// and remembers where each piece came from: errors must name the line and column that the user sees in the editor.
// Every occurrence is replaced (Storm 2.x does only the last one of a line), and what has no value stays as written.

import { TEXT_MAX } from './yaml-tree.ts'

export interface Values {
  /** From the properties file; undefined = none was given. */
  readonly properties: ReadonlyMap<string, string> | undefined
  /** The environment; undefined = `${ENV-X}` is not to be replaced. */
  readonly env: Readonly<Record<string, string | undefined>> | undefined
}

export interface Substituted {
  readonly text: string
  /** `line:column`, both from 1, in the original text, of an offset in the new one. */
  place(offset: number): string
  /** What had no value, with its `line:column`; comment lines are left out. */
  readonly unknown: readonly { readonly name: string; readonly place: string }[]
}

interface Piece {
  /** Where the piece begins in the new text, and in the old. */
  readonly start: number
  readonly sourceStart: number
  /** True for a piece that was put in; all of it belongs to `sourceStart`. */
  readonly replaced: boolean
}

const REFERENCE = /\$\{([^{}\r\n]+)\}/g

export function substitute(source: string, values: Values): Substituted {
  const pieces: Piece[] = [{ start: 0, sourceStart: 0, replaced: false }]
  const unknown: { name: string; place: string }[] = []
  const place = lineColumns(source)
  let text = ''
  let done = 0
  for (const match of source.matchAll(REFERENCE)) {
    // The parser refuses a text of this size; there is no need to let it grow further.
    if (text.length > TEXT_MAX) break
    const name = match[1]!
    const value = replacement(name, values)
    if (value === undefined) {
      if (!inComment(source, match.index)) unknown.push({ name, place: place(match.index) })
      continue
    }
    text += source.slice(done, match.index)
    pieces.push({ start: text.length, sourceStart: match.index, replaced: true })
    text += value
    done = match.index + match[0].length
    pieces.push({ start: text.length, sourceStart: done, replaced: false })
  }
  text += source.slice(done)
  return { text, unknown, place: offset => place(sourceOffset(pieces, offset)) }
}

function replacement(name: string, { properties, env }: Values): string | undefined {
  if (name.startsWith('ENV-') && env !== undefined) {
    const value = env[name.slice('ENV-'.length)]
    if (value !== undefined) return value
  }
  const whole = properties?.get(name)
  if (whole !== undefined) return whole
  const element = /^(.+)\[(\d+)\]$/.exec(name)
  if (element === null) return undefined
  const list = properties?.get(element[1]!)
  return list === undefined ? undefined : elementOf(list, Number(element[2]))
}

// `["a", "b"]` as one property; quotes around the elements are optional here.
function elementOf(list: string, index: number): string | undefined {
  const inner = list.trim().replace(/^\[/, '').replace(/\]$/, '')
  const element = inner.split(',')[index]?.trim()
  return element?.replace(/^(["'])(.*)\1$/, '$2')
}

function inComment(source: string, offset: number): boolean {
  const lineStart = source.lastIndexOf('\n', offset) + 1
  return source.slice(lineStart, offset).trimStart().startsWith('#')
}

function sourceOffset(pieces: readonly Piece[], offset: number): number {
  let piece = pieces[0]!
  for (const candidate of pieces) {
    if (candidate.start > offset) break
    piece = candidate
  }
  return piece.replaced ? piece.sourceStart : piece.sourceStart + (offset - piece.start)
}

export function lineColumns(source: string): (offset: number) => string {
  const starts = [0]
  for (const match of source.matchAll(/\r\n|\r|\n/g)) starts.push(match.index + match[0].length)
  return offset => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (starts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return `${low + 1}:${offset - starts[low]! + 1}`
  }
}

/** Reads the format of Java's properties files: comments, three separators, continued lines, escapes. */
export function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>()
  for (const line of logicalLines(text)) {
    const match = /^((?:\\.|[^\\=:\s])*)(?:\s*[=:]\s*|\s+)?(.*)$/s.exec(line)
    if (match !== null) properties.set(unescaped(match[1]!), unescaped(match[2]!))
  }
  return properties
}

function logicalLines(text: string): string[] {
  const lines: string[] = []
  let continued: string | undefined
  for (const raw of text.split(/\r\n|\r|\n/)) {
    const line = raw.trimStart()
    if (continued === undefined && (line === '' || line.startsWith('#') || line.startsWith('!'))) {
      continue
    }
    const whole = (continued ?? '') + line
    const goesOn = /(?:^|[^\\])(?:\\\\)*\\$/.test(line)
    if (goesOn) continued = whole.slice(0, -1)
    else {
      lines.push(whole)
      continued = undefined
    }
  }
  if (continued !== undefined) lines.push(continued)
  return lines
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f' }

function unescaped(text: string): string {
  return text.replace(
    /\\(?:u([0-9a-fA-F]{4})|(.))/gs,
    (_, hex: string | undefined, char: string) =>
      hex === undefined ? (ESCAPES[char] ?? char) : String.fromCharCode(Number.parseInt(hex, 16)),
  )
}
