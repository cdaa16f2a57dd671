// Cuts what comes over the host's socket into frames: a length of four bytes, then as many. A frame is handed on where it lies; who
// keeps something of it copies it.
import { EngineError } from 'gearpump/spi'
import { FRAME_BYTES_MAX } from './host-protocol.ts'

const NOTHING = Buffer.alloc(0)
const LENGTH_BYTES = 4

export class Frames {
  readonly #take: (bytes: Buffer, start: number, end: number) => void
  #rest: Buffer = NOTHING
  #parts: Buffer[] = []
  #missing = 0

  /** `take` is given a frame without its length. */
  constructor(take: (bytes: Buffer, start: number, end: number) => void) {
    this.#take = take
  }

  push(chunk: Buffer): void {
    if (this.#missing > chunk.length) {
      this.#parts.push(chunk)
      this.#missing -= chunk.length
      return
    }
    const bytes = this.#joined(chunk)
    let at = 0
    while (bytes.length - at >= LENGTH_BYTES) {
      const length = bytes.readInt32BE(at)
      if (length < 1 || length > FRAME_BYTES_MAX) {
        throw new EngineError('BUG', `the JVM host sent a frame of ${length} bytes`)
      }
      const end = at + LENGTH_BYTES + length
      if (end > bytes.length) {
        this.#missing = end - bytes.length
        break
      }
      this.#take(bytes, at + LENGTH_BYTES, end)
      at = end
    }
    this.#rest = at === bytes.length ? NOTHING : bytes.subarray(at)
  }

  // Parts of a long frame are joined once, when the last one is there.
  #joined(chunk: Buffer): Buffer {
    this.#missing = 0
    if (this.#rest.length === 0 && this.#parts.length === 0) return chunk
    const joined = Buffer.concat([this.#rest, ...this.#parts, chunk])
    this.#parts = []
    return joined
  }
}
