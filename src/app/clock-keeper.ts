// The app clock with what it asks for carried out: reserved values are stored first, published ones are told to all executors.
import { asError } from '../base/errors.ts'
import { AppClock, type ClockDecision } from '../progress/app-clock.ts'

export interface ClockKeeperOptions {
  /** The executors of the stored plan. */
  readonly executors: readonly number[]
  readonly reserved: number
  readonly publish: (clockUs: number) => void
  /** Undefined: it is stored when it is known here. */
  readonly save: ((reservedUs: number) => Promise<void>) | undefined
  readonly fail: (error: Error) => void
}

export class ClockKeeper {
  readonly #options: ClockKeeperOptions
  readonly #clock: AppClock

  constructor(options: ClockKeeperOptions) {
    this.#options = options
    this.#clock = new AppClock(options)
  }

  get published(): number {
    return this.#clock.published
  }

  report(executor: number, clocks: ReadonlyMap<number, number>): void {
    this.#decided(this.#clock.report(executor, 0, clocks))
  }

  fence(executor: number): void {
    this.#decided(this.#clock.fence(executor))
  }

  /** The floor of the source's stamps. */
  admit(task: number, executor: number): number {
    return this.#clock.admit(task, executor)
  }

  #decided({ publish, store }: ClockDecision): void {
    const { save, fail } = this.#options
    if (publish !== undefined) this.#options.publish(publish)
    if (store === undefined) return
    // That may let the clock go on, so it comes last.
    if (save === undefined) this.#decided(this.#clock.stored(store))
    else
      save(store).then(
        () => this.#decided(this.#clock.stored(store)),
        error => fail(asError(error)),
      )
  }
}
