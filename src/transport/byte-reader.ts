// Reads what ByteWriter wrote. Every read is checked against the end, and every count against the bytes that are
// left, so that a corrupt or hostile body ends in FRAME_INVALID: never in a crash, a long loop or a huge allocation.

import { EngineError } from '../base/errors.ts'

// Below this many bytes a loop makes a text faster than a call into the runtime does.
const LOOP_BYTES_MAX = 8

// Object keys come again and again: a small table gives the same string for the same bytes. A power of two.
const KEY_CACHE_SLOTS = 512
const KEY_CHARS_MAX = 31

/** A FRAME_INVALID error: the bytes are not what a peer of this version would send. */
export function frameInvalid(what: string, details: Record<string, unknown> = {}): EngineError {
  return new EngineError('FRAME_INVALID', `a frame could not be read: ${what}`, {
    hint: 'check that both executors run the same version of the engine and the same serialisers',
    details,
  })
}

/** A cursor over bytes owned by somebody else. What it returns never refers to those bytes. */
export class ByteReader {
  bytes: Buffer
  position = 0
  end = 0
  private view: DataView
  private readonly keys: string[] = new Array<string>(KEY_CACHE_SLOTS).fill('')

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.bytes = Buffer.alloc(0)
    this.view = new DataView(new ArrayBuffer(0))
    this.reset(bytes)
  }

  /** Starts over with other bytes. */
  reset(bytes: Uint8Array): void {
    this.bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.position = 0
    this.end = bytes.byteLength
  }

  get remaining(): number {
    return this.end - this.position
  }

  /** Throws unless `bytes` more are there. */
  need(bytes: number): void {
    if (bytes > this.end - this.position) {
      throw frameInvalid(`${bytes} bytes expected, ${this.end - this.position} left`, {
        at: this.position,
      })
    }
  }

  u8(): number {
    this.need(1)
    return this.bytes[this.position++]!
  }

  u16(): number {
    this.need(2)
    this.position += 2
    return this.view.getUint16(this.position - 2, true)
  }

  u32(): number {
    this.need(4)
    this.position += 4
    return this.view.getUint32(this.position - 4, true)
  }

  i32(): number {
    this.need(4)
    this.position += 4
    return this.view.getInt32(this.position - 4, true)
  }

  f64(): number {
    this.need(8)
    this.position += 8
    return this.view.getFloat64(this.position - 8, true)
  }

  i64(): bigint {
    this.need(8)
    this.position += 8
    return this.view.getBigInt64(this.position - 8, true)
  }

  varint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw frameInvalid('a number of more than five bytes', { at: this.position })
  }

  zigzag(): number {
    const value = this.varint()
    return (value >>> 1) ^ -(value & 1)
  }

  /** A count of things that take at least `bytesEach` bytes: more than the rest can hold is refused here. */
  count(bytesEach: number): number {
    const count = this.varint()
    if (count * bytesEach > this.remaining) {
      throw frameInvalid(`${count} entries cannot be in ${this.remaining} bytes`, {
        at: this.position,
      })
    }
    return count
  }

  /** The next bytes themselves, not a copy: valid only as long as the body is. */
  borrow(bytes: number): Buffer {
    this.need(bytes)
    this.position += bytes
    return this.bytes.subarray(this.position - bytes, this.position)
  }

  /** The next bytes as a text. */
  slice(bytes: number, encoding: 'latin1' | 'utf8' | 'utf16le'): string {
    this.need(bytes)
    this.position += bytes
    return this.bytes.toString(encoding, this.position - bytes, this.position)
  }

  /** The counterpart of ByteWriter.text. */
  text(): string {
    const header = this.u32()
    return header & 0x80000000
      ? this.slice(header & 0x7fffffff, 'utf16le')
      : this.slice(header, 'utf8')
  }

  /** A text of ASCII bytes. */
  ascii(length: number): string {
    if (length > LOOP_BYTES_MAX) return this.slice(length, 'latin1')
    this.need(length)
    let text = ''
    for (let i = 0; i < length; i++) text += String.fromCharCode(this.bytes[this.position + i]!)
    this.position += length
    return text
  }

  /** A short ASCII text that is likely to come again: found in the table, made only the first time. */
  key(length: number): string {
    if (length > KEY_CHARS_MAX) return this.ascii(length)
    this.need(length)
    const { bytes, position } = this
    let hash = length
    for (let i = 0; i < length; i++) hash = (hash * 31 + bytes[position + i]!) | 0
    const slot = (hash ^ (hash >>> 9)) & (KEY_CACHE_SLOTS - 1)
    const known = this.keys[slot]!
    if (known.length === length && this.isNext(known)) {
      this.position += length
      return known
    }
    const text = this.ascii(length)
    this.keys[slot] = text
    return text
  }

  private isNext(text: string): boolean {
    for (let i = 0; i < text.length; i++) {
      if (text.charCodeAt(i) !== this.bytes[this.position + i]) return false
    }
    return true
  }
}
