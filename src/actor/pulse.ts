// Finds a peer that has fallen silent: a half-open connection, a stopped process, a host without power. Beats while
// something depends on the link, and until the peer was heard once since; so an idle link costs nothing, and asks that
// wait for less than a beat find out about a dead peer all the same.

import type { Environment, Timer } from '../base/environment.ts'

export interface PulseOptions {
  environment: Environment
  pingMs: number
  unreachableMs: number
  /** Whether anything depends on the peer. */
  needed(): boolean
  ping(): void
  silent(silentMs: number): void
}

export class Pulse {
  readonly #options: PulseOptions
  #timer: Timer | undefined
  #heardMs = 0
  #beatMs = 0
  /** Whether the peer was heard since something began to depend on it. */
  #answered = true

  constructor(options: PulseOptions) {
    this.#options = options
  }

  /** Something came from the peer. */
  heard(): void {
    this.#heardMs = this.#options.environment.monotonicMs()
    this.#answered = true
  }

  /** Something depends on the peer from now on. */
  start(): void {
    if (this.#timer !== undefined) return
    const { environment, pingMs } = this.#options
    this.#answered = false
    this.#heardMs = this.#beatMs = environment.monotonicMs()
    this.#timer = environment.after(pingMs, () => this.#beat())
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #beat(): void {
    const { environment, pingMs, unreachableMs, needed, ping, silent } = this.#options
    this.#timer = undefined
    if (!needed() && this.#answered) return
    const nowMs = environment.monotonicMs()
    // A beat that is late by more than a period: this process itself was stopped or busy, and what the peer sent
    // meanwhile is still to be read. Its silence is not counted.
    const lateMs = nowMs - this.#beatMs - pingMs
    if (lateMs > pingMs) this.#heardMs = Math.min(nowMs, this.#heardMs + lateMs)
    this.#beatMs = nowMs
    const silentMs = nowMs - this.#heardMs
    if (silentMs >= unreachableMs) {
      silent(silentMs)
      return
    }
    ping()
    this.#timer = environment.after(pingMs, () => this.#beat())
  }
}
