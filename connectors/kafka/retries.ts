// Trying again what a broker could not answer just now: growing waits, an end, and no wait that outlives the client.
import { isRetriable, unreachable } from './kafka-errors.ts'

const FIRST_MS = 50
const MAX_MS = 1000
/** Elections of leaders and coordinators take a few seconds. */
const RETRY_FOR_MS = 10_000

export class Retries {
  readonly #waits = new Map<NodeJS.Timeout, () => void>()
  #closed = false

  get closed(): boolean {
    return this.#closed
  }

  /** Calls `attempt` until it does not throw a retriable error, or `forMs` are over: then the last error is thrown. */
  async run<T>(attempt: () => Promise<T>, forMs = RETRY_FOR_MS): Promise<T> {
    const until = performance.now() + forMs
    let delayMs = FIRST_MS
    for (;;) {
      if (this.#closed) throw unreachable('of this client', new Error('this client is closed'))
      try {
        return await attempt()
      } catch (error) {
        if (!isRetriable(error) || this.#closed || performance.now() >= until) throw error
        await this.wait(delayMs)
        delayMs = Math.min(MAX_MS, delayMs * 2)
      }
    }
  }

  wait(delayMs: number): Promise<void> {
    return new Promise(resolve => {
      const timeout = setTimeout(() => {
        this.#waits.delete(timeout)
        resolve()
      }, delayMs)
      this.#waits.set(timeout, resolve)
    })
  }

  close(): void {
    this.#closed = true
    for (const [timeout, resolve] of this.#waits) {
      clearTimeout(timeout)
      resolve()
    }
    this.#waits.clear()
  }
}
