// Something that is done again and again in the background of a spout: after a while, or soon when it is asked for,
// never twice at a time. Between two runs nothing happens; stopping waits for the run that is under way.
import type { ShellClock } from '../multilang/clock.ts'

export class PeriodicTask {
  readonly #clock: ShellClock
  readonly #periodMs: number
  readonly #run: () => Promise<void>
  #running: Promise<void> | undefined = undefined
  #cancel: (() => void) | undefined = undefined
  #isAsked = false
  #isStopped = false

  /** `run` must not reject. */
  constructor(clock: ShellClock, periodMs: number, run: () => Promise<void>) {
    this.#clock = clock
    this.#periodMs = periodMs
    this.#run = run
  }

  /** Runs now, or once more when the present run ends. Resolves when that run ended. */
  soon(): Promise<void> {
    if (this.#isStopped) return Promise.resolve()
    if (this.#running !== undefined) {
      this.#isAsked = true
      return this.#running
    }
    this.#cancel?.()
    this.#running = this.#loop()
    return this.#running
  }

  async #loop(): Promise<void> {
    do {
      this.#isAsked = false
      await this.#run()
    } while (this.#isAsked && !this.#isStopped)
    this.#running = undefined
    this.rest()
  }

  /** Begins to wait for the next run. */
  rest(): void {
    if (this.#isStopped || this.#running !== undefined) return
    this.#cancel?.()
    this.#cancel = this.#clock.after(this.#periodMs, () => void this.soon())
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel?.()
    await this.#running
  }
}
