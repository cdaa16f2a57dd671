// Time as the shell components see it, so that tests can move it by hand.

export interface ShellClock {
  nowMs(): number
  /** Calls `action` once after the delay; the returned function cancels it. */
  after(delayMs: number, action: () => void): () => void
}

export const systemClock: ShellClock = {
  nowMs: () => performance.now(),
  after(delayMs, action) {
    // It keeps the process alive: between two processes of a child nothing else may.
    const timer = setTimeout(action, delayMs)
    return () => clearTimeout(timer)
  },
}
