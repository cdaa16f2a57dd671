// Counts over Storm's windows (the last 10 minutes, 3 hours, day, and all time) from counts that only grow: a few old values
// are kept per window, and what lies in the window is the difference. Storm keeps 20 buckets per window, and so does this. Pure.

/** Storm's names of the windows, in its order. */
export const WINDOWS = ['600', '10800', '86400', ':all-time'] as const
export type Window = (typeof WINDOWS)[number]

const BUCKETS = 20

/** Counts by name, each only growing while the topology lives. */
export type Counts = ReadonlyMap<string, number>

interface Sample {
  readonly atMs: number
  readonly counts: Counts
}

const NONE: Counts = new Map()

export class WindowedCounts {
  readonly #samples = new Map<Window, Sample[]>()
  #latest: Counts = NONE

  /** Takes the counts as they are now. To be called at least as often as the smallest bucket is long. */
  take(atMs: number, counts: Counts): void {
    this.#latest = counts
    for (const window of WINDOWS) {
      if (window === ':all-time') continue
      const windowMs = Number(window) * 1000
      const samples = this.#samples.get(window) ?? []
      this.#samples.set(window, samples)
      const last = samples.at(-1)
      if (last !== undefined && atMs - last.atMs < windowMs / BUCKETS) continue
      samples.push({ atMs, counts })
      // The one before the window's edge is where the window begins.
      while (samples.length > 1 && atMs - samples[1]!.atMs >= windowMs) samples.shift()
    }
  }

  /** What was counted in a window up to the last `take`. */
  count(window: Window, name: string): number {
    const now = this.#latest.get(name) ?? 0
    if (window === ':all-time') return now
    const before = this.#samples.get(window)?.[0]?.counts.get(name) ?? 0
    return Math.max(0, now - before)
  }
}
