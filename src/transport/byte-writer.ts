// A growing buffer that frames and values are written into. One writer is reused for many values; `take` hands the
// bytes over and starts afresh. Growth is capped by FRAME_BYTES_MAX: what would go beyond it throws FRAME_TOO_LARGE
// before memory is allocated. Numbers are little-endian throughout.

import { EngineError } from '../base/errors.ts'

/** No frame is larger than this, whole: it bounds what one peer can make another allocate. */
export const FRAME_BYTES_MAX = 64 * 1024 * 1024

// A short text is written char by char: below this a call into the runtime costs more than the loop.
const LOOP_CHARS_MAX = 24

const INITIAL_BYTES = 1024

// A reused buffer that has grown beyond this is given back.
const RETAINED_BYTES_MAX = 1024 * 1024

const NOTHING = Buffer.alloc(0)

/** Whether `text` has no lone surrogate, so that UTF-8 can carry it. (Node has it; the ES2023 types do not.) */
export function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed()
}

/** Writes numbers, texts and bytes one after the other. */
export class ByteWriter {
  buffer: Buffer
  position = 0
  private view: DataView

  constructor(bytes = INITIAL_BYTES) {
    this.buffer = bytes === 0 ? NOTHING : Buffer.allocUnsafe(bytes)
    this.view = viewOf(this.buffer)
  }

  /** Makes room for `bytes` more. Every writing method calls it; loops over `buffer` must call it themselves. */
  ensure(bytes: number): void {
    if (this.position + bytes > this.buffer.length) this.grow(this.position + bytes)
  }

  u8(value: number): void {
    this.ensure(1)
    this.buffer[this.position++] = value
  }

  u16(value: number): void {
    this.ensure(2)
    this.view.setUint16(this.position, value, true)
    this.position += 2
  }

  u32(value: number): void {
    this.ensure(4)
    this.view.setUint32(this.position, value, true)
    this.position += 4
  }

  i32(value: number): void {
    this.ensure(4)
    this.view.setInt32(this.position, value, true)
    this.position += 4
  }

  f64(value: number): void {
    this.ensure(8)
    this.view.setFloat64(this.position, value, true)
    this.position += 8
  }

  i64(value: bigint): void {
    this.ensure(8)
    this.view.setBigInt64(this.position, value, true)
    this.position += 8
  }

  /** An unsigned number below 2^32 in one to five bytes. */
  varint(value: number): void {
    this.ensure(5)
    let rest = value >>> 0
    while (rest > 0x7f) {
      this.buffer[this.position++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.buffer[this.position++] = rest
  }

  /** A signed 32-bit number, short when it is near zero. */
  zigzag(value: number): void {
    this.varint((value << 1) ^ (value >> 31))
  }

  bytes(value: Uint8Array): void {
    this.ensure(value.length)
    this.buffer.set(value, this.position)
    this.position += value.length
  }

  /** The text as UTF-8, without a length; returns the bytes written. Lone surrogates are the caller's concern. */
  utf8(text: string): number {
    if (text.length <= LOOP_CHARS_MAX && this.ascii(text)) return text.length
    this.ensure(text.length + 4)
    const room = this.buffer.length - this.position
    let written = this.buffer.write(text, this.position, room, 'utf8')
    // The runtime stops before a character that does not fit (4 bytes at most): only a write that leaves that much
    // unused is surely whole. Measuring first would cost every ASCII text a pass.
    if (written > room - 4 && written !== text.length) {
      const whole = Buffer.byteLength(text)
      this.ensure(whole)
      written = this.buffer.write(text, this.position, whole, 'utf8')
    }
    this.position += written
    return written
  }

  utf16(text: string): number {
    this.ensure(text.length * 2)
    const written = this.buffer.write(text, this.position, text.length * 2, 'utf16le')
    this.position += written
    return written
  }

  /** A text of any kind: u32 byte length with the top bit set for UTF-16 (lone surrogates), then the bytes. */
  text(text: string): void {
    this.u32(0)
    const start = this.position
    const wide = !isWellFormed(text)
    const bytes = wide ? this.utf16(text) : this.utf8(text)
    this.view.setUint32(start - 4, wide ? (bytes | 0x80000000) >>> 0 : bytes, true)
  }

  /** Overwrites four bytes written earlier: a length known only afterwards. */
  patchU32(position: number, value: number): void {
    this.view.setUint32(position, value, true)
  }

  /** Starts afresh in the same memory, unless one huge value has made that huge. */
  clear(): void {
    this.position = 0
    if (this.buffer.length > RETAINED_BYTES_MAX) this.use(Buffer.allocUnsafeSlow(INITIAL_BYTES))
  }

  /** A copy of what was written since `start`. */
  copyFrom(start: number): Uint8Array {
    return new Uint8Array(this.buffer.subarray(start, this.position))
  }

  /** Writes into `buffer` from now on, from its start. */
  use(buffer: Buffer): void {
    this.buffer = buffer
    this.view = viewOf(buffer)
    this.position = 0
  }

  /** Hands the written bytes over, without a copy. Before the next write, `use` another buffer. */
  release(): Buffer {
    const written = this.buffer.subarray(0, this.position)
    this.use(NOTHING)
    return written
  }

  private ascii(text: string): boolean {
    const length = text.length
    this.ensure(length)
    const { buffer, position } = this
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code > 0x7f) return false
      buffer[position + i] = code
    }
    this.position = position + length
    return true
  }

  private grow(bytes: number): void {
    if (bytes > FRAME_BYTES_MAX) {
      throw new EngineError(
        'FRAME_TOO_LARGE',
        `a value or frame of ${bytes} bytes or more cannot be sent`,
        {
          hint: `split the value, or pass a reference to it: a frame holds at most ${FRAME_BYTES_MAX} bytes`,
          details: { bytes, bytesMax: FRAME_BYTES_MAX },
        },
      )
    }
    const grown = Buffer.allocUnsafeSlow(
      Math.min(FRAME_BYTES_MAX, Math.max(bytes, this.buffer.length * 2)),
    )
    this.buffer.copy(grown, 0, 0, this.position)
    this.buffer = grown
    this.view = viewOf(grown)
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
}
