// The timers of one task or source: they call on its own turn, and end with it. A task that waits for something gets each
// of its timers once when it goes on, however often it was due meanwhile.
import type { Environment, Timer } from '../base/environment.ts'

/** Whose timers they are. */
interface Owner {
  /** Runs a function on its own turn. */
  call(fn: () => unknown): void
}

export class TurnTimers {
  readonly #environment: Environment
  readonly #owner: Owner
  // Made with the first timer: most of many tasks have none.
  #open: Set<Timer> | undefined = undefined

  constructor(environment: Environment, owner: Owner) {
    this.#environment = environment
    this.#owner = owner
  }

  /** Calls `fn` each `periodMs`; the next period begins when its turn has come. */
  schedule(periodMs: number, fn: () => unknown): Timer {
    let timer: Timer
    const again = (): unknown => {
      arm()
      return fn()
    }
    const arm = () => {
      timer = this.scheduleOnce(periodMs, again)
    }
    arm()
    return { cancel: () => timer.cancel() }
  }

  /** Calls `fn` once. Cancelled in time means: before its turn has come. */
  scheduleOnce(delayMs: number, fn: () => unknown): Timer {
    const timer = this.#set(delayMs, () => {
      this.#owner.call(() => (this.#open!.delete(timer) ? fn() : undefined))
    })
    return timer
  }

  /** Calls `fn` once, on no turn: for waiting inside a promise. */
  after(delayMs: number, fn: () => void): Timer {
    const timer = this.#set(delayMs, () => {
      if (this.#open!.delete(timer)) fn()
    })
    return timer
  }

  /** The owner ends: none fires any more. */
  cancelAll(): void {
    for (const timer of [...(this.#open ?? [])]) timer.cancel()
  }

  #set(delayMs: number, due: () => void): Timer {
    const timer = this.#environment.after(delayMs, due)
    this.#open ??= new Set()
    const open = this.#open
    const mine: Timer = {
      cancel: () => {
        open.delete(mine)
        timer.cancel()
      },
    }
    open.add(mine)
    return mine
  }
}
