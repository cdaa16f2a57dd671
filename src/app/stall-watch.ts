// Watches the app clock: when it has stood still for a while with roots open, asks the executors which tasks hold it, and
// says so once per stall, with names and ages. The last finding is part of what `app info` shows.
import { alignedMs, type Environment, type Timer, WAKE_GRID_MS } from '../base/environment.ts'
import { asError } from '../base/errors.ts'
import { type Log, log } from '../base/log.ts'
import type { StalledSource, StalledTask, Stalls } from './stalls.ts'

/** How often the clock is looked at. */
const LOOK_MS = 8 * WAKE_GRID_MS
/** A clock that has not moved for so long is looked into. Shorter than anybody waits before asking. */
const SUSPECT_MS = 5000
/** And after so long it is said. */
const SAY_MS = 30_000

/** What holds the app clock. */
export interface StallReport {
  /** For how long the clock has stood still. */
  readonly forMs: number
  /** The source task with the lowest clock, and the age of its oldest open root. */
  readonly source: (StalledSource & { readonly executor: number }) | undefined
  /** Tasks whose oldest input has not moved, the oldest first. */
  readonly tasks: readonly (StalledTask & { readonly executor: number })[]
}

export interface StallWatchOptions {
  readonly environment: Environment
  readonly log: Log
  readonly clockUs: () => number
  readonly slots: readonly {
    readonly id: number
    readonly launched: { readonly control: { stalls(): Promise<Stalls> } } | undefined
  }[]
}

export class StallWatch {
  readonly #options: StallWatchOptions
  #timer: Timer | undefined = undefined
  #clockUs = 0
  #movedMs: number
  #said = false
  report: StallReport | undefined = undefined

  constructor(options: StallWatchOptions) {
    this.#options = options
    this.#movedMs = options.environment.monotonicMs()
  }

  start(): void {
    const { environment } = this.#options
    const waitMs = alignedMs(environment.monotonicMs(), LOOK_MS)
    this.#timer = environment.after(waitMs, () => void this.#look())
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  async #look(): Promise<void> {
    const { environment, log: lines, clockUs } = this.#options
    try {
      const nowMs = environment.monotonicMs()
      if (clockUs() !== this.#clockUs) {
        this.#clockUs = clockUs()
        this.#movedMs = nowMs
        if (this.#said) log(lines, 'info', 'app clock', 'moves on')
        this.#said = false
        this.report = undefined
      } else if (nowMs - this.#movedMs >= SUSPECT_MS) {
        this.report = await this.#ask(nowMs - this.#movedMs)
        if (!this.#said && this.report !== undefined && this.report.forMs >= SAY_MS) {
          this.#said = true
          log(lines, 'warn', 'app clock', stallText(this.report))
        }
      }
    } catch (error) {
      // An executor that does not answer is somebody else's business.
      log(lines, 'debug', 'app clock', asError(error).message)
    }
    // Stopped while the executors were asked: there is no next time.
    if (this.#timer !== undefined) this.start()
  }

  // A clock that stands still without an open root is that of sources which say nothing.
  async #ask(forMs: number): Promise<StallReport | undefined> {
    const asked = this.#options.slots.flatMap(({ id, launched }) =>
      launched === undefined ? [] : [launched.control.stalls().then(stalls => ({ id, stalls }))],
    )
    const answers = await Promise.all(asked)
    const sources = answers.flatMap(({ id, stalls }) =>
      stalls.sources.map(source => ({ ...source, executor: id })),
    )
    if (sources.length === 0) return undefined
    const tasks = answers
      .flatMap(({ id, stalls }) => stalls.tasks.map(task => ({ ...task, executor: id })))
      .filter(task => task.ageMs > 0)
    return {
      forMs,
      source: sources.sort((a, b) => a.clockUs - b.clockUs)[0],
      tasks: tasks.sort((a, b) => b.ageMs - a.ageMs),
    }
  }
}

/** One sentence for people. */
export function stallText({ forMs, source, tasks }: StallReport): string {
  const begin = `has stood still for ${seconds(forMs)}`
  const root =
    source === undefined
      ? ''
      : `; the oldest root, of ${source.processor}[task ${source.task}], is ${seconds(source.ageMs)} old`
  const [first] = tasks
  if (first === undefined) return `${begin}${root}; no task holds an input for long`
  const where = `${first.processor}[task ${first.task}] in executor ${first.executor}`
  const others = tasks.length > 1 ? `, and ${tasks.length - 1} more tasks` : ''
  return `${begin}${root}; held by ${where}: an input waits since ${seconds(first.ageMs)} for ${first.waitsFor}${others}`
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
