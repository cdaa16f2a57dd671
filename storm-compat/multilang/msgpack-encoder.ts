// Writes MessagePack, for the wire to shell components. Our own for the same reasons as the decoder: both npm libraries
// write 1.0 as the integer 1 and integers beyond 32 bits as floats.
import { EngineError } from 'gearpump/spi'
import { Double } from '../component/values.ts'
import { DEPTH_MAX } from './json-lossless.ts'
import { SHORT_TEXT } from './msgpack-decoder.ts'

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
        this.text(value)
        break
      case 'number':
        if (Number.isSafeInteger(value)) this.integer(value)
        else this.float(value)
        break
      case 'boolean':
        this.byte(value ? 0xc3 : 0xc2)
        break
      case 'bigint':
        this.bigInteger(value)
        break
      case 'undefined':
        this.byte(0xc0)
        break
      case 'object':
        if (value === null) this.byte(0xc0)
        else this.object(value, depth)
        break
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
    if (depth >= DEPTH_MAX)
      throw unwritable(`a value nested deeper than ${DEPTH_MAX} levels (or in a circle)`)
    if (Array.isArray(value)) this.array(value, depth)
    else if (value instanceof Double) this.float(value.value)
    else if (value instanceof Map) this.entries([...value], depth)
    else if (value instanceof Set) this.array([...value], depth)
    else if (ArrayBuffer.isView(value)) {
      this.bin(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
    } else {
      const own = value as { toJSON?: unknown }
      if (typeof own.toJSON === 'function') this.value(own.toJSON(), depth + 1)
      else this.fields(value as Record<string, unknown>, depth)
    }
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
    if (value >= 0 && value < 0x80) this.byte(value)
    else if (value < 0 && value >= -0x20) this.byte(value + 0x100)
    else if (value >= -0x80000000 && value <= 0xffffffff) this.integer32(value)
    else this.bigInteger(BigInt(value))
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
