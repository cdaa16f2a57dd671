// Another number of executors for a running application: wishes come one after the other, and before its tasks move it is
// brought to rest. The sources pause, what is under way is waited for, and what does not end in time fails at its sources,
// so that nothing is lost without their knowing.
import type { Environment } from '../base/environment.ts'
import { type Log, log } from '../base/log.ts'
import type { ExecutorControl } from './executor-host.ts'

/** Roots that are open for longer than this when the sources rest are stuck, or as good as. */
const DRAIN_MAX_MS = 10_000
/** Sources hear of what failed on their own turns. */
const TELL_MAX_MS = 2000
const LOOK_MS = 20

export interface RestingApp {
  tellAll(ask: (control: ExecutorControl) => Promise<void>): Promise<unknown>
  isDrained(): Promise<boolean>
  isOver(): boolean
}

export async function restAll(
  { environment, log: lines }: { readonly environment: Environment; readonly log: Log },
  app: RestingApp,
): Promise<void> {
  await app.tellAll(control => control.setActive(false))
  if (await drained(environment, app, DRAIN_MAX_MS)) return
  log(lines, 'warn', 'app master', 'what did not end in time fails at its sources')
  await app.tellAll(control => control.failOpen())
  await drained(environment, app, TELL_MAX_MS)
}

async function drained(environment: Environment, app: RestingApp, forMs: number): Promise<boolean> {
  const deadlineMs = environment.monotonicMs() + forMs
  while (!app.isOver()) {
    if (await app.isDrained()) return true
    if (environment.monotonicMs() >= deadlineMs) return false
    await new Promise<void>(resolve => void environment.after(LOOK_MS, resolve))
  }
  return true
}

/** The moves of one application: one at a time, and a wish that is heard again meanwhile is the same. */
export class Rebalances {
  readonly #move: (executors: number) => Promise<void>
  #last: { readonly executors: number; readonly done: Promise<void> } | undefined = undefined

  constructor(move: (executors: number) => Promise<void>) {
    this.#move = move
  }

  to(executors: number): Promise<void> {
    if (this.#last?.executors === executors) return this.#last.done
    // Why the one before failed was told to who asked for it.
    const before = this.#last?.done.catch(() => undefined) ?? Promise.resolve()
    const wish = { executors, done: before.then(() => this.#move(executors)) }
    this.#last = wish
    const forget = () => {
      if (this.#last === wish) this.#last = undefined
    }
    wish.done.then(forget, forget)
    return wish.done
  }
}
