// The hash behind the partitioners `hash` and `groupBy`: equal values give equal numbers, in every process and on
// every machine, because any executor may have to route a key. Strings and integers take a short way; everything
// else is hashed by its contents. What may go wrong: a value that contains itself cannot be hashed and is refused.
import { EngineError } from '../base/errors.ts'

/** Nesting beyond this is taken for a value that contains itself; real keys are a few levels deep. */
const DEPTH_MAX = 64

const NULL_HASH = 0
const TRUE_HASH = 1231
const FALSE_HASH = 1237

const float64 = new Float64Array(1)
const int32Pair = new Int32Array(float64.buffer)

/**
 * A 32-bit hash of the value's contents. Key order in objects, maps and sets does not matter; `0` and `-0` are one
 * value; functions and symbols have no contents and count as null.
 */
export function hashOf(value: unknown): number {
  if (typeof value === 'string') return stringHash(value)
  if (typeof value === 'number') return numberHash(value)
  return otherHash(value, 0)
}

function stringHash(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return hash
}

function numberHash(value: number): number {
  const integer = value | 0
  if (integer === value) return integer
  // All NaNs are one value, whatever bits they came with.
  float64[0] = Number.isNaN(value) ? Number.NaN : value
  return int32Pair[0]! ^ int32Pair[1]!
}

function nestedHash(value: unknown, depth: number): number {
  if (typeof value === 'string') return stringHash(value)
  if (typeof value === 'number') return numberHash(value)
  return otherHash(value, depth)
}

function otherHash(value: unknown, depth: number): number {
  switch (typeof value) {
    case 'boolean':
      return value ? TRUE_HASH : FALSE_HASH
    case 'bigint':
      return stringHash(value.toString())
    case 'object':
      return value === null ? NULL_HASH : objectHash(value, depth)
    default:
      return NULL_HASH
  }
}

function objectHash(value: object, depth: number): number {
  if (depth === DEPTH_MAX) {
    throw new EngineError(
      'VALUE_NOT_SERIALISABLE',
      `a value nested deeper than ${DEPTH_MAX} levels has no hash`,
      {
        hint: 'it may contain itself; group by a part of it: groupBy(value => value.id)',
      },
    )
  }
  const inner = depth + 1
  if (Array.isArray(value)) return listHash(value, inner)
  if (ArrayBuffer.isView(value)) return bytesHash(value)
  if (value instanceof Map) return entriesHash(value, inner)
  if (value instanceof Set) return setHash(value, inner)
  // Date, URL and the like keep their contents out of sight and give them away here.
  if ('toJSON' in value && typeof value.toJSON === 'function')
    return nestedHash(value.toJSON(), inner)
  return entriesHash(Object.entries(value), inner)
}

function listHash(list: readonly unknown[], depth: number): number {
  let hash = 1
  for (const element of list) hash = (Math.imul(hash, 31) + nestedHash(element, depth)) | 0
  return hash
}

function bytesHash(view: ArrayBufferView): number {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
  let hash = 1
  for (const byte of bytes) hash = (Math.imul(hash, 31) + byte) | 0
  return hash
}

// Summed, so that the order of entries does not matter; the product keeps {a: b} apart from {b: a}.
function entriesHash(entries: Iterable<readonly [unknown, unknown]>, depth: number): number {
  let hash = 0
  for (const [key, value] of entries) {
    hash = (hash + (Math.imul(nestedHash(key, depth), 31) ^ nestedHash(value, depth))) | 0
  }
  return hash
}

function setHash(set: ReadonlySet<unknown>, depth: number): number {
  let hash = 0
  for (const element of set) hash = (hash + nestedHash(element, depth)) | 0
  return hash
}
