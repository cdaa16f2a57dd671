// Reads what ValueWriter wrote. The bytes may be corrupt: every length is checked against what is left, nesting is
// bounded, and arrays grow as their entries arrive instead of being made at the size the bytes claim.

import { EngineError } from '../base/errors.ts'
import { type ByteReader, frameInvalid } from './byte-reader.ts'
import type { Serialiser } from './serialisers.ts'
import { ERROR_TYPES, NESTING_DEPTH_MAX, Tag, VIEW_TYPES } from './value-tags.ts'

// A wider integer than this many hexadecimal digits (128 KiB of number) is taken for corrupt: parsing is not free.
const BIGINT_DIGITS_MAX = 256 * 1024

/** Reads one value after the other from `input`. */
export class ValueReader {
  readonly input: ByteReader
  private readonly byName: ReadonlyMap<string, Serialiser>
  private depth = 0

  constructor(byName: ReadonlyMap<string, Serialiser>, input: ByteReader) {
    this.byName = byName
    this.input = input
  }

  read(): unknown {
    this.depth = 0
    return this.any()
  }

  private any(): unknown {
    const tag = this.input.u8()
    if (tag <= Tag.SMALL_INT_MAX) return tag
    if (tag < Tag.SHORT_ARRAY) return this.input.ascii(tag & 0x1f)
    if (tag >= Tag.NULL && tag <= Tag.BYTES) return this.leaf(tag)
    if (this.depth >= NESTING_DEPTH_MAX)
      throw frameInvalid(`values nested deeper than ${NESTING_DEPTH_MAX}`)
    this.depth++
    const value = this.nested(tag)
    this.depth--
    return value
  }

  private leaf(tag: number): unknown {
    const { input } = this
    switch (tag) {
      case Tag.NULL:
        return null
      case Tag.UNDEFINED:
        return undefined
      case Tag.FALSE:
        return false
      case Tag.TRUE:
        return true
      case Tag.INT8:
        return (input.u8() << 24) >> 24
      case Tag.INT16:
        return (input.u16() << 16) >> 16
      case Tag.INT32:
        return input.i32()
      case Tag.FLOAT64:
        return input.f64()
      case Tag.TEXT:
        return input.text()
      case Tag.BIGINT64:
        return input.i64()
      case Tag.BIGINT:
        return this.bigint()
      case Tag.BUFFER:
        return Buffer.from(input.borrow(input.count(1)))
      default:
        return new Uint8Array(input.borrow(input.count(1)))
    }
  }

  private nested(tag: number): unknown {
    const { input } = this
    if (tag < Tag.SHORT_OBJECT) return this.array(tag & 0x0f)
    if (tag < Tag.NULL) return this.entries({}, tag & 0x0f)
    switch (tag) {
      case Tag.ARRAY:
        return this.array(input.count(1))
      case Tag.OBJECT:
        return this.entries({}, input.count(2))
      case Tag.BARE_OBJECT:
        return this.entries(Object.create(null) as Record<string, unknown>, input.count(2))
      case Tag.MAP:
        return this.map()
      case Tag.SET:
        return new Set(this.array(input.count(1)))
      case Tag.DATE:
        return new Date(input.f64())
      case Tag.REGEXP:
        return this.regexp()
      case Tag.TYPED_ARRAY:
        return this.typedArray()
      case Tag.ARRAY_BUFFER:
        return copied(input.borrow(input.count(1)))
      case Tag.ERROR:
        return this.error()
      case Tag.CUSTOM:
        return this.custom()
      default:
        throw frameInvalid(`unknown value tag ${tag}`)
    }
  }

  private array(count: number): unknown[] {
    const values: unknown[] = []
    for (let i = 0; i < count; i++) values.push(this.any())
    return values
  }

  private entries(target: Record<string, unknown>, count: number): Record<string, unknown> {
    for (let i = 0; i < count; i++) {
      const key = this.key()
      const value = this.any()
      if (key === '__proto__') define(target, key, value, true)
      else target[key] = value
    }
    return target
  }

  private key(): string {
    const tag = this.input.u8()
    if (tag >= Tag.SHORT_TEXT && tag < Tag.SHORT_ARRAY) return this.input.key(tag & 0x1f)
    if (tag === Tag.TEXT) return this.input.text()
    throw frameInvalid(`a text expected, found value tag ${tag}`)
  }

  private bigint(): bigint {
    const negative = this.input.u8() === 1
    const count = this.input.count(1)
    const digits = this.input.slice(count, 'latin1')
    if (count > BIGINT_DIGITS_MAX || !/^[0-9a-f]+$/.test(digits))
      throw frameInvalid('a malformed integer')
    const value = BigInt(`0x${digits}`)
    return negative ? -value : value
  }

  private map(): Map<unknown, unknown> {
    const map = new Map<unknown, unknown>()
    for (let i = this.input.count(2); i > 0; i--) {
      const key = this.any()
      map.set(key, this.any())
    }
    return map
  }

  private regexp(): RegExp {
    const source = this.key()
    const flags = this.key()
    try {
      return new RegExp(source, flags)
    } catch (cause) {
      throw frameInvalid(`a malformed regular expression: ${String(cause)}`)
    }
  }

  private typedArray(): unknown {
    const type = VIEW_TYPES[this.input.u8()]
    if (type === undefined) throw frameInvalid('an unknown typed array')
    const bytes = this.input.count(1)
    const width = type === DataView ? 1 : (type as typeof Int32Array).BYTES_PER_ELEMENT
    if (bytes % width !== 0) throw frameInvalid(`${bytes} bytes do not fill a ${type.name}`)
    return new (type as typeof DataView)(copied(this.input.borrow(bytes)))
  }

  private error(): Error {
    const type = this.input.u8()
    const standard = ERROR_TYPES[type]
    if (standard === undefined) throw frameInvalid('an unknown kind of error')
    const error =
      standard === AggregateError ? new AggregateError([]) : new (standard as typeof Error)()
    // The stack made here would name this decoder; what the sender knew replaces it.
    define(error, 'stack', undefined, false)
    for (let i = this.input.count(2); i > 0; i--) {
      const key = this.key()
      define(error, key, this.any(), !HIDDEN_ERROR_KEYS.has(key))
    }
    return error
  }

  private custom(): unknown {
    const name = this.key()
    const serialiser = this.byName.get(name)
    const data = this.any()
    if (serialiser === undefined) {
      throw new EngineError(
        'SERIALIZER_UNKNOWN',
        `a value came encoded by the serialiser "${name}", unknown here`,
        {
          hint: 'register the same serialisers in every executor of the application',
          details: { name },
        },
      )
    }
    try {
      return serialiser.decode(data)
    } catch (cause) {
      throw new EngineError('FRAME_INVALID', `serialiser "${name}" could not decode a value`, {
        hint: 'correct the serialiser: its decode() threw on what its encode() gave',
        details: { name },
        cause,
      })
    }
  }
}

// These are not enumerable on an error made by `new Error(message, { cause })`.
const HIDDEN_ERROR_KEYS: ReadonlySet<string> = new Set([
  'stack',
  'message',
  'cause',
  'errors',
  'name',
])

function define(target: object, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(target, key, { value, enumerable, writable: true, configurable: true })
}

function copied(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer
}
