// Which task holds the app clock up. An executor is asked for its stalls again and again while the clock stands still; it
// compares what each task has in hand with what it had at the last look, so that the hot path pays nothing for it. The
// age of an input is therefore the time since it was first seen; that of a root is exact.
import type { SourceRunner } from '../task/source-runner.ts'
import type { TaskRunner } from '../task/task-runner.ts'

/** A task that has not moved since it was first looked at. */
export interface StalledTask {
  readonly processor: string
  readonly task: number
  /** At least so old is its oldest input. */
  readonly ageMs: number
  readonly waitsFor: string
  /** Inputs waiting, in user code or held. */
  readonly inFlight: number
}

/** A source whose oldest open root holds the clock. */
export interface StalledSource {
  readonly processor: string
  readonly task: number
  readonly clockUs: number
  /** Of its oldest open root. */
  readonly ageMs: number
  readonly open: number
}

export interface Stalls {
  readonly tasks: readonly StalledTask[]
  readonly sources: readonly StalledSource[]
}

/** Tasks told of by one executor: the oldest; those behind them wait for these. */
const TASKS_MAX = 10

interface Look {
  readonly input: unknown
  readonly sinceMs: number
}

export class StallLooks {
  #looks = new Map<number, Look>()

  /** What stands still here. Look again and again: the first look finds nothing old. */
  look(options: {
    readonly nowMs: number
    readonly nowUs: number
    readonly tasks: readonly TaskRunner<never>[]
    readonly sources: readonly SourceRunner<never>[]
    readonly nameOf: (task: number) => string
  }): Stalls {
    const { nowMs, nowUs, tasks, sources, nameOf } = options
    const looks = new Map<number, Look>()
    const found: StalledTask[] = []
    for (const runner of tasks) {
      const input = runner.oldestInput
      if (input === undefined) continue
      const before = this.#looks.get(runner.taskId)
      const look = before?.input === input ? before : { input, sinceMs: nowMs }
      looks.set(runner.taskId, look)
      found.push({
        processor: nameOf(runner.taskId),
        task: runner.taskId,
        ageMs: nowMs - look.sinceMs,
        waitsFor: runner.waitsFor,
        inFlight: runner.inFlight,
      })
    }
    this.#looks = looks
    found.sort((a, b) => b.ageMs - a.ageMs)
    return {
      tasks: found.slice(0, TASKS_MAX),
      sources: sources
        .filter(source => source.roots.open > 0)
        .map(source => ({
          processor: nameOf(source.taskId),
          task: source.taskId,
          clockUs: source.roots.lowestStamp(),
          ageMs: Math.max(0, (nowUs - source.roots.lowestStamp()) / 1000),
          open: source.roots.open,
        })),
    }
  }
}
