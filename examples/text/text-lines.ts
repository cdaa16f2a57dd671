// Reads a text line by line, compressed (.gz) or not. The examples' sources and spouts pull from it: `take` gives the
// lines that are there, `more` waits for the file. Only one chunk and the rest of a line are held, however long the
// text. A missing file is told by `open`, before anything runs; a broken one by `more`.
import { type FileHandle, open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { EngineError } from 'gearpump'

/** A file with a longer line is no text, and would be held in memory as a whole. */
const LINE_CHARS_MAX = 1 << 20

export class TextLines {
  readonly path: string
  readonly #chunks: AsyncIterator<string>
  readonly #file: FileHandle
  #text = ''
  #at = 0
  #ended = false
  #reading: Promise<void> | undefined

  private constructor(path: string, file: FileHandle) {
    this.path = path
    this.#file = file
    this.#chunks = textOf(path, file)[Symbol.asyncIterator]() as AsyncIterator<string>
  }

  /** Opens a text. Throws FILE_NOT_FOUND. */
  static async open(path: string): Promise<TextLines> {
    try {
      return new TextLines(path, await open(path))
    } catch (cause) {
      throw new EngineError('FILE_NOT_FOUND', `the text ${path} cannot be opened`, {
        hint: `looked for ${resolve(path)}`,
        details: { file: path },
        cause,
      })
    }
  }

  /** Nothing is left, neither here nor in the file. */
  get ended(): boolean {
    return this.#ended && this.#at === this.#text.length
  }

  /** The next line without its line feed; undefined when none is here: then `ended`, or `more` brings some. */
  take(): string | undefined {
    const end = this.#text.indexOf('\n', this.#at)
    if (end >= 0) {
      const line = this.#text.slice(this.#at, end)
      this.#at = end + 1
      return line
    }
    if (!this.#ended || this.#at === this.#text.length) return undefined
    const last = this.#text.slice(this.#at)
    this.#at = this.#text.length
    return last
  }

  /** Resolves when `take` has a line again, or the text has ended. Rejects for a broken text, each time. */
  more(): Promise<void> {
    // A promise that was rejected stays: the next read would find an end where there is none.
    this.#reading ??= this.#read().then(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #read(): Promise<void> {
    let line = this.#text.slice(this.#at)
    while (!this.#ended && !line.includes('\n')) {
      if (line.length > LINE_CHARS_MAX) {
        throw new EngineError(
          'BAD_INPUT',
          `${this.path} has a line of more than ${LINE_CHARS_MAX} characters`,
          { hint: 'is it a text?', details: { file: this.path } },
        )
      }
      const chunk = await this.#chunks.next()
      if (chunk.done === true) this.#ended = true
      else line += chunk.value
    }
    this.#text = line
    this.#at = 0
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#ended = true
    await this.#chunks.return?.()
    await this.#file.close()
  }
}

function textOf(path: string, file: FileHandle): Readable {
  const bytes = file.createReadStream({ autoClose: false })
  if (!path.endsWith('.gz')) return bytes.setEncoding('utf8')
  const text = createGunzip()
  bytes.on('error', error => text.destroy(error))
  return bytes.pipe(text).setEncoding('utf8')
}
