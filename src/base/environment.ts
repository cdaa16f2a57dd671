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

/** The real one: the process's clocks, `setImmediate` and `setTimeout`. */
export const realEnvironment: Environment = {
  nowUs: () => (performance.timeOrigin + performance.now()) * 1000,
  monotonicMs: () => performance.now(),
  defer: fn => {
    setImmediate(fn)
  },
  after: (delayMs, fn) => {
    const timeout = setTimeout(fn, delayMs)
    return { cancel: () => clearTimeout(timeout) }
  },
  random: Math.random,
}

/** Calls `fn` each `periodMs` until cancelled; the next period begins when `fn` has returned. */
export function every(environment: Environment, periodMs: number, fn: () => void): Timer {
  let timer = environment.after(periodMs, tick)
  let cancelled = false
  function tick(): void {
    fn()
    if (!cancelled) timer = environment.after(periodMs, tick)
  }
  return {
    cancel: () => {
      cancelled = true
      timer.cancel()
    },
  }
}
