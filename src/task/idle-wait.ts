// When a source that has nothing to say is asked again: after a wait that grows. It never spins.
import { alignedMs, type Environment, WAKE_GRID_MS } from '../base/environment.ts'

/** How a source that has nothing is asked again: some times at the base wait, then doubling up to a bound. */
const WAITS_AT_BASE = 20
const WAIT_MAX_MS = 64
/** After about five seconds without anything a source is asked less often still: an idle application costs nothing. */
const WAITS_SHORT = 100
const WAIT_LONG_MS = WAKE_GRID_MS

export class IdleWait {
  readonly #environment: Environment
  readonly #baseMs: number
  readonly #over: () => void
  #waits = 0
  #timer: { cancel(): void } | undefined = undefined

  /** `over`: called after each wait that was not ended before. */
  constructor(environment: Environment, baseMs: number, over: () => void) {
    this.#environment = environment
    this.#baseMs = baseMs
    this.#over = over
  }

  get waiting(): boolean {
    return this.#timer !== undefined
  }

  /** The source has said something: the next wait is a short one. */
  forget(): void {
    this.#waits = 0
  }

  /** The source has nothing. */
  begin(): void {
    const doublings = Math.max(0, ++this.#waits - WAITS_AT_BASE)
    const boundMs = this.#waits > WAITS_SHORT ? WAIT_LONG_MS : WAIT_MAX_MS
    const baseMs = this.#baseMs
    const delayMs = Math.max(baseMs, Math.min(boundMs, baseMs * 2 ** Math.min(doublings, 10)))
    const environment = this.#environment
    this.#timer?.cancel()
    // Silent sources of an executor are asked at the same moments, so that it wakes up once for all of them.
    const waitMs = delayMs < boundMs ? delayMs : alignedMs(environment.monotonicMs(), delayMs)
    this.#timer = environment.after(waitMs, () => {
      this.#timer = undefined
      this.#over()
    })
  }

  /** Ends the wait, without a call. Returns false when there was none. */
  end(): boolean {
    if (this.#timer === undefined) return false
    this.#timer.cancel()
    this.#timer = undefined
    return true
  }
}
