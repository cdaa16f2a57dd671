// What is done of a file (in bytes) or of a partition (in offsets): all below `low`, and runs above it, which are there because
// something slow lies before them. Things end in any order; runs that touch become one, so there are never more of them than
// things open. Pure.

/** From the first byte to the one after the last. */
export type Run = readonly [start: number, end: number]

/** Kept in a position at most. What is left out is only emitted again. */
export const RUNS_KEPT_MAX = 1000

export class DoneRanges {
  #low: number
  readonly #endOf = new Map<number, number>()
  readonly #startOf = new Map<number, number>()

  constructor(low = 0, runs: readonly Run[] = []) {
    this.#low = low
    for (const [start, end] of runs) this.add(start, end)
  }

  /** Everything below is done. */
  get low(): number {
    return this.#low
  }

  /** What lies from `start` to before `end` is done. They were not before. */
  add(start: number, end: number): void {
    if (start === this.#low) {
      this.#low = end
      const next = this.#endOf.get(end)
      if (next === undefined) return
      this.#endOf.delete(end)
      this.#startOf.delete(next)
      this.#low = next
      return
    }
    let from = start
    let to = end
    const before = this.#startOf.get(start)
    if (before !== undefined) {
      this.#startOf.delete(start)
      from = before
    }
    const after = this.#endOf.get(end)
    if (after !== undefined) {
      this.#endOf.delete(end)
      to = after
    }
    this.#endOf.set(from, to)
    this.#startOf.set(to, from)
  }

  /** The runs above `low`, in order; of too many those that save the most. */
  runs(max = RUNS_KEPT_MAX): Run[] {
    let runs: Run[] = [...this.#endOf]
    if (runs.length > max) runs = runs.sort((a, b) => b[1] - b[0] - (a[1] - a[0])).slice(0, max)
    return runs.sort((a, b) => a[0] - b[0])
  }

  /** The first stretch at or above `from` that is not done: where it begins, and where the next run does. */
  gap(from: number): { start: number; end: number } {
    let start = Math.max(from, this.#low)
    let end = Number.POSITIVE_INFINITY
    for (const [runStart, runEnd] of this.runs(this.#endOf.size)) {
      if (runStart <= start && start < runEnd) start = runEnd
      else if (runStart > start) {
        end = runStart
        break
      }
    }
    return { start, end }
  }
}
