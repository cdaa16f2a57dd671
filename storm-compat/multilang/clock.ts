// Time as the shell components see it, so that tests can move it by hand.

export interface ShellClock {
  nowMs(): number
  /** Calls `action` once after the delay; the returned function cancels it. Does not keep the process alive. */
  after(delayMs: number, action: () => void): () => void
}

export const systemClock: ShellClock = {
  nowMs: () => performance.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs)
    timer.unref()
    return () => clearTimeout(timer)
  },
}
