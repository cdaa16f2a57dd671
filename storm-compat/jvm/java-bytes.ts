// A cursor over the bytes of a Java object stream: numbers in network order and texts in Java's modified UTF-8. Every
// read is checked against what is left, so a stream that lies about a length is refused before anything is allocated.
import { EngineError } from 'gearpump/spi'
import type { JavaPrimitive } from './java-nodes.ts'

/** Texts are put together from pieces of so many characters: what one call can take as arguments. */
const PIECE_CHARS = 4096

export class JavaBytes {
  readonly #bytes: Buffer
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get offset(): number {
    return this.#offset
  }

  get left(): number {
    return this.#bytes.length - this.#offset
  }

  /** Ends the reading: JAVA_STREAM_INVALID with the place and the reason. */
  fail(reason: string, offset = this.#offset): never {
    throw new EngineError(
      'JAVA_STREAM_INVALID',
      `the Java object stream is invalid at byte ${offset} of ${this.#bytes.length}: ${reason}`,
      {
        hint: 'submit the topology again; the bytes were cut or changed, or no Java serialisation wrote them',
        details: { offset, reason, bytes: this.#bytes.length },
      },
    )
  }

  /** The next byte, which stays to be read. */
  peek(): number {
    if (this.left < 1) this.fail('it ends where more must follow')
    return this.#bytes[this.#offset]!
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#take(1))
  }

  int8(): number {
    return this.#bytes.readInt8(this.#take(1))
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#take(2))
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.#take(2))
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4))
  }

  int64(): bigint {
    return this.#bytes.readBigInt64BE(this.#take(8))
  }

  float(): number {
    return this.#bytes.readFloatBE(this.#take(4))
  }

  double(): number {
    return this.#bytes.readDoubleBE(this.#take(8))
  }

  /** A value of a primitive type, by the type's letter. */
  primitive(letter: string): JavaPrimitive {
    switch (letter) {
      case 'B':
        return this.int8()
      case 'C':
        return String.fromCharCode(this.uint16())
      case 'D':
        return this.double()
      case 'F':
        return this.float()
      case 'I':
        return this.int32()
      case 'J':
        return this.int64()
      case 'S':
        return this.int16()
      case 'Z':
        return this.byte() !== 0
      default:
        return this.fail(`"${letter}" is no type`)
    }
  }

  /** A copy, so that a small value does not keep the whole stream alive. */
  block(length: number): Buffer {
    const start = this.#take(length)
    return Buffer.from(this.#bytes.subarray(start, start + length))
  }

  /** A text with a length of two bytes before it. */
  shortText(): string {
    return this.#text(this.uint16())
  }

  /** A text with a length of eight bytes before it. */
  longText(): string {
    const at = this.#offset
    const length = this.int64()
    if (length < 0n || length > BigInt(this.left)) {
      this.fail(`a text of ${length} bytes, and ${this.left} are left`, at)
    }
    return this.#text(Number(length))
  }

  #take(length: number): number {
    if (length > this.left) this.fail(`${length} bytes must follow, and ${this.left} are left`)
    const start = this.#offset
    this.#offset += length
    return start
  }

  #text(length: number): string {
    const start = this.#take(length)
    const end = start + length
    let at = start
    while (at < end && this.#bytes[at]! < 0x80) at++
    if (at === end) return this.#bytes.toString('latin1', start, end)
    return this.#wideText(start, end)
  }

  // Modified UTF-8: 0 is two bytes, and a character beyond 16 bits is its two surrogates of three bytes each.
  #wideText(start: number, end: number): string {
    const pieces: string[] = []
    let piece: number[] = []
    for (let at = start; at < end; ) {
      const first = this.#bytes[at]!
      const width = first < 0x80 ? 1 : first >> 5 === 0b110 ? 2 : first >> 4 === 0b1110 ? 3 : 0
      if (width === 0 || at + width > end) this.fail('a text is not in modified UTF-8', at)
      let unit = width === 1 ? first : first & (width === 2 ? 0x1f : 0x0f)
      for (let i = 1; i < width; i++) {
        const next = this.#bytes[at + i]!
        if (next >> 6 !== 0b10) this.fail('a text is not in modified UTF-8', at + i)
        unit = (unit << 6) | (next & 0x3f)
      }
      piece.push(unit)
      if (piece.length === PIECE_CHARS) {
        pieces.push(String.fromCharCode(...piece))
        piece = []
      }
      at += width
    }
    pieces.push(String.fromCharCode(...piece))
    return pieces.join('')
  }
}
