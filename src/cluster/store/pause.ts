// A wait that can be ended early: loops of the control plane sleep in one and are woken when something happens.
import type { Environment, Timer } from '../../base/environment.ts'

export class Pause {
  readonly #environment: Environment
  #timer: Timer | undefined
  #end: (() => void) | undefined
  #woken = false

  constructor(environment: Environment) {
    this.#environment = environment
  }

  /** Resolves after `ms`, or at once when it was woken since the last wait. One wait at a time. */
  wait(ms: number): Promise<void> {
    if (this.#woken) {
      this.#woken = false
      return Promise.resolve()
    }
    return new Promise(resolve => {
      this.#end = () => {
        this.#timer?.cancel()
        this.#end = undefined
        resolve()
      }
      this.#timer = this.#environment.after(ms, this.#end)
    })
  }

  /** Ends the wait of now, or the next one before it begins. */
  wake(): void {
    if (this.#end === undefined) this.#woken = true
    else this.#end()
  }
}
