// What goes into the application under chaos, and what must come out: numbered lines, appended to a few files at a steady
// pace, and a count of those in the files that the sink wrote. A torn line is one that was never written.
import { appendFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const FILES = 4
const TICK_MS = 20
/** Ends the name of a file that is being written. */
const OPEN = '.open'

export class LineFeed {
  readonly #directory: string
  readonly #perSecond: number
  readonly #timer: NodeJS.Timeout
  readonly #beganMs = performance.now()
  written = 0

  constructor(directory: string, perSecond: number) {
    this.#directory = directory
    this.#perSecond = perSecond
    for (let file = 0; file < FILES; file++) appendFileSync(this.#pathOf(file), '')
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  #pathOf(file: number): string {
    return join(this.#directory, `in-${file}.txt`)
  }

  #tick(): void {
    const due = Math.floor(((performance.now() - this.#beganMs) / 1000) * this.#perSecond)
    const texts = Array.from({ length: FILES }, () => '')
    for (; this.written < due; this.written++) texts[this.written % FILES] += `${this.written}\n`
    for (const [file, text] of texts.entries())
      if (text !== '') appendFileSync(this.#pathOf(file), text)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}

export interface LineCount {
  readonly missing: number
  readonly doubled: number
  readonly strange: readonly string[]
}

// A sink gives a file that is full its last name: it is under one of the two.
function textOf(directory: string, name: string): string {
  const path = join(directory, name)
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || !name.endsWith(OPEN)) throw error
    return readFileSync(path.slice(0, -OPEN.length), 'utf8')
  }
}

/** Compares the sink's files with the lines 0 to `written` - 1. */
export function countLines(directory: string, written: number): LineCount {
  const seen = new Uint32Array(written)
  const strange: string[] = []
  for (const name of readdirSync(directory)) {
    for (const line of textOf(directory, name).split('\n')) {
      if (line === '') continue
      const number = /^\d+$/.test(line) ? Number(line) : Number.NaN
      if (number < written) seen[number]!++
      else if (strange.length < 10) strange.push(`${name}: ${line.slice(0, 80)}`)
    }
  }
  let missing = 0
  let doubled = 0
  for (const count of seen) {
    if (count === 0) missing++
    else doubled += count - 1
  }
  return { missing, doubled, strange }
}
