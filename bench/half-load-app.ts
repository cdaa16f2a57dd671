// The speed-of-light application in turns: for a moment as fast as it goes, then for a while at half of what that was, for
// machines change their speed. At half the rate messages are due one by one, and their latency runs from when they were
// due to the sink: a source that falls behind is charged for it, and a turn ends only when all that were due in it are out.
import {
  type Application,
  application,
  graph,
  processor,
  type SourceContext,
  shuffle,
  source,
  type Task,
} from 'gearpump'
import { type Cell, cell, type Histogram, histogram } from './harness/meter.ts'
import { BATCH, randomStrings, Strings } from './sol-app.ts'

const FULL_MS = 200
const HALF_MS = 800
/** One message in 64 is timed: reading the clock costs as much as a message does. */
const TIMED_MASK = 63

/** A turn at half the rate: message n, from `from` to `to`, is due at startMs + (n - from) / perMs. */
interface Turn {
  startMs: number
  perMs: number
  from: number
  to: number
}

class PacedStrings extends Strings {
  readonly #turn: Turn
  readonly #fullPerMs: number[]
  #fullFrom = 0
  #fullStartMs = 0

  constructor(data: readonly string[], turn: Turn, fullPerMs: number[]) {
    super(data)
    this.#turn = turn
    this.#fullPerMs = fullPerMs
  }

  override next = (out: SourceContext<string>): boolean => {
    const nowMs = performance.now()
    const count = this.#due(nowMs)
    for (let k = 0; k < count; k++) out.output(this.string())
    this.sent += count
    return count > 0
  }

  #due(nowMs: number): number {
    const turn = this.#turn
    if (this.sent < turn.to) {
      const due = Math.floor(turn.from + (nowMs - turn.startMs) * turn.perMs)
      return Math.max(0, Math.min(due, turn.to, this.sent + BATCH) - this.sent)
    }
    if (this.#fullStartMs === 0) {
      this.#fullStartMs = nowMs
      this.#fullFrom = this.sent
    }
    const elapsedMs = nowMs - this.#fullStartMs
    if (elapsedMs >= FULL_MS) this.#half(nowMs, (this.sent - this.#fullFrom) / elapsedMs)
    return BATCH
  }

  #half(nowMs: number, fullPerMs: number): void {
    this.#fullPerMs.push(fullPerMs)
    this.#fullStartMs = 0
    const perMs = fullPerMs / 2
    const from = this.sent + BATCH
    Object.assign(this.#turn, {
      startMs: nowMs,
      perMs,
      from,
      to: from + Math.ceil(perMs * HALF_MS),
    })
  }
}

// Messages of one pair of tasks come in order, so the nth to come is the nth that was due.
class TimingSink implements Task<string> {
  readonly #turn: Turn
  chars = 0
  #count!: Cell
  #latency!: Histogram

  constructor(turn: Turn) {
    this.#turn = turn
  }

  onStart = (): void => {
    this.#count = cell('sink')
    this.#latency = histogram()
  }

  onNext = (value: string): void => {
    const n = this.#count.n++
    this.chars += value.length
    if ((n & TIMED_MASK) === 0) this.#time(n)
  }

  #time(n: number): void {
    const { startMs, perMs, from, to } = this.#turn
    if (n < from || n >= to) return
    this.#latency.record(performance.now() - startMs - (n - from) / perMs)
  }
}

/** One source and one sink in one executor. `fullPerMs` gets the rate of each turn at full speed. */
export function halfLoadApp(fullPerMs: number[]): Application {
  const data = randomStrings(100, 100)
  const turn: Turn = { startMs: 0, perMs: 0, from: 0, to: 0 }
  const strings = source('strings', () => new PacedStrings(data, turn, fullPerMs))
  const sink = processor('sink', () => new TimingSink(turn))
  return application('half-load', graph(strings.to(sink, shuffle())), { profile: 'throughput' })
}
