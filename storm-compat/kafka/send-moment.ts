// When what waits to be sent leaves. With `linger.ms` it is what the user said: so long after the first record. Without,
// records wait while others keep coming, for a few milliseconds at most and not beyond some hundred records: a lone one
// leaves at once, a slow stream shares its requests, and a fast one does not wait at all. No I/O: `depart` is told.
import type { ShellClock } from '../multilang/clock.ts'

/** The first look at whether others keep coming; the shortest that a timer can. */
export const FIRST_LOOK_MS = 1
/** The looks after it: when nothing has come for so long, no more is waited for. */
export const LOOK_MS = 2
/** Records within so short a time came together, in one turn or two: they tell nothing of others. */
const TOGETHER_MS = 0.25
/** No record waits longer for others. Kafka's own producer, from version 4 on, always waits 5 ms. */
export const WAIT_MAX_MS = 10
/** With so many the price of a request is a small part of theirs, and more need not be waited for. */
export const ENOUGH_RECORDS = 200

export class SendMoment {
  readonly #lingerMs: number | undefined
  readonly #clock: ShellClock
  readonly #depart: () => void
  /** Records that are due. */
  #count = 0
  /** When the last record came, due or not. */
  #lastMs = Number.NEGATIVE_INFINITY
  #endMs = 0
  #cancel: (() => void) | undefined = undefined

  constructor(lingerMs: number | undefined, clock: ShellClock, depart: () => void) {
    this.#lingerMs = lingerMs
    this.#clock = clock
    this.#depart = depart
  }

  /** A record has come, whether it can leave now or not. */
  arrived(nowMs: number): void {
    this.#lastMs = nowMs
  }

  /** `count` records more can leave; the first of them came at `sinceMs`. */
  due(count: number, { nowMs, sinceMs }: { nowMs: number; sinceMs: number }): void {
    this.#count += count
    const lingerMs = this.#lingerMs
    if (lingerMs === undefined && this.#count >= ENOUGH_RECORDS) this.now()
    else if (this.#cancel === undefined) {
      if (lingerMs === undefined) this.#waitForMore(nowMs, sinceMs)
      else this.#waitUntil(sinceMs + lingerMs, { nowMs, isNew: nowMs === sinceMs })
    }
  }

  now(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#count = 0
    this.#depart()
  }

  #waitForMore(nowMs: number, sinceMs: number): void {
    this.#endMs = sinceMs + WAIT_MAX_MS
    // Those that have waited for an answer have seen already whether others come.
    if (nowMs - this.#lastMs >= LOOK_MS || nowMs >= this.#endMs) this.now()
    else this.#look(FIRST_LOOK_MS, nowMs + TOGETHER_MS)
  }

  // Leaves when nothing has come after `heardMs`.
  #look(delayMs: number, heardMs: number): void {
    this.#cancel = this.#clock.after(delayMs, () => {
      const nowMs = this.#clock.nowMs()
      if (this.#lastMs <= heardMs || nowMs >= this.#endMs) this.now()
      else this.#look(LOOK_MS, nowMs)
    })
  }

  // A new record waits at least for the others of its turn.
  #waitUntil(endMs: number, { nowMs, isNew }: { nowMs: number; isNew: boolean }): void {
    if (endMs <= nowMs && !isNew) this.now()
    else this.#cancel = this.#clock.after(Math.max(0, endMs - nowMs), () => this.now())
  }
}
