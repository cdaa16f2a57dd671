// Cuts chunks of a file into blocks of bytes: the other way beside `LineSplitter`, for files that are not text. Pure.
import type { Chunk } from './line-splitter.ts'
import type { Rest } from './read-ahead.ts'

/** What cuts chunks into messages. */
export interface Splitter {
  /** Where the piece taken last begins in the file, and where the next one does. */
  readonly start: number
  readonly end: number
  readonly tooLong: boolean
  readonly rest: Rest
  /** Where the next piece begins, or would. */
  readonly offset: number
  readonly longStart: number
  reset(offset: number, longStart?: number): void
  feed(chunk: Chunk): void
  /** The next whole piece, or undefined. */
  take(): unknown
  /** What is left at the end of the file, or undefined. */
  takeRest(): unknown
}

const NOTHING: Buffer = Buffer.alloc(0)

export class BlockSplitter implements Splitter {
  start = 0
  end = 0
  readonly tooLong = false
  readonly longStart = -1
  readonly #blockBytes: number
  #buffer = NOTHING
  #from = 0
  #to = 0

  constructor(blockBytes: number) {
    this.#blockBytes = blockBytes
  }

  reset(offset: number): void {
    this.#buffer = NOTHING
    this.#from = 0
    this.#to = 0
    this.end = offset
  }

  feed({ buffer, from, to, offset }: Chunk): void {
    this.#buffer = buffer
    this.#from = from
    this.#to = to
    this.end = offset
  }

  get rest(): Rest {
    return { buffer: this.#buffer, from: this.#from, to: this.#to }
  }

  get offset(): number {
    return this.end
  }

  take(): Buffer | undefined {
    return this.#to - this.#from < this.#blockBytes ? undefined : this.#cut(this.#blockBytes)
  }

  takeRest(): Buffer | undefined {
    return this.#from === this.#to ? undefined : this.#cut(this.#to - this.#from)
  }

  // A copy: the buffer is read into again.
  #cut(bytes: number): Buffer {
    const block = Buffer.from(this.#buffer.subarray(this.#from, this.#from + bytes))
    this.#from += bytes
    this.start = this.end
    this.end += bytes
    return block
  }
}
