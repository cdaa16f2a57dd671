// Cuts chunks of a file into lines, fast: bytes become text in blocks of a few kilobytes that end with a line, and the lines
// are cut from these. A line keeps the text of its block alive, so blocks are small. Every line knows its place in the
// file. Pure: who reads the chunks is `ReadAhead`.

/** Enough to share the cost of one call among many lines; little to keep alive for one that is kept. */
const BLOCK_BYTES = 8192
const NEWLINE = 10

export interface SplitOptions {
  readonly encoding: 'utf8' | 'latin1'
  /** Drops a carriage return before each newline. */
  readonly crlf: boolean
  /** A longer line is not given as text. */
  readonly lineBytesMax: number
}

/** A chunk of a file: the bytes of `buffer` from `from` to before `to`; the first of them is at `offset` of the file. */
export interface Chunk {
  readonly buffer: Buffer
  readonly from: number
  readonly to: number
  readonly offset: number
}

const EMPTY: Chunk = { buffer: Buffer.alloc(0), from: 0, to: 0, offset: 0 }

export class LineSplitter {
  /** Where the line taken last begins in the file, and where the next one does. */
  start = 0
  end = 0
  /** The line taken last is longer than allowed: it has no text. */
  tooLong = false
  readonly #options: SplitOptions
  #chunk = EMPTY
  // First byte of the chunk that is not in the text of the block.
  #from = 0
  #text = ''
  #textAt = 0
  // Place in the file of the line that begins at #textAt.
  #offset = 0
  // Where bytes and characters differ: place in the buffer of the line that begins at #textAt; -1 = they do not.
  #byteAt = -1
  // A line that is too long and has not ended yet begins here; -1 = there is none.
  #longStart = -1

  constructor(options: SplitOptions) {
    this.#options = options
  }

  /** Begins anew somewhere. `longStart`: there, inside a line that is too long and began at this place. */
  reset(offset: number, longStart = -1): void {
    this.#chunk = EMPTY
    this.#from = 0
    this.#text = ''
    this.#textAt = 0
    this.#offset = offset
    this.#byteAt = -1
    this.#longStart = longStart
  }

  /** The next chunk; it begins with what was left of the former. */
  feed(chunk: Chunk): void {
    this.#chunk = chunk
    this.#from = chunk.from
    this.#offset = chunk.offset
    this.#text = ''
    this.#textAt = 0
  }

  /** What is left when no whole line is: the begin of a line. */
  get rest(): { buffer: Buffer; from: number; to: number } {
    return { buffer: this.#chunk.buffer, from: this.#from, to: this.#chunk.to }
  }

  /** Where the next line begins, or would. */
  get offset(): number {
    return this.#offset
  }

  /** Where a line that is too long and has not ended begins; -1 = there is none. */
  get longStart(): number {
    return this.#longStart
  }

  /** The next whole line without its end; undefined when the chunk has none. See `start`, `end`, `tooLong`. */
  take(): string | undefined {
    if (this.#textAt < this.#text.length) this.tooLong = false
    else if (!this.#nextBlock()) return undefined
    else if (this.tooLong) return ''
    const text = this.#text
    const at = this.#textAt
    const newline = text.indexOf('\n', at)
    this.#textAt = newline + 1
    this.start = this.#offset
    if (this.#byteAt < 0) this.#offset += newline + 1 - at
    else {
      const next = this.#chunk.buffer.indexOf(NEWLINE, this.#byteAt) + 1
      this.#offset += next - this.#byteAt
      this.#byteAt = next
    }
    this.end = this.#offset
    if (this.end - this.start - 1 > this.#options.lineBytesMax) {
      this.tooLong = true
      return ''
    }
    return text.slice(at, this.#lineEnd(text, at, newline))
  }

  /** The last line of a file, which has no newline; undefined when nothing is left. */
  takeRest(): string | undefined {
    const { buffer, to } = this.#chunk
    const from = this.#from
    this.tooLong = this.#longStart >= 0
    if (!this.tooLong && from >= to) return undefined
    this.start = this.tooLong ? this.#longStart : this.#offset
    this.#offset += to - from
    this.end = this.#offset
    this.#from = to
    this.#longStart = -1
    if (this.tooLong) return ''
    const text = this.#decode(buffer, from, to)
    return text.slice(0, this.#lineEnd(text, 0, text.length))
  }

  #lineEnd(text: string, from: number, to: number): number {
    return this.#options.crlf && to > from && text.charCodeAt(to - 1) === 13 ? to - 1 : to
  }

  #decode(buffer: Buffer, from: number, to: number): string {
    return buffer.toString(this.#options.encoding, from, to)
  }

  // Makes text of the next lines. False: the chunk has no whole line any more. A line too long is taken here at once.
  #nextBlock(): boolean {
    const { buffer, to } = this.#chunk
    const from = this.#from
    this.tooLong = false
    if (this.#longStart >= 0) return this.#skipLong()
    if (from >= to) return false
    let last = buffer.lastIndexOf(NEWLINE, Math.min(to, from + BLOCK_BYTES) - 1)
    if (last < from) last = buffer.indexOf(NEWLINE, Math.min(to, from + BLOCK_BYTES))
    // The buffer may be longer than the chunk.
    if (last < from || last >= to) {
      if (to - from > this.#options.lineBytesMax) {
        this.#longStart = this.#offset
        this.#drop(to)
      }
      return false
    }
    this.#text = this.#decode(buffer, from, last + 1)
    this.#textAt = 0
    // Each character takes at least one byte: as many of both means that they go together.
    this.#byteAt = this.#text.length === last + 1 - from ? -1 : from
    this.#from = last + 1
    return true
  }

  #skipLong(): boolean {
    const { buffer, to } = this.#chunk
    const newline = buffer.indexOf(NEWLINE, this.#from)
    if (newline < this.#from || newline >= to) {
      this.#drop(to)
      return false
    }
    this.#drop(newline + 1)
    this.start = this.#longStart
    this.end = this.#offset
    this.#longStart = -1
    this.tooLong = true
    return true
  }

  #drop(to: number): void {
    this.#offset += to - this.#from
    this.#from = to
  }
}
