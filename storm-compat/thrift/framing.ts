// Cuts a stream of bytes into Thrift's frames: four bytes of length, then the message. Chunks are joined once per frame, and a
// length that is too large is refused before anything is kept for it. What is no frame at all is named, where it can be told:
// people point browsers, TLS and SASL clients at this port.
import { thriftInvalid } from './frame-bytes.ts'

/** The bound of Thrift's own libraries. Below 2^24, so that no TLS or SASL greeting can pass for a length. */
export const FRAME_BYTES_MAX = 16_384_000

export class FrameSplitter {
  readonly #bytesMax: number
  #chunks: Buffer[] = []
  #held = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Bytes kept until their frame is complete. */
  get held(): number {
    return this.#held
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#held += chunk.length
  }

  /** The next complete frame, or undefined. Throws THRIFT_INVALID for a length that no frame has. */
  next(): Buffer | undefined {
    if (this.#held < 4) return undefined
    const length = this.#head().readInt32BE(0)
    if (length < 0 || length > this.#bytesMax) throw this.#refuse(length)
    if (this.#held < 4 + length) return undefined
    const all = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)
    const rest = all.subarray(4 + length)
    this.#chunks = rest.length > 0 ? [rest] : []
    this.#held = rest.length
    return all.subarray(4, 4 + length)
  }

  #head(): Buffer {
    const first = this.#chunks[0]!
    if (first.length >= 4) return first
    const all = Buffer.concat(this.#chunks)
    this.#chunks = [all]
    return all
  }

  #refuse(length: number): Error {
    const head = this.#head().subarray(0, 4)
    const spoken = GREETINGS.find(({ begins }) =>
      begins.some(first => head.subarray(0, first.length).equals(first)),
    )
    if (spoken !== undefined) return thriftInvalid(spoken.what, spoken.hint)
    return thriftInvalid(
      `a frame declares ${length} bytes; at most ${this.#bytesMax} are taken`,
      'upload files in chunks, as Storm clients do',
    )
  }
}

/** First bytes of what is not framed Thrift. */
const GREETINGS: readonly { begins: readonly Buffer[]; what: string; hint: string }[] = [
  {
    begins: ['GET', 'POST', 'PUT', 'HEAD', 'OPTI', 'DELE', 'PRI'].map(verb => Buffer.from(verb)),
    what: 'a client speaks HTTP on the Thrift port',
    hint: 'this port is for Thrift clients only',
  },
  {
    begins: [Buffer.of(0x16, 0x03)],
    what: 'a client speaks TLS on the plain Thrift port',
    hint: 'connect without TLS',
  },
  {
    begins: [Buffer.of(0x01, 0x00)],
    what: 'a client wants to authenticate by SASL',
    hint: "set storm.thrift.transport to Storm's SimpleTransportPlugin",
  },
  {
    begins: [Buffer.of(0x80, 0x01)],
    what: 'a client sends Thrift without frames',
    hint: 'use a framed transport, as Storm does',
  },
]
