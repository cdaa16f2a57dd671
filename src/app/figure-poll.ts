// Asks the executors for their figures, often while something happens and seldom while nothing does, and tells from them
// whether an application has nothing left to do.
import { alignedMs, type Environment, type Timer, WAKE_GRID_MS } from '../base/environment.ts'
import { asError } from '../base/errors.ts'
import { type Log, log } from '../base/log.ts'
import type { Books } from './books.ts'
import type { ExecutorStatus, RunFigures, TaskTally } from './figures.ts'

/** Figures are taken from each executor at this pace: what is shown, and what is known of one that dies. */
const STATUS_PERIOD_MS = 500
/** While nothing changes they are taken less and less often, down to this. */
const STATUS_PERIOD_IDLE_MS = 16 * WAKE_GRID_MS
/** Stands in for the message time-out where there is none. */
const STILL_MS = 30_000
/** A report of more tasks would be megabytes; sums per processor are always there. */
const TALLIES_MAX = 2000

/** An executor as far as its figures go. */
export interface Polled {
  readonly id: number
  readonly launched: { readonly control: { status(): Promise<ExecutorStatus> } } | undefined
  status: ExecutorStatus | undefined
}

export interface FigurePollOptions {
  readonly environment: Environment
  readonly log: Log
  readonly books: Books
  readonly slots: readonly Polled[]
  /** Message time-out; 0 = none. */
  readonly timeoutMs: number
}

export class FigurePoll {
  readonly #options: FigurePollOptions
  #timer: Timer | undefined = undefined
  #polledCounts = 0
  #stillCounts = ''
  #stillSinceMs = 0
  // Counts at the last look, if all was quiet.
  #quietLast: string | undefined = undefined

  constructor(options: FigurePollOptions) {
    this.#options = options
  }

  start(): void {
    this.#arm(STATUS_PERIOD_MS)
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #arm(periodMs: number): void {
    const { environment } = this.#options
    const waitMs = alignedMs(environment.monotonicMs(), periodMs)
    this.#timer = environment.after(waitMs, () => {
      void this.#pollAll()
      const counts = Object.values(this.#sum().components).reduce(
        (n, c) => n + c.emitted + c.received,
        0,
      )
      const next = counts === this.#polledCounts ? periodMs * 2 : STATUS_PERIOD_MS
      this.#polledCounts = counts
      this.#arm(Math.min(next, STATUS_PERIOD_IDLE_MS))
    })
  }

  #sum(): RunFigures {
    const { books, slots } = this.#options
    return books.sum(slots.map(slot => slot.status))
  }

  async #pollAll(): Promise<void> {
    await Promise.all(this.#options.slots.map(slot => this.#pollOne(slot)))
  }

  async #pollOne(slot: Polled): Promise<void> {
    const id = slot.id
    try {
      const status = await slot.launched?.control.status()
      if (slot.id === id && status !== undefined) slot.status = status
    } catch (error) {
      log(this.#options.log, 'debug', `executor ${id}`, asError(error).message)
    }
  }

  /** Fresh figures of the whole application, dead executors included. */
  async figures(): Promise<RunFigures> {
    await this.#pollAll()
    return this.#sum()
  }

  /** What running tasks counted by themselves, as of the last look. */
  tallies(): TaskTally[] {
    const tallies: TaskTally[] = []
    for (const { status } of this.#options.slots) {
      for (const { task, tally } of status?.tasks ?? []) {
        if (tally !== undefined) tallies.push({ task, tally })
        if (tallies.length > TALLIES_MAX) return []
      }
    }
    return tallies
  }

  /**
   * Whether nothing is left to do: every source exhausted, or silent for `idleMs`, every root ended and no message
   * under way. A message nobody waits for may be between two executors while each looks quiet: with several it must
   * have looked so at the last call as well, which should be some 10 ms ago.
   */
  async isDrained(idleMs: number): Promise<boolean> {
    const before = this.#quietLast
    this.#quietLast = await this.#quietFigures(idleMs)
    if (this.#quietLast === undefined) return false
    return this.#options.slots.length === 1 || this.#quietLast === before
  }

  async #quietFigures(idleMs: number): Promise<string | undefined> {
    const { slots } = this.#options
    if (slots.some(slot => slot.launched === undefined || slot.status === undefined)) {
      await this.#pollAll()
      if (slots.some(slot => slot.launched === undefined)) return undefined
    }
    const figures = await this.figures()
    const statuses = slots.map(slot => slot.status)
    if (!statuses.every(s => s !== undefined && (s.exhausted || s.idleMs >= idleMs)))
      return undefined
    const components = Object.values(figures.components)
    const counts = `${figures.emitted} ${components.map(c => `${c.received}/${c.emitted}`).join(' ')}`
    if (statuses.every(s => s?.quiet === true)) return counts
    return figures.pending === 0 && this.#standsStill(counts, idleMs) ? counts : undefined
  }

  // Every root has ended, and what is under way belongs to none: a task that never comes back must not hold the run for ever.
  #standsStill(counts: string, idleMs: number): boolean {
    const nowMs = this.#options.environment.monotonicMs()
    if (counts !== this.#stillCounts) {
      this.#stillCounts = counts
      this.#stillSinceMs = nowMs
    }
    const timeoutMs = this.#options.timeoutMs || STILL_MS
    return nowMs - this.#stillSinceMs >= idleMs + 2 * timeoutMs
  }
}
