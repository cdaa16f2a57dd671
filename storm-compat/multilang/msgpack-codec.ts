// MessagePack in both directions, for the wire to shell components. Our own, because on this wire types must survive
// that neither npm library keeps: 1.0 apart from 1, integers beyond 2^32 as integers (both libraries write floats),
// old raw strings; and because input from a child must not overflow the stack. Ext types have no meaning between
// Storm and its components and are refused.
import { EngineError } from 'gearpump/spi'
import { Double, floatValue } from '../component/values.ts'
import { DEPTH_MAX } from './json-lossless.ts'

/** Text up to this length is copied character by character. At most 31, what a one-byte header can say. */
const SHORT_TEXT = 24

/** Thrown inside the decoder when the bytes end within a message; the framing waits for more. */
export const INCOMPLETE: unique symbol = Symbol('incomplete')

/** Decodes one value from `bytes`; after it `at` is behind the value. */
export class MsgpackDecoder {
  at = 0
  /** Whether a value was read that only this decoder tells apart: a Double or a BigInt. Reset by the caller. */
  special = false
  private bytes: Buffer = Buffer.alloc(0)

  load(bytes: Buffer): void {
    this.bytes = bytes
    this.at = 0
  }

  /** The next value, or INCOMPLETE (then `at` is where it was). Throws SHELL_PROTOCOL on bytes that are no MessagePack. */
  next(): unknown {
    const start = this.at
    try {
      return this.value(0)
    } catch (thrown) {
      if (thrown !== INCOMPLETE) throw thrown
      this.at = start
      return INCOMPLETE
    }
  }

  private value(depth: number): unknown {
    const code = this.bytes[this.take(1)]!
    if (code < 0x80) return code
    if (code < 0x90) return this.map(code & 0x0f, depth)
    if (code < 0xa0) return this.array(code & 0x0f, depth)
    if (code < 0xc0) return this.text(code & 0x1f)
    if (code >= 0xe0) return code - 0x100
    return this.long(code, depth)
  }

  private long(code: number, depth: number): unknown {
    const bytes = this.bytes
    switch (code) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
        return this.bin(bytes[this.take(1)]!)
      case 0xc5:
        return this.bin(bytes.readUInt16BE(this.take(2)))
      case 0xc6:
        return this.bin(bytes.readUInt32BE(this.take(4)))
      case 0xca:
        return this.float(bytes.readFloatBE(this.take(4)))
      case 0xcb:
        return this.float(bytes.readDoubleBE(this.take(8)))
      case 0xd9:
        return this.text(bytes[this.take(1)]!)
      case 0xda:
        return this.text(bytes.readUInt16BE(this.take(2)))
      case 0xdb:
        return this.text(bytes.readUInt32BE(this.take(4)))
      case 0xdc:
        return this.array(bytes.readUInt16BE(this.take(2)), depth)
      case 0xdd:
        return this.array(bytes.readUInt32BE(this.take(4)), depth)
      case 0xde:
        return this.map(bytes.readUInt16BE(this.take(2)), depth)
      case 0xdf:
        return this.map(bytes.readUInt32BE(this.take(4)), depth)
      default:
        return this.integer(code)
    }
  }

  private integer(code: number): number | bigint {
    const bytes = this.bytes
    switch (code) {
      case 0xcc:
        return bytes[this.take(1)]!
      case 0xcd:
        return bytes.readUInt16BE(this.take(2))
      case 0xce:
        return bytes.readUInt32BE(this.take(4))
      case 0xcf:
        return this.narrow(bytes.readBigUInt64BE(this.take(8)))
      case 0xd0:
        return bytes.readInt8(this.take(1))
      case 0xd1:
        return bytes.readInt16BE(this.take(2))
      case 0xd2:
        return bytes.readInt32BE(this.take(4))
      case 0xd3:
        return this.narrow(bytes.readBigInt64BE(this.take(8)))
      default:
        throw unreadable(code)
    }
  }

  private float(value: number): number | Double {
    const float = floatValue(value)
    if (typeof float === 'object') this.special = true
    return float
  }

  private narrow(value: bigint): number | bigint {
    const number = Number(value)
    if (Number.isSafeInteger(number)) return number
    this.special = true
    return value
  }

  // Short ASCII text is put together here: a call into the runtime costs more than twenty characters.
  private text(length: number): string {
    const start = this.take(length)
    const bytes = this.bytes
    if (length > SHORT_TEXT) return bytes.toString('utf8', start, start + length)
    let text = ''
    for (let i = start; i < start + length; i++) {
      const byte = bytes[i]!
      if (byte >= 0x80) return bytes.toString('utf8', start, start + length)
      text += String.fromCharCode(byte)
    }
    return text
  }

  private bin(length: number): Buffer {
    const start = this.take(length)
    return Buffer.from(this.bytes.subarray(start, start + length))
  }

  private array(length: number, depth: number): unknown[] {
    this.deeper(depth, length)
    const items: unknown[] = []
    for (let i = 0; i < length; i++) items.push(this.value(depth + 1))
    return items
  }

  private map(length: number, depth: number): Record<string, unknown> {
    this.deeper(depth, length)
    const result: Record<string, unknown> = {}
    for (let i = 0; i < length; i++) {
      const key = String(this.value(depth + 1))
      const value = this.value(depth + 1)
      // Assignment would set the prototype instead of a key of that name.
      if (key === '__proto__') {
        Object.defineProperty(result, key, { value, enumerable: true, writable: true, configurable: true })
      } else {
        result[key] = value
      }
    }
    return result
  }

  // Every item needs a byte at least, so a length beyond the bytes at hand cannot be complete.
  private deeper(depth: number, length: number): void {
    if (depth >= DEPTH_MAX) {
      throw new EngineError('SHELL_PROTOCOL', `sent MessagePack nested deeper than ${DEPTH_MAX} levels`)
    }
    if (length > this.bytes.length - this.at) throw INCOMPLETE
  }

  private take(length: number): number {
    const start = this.at
    if (start + length > this.bytes.length) throw INCOMPLETE
    this.at = start + length
    return start
  }
}

function unreadable(code: number): EngineError {
  return new EngineError(
    'SHELL_PROTOCOL',
    `sent the byte 0x${code.toString(16)}, which begins no MessagePack value used by Storm`,
    { hint: 'Do not print to stdout from a component that speaks MessagePack; it has no framing to skip a print by.' },
  )
}

const BUFFER_BYTES_FIRST = 16 * 1024
const INT64_MIN = -(2n ** 63n)
const UINT64_MAX = 2n ** 64n - 1n

/** Encodes values one after the other into a buffer that grows. */
export class MsgpackEncoder {
  length = 0
  private bytes: Buffer = Buffer.allocUnsafe(BUFFER_BYTES_FIRST)

  /** What was encoded since the last take(). The buffer is handed over, not used again. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.length)
    this.bytes = Buffer.allocUnsafe(Math.max(BUFFER_BYTES_FIRST, this.length))
    this.length = 0
    return taken
  }

  /** Appends one value; throws VALUE_NOT_SERIALISABLE (the caller then resets `length`). */
  value(value: unknown, depth = 0): void {
    switch (typeof value) {
      case 'string':
        return this.text(value)
      case 'number':
        return Number.isSafeInteger(value) ? this.integer(value) : this.float(value)
      case 'boolean':
        return this.byte(value ? 0xc3 : 0xc2)
      case 'bigint':
        return this.bigInteger(value)
      case 'undefined':
        return this.byte(0xc0)
      case 'object':
        return value === null ? this.byte(0xc0) : this.object(value, depth)
      default:
        throw unwritable(`a ${typeof value}`)
    }
  }

  header(small: number, smallMax: number, code16: number, length: number): void {
    if (length <= smallMax) this.byte(small | length)
    else if (length <= 0xffff) {
      const at = this.room(3)
      this.bytes[at] = code16
      this.bytes.writeUInt16BE(length, at + 1)
    } else {
      const at = this.room(5)
      this.bytes[at] = code16 + 1
      this.bytes.writeUInt32BE(length, at + 1)
    }
  }

  private object(value: object, depth: number): void {
    if (depth >= DEPTH_MAX) throw unwritable(`a value nested deeper than ${DEPTH_MAX} levels (or in a circle)`)
    if (Array.isArray(value)) return this.array(value, depth)
    if (value instanceof Double) return this.float(value.value)
    if (value instanceof Map) return this.entries([...value], depth)
    if (ArrayBuffer.isView(value)) {
      return this.bin(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
    }
    const own = value as { toJSON?: unknown }
    if (typeof own.toJSON === 'function') return this.value(own.toJSON(), depth + 1)
    if (value instanceof Set) return this.array([...value], depth)
    this.fields(value as Record<string, unknown>, depth)
  }

  private fields(value: Record<string, unknown>, depth: number): void {
    const keys = Object.keys(value)
    let present = 0
    for (const key of keys) if (value[key] !== undefined) present++
    this.header(0x80, 15, 0xde, present)
    for (const key of keys) {
      const item = value[key]
      if (item === undefined) continue
      this.text(key)
      this.value(item, depth + 1)
    }
  }

  array(items: readonly unknown[], depth = 0): void {
    this.header(0x90, 15, 0xdc, items.length)
    for (let i = 0; i < items.length; i++) this.value(items[i], depth + 1)
  }

  private entries(entries: readonly (readonly [unknown, unknown])[], depth: number): void {
    this.header(0x80, 15, 0xde, entries.length)
    for (const [key, item] of entries) {
      this.text(String(key))
      this.value(item, depth + 1)
    }
  }

  text(text: string): void {
    const units = text.length
    if (units <= SHORT_TEXT && this.shortAscii(text, units)) return
    const length = Buffer.byteLength(text)
    if (length <= 31) {
      this.byte(0xa0 | length)
    } else if (length <= 0xff) {
      const at = this.room(2)
      this.bytes[at] = 0xd9
      this.bytes[at + 1] = length
    } else {
      this.header(0, -1, 0xda, length)
    }
    const at = this.room(length)
    this.bytes.write(text, at, length, 'utf8')
  }

  // A call into the runtime costs more than some twenty characters.
  private shortAscii(text: string, units: number): boolean {
    const at = this.room(units + 1)
    const bytes = this.bytes
    for (let i = 0; i < units; i++) {
      const unit = text.charCodeAt(i)
      if (unit >= 0x80) {
        this.length = at
        return false
      }
      bytes[at + 1 + i] = unit
    }
    bytes[at] = 0xa0 | units
    return true
  }

  private bin(value: Uint8Array): void {
    if (value.length <= 0xff) {
      const at = this.room(2)
      this.bytes[at] = 0xc4
      this.bytes[at + 1] = value.length
    } else {
      this.header(0, -1, 0xc5, value.length)
    }
    const at = this.room(value.length)
    this.bytes.set(value, at)
  }

  integer(value: number): void {
    if (value >= 0 && value < 0x80) return this.byte(value)
    if (value < 0 && value >= -0x20) return this.byte(value + 0x100)
    if (value >= -0x80000000 && value <= 0xffffffff) return this.integer32(value)
    this.bigInteger(BigInt(value))
  }

  private integer32(value: number): void {
    const at = this.room(5)
    if (value >= 0) {
      this.bytes[at] = value <= 0xff ? 0xcc : value <= 0xffff ? 0xcd : 0xce
    } else {
      this.bytes[at] = value >= -0x80 ? 0xd0 : value >= -0x8000 ? 0xd1 : 0xd2
    }
    const size = 1 << ((this.bytes[at]! - 0xcc) & 3)
    if (value >= 0) this.bytes.writeUIntBE(value, at + 1, size)
    else this.bytes.writeIntBE(value, at + 1, size)
    this.length = at + 1 + size
  }

  private bigInteger(value: bigint): void {
    if (value < INT64_MIN || value > UINT64_MAX) {
      throw unwritable(`the integer ${value}, which is beyond 64 bits,`)
    }
    const at = this.room(9)
    if (value < 0n) {
      this.bytes[at] = 0xd3
      this.bytes.writeBigInt64BE(value, at + 1)
    } else {
      this.bytes[at] = 0xcf
      this.bytes.writeBigUInt64BE(value, at + 1)
    }
  }

  private float(value: number): void {
    const at = this.room(9)
    this.bytes[at] = 0xcb
    this.bytes.writeDoubleBE(value, at + 1)
  }

  byte(code: number): void {
    const at = this.room(1)
    this.bytes[at] = code
  }

  private room(bytes: number): number {
    const at = this.length
    this.length = at + bytes
    if (this.length > this.bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.length))
      this.bytes.copy(grown, 0, 0, at)
      this.bytes = grown
    }
    return at
  }
}

function unwritable(what: string): EngineError {
  return new EngineError('VALUE_NOT_SERIALISABLE', `cannot write ${what} as MessagePack`, {
    hint: 'Emit plain values: null, booleans, numbers, strings, bytes, arrays and objects of them.',
  })
}
