// Time and scheduling as one value that is passed in, so that a simulation can put its own in place and replay a
// whole run from one seed. Nothing in the engine reads a clock or sets a timer in another way.

export interface Timer {
  cancel(): void
}

export interface Environment {
  /** Wall-clock time in µs since 1970; may step back, as wall clocks do. */
  nowUs(): number
  /** Monotonic time in ms, for measuring and for slices. */
  monotonicMs(): number
  /** Runs `fn` soon, after input and output had their turn. */
  defer(fn: () => void): void
  /** Runs `fn` once after `delayMs`. */
  after(delayMs: number, fn: () => void): Timer
  /** Uniform in [0, 1). */
  random(): number
}

/** Node's timers fire at once when asked for more: 24.8 days. */
const TIMEOUT_MAX_MS = 0x7fff_ffff

/** The real one: the process's clocks, `setImmediate` and `setTimeout`. */
export const realEnvironment: Environment = {
  nowUs: () => (performance.timeOrigin + performance.now()) * 1000,
  monotonicMs: () => performance.now(),
  defer: fn => {
    setImmediate(fn)
  },
  after: (delayMs, fn) => {
    if (delayMs > TIMEOUT_MAX_MS) return afterLong(delayMs, fn)
    const timeout = setTimeout(fn, delayMs)
    return { cancel: () => clearTimeout(timeout) }
  },
  random: Math.random,
}

function afterLong(delayMs: number, fn: () => void): Timer {
  let timer = realEnvironment.after(TIMEOUT_MAX_MS, () => {
    timer = realEnvironment.after(delayMs - TIMEOUT_MAX_MS, fn)
  })
  return { cancel: () => timer.cancel() }
}

/** Calls `fn` each `periodMs` until cancelled; the next period begins when `fn` has returned. */
export function every(environment: Environment, periodMs: number, fn: () => void): Timer {
  return repeated(environment, () => periodMs, fn)
}

/** As `every`, but at multiples of the period, see `alignedMs`. */
export function everyAligned(environment: Environment, periodMs: number, fn: () => void): Timer {
  return repeated(environment, () => alignedMs(environment.monotonicMs(), periodMs), fn)
}

/** Periods of what an idle process still does are multiples of this. */
export const WAKE_GRID_MS = 250

/**
 * How long to wait about `periodMs`, from half of it to one and a half, so that it ends at a multiple of it. An idle process
 * costs what its wake-ups cost; all that wait for multiples of `WAKE_GRID_MS` wake it up at the same moments.
 */
export function alignedMs(nowMs: number, periodMs: number): number {
  const sinceMs = nowMs % periodMs
  // A timer may fire a little early: that is not to be a second time.
  return sinceMs > periodMs / 2 ? 2 * periodMs - sinceMs : periodMs - sinceMs
}

function repeated(environment: Environment, delayMs: () => number, fn: () => void): Timer {
  let timer = environment.after(delayMs(), tick)
  let cancelled = false
  function tick(): void {
    fn()
    if (!cancelled) timer = environment.after(delayMs(), tick)
  }
  return {
    cancel: () => {
      cancelled = true
      timer.cancel()
    },
  }
}
