// Reads MessagePack, for the wire from shell components. Our own, because on this wire types must survive that neither
// npm library keeps: 1.0 apart from 1, integers beyond 2^32 as integers, old raw strings; and because input from a
// child must not overflow the stack. Ext types have no meaning between Storm and its components and are refused.
import { EngineError } from 'gearpump/spi'
import { type Double, floatValue } from '../component/values.ts'
import { DEPTH_MAX } from './json-lossless.ts'

/** Text up to this length is copied character by character. At most 31, what a one-byte header can say. */
export const SHORT_TEXT = 24

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
        Object.defineProperty(result, key, {
          value,
          enumerable: true,
          writable: true,
          configurable: true,
        })
      } else {
        result[key] = value
      }
    }
    return result
  }

  // Every item needs a byte at least, so a length beyond the bytes at hand cannot be complete.
  private deeper(depth: number, length: number): void {
    if (depth >= DEPTH_MAX) {
      throw new EngineError(
        'SHELL_PROTOCOL',
        `sent MessagePack nested deeper than ${DEPTH_MAX} levels`,
      )
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
    {
      hint: 'Do not print to stdout from a component that speaks MessagePack; it has no framing to skip a print by.',
    },
  )
}
