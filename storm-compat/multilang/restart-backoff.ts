// How long a shell component waits before its next process: not at all after the first death, then twice as long
// each time up to a bound, and from the beginning again once a process has lived for a healthy while. Pure.

/** The first wait that is one; python needs about a tenth of this to start. */
export const BACKOFF_FIRST_MS = 250

/** The longest wait: long enough to spare the machine, short enough that a mended file is picked up soon. */
export const BACKOFF_MAX_MS = 5_000

/** A process that was up for so long did not die of its start; the next death is a first one again. */
export const HEALTHY_MS = 30_000

export class RestartBackoff {
  private deaths = 0

  /** The wait before the next start, given how long the dead process was up (0 if it never was). */
  delayAfterMs(upForMs: number): number {
    if (upForMs >= HEALTHY_MS) this.deaths = 0
    this.deaths++
    if (this.deaths === 1) return 0
    return Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(this.deaths - 2, 10))
  }
}
