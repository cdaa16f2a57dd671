// How often one executor may be started again before the application is given up: so many deaths in a window of time, or
// a few in a row before it was up at all. The wait between two starts is the back-off's business. Pure.
import { EngineError } from '../base/errors.ts'

/** An executor that dies so often in a row without coming up cannot live here. */
const DEATHS_BEFORE_UP_MAX = 10

/** What an application brings with it. */
export interface RestartLimits {
  /** Deaths of one executor in the window that are still followed by a restart. */
  readonly executors: number
  readonly windowMs: number
}

/** Of a run that somebody watches. */
export const NO_LIMIT: RestartLimits = { executors: Infinity, windowMs: 0 }

export class RestartBudget {
  readonly #limits: RestartLimits
  /** Times of the deaths in the window: at most one more than are allowed. */
  #deaths: number[] = []
  #beforeUp = 0

  constructor(limits: RestartLimits) {
    this.#limits = limits
  }

  /** It came up, with all its tasks. */
  up(): void {
    this.#beforeUp = 0
  }

  /** Restarts in the window that ends now. */
  used(nowMs: number): number {
    return this.#deaths.filter(deathMs => nowMs - deathMs < this.#limits.windowMs).length
  }

  /** It died: undefined, or why it is not started again. */
  died(nowMs: number, reason: string): EngineError | undefined {
    const { executors, windowMs } = this.#limits
    this.#deaths = this.#deaths.filter(deathMs => nowMs - deathMs < windowMs)
    if (windowMs > 0) this.#deaths.push(nowMs)
    if (++this.#beforeUp > DEATHS_BEFORE_UP_MAX)
      return gaveUp(`${this.#beforeUp} times in a row before it was up again`, reason)
    const { length } = this.#deaths
    if (length <= executors) return undefined
    return gaveUp(`${length} times in ${windowMs / 1000} s (restarts.executors)`, reason)
  }
}

function gaveUp(often: string, reason: string): EngineError {
  return new EngineError('EXECUTOR_DIED', `an executor died ${often}, last: ${reason}`, {
    hint: 'look for the first error above; the application has ended',
  })
}
