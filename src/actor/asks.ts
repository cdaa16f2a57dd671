// Asks that wait for their outcome. Each ends exactly once: by an answer, an error, or its time-out; whatever comes
// later is dropped. Their ids are what travels between nodes.

import type { Environment, Timer } from '../base/environment.ts'
import type { Reply } from './actor.ts'
import { askTimedOut, overloaded } from './failures.ts'

/** Asks open at one time in one system. The control plane makes a handful per second: so many are a defect. */
export const OPEN_ASKS_MAX = 10_000

/** One ask, seen from the asker. */
export class Ask implements Reply {
  readonly id: number
  readonly actor: string
  readonly method: string
  /** Who has sent it hears of its end, whatever that is. */
  onEnd: (() => void) | undefined
  readonly #timer: Timer
  readonly #resolve: (value: unknown) => void
  readonly #reject: (error: Error) => void
  readonly #forget: (ask: Ask) => void
  #ended = false

  constructor(options: {
    id: number
    actor: string
    method: string
    timeoutMs: number
    environment: Environment
    resolve: (value: unknown) => void
    reject: (error: Error) => void
    forget: (ask: Ask) => void
  }) {
    const { actor, method, timeoutMs } = options
    this.id = options.id
    this.actor = actor
    this.method = method
    this.#resolve = options.resolve
    this.#reject = options.reject
    this.#forget = options.forget
    this.#timer = options.environment.after(timeoutMs, () => {
      this.fail(askTimedOut(actor, method, timeoutMs))
    })
  }

  get ended(): boolean {
    return this.#ended
  }

  answer(value: unknown): void {
    if (this.#end()) this.#resolve(value)
  }

  fail(error: Error): void {
    if (this.#end()) this.#reject(error)
  }

  #end(): boolean {
    if (this.#ended) return false
    this.#ended = true
    this.#timer.cancel()
    this.#forget(this)
    this.onEnd?.()
    return true
  }
}

/** The open asks of one system. */
export class Asks {
  readonly #environment: Environment
  readonly #open = new Map<number, Ask>()
  #lastId = 0

  constructor(environment: Environment) {
    this.#environment = environment
  }

  /** A promise for the outcome, with the ask given to `send`; what that throws is the outcome. */
  open(
    what: { actor: string; method: string; timeoutMs: number },
    send: (ask: Ask) => void,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#open.size >= OPEN_ASKS_MAX) {
        throw overloaded(`too many asks are open, among them for ${what.actor}`, OPEN_ASKS_MAX)
      }
      const { actor, method, timeoutMs } = what
      const ask = new Ask({
        actor,
        method,
        timeoutMs,
        id: this.#nextId(),
        environment: this.#environment,
        resolve,
        reject,
        forget: ended => this.#open.delete(ended.id),
      })
      this.#open.set(ask.id, ask)
      try {
        send(ask)
      } catch (error) {
        ask.fail(error as Error)
      }
    })
  }

  failAll(error: Error): void {
    for (const ask of [...this.#open.values()]) ask.fail(error)
  }

  // 32 bits on the wire: they come round after some days of heavy use. 0 means a tell.
  #nextId(): number {
    do this.#lastId = (this.#lastId + 1) >>> 0 || 1
    while (this.#open.has(this.#lastId))
    return this.#lastId
  }
}
