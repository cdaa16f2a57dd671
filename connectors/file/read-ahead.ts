// Reads one file from some place on, a chunk at a time, the next one while the present one is worked on. Two buffers, each
// with room in front for the begun line that the former chunk ended with. What may go wrong: reading fails; the error is
// given when the chunk is asked for.
import type { OpenFile } from './file-system.ts'
import type { Chunk } from './line-splitter.ts'

export interface ReadAheadOptions {
  readonly chunkBytes: number
  /** Longest rest of a chunk that goes before the next one. */
  readonly restBytesMax: number
  /** A chunk has come, or the end, or an error. */
  readonly onReady: () => void
}

/** Begin of a line that the chunk before ended with. */
export interface Rest {
  readonly buffer: Buffer
  readonly from: number
  readonly to: number
}

interface Part {
  readonly buffer: Buffer
  readonly bytes: number
  readonly offset: number
}

/** Where to read: up to before `end`, or the end of the file, and no more than so many chunks where that is given. */
export interface Stretch {
  readonly start: number
  readonly end: number
  readonly chunksMax?: number
}

export class ReadAhead {
  readonly #options: ReadAheadOptions
  #buffers: [Buffer, Buffer] | undefined = undefined
  #turn: 0 | 1 = 0
  #file: OpenFile | undefined = undefined
  #offset = 0
  #end = 0
  #chunksLeft = 0
  #pending: Promise<void> | undefined = undefined
  #part: Part | undefined = undefined
  #error: Error | undefined = undefined

  constructor(options: ReadAheadOptions) {
    this.#options = options
  }

  /** Begins to read. What was begun before must have ended: see `settled`. */
  begin(file: OpenFile, stretch: Stretch): void {
    this.#file = file
    this.#offset = stretch.start
    this.#end = stretch.end
    this.#chunksLeft = stretch.chunksMax ?? Number.POSITIVE_INFINITY
    this.#part = undefined
    this.#error = undefined
    this.#read()
  }

  /**
   * The next chunk, with `rest` before it. `waiting`: it is on its way. `end`: end of the file, or of the stretch.
   * `enough`: so many chunks were read as was asked for. Throws what reading has thrown.
   */
  take(rest: Rest): Chunk | 'waiting' | 'end' | 'enough' {
    if (this.#error !== undefined) throw this.#error
    const part = this.#part
    if (part === undefined) return this.#pending === undefined ? 'enough' : 'waiting'
    if (part.bytes === 0) return 'end'
    const room = this.#options.restBytesMax
    const length = rest.to - rest.from
    rest.buffer.copy(part.buffer, room - length, rest.from, rest.to)
    this.#part = undefined
    this.#read()
    return {
      buffer: part.buffer,
      from: room - length,
      to: room + part.bytes,
      offset: part.offset - length,
    }
  }

  /** Resolves when nothing is being read: the file may be closed. */
  async settled(): Promise<void> {
    await this.#pending
  }

  #read(): void {
    if (this.#chunksLeft === 0) return
    this.#chunksLeft--
    const { chunkBytes, restBytesMax, onReady } = this.#options
    const size = chunkBytes + restBytesMax
    this.#buffers ??= [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(size)]
    this.#turn = this.#turn === 0 ? 1 : 0
    const buffer = this.#buffers[this.#turn]
    const offset = this.#offset
    const length = Math.min(chunkBytes, this.#end - offset)
    const read =
      length <= 0 ? Promise.resolve(0) : this.#file!.read(buffer, restBytesMax, length, offset)
    this.#pending = read.then(
      bytes => {
        this.#offset += bytes
        this.#part = { buffer, bytes, offset }
        this.#pending = undefined
        onReady()
      },
      error => {
        this.#error = error as Error
        this.#pending = undefined
        onReady()
      },
    )
  }
}
