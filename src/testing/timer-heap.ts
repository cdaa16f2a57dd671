// Timers of a ManualEnvironment in the order in which they fire: by time, then by the order in which they were set. A
// binary heap, since a simulated network sets one for every frame.
import type { Timer } from '../base/environment.ts'

export interface TimerEntry extends Timer {
  readonly dueMs: number
  readonly sequence: number
  readonly fn: () => void
}

export class TimerHeap {
  readonly #entries: TimerEntry[] = []
  readonly #cancelled = new Set<TimerEntry>()
  #sequence = 0

  get size(): number {
    return this.#entries.length - this.#cancelled.size
  }

  /** When the next one fires. */
  get dueMs(): number | undefined {
    return this.#head()?.dueMs
  }

  add(dueMs: number, fn: () => void): Timer {
    const cancelled = this.#cancelled
    let live = true
    const entry: TimerEntry = {
      dueMs,
      sequence: this.#sequence++,
      fn: () => {
        live = false
        fn()
      },
      cancel: () => {
        if (live) cancelled.add(entry)
        live = false
      },
    }
    this.#entries.push(entry)
    this.#up(this.#entries.length - 1)
    return entry
  }

  /** The next timer that is due by `nowMs`, taken out. */
  takeDue(nowMs: number): TimerEntry | undefined {
    const head = this.#head()
    if (head === undefined || head.dueMs > nowMs) return undefined
    this.#pop()
    return head
  }

  #head(): TimerEntry | undefined {
    while (this.#entries.length > 0 && this.#cancelled.delete(this.#entries[0]!)) this.#pop()
    return this.#entries[0]
  }

  #pop(): void {
    const last = this.#entries.pop()!
    if (this.#entries.length === 0) return
    this.#entries[0] = last
    this.#down(0)
  }

  #up(start: number): void {
    const entries = this.#entries
    for (let i = start; i > 0; ) {
      const parent = (i - 1) >> 1
      if (!before(entries[i]!, entries[parent]!)) return
      this.#swap(i, parent)
      i = parent
    }
  }

  #down(start: number): void {
    const entries = this.#entries
    for (let i = start; ; ) {
      let least = i
      for (const child of [2 * i + 1, 2 * i + 2]) {
        if (child < entries.length && before(entries[child]!, entries[least]!)) least = child
      }
      if (least === i) return
      this.#swap(i, least)
      i = least
    }
  }

  #swap(i: number, j: number): void {
    const entries = this.#entries
    const entry = entries[i]!
    entries[i] = entries[j]!
    entries[j] = entry
  }
}

function before(a: TimerEntry, b: TimerEntry): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.sequence < b.sequence)
}
