// What becomes of an actor that has failed. The one who spawned it has chosen a policy; this decides by it, from the
// failures so far. Pure: the cell gives the time and carries the decision out. Nobody else catches.

import { Backoff, type BackoffOptions } from '../base/backoff.ts'

export interface Policy {
  /**
   * resume: the instance goes on as if nothing had been. restart: a new instance, the mail is kept. stop: it ends.
   * escalate: it ends, and its parent has failed with the same error.
   */
  readonly onFailure: 'resume' | 'restart' | 'stop' | 'escalate'
  /** Restarts allowed in any window; one more failure stops the actor. */
  readonly budget?: { readonly restarts: number; readonly windowMs: number }
  /** How long to wait before each restart. */
  readonly backoff?: BackoffOptions
}

/** Enough to sit out a peer that restarts; few enough to show a defect within a minute. */
const DEFAULT_BUDGET = { restarts: 10, windowMs: 60_000 }

export const DEFAULT_POLICY: Policy = { onFailure: 'restart' }

export type Decision =
  | { kind: 'resume' }
  | { kind: 'restart'; waitMs: number }
  | { kind: 'stop'; why: string }
  | { kind: 'escalate' }

/** Decides for one actor. */
export class Supervisor {
  readonly #policy: Policy
  readonly #backoff: Backoff
  // Times of the restarts within the last window: never more than the budget.
  #restartsMs: number[] = []

  constructor(policy: Policy) {
    this.#policy = policy
    this.#backoff = new Backoff(policy.backoff)
  }

  /** A new instance is being made. */
  started(nowMs: number): void {
    this.#backoff.started(nowMs)
  }

  /** The actor failed; `made` tells whether there is an instance that could go on. */
  failed(nowMs: number, made: boolean): Decision {
    const { onFailure } = this.#policy
    switch (onFailure) {
      case 'resume':
        return made ? { kind: 'resume' } : { kind: 'stop', why: 'it could not be made' }
      case 'restart':
        return this.#restart(nowMs)
      case 'stop':
        return { kind: 'stop', why: 'it failed' }
      case 'escalate':
        return { kind: 'escalate' }
    }
  }

  #restart(nowMs: number): Decision {
    const { restarts, windowMs } = this.#policy.budget ?? DEFAULT_BUDGET
    this.#restartsMs = this.#restartsMs.filter(ms => nowMs - ms < windowMs)
    if (this.#restartsMs.length >= restarts) {
      return { kind: 'stop', why: `it failed more than ${restarts} times in ${windowMs} ms` }
    }
    this.#restartsMs.push(nowMs)
    return { kind: 'restart', waitMs: this.#backoff.failed(nowMs) }
  }
}
