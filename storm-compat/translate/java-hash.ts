// The hashes of Java, by which Storm routes a fields grouping: `floorMod(Arrays.deepHashCode(values), tasks)`. We route
// by the same numbers, so that a key meets the same task whether a JVM or we emitted it, and so that the task ids a
// component is told are those that Storm would tell.
//
// Which Java value a value of ours stands for: a safe integer is an Integer where it fits and a Long beyond (their
// hashes differ below 0: -1 is not -1n), a bigint is a Long or a BigInteger, any other number and `Double` a Double, an
// array a List, an object or Map a Map, bytes a byte[]. What may go wrong: a function, or a value that contains
// itself, has no hash and is refused.
import { EngineError } from 'gearpump/spi'
import type { Values } from '../component/api.ts'
import { Double } from '../component/values.ts'
import { JavaValue } from '../jvm/java-value.ts'

/** Nesting beyond this is taken for a value that contains itself; Java itself overflows its stack on one. */
const DEPTH_MAX = 64

const TWO_TO_32 = 2 ** 32
const TRUE_HASH = 1231
const FALSE_HASH = 1237

const float64 = new Float64Array(1)
const int32Pair = new Int32Array(float64.buffer)

/** `value.hashCode()`; 0 for null and undefined, the hash of its contents for bytes. */
export function javaHash(value: unknown): number {
  if (typeof value === 'string') return stringHash(value)
  return otherHash(value, 0)
}

/** `Arrays.deepHashCode` over these values. */
export function javaDeepHash(values: Values): number {
  return listHash(values, 0)
}

/** The remainder that is never negative: Java's `Math.floorMod` of an int for a positive divisor. */
export function floorMod(dividend: number, divisor: number): number {
  // Without `| 0`, a negative multiple of the divisor would leave -0.
  const remainder = (dividend % divisor) | 0
  return remainder < 0 ? remainder + divisor : remainder
}

/**
 * The choice that Storm's fields grouping makes: the index of the target task, tasks taken in ascending order of id.
 *
 * @param positions of the grouping's fields among the stream's fields, in the order of the grouping
 */
export function fieldsChoice(
  positions: readonly number[],
  targets: number,
): (values: Values) => number {
  const [only] = positions
  if (only !== undefined && positions.length === 1) {
    return values => floorMod((31 + javaHash(values[only])) | 0, targets)
  }
  return values => {
    let hash = 1
    for (const position of positions) hash = (Math.imul(hash, 31) + javaHash(values[position])) | 0
    return floorMod(hash, targets)
  }
}

function stringHash(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return hash
}

function nestedHash(value: unknown, depth: number): number {
  return typeof value === 'string' ? stringHash(value) : otherHash(value, depth)
}

function otherHash(value: unknown, depth: number): number {
  switch (typeof value) {
    case 'number':
      return numberHash(value)
    case 'boolean':
      return value ? TRUE_HASH : FALSE_HASH
    case 'bigint':
      return bigintHash(value)
    case 'undefined':
      return 0
    case 'object':
      return value === null ? 0 : objectHash(value, depth)
    default:
      throw new EngineError(
        'VALUE_NOT_SERIALISABLE',
        `a ${typeof value} cannot be a value of a grouping's field`,
        {
          hint: 'group by a field that holds text, a number or other plain data',
        },
      )
  }
}

function numberHash(value: number): number {
  const integer = value | 0
  if (integer === value) return integer
  // A Long: the two halves of its two's complement; the division by a power of two is exact.
  if (Number.isSafeInteger(value)) return Math.floor(value / TWO_TO_32) ^ value
  return doubleHash(value)
}

function doubleHash(value: number): number {
  // Java counts all NaNs as one; the literal has the bits that Java takes for it.
  float64[0] = Number.isNaN(value) ? Number.NaN : value
  return int32Pair[0]! ^ int32Pair[1]!
}

function bigintHash(value: bigint): number {
  if (BigInt.asIntN(64, value) === value) {
    return Number(BigInt.asIntN(32, value >> 32n)) ^ Number(BigInt.asIntN(32, value))
  }
  const digits = (value < 0n ? -value : value).toString(16)
  let hash = 0
  for (let end = digits.length % 8 || 8; end <= digits.length; end += 8) {
    hash = (Math.imul(hash, 31) + Number.parseInt(digits.slice(Math.max(0, end - 8), end), 16)) | 0
  }
  return value < 0n ? -hash | 0 : hash
}

function objectHash(value: object, depth: number): number {
  if (depth === DEPTH_MAX) {
    throw new EngineError(
      'VALUE_NOT_SERIALISABLE',
      `a value nested deeper than ${DEPTH_MAX} levels has no hash`,
      {
        hint: 'it may contain itself; group by a field that holds plain data',
      },
    )
  }
  const inner = depth + 1
  if (Array.isArray(value)) return listHash(value, inner)
  if (value instanceof Double) return doubleHash(value.value)
  if (value instanceof JavaValue) return value.hash
  if (ArrayBuffer.isView(value)) return bytesHash(value)
  if (value instanceof Map) return mapHash(value, inner)
  if (value instanceof Set) return setHash(value, inner)
  // A Date and the like travel as what they turn into; the receiver, too, would hash that.
  if ('toJSON' in value && typeof value.toJSON === 'function')
    return nestedHash(value.toJSON(), inner)
  return plainHash(value, inner)
}

function listHash(list: Values, depth: number): number {
  let hash = 1
  for (const element of list) hash = (Math.imul(hash, 31) + nestedHash(element, depth)) | 0
  return hash
}

function bytesHash(view: ArrayBufferView): number {
  const bytes = new Int8Array(view.buffer, view.byteOffset, view.byteLength)
  let hash = 1
  for (const byte of bytes) hash = (Math.imul(hash, 31) + byte) | 0
  return hash
}

function mapHash(map: ReadonlyMap<unknown, unknown>, depth: number): number {
  let hash = 0
  for (const [key, value] of map)
    hash = (hash + (nestedHash(key, depth) ^ nestedHash(value, depth))) | 0
  return hash
}

// A key whose value is undefined does not travel in JSON, so it does not count.
function plainHash(object: object, depth: number): number {
  let hash = 0
  for (const [key, value] of Object.entries(object)) {
    if (value !== undefined) hash = (hash + (stringHash(key) ^ nestedHash(value, depth))) | 0
  }
  return hash
}

function setHash(set: ReadonlySet<unknown>, depth: number): number {
  let hash = 0
  for (const element of set) hash = (hash + nestedHash(element, depth)) | 0
  return hash
}
