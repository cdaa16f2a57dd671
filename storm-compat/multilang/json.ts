// JSON as Storm speaks it with components: read without loss of number types, written on one line just as Storm's
// own writer does. Both are on the path of every tuple, so both have a fast way: JSON.parse where nothing in the text
// could be lost by it, and strings copied whole where nothing in them needs an escape.
import { EngineError } from 'gearpump/spi'
import { Double } from '../component/values.ts'
import { DEPTH_MAX, JsonError, parseLossless } from './json-lossless.ts'

export { DEPTH_MAX, JsonError } from './json-lossless.ts'

// A number that JSON.parse would change: 16 digits and more, an exponent, a fraction of zeros only, or a token it
// does not know. A number can only follow one of these characters; a match inside a string costs time, not truth.
const LOSSY = /(?:^|[[,:\s])-?(?:\d{16}|\d+(?:\.\d+)?[eE]|\d+\.0+(?!\d)|NaN|Infinity)/

/**
 * Parses one JSON text into plain values, `Double` for floats with an integral value, BigInt beyond 2^53. Throws
 * JsonError for anything else than JSON and for nesting deeper than DEPTH_MAX.
 */
export function parseJson(text: string): unknown {
  if (LOSSY.test(text) || mayBeTooDeep(text)) return parseLossless(text)
  try {
    return JSON.parse(text)
  } catch (thrown) {
    throw new JsonError('syntax', (thrown as Error).message)
  }
}

/**
 * Parses many texts in one go, which costs a fifth less than one by one. Undefined when they must be looked at one by
 * one: some text is no JSON, holds a number that needs the slow way, or is long enough to be nested too deep.
 */
export function parseJsonList(texts: readonly string[]): readonly unknown[] | undefined {
  for (let i = 0; i < texts.length; i++) if (texts[i]!.length > 2 * DEPTH_MAX) return undefined
  const list = `[${texts.join(',')}]`
  if (LOSSY.test(list)) return undefined
  try {
    const values = JSON.parse(list) as unknown[]
    return values.length === texts.length ? values : undefined
  } catch {
    // Which of them it was, and whether it is a print, is found out one by one.
    return undefined
  }
}

// Counts brackets without looking for strings, so it may say yes for nothing; each level needs two characters.
function mayBeTooDeep(text: string): boolean {
  if (text.length <= 2 * DEPTH_MAX) return false
  let opened = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x5b || code === 0x7b) opened++
    else if ((code === 0x5d || code === 0x7d) && opened > 0) opened--
    if (opened > DEPTH_MAX) return true
  }
  return false
}

/**
 * Writes a value on one line: `/` escaped, nulls explicit, NaN and infinities as null, floats as Java spells them
 * (`1.0`, `1.0E300`), BigInt by its digits. Throws EngineError VALUE_NOT_SERIALISABLE for bytes, functions and the
 * like, and for values nested deeper than DEPTH_MAX (cycles too).
 */
export function writeJson(value: unknown): string {
  return write(value, 0)
}

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return writeString(value)
    case 'number':
      return writeNumber(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'bigint':
      return value.toString()
    case 'undefined':
      return 'null'
    case 'object':
      return value === null ? 'null' : writeObject(value, depth + 1)
    default:
      throw unwritable(`a ${typeof value}`)
  }
}

function writeObject(value: object, depth: number): string {
  if (depth > DEPTH_MAX)
    throw unwritable(`a value nested deeper than ${DEPTH_MAX} levels (or in a circle)`)
  if (Array.isArray(value)) return writeArray(value, depth)
  if (value instanceof Double) return writeFloat(value.value)
  if (value instanceof Map) return writeEntries(value, depth)
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    throw unwritable(
      'bytes',
      'JSON has no bytes: send text, or set topology.multilang.serializer to msgpack.',
    )
  }
  const own = value as { toJSON?: unknown }
  if (typeof own.toJSON === 'function') return write(own.toJSON(), depth)
  if (value instanceof Set) return writeArray([...value], depth)
  let text = ''
  for (const key of Object.keys(value)) {
    const item = (value as Record<string, unknown>)[key]
    if (item === undefined) continue
    text += `${text === '' ? '{' : ','}${writeString(key)}:${write(item, depth)}`
  }
  return text === '' ? '{}' : `${text}}`
}

function writeArray(items: readonly unknown[], depth: number): string {
  const length = items.length
  if (length === 0) return '[]'
  let text = `[${write(items[0], depth)}`
  for (let i = 1; i < length; i++) text += `,${write(items[i], depth)}`
  return `${text}]`
}

function writeEntries(entries: ReadonlyMap<unknown, unknown>, depth: number): string {
  let text = ''
  for (const [key, item] of entries) {
    text += `${text === '' ? '{' : ','}${writeString(String(key))}:${write(item, depth)}`
  }
  return text === '' ? '{}' : `${text}}`
}

// Everything that cannot be copied as it is; surrogates are here because a lone one must be escaped.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const ESCAPED = /["\\/\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]/
// What JSON.stringify leaves alone and Storm's writer does not.
const ESCAPED_BY_STORM_ONLY = /[/\u007f-\u009f\u2028\u2029]/g

function writeString(text: string): string {
  if (!ESCAPED.test(text)) return `"${text}"`
  return JSON.stringify(text).replace(ESCAPED_BY_STORM_ONLY, escapeOne)
}

function escapeOne(character: string): string {
  if (character === '/') return '\\/'
  return `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
}

function writeNumber(value: number): string {
  return Number.isSafeInteger(value) ? String(value) : writeFloat(value)
}

// Java's Double.toString: a fraction always, and from 10^7 up and below 10^-3 an exponent without plus sign.
function writeFloat(value: number): string {
  if (!Number.isFinite(value)) return 'null'
  const size = Math.abs(value)
  if (size === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  if (size >= 1e-3 && size < 1e7) {
    const text = String(value)
    return text.includes('.') ? text : `${text}.0`
  }
  const [digits = '', exponent = ''] = value.toExponential().split('e')
  return `${digits.includes('.') ? digits : `${digits}.0`}E${exponent.replace('+', '')}`
}

function unwritable(what: string, hint?: string): EngineError {
  return new EngineError('VALUE_NOT_SERIALISABLE', `cannot write ${what} as JSON`, {
    hint:
      hint ?? 'Emit plain values: null, booleans, numbers, strings, arrays and objects of them.',
  })
}
