// The bytes of one Thrift message, as the transport under npm thrift's binary protocol: a reader that never reads past its
// frame, and a writer that grows. Every length a peer declares is compared with what is there before anything is made of it.
import { EngineError } from 'gearpump'

/** What a peer sent makes no Thrift message. */
export function thriftInvalid(what: string, hint?: string): EngineError {
  return new EngineError('THRIFT_INVALID', what, hint === undefined ? {} : { hint })
}

export class FrameReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get position(): number {
    return this.#at
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  /** The bytes from `begin` up to here: what was just read, for passing it on unread. */
  since(begin: number): Buffer {
    return this.#bytes.subarray(begin, this.#at)
  }

  read(length: number): Buffer {
    const begin = this.#take(length)
    return this.#bytes.subarray(begin, begin + length)
  }

  readString(length: number): string {
    const begin = this.#take(length)
    return this.#bytes.toString('utf8', begin, begin + length)
  }

  readByte(): number {
    return this.#bytes.readInt8(this.#take(1))
  }

  readI16(): number {
    return this.#bytes.readInt16BE(this.#take(2))
  }

  readI32(): number {
    return this.#bytes.readInt32BE(this.#take(4))
  }

  readDouble(): number {
    return this.#bytes.readDoubleBE(this.#take(8))
  }

  write(): void {
    throw new EngineError('BUG', 'a frame that is read cannot be written')
  }

  flush(): void {
    this.write()
  }

  setCurrSeqId(): void {
    this.write()
  }

  #take(length: number): number {
    const begin = this.#at
    if (length < 0) throw thriftInvalid(`${length} bytes are declared at byte ${begin}`)
    if (length > this.left) {
      throw thriftInvalid(
        `${length} bytes are declared at byte ${begin}, and ${this.left} are left`,
      )
    }
    this.#at += length
    return begin
  }
}

/** Where a writer begins; most answers fit. */
const WRITER_BYTES = 1024

export class FrameWriter {
  #bytes = Buffer.allocUnsafe(WRITER_BYTES)
  #at = 0

  /** A frame on the wire: the length, then the message. */
  framed(): Buffer {
    const frame = Buffer.allocUnsafe(4 + this.#at)
    frame.writeInt32BE(this.#at)
    this.#bytes.copy(frame, 4, 0, this.#at)
    return frame
  }

  /** The message alone. */
  bytes(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#at))
  }

  write(bytes: Uint8Array): void {
    this.#ensure(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  /** A message is complete; whoever made this writer takes its bytes. */
  flush(): void {
    this.#ensure(0)
  }

  /** Clients of npm thrift find their callbacks by it; ours do not. */
  setCurrSeqId(): void {
    this.#ensure(0)
  }

  read(): never {
    throw new EngineError('BUG', 'a frame that is written cannot be read')
  }

  readString(): never {
    return this.read()
  }

  readByte(): never {
    return this.read()
  }

  readI16(): never {
    return this.read()
  }

  readI32(): never {
    return this.read()
  }

  readDouble(): never {
    return this.read()
  }

  #ensure(more: number): void {
    const needed = this.#at + more
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length))
    this.#bytes.copy(larger, 0, 0, this.#at)
    this.#bytes = larger
  }
}
