// Counts over Storm's windows (the last 10 minutes, 3 hours, day, and all time) from rows of counts that only grow: a few old
// rows are kept per window, and what lies in the window is the difference. Storm keeps 20 buckets per window, and so does
// this. A row that begins anew (its task runs in another process now) counts from there. Pure.

/** Storm's names of the windows, in its order. */
export const WINDOWS = ['600', '10800', '86400', ':all-time'] as const
/** One of them, or `none`: a time that is not kept, in which nothing was counted. */
export type Window = (typeof WINDOWS)[number] | 'none'

const BUCKETS = 20

/** Counts of one thing, each only growing while the thing lives. */
export type Row = readonly number[]
/** By the name of the thing. */
export type Rows = ReadonlyMap<string, Row>

interface Sample {
  readonly atMs: number
  readonly rows: Rows
}

const NONE: Rows = new Map()

export class WindowedRows {
  readonly #samples = new Map<Window, Sample[]>()
  #latest: Rows = NONE

  /** Takes the rows as they are now. To be called at least as often as the smallest bucket is long. */
  take(atMs: number, rows: Rows): void {
    this.#latest = rows
    for (const window of WINDOWS) {
      if (window === ':all-time') continue
      const windowMs = Number(window) * 1000
      const samples = this.#samples.get(window) ?? []
      this.#samples.set(window, samples)
      const last = samples.at(-1)
      if (last !== undefined && atMs - last.atMs < windowMs / BUCKETS) continue
      samples.push({ atMs, rows })
      // The one before the window's edge is where the window begins.
      while (samples.length > 1 && atMs - samples[1]!.atMs >= windowMs) samples.shift()
    }
  }

  /** What was counted in a window up to the last `take`; empty for what is not known. */
  row(window: Window, name: string): Row {
    if (window === 'none') return []
    const now = this.#latest.get(name) ?? []
    if (window === ':all-time') return now
    const before = this.#samples.get(window)?.[0]?.rows.get(name)
    if (before === undefined || now.some((count, i) => count < (before[i] ?? 0))) return now
    return now.map((count, i) => count - (before[i] ?? 0))
  }
}
