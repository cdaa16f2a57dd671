// The output of a process that a worker has started: into a log file that is bounded (the file and one before it), and
// its last lines in memory, for the reason of its death. Neither a full disk nor a slow one holds the process up: what
// cannot be written is left out, and how much that was is said.
import { createWriteStream, renameSync, statSync, type WriteStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { asError } from '../base/errors.ts'

/** Of one file; there are two. Days of what a component that is well says. */
const FILE_BYTES_MAX = 64 * 1024 * 1024
/** Waits for the disk in memory; what comes beyond it is left out. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024
const TAIL_LINES = 50
const TAIL_CHARS_MAX = 16 * 1024
/** What a process wrote last comes after its exit; one that has left a child with its output open never ends it. */
const LAST_WORDS_MS = 300

export interface ProcessOutputOptions {
  readonly path: string
  readonly fileBytesMax?: number
}

export class ProcessOutput {
  readonly #path: string
  readonly #fileBytesMax: number
  readonly #streams: Promise<void>[] = []
  #file: WriteStream
  #fileBytes: number
  #leftOut = 0
  #tail = ''

  constructor({ path, fileBytesMax = FILE_BYTES_MAX }: ProcessOutputOptions) {
    this.#path = path
    this.#fileBytesMax = fileBytesMax
    this.#fileBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
    this.#file = this.#open()
  }

  #open(): WriteStream {
    const file = createWriteStream(this.#path, { flags: 'a' })
    // The tail is kept all the same, and tells what the disk said.
    file.on('error', error => this.#keep(`(its log file: ${error.message})\n`))
    return file
  }

  take(stream: Readable): void {
    this.#streams.push(new Promise(resolve => stream.once('close', () => resolve())))
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      this.#keep(text)
      this.#write(text)
    })
  }

  #keep(text: string): void {
    this.#tail = (this.#tail + text).slice(-TAIL_CHARS_MAX)
  }

  #write(text: string): void {
    if (this.#file.destroyed || this.#file.writableLength > WAITING_BYTES_MAX) {
      this.#leftOut += text.length
      return
    }
    const said = this.#leftOut === 0 ? '' : `(${this.#leftOut} characters were left out here)\n`
    this.#leftOut = 0
    this.#file.write(said + text)
    this.#fileBytes += Buffer.byteLength(text)
    // What is not open yet has no file that could be renamed.
    if (this.#fileBytes > this.#fileBytesMax && !this.#file.pending) this.#turn()
  }

  // The one before goes. What is on its way into the file still gets there, under its new name.
  #turn(): void {
    this.#file.end()
    try {
      renameSync(this.#path, `${this.#path}.1`)
    } catch (error) {
      this.#keep(`(its log file: ${asError(error).message})\n`)
    }
    this.#fileBytes = 0
    this.#file = this.#open()
  }

  /** Closes the file; gives the last lines. */
  async end(): Promise<string> {
    let late: NodeJS.Timeout | undefined
    const waited = new Promise<void>(resolve => {
      late = setTimeout(resolve, LAST_WORDS_MS)
    })
    await Promise.race([Promise.all(this.#streams), waited])
    clearTimeout(late)
    this.#file.end()
    return this.#tail.split('\n').slice(-TAIL_LINES).join('\n').trim()
  }
}
