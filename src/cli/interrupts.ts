// Everything that may end a run from outside its own flow: Ctrl-C, SIGTERM, SIGHUP, a reader of stdout that has gone
// (`gear run … | head`), and errors that nobody caught.
// They become promises that the run waits for beside its own work; nothing is ended here.
import { EventEmitter, once } from 'node:events'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export class Interrupts {
  /** How many have come. */
  count = 0
  /** Rejects with an error that nobody caught: the state of this process can no longer be trusted. */
  readonly crashed: Promise<never>
  readonly #events = new EventEmitter()
  readonly #onSignal = (): void => {
    this.count++
    this.#events.emit('signal')
  }
  /** Nobody reads what the components write, here or in other processes of the run: there is nothing to drain for. */
  readonly stdoutGone = (): void => {
    if (this.#stdoutGone) return
    this.#stdoutGone = true
    process.stderr.write('the reader of stdout has gone: ended\n')
    process.stdout.off('error', this.stdoutGone)
    process.stdout.on('error', () => undefined)
    this.count++
    this.#onSignal()
  }
  #stdoutGone = false
  #crash: (error: unknown) => void = () => undefined

  constructor() {
    this.crashed = new Promise((_, reject) => {
      this.#crash = reject
    })
    // It may come while nothing waits, and must not then end the process before its children have ended.
    this.crashed.catch(() => undefined)
    for (const signal of SIGNALS) process.on(signal, this.#onSignal)
    process.stdout.on('error', this.stdoutGone)
    process.on('uncaughtException', this.#crash)
    process.on('unhandledRejection', this.#crash)
  }

  /** Resolves at the next signal. */
  async next(): Promise<void> {
    await once(this.#events, 'signal')
  }

  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.#onSignal)
    process.stdout.off('error', this.stdoutGone)
    process.off('uncaughtException', this.#crash)
    process.off('unhandledRejection', this.#crash)
  }
}
