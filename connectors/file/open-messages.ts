// What a file source has emitted and nobody has finished yet: kept in memory, with its place in its file, until it is done. A
// message that failed waits, longer each time, and is emitted again. Bounded: a source that has as many open as it may
// is not asked to read on.
import { ReplayQueue } from '../base/replay-queue.ts'
import type { TrackedFile } from './tracked-file.ts'

export interface OpenMessage {
  readonly value: unknown
  readonly port: string | undefined
}

interface Entry {
  value: unknown
  port: string | undefined
  file: TrackedFile | undefined
  start: number
  end: number
  failures: number
}

export class OpenMessages {
  readonly #max: number
  readonly #entries: Entry[] = []
  readonly #free: number[] = []
  readonly #again: ReplayQueue

  /** `later` calls a function after a delay, on the source's own turn. */
  constructor(max: number, later: (delayMs: number, fn: () => void) => void) {
    this.#max = max
    this.#again = new ReplayQueue(later)
  }

  get size(): number {
    return this.#entries.length - this.#free.length
  }

  get full(): boolean {
    return this.size >= this.#max
  }

  /** Returns the id that it is emitted with. */
  add(
    value: unknown,
    port: string | undefined,
    file: TrackedFile,
    place: { start: number; end: number },
  ): number {
    const { start, end } = place
    file.open++
    const id = this.#free.pop()
    if (id === undefined) {
      this.#entries.push({ value, port, file, start, end, failures: 0 })
      return this.#entries.length - 1
    }
    const entry = this.#entries[id]!
    entry.value = value
    entry.port = port
    entry.file = file
    entry.start = start
    entry.end = end
    entry.failures = 0
    return id
  }

  done(id: number): void {
    const entry = this.#entries[id]!
    const file = entry.file!
    file.open--
    file.ranges.add(entry.start, entry.end)
    entry.value = undefined
    entry.file = undefined
    this.#free.push(id)
  }

  fail(id: number): void {
    this.#again.add(id, ++this.#entries[id]!.failures)
  }

  /** Id of a message that is to be emitted again now, or undefined. */
  takeDue(): number | undefined {
    return this.#again.take()
  }

  message(id: number): OpenMessage {
    return this.#entries[id]!
  }
}
