// The right to be the one, for a time: granted by the store, kept alive, and ended by the holder's own clock. The
// deadline is the time *before* a keep-alive was sent plus the time to live less a margin, so it comes before the
// store's own; it has a timer to itself, since whatever else the process does may be standing in a request. The clock
// is the monotonic one, which goes on while a process is stopped; it does stand still while a machine is suspended,
// and then the fence protects.
import type { Environment, Timer } from '../../base/environment.ts'
import type { LeaseMap } from './lease-map.ts'
import { Pause } from './pause.ts'

/** Keep-alives per time to live: three may be lost in a row. */
const KEEP_ALIVES = 4
/** Of the time to live, how much earlier than the store's the own end is: a busy process fires its timers late. */
const MARGIN = 1 / 16
/** After a failure the next one goes to another endpoint, so it need not wait long. */
const RETRY_MS = 100

export interface LeaseParts {
  readonly map: LeaseMap
  readonly environment: Environment
  readonly ttlMs: number
  /** Goes with each keep-alive: only when both have succeeded is the lease kept. */
  sign?(): Promise<void>
  /** Called once, when the lease is no longer held, in the same turn in which that is noticed. */
  onEnd(reason: string): void
  /** A keep-alive failed; the next one may do. */
  onTrouble(error: unknown): void
}

export class Lease {
  readonly id: string
  readonly #parts: LeaseParts
  readonly #pause: Pause
  readonly #ttlMs: number
  #deadlineMs: number
  #timer: Timer | undefined
  #ended = false

  static async grant(parts: LeaseParts): Promise<Lease> {
    const sentMs = parts.environment.monotonicMs()
    const granted = await parts.map.grant(parts.ttlMs)
    const ttlMs = Math.min(granted.ttlMs, parts.ttlMs) * (1 - MARGIN)
    const lease = new Lease(parts, granted.id, { sentMs, ttlMs })
    void lease.#keepAlive()
    return lease
  }

  private constructor(
    parts: LeaseParts,
    id: string,
    { sentMs, ttlMs }: { sentMs: number; ttlMs: number },
  ) {
    this.id = id
    this.#parts = parts
    this.#pause = new Pause(parts.environment)
    this.#ttlMs = ttlMs
    this.#deadlineMs = sentMs + ttlMs
    this.#setTimer()
  }

  /** Whether it is held, by the clock and not only by the timer, which fires late when the process was stopped. */
  valid(): boolean {
    if (this.#ended) return false
    if (this.#parts.environment.monotonicMs() < this.#deadlineMs) return true
    this.end(`the store has not answered for ${Math.round(this.#ttlMs)} ms`)
    return false
  }

  end(reason: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#timer?.cancel()
    this.#pause.wake()
    this.#parts.onEnd(reason)
  }

  async #keepAlive(): Promise<void> {
    const { map, environment, sign } = this.#parts
    let waitMs = this.#ttlMs / KEEP_ALIVES
    for (;;) {
      await this.#pause.wait(waitMs)
      if (!this.valid()) return
      const sentMs = environment.monotonicMs()
      try {
        const [ttlMs] = await Promise.all([map.keepAlive(this.id), sign?.()])
        if (!this.valid()) return
        if (ttlMs === undefined) return this.end('its lease ran out in the store')
        this.#deadlineMs = Math.max(
          this.#deadlineMs,
          sentMs + Math.min(ttlMs * (1 - MARGIN), this.#ttlMs),
        )
        this.#setTimer()
        waitMs = this.#ttlMs / KEEP_ALIVES
      } catch (error) {
        this.#parts.onTrouble(error)
        waitMs = Math.min(RETRY_MS, this.#ttlMs / KEEP_ALIVES)
      }
    }
  }

  #setTimer(): void {
    this.#timer?.cancel()
    const { environment } = this.#parts
    const leftMs = Math.max(0, this.#deadlineMs - environment.monotonicMs())
    this.#timer = environment.after(leftMs, () => {
      // A timer may fire a little early; then it is set again for the rest.
      if (this.valid()) this.#setTimer()
    })
  }
}
