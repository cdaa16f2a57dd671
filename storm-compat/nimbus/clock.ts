// Time as the Nimbus needs it, passed in so that tests can move it.

export interface Clock {
  /** ms since 1970. */
  nowMs(): number
  after(delayMs: number, fn: () => void): { cancel(): void }
}

export const realClock: Clock = {
  nowMs: () => Date.now(),
  after: (delayMs, fn) => {
    const timeout = setTimeout(fn, delayMs)
    return { cancel: () => clearTimeout(timeout) }
  },
}
