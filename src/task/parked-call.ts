// The call of a source whose promise is open. Its calls never overlap: meanwhile it cannot hear how its messages ended, and one
// that is never settled makes it deaf for good, without an error anywhere. So that is told.

/** A promise that keeps a source from hearing of its messages for so long is told of. */
const DEAF_MS = 30_000

export class ParkedCall {
  #method = ''
  #sinceMs = 0
  #told = false

  begin(method: string, nowMs: number): void {
    this.#method = method
    this.#sinceMs = nowMs
    this.#told = false
  }

  /** A sentence, once for each call. `untold`: ends of messages that the source has not heard of. */
  deafness(nowMs: number, untold: number): string | undefined {
    const forMs = nowMs - this.#sinceMs
    if (this.#told || forMs < DEAF_MS || untold === 0) return undefined
    this.#told = true
    const begin = `the promise of ${this.#method} is open for ${Math.round(forMs / 1000)} s`
    const end =
      this.#method === 'next' ? '; return false there, and call wake() when there is more' : ''
    return `${begin}: the ends of ${untold} messages wait to be told${end}`
  }
}
