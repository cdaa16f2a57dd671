// When to try again: the first time at once, then after a wait that doubles up to a bound, and at once again after
// a while without failure. Pure: the caller gives the time and does the waiting.

export interface BackoffOptions {
  /** Wait before the second try. */
  firstMs?: number
  /** The longest wait. */
  maxMs?: number
  /** A life longer than this forgets the failures before it. */
  healthyMs?: number
}

/**
 * Of processes: their data stand still while one is waited for, so the waits are short. What fails over and over is
 * stopped by a budget (restarts.*), not by long waits.
 */
export const RESTART_BACKOFF: BackoffOptions = { firstMs: 250, maxMs: 2000, healthyMs: 10_000 }

export class Backoff {
  readonly #firstMs: number
  readonly #maxMs: number
  readonly #healthyMs: number
  #failures = 0
  #startedMs: number | undefined = undefined

  constructor(options: BackoffOptions = {}) {
    this.#firstMs = options.firstMs ?? 250
    this.#maxMs = options.maxMs ?? 5000
    this.#healthyMs = options.healthyMs ?? 30_000
  }

  /** Failures in a row, since the last healthy while. */
  get failures(): number {
    return this.#failures
  }

  started(nowMs: number): void {
    this.#startedMs = nowMs
  }

  /** How long to wait before the next start, 0 the first time. */
  failed(nowMs: number): number {
    const wasHealthy = this.#startedMs !== undefined && nowMs - this.#startedMs >= this.#healthyMs
    // What has not come up since then has no healthy while, however long that was.
    this.#startedMs = undefined
    if (wasHealthy) this.#failures = 0
    this.#failures++
    if (this.#failures === 1) return 0
    return Math.min(this.#maxMs, this.#firstMs * 2 ** (this.#failures - 2))
  }
}
