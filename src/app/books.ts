// What an app master remembers for people: the last errors of each component, deaths of executors, and the root counts
// of executors that are gone, so that emitted = acked + failed + pending + lost stays true for the whole run.

import { EngineError } from '../base/errors.ts'
import { type Log, type LogLine, log } from '../base/log.ts'
import { ComponentMetrics } from './component-metrics.ts'
import {
  addTallies,
  type ExecutorStatus,
  type RunFigures,
  sumFigures,
  type TaskFigures,
} from './figures.ts'

/** Errors kept per component. */
const ERRORS_KEPT = 20
/** Error lines written per component in any 10 s; the others are only counted. */
const LINES_PER_PERIOD = 5
const PERIOD_MS = 10_000

export interface ErrorRecord {
  readonly task: number
  readonly timeMs: number
  readonly code: string | undefined
  readonly message: string
}

interface ComponentErrors {
  total: number
  last: ErrorRecord[]
  periodStartMs: number
  inPeriod: number
}

export interface ExecutorDeath {
  readonly executor: number
  readonly timeMs: number
  readonly reason: string
}

/** What a later app master of the same application goes on with. */
export interface BooksMemory {
  readonly deaths: readonly ExecutorDeath[]
  readonly gone: readonly TaskFigures[]
}

export class Books {
  readonly #log: Log
  readonly #errors = new Map<string, ComponentErrors>()
  readonly deaths: ExecutorDeath[]
  readonly metrics = new ComponentMetrics()
  #gone: TaskFigures[]

  constructor(log: Log, memory?: BooksMemory) {
    this.#log = log
    this.deaths = [...(memory?.deaths ?? [])]
    this.#gone = [...(memory?.gone ?? [])]
  }

  memory(): BooksMemory {
    return { deaths: this.deaths, gone: compact(this.#gone) }
  }

  error(taskId: number, processor: string, error: Error): void {
    const nowMs = Date.now()
    let of = this.#errors.get(processor)
    if (of === undefined) {
      of = { total: 0, last: [], periodStartMs: nowMs, inPeriod: 0 }
      this.#errors.set(processor, of)
    }
    of.total++
    const code = error instanceof EngineError ? error.code : undefined
    of.last = [
      ...of.last.slice(-(ERRORS_KEPT - 1)),
      { task: taskId, timeMs: nowMs, code, message: error.message },
    ]
    if (nowMs - of.periodStartMs >= PERIOD_MS) {
      this.#tellSilent(processor, of)
      of.periodStartMs = nowMs
      of.inPeriod = 0
    }
    if (++of.inPeriod <= LINES_PER_PERIOD)
      log(this.#log, 'error', where(processor, taskId), describe(error))
  }

  /** The run is over: errors that no line was written for are at least counted. */
  close(): void {
    for (const [processor, of] of this.#errors) {
      this.#tellSilent(processor, of)
      of.inPeriod = 0
    }
  }

  #tellSilent(processor: string, { inPeriod }: ComponentErrors): void {
    const silent = inPeriod - LINES_PER_PERIOD
    if (silent <= 0) return
    log(this.#log, 'error', processor, `${silent} more errors in the last ${PERIOD_MS / 1000} s`)
  }

  line(taskId: number, processor: string, level: LogLine['level'], text: string): void {
    log(this.#log, level, where(processor, taskId), text)
  }

  errorsOf(processor: string): { total: number; last: readonly ErrorRecord[] } {
    return this.#errors.get(processor) ?? { total: 0, last: [] }
  }

  executorDied(executor: number, status: ExecutorStatus | undefined, reason: string): void {
    this.deaths.push({ executor, timeMs: Date.now(), reason })
    if (this.deaths.length > ERRORS_KEPT) this.deaths.shift()
    log(
      this.#log,
      'error',
      `executor ${executor}`,
      `died: ${reason}; its tasks start again in a new one`,
    )
    for (const task of status?.tasks ?? []) this.#keep(task)
  }

  /** An executor was closed, to be replaced. */
  executorLeft(status: ExecutorStatus | undefined): void {
    for (const task of status?.tasks ?? []) this.#keep(task)
  }

  // One row per processor is enough for sums; what was open is lost.
  #keep(task: TaskFigures): void {
    const roots = task.roots
    this.#gone.push({
      ...task,
      inFlight: 0,
      roots:
        roots === undefined
          ? undefined
          : { ...roots, pending: 0, lost: roots.lost + roots.pending, unresolved: 0 },
    })
    if (this.#gone.length > 10_000) this.#gone = compact(this.#gone)
  }

  sum(statuses: readonly (ExecutorStatus | undefined)[]): RunFigures {
    const figures = sumFigures([...this.#gone, ...statuses.flatMap(status => status?.tasks ?? [])])
    const tasks = new Map<string, number>()
    for (const status of statuses) {
      for (const task of status?.tasks ?? [])
        tasks.set(task.processor, (tasks.get(task.processor) ?? 0) + 1)
    }
    for (const [name, component] of Object.entries(figures.components))
      component.tasks = tasks.get(name) ?? 0
    return figures
  }
}

function where(processor: string, taskId: number): string {
  return taskId === 0 ? processor : `${processor}[task ${taskId}]`
}

function describe(error: Error): string {
  if (!(error instanceof EngineError)) return error.stack ?? error.message
  if (error.hint === undefined) return `${error.code}: ${error.message}`
  // Behind a traceback the hint would be lost at the end of its last line.
  const hint = error.message.includes('\n') ? `\n${error.hint}` : ` (${error.hint})`
  return `${error.code}: ${error.message}${hint}`
}

// Sums rows of the same processor, so that a run with many deaths keeps few rows.
function compact(rows: readonly TaskFigures[]): TaskFigures[] {
  const byProcessor = new Map<string, TaskFigures>()
  for (const row of rows) {
    const sum = byProcessor.get(row.processor)
    byProcessor.set(row.processor, sum === undefined ? row : add(sum, row))
  }
  return [...byProcessor.values()]
}

function add(a: TaskFigures, b: TaskFigures): TaskFigures {
  return {
    task: 0,
    processor: a.processor,
    emitted: a.emitted + b.emitted,
    received: a.received + b.received,
    acked: a.acked + b.acked,
    failed: a.failed + b.failed,
    inFlight: 0,
    busyMs: a.busyMs + b.busyMs,
    blockedMs: a.blockedMs + b.blockedMs,
    roots:
      a.roots === undefined || b.roots === undefined
        ? (a.roots ?? b.roots)
        : {
            emitted: a.roots.emitted + b.roots.emitted,
            acked: a.roots.acked + b.roots.acked,
            failed: a.roots.failed + b.roots.failed,
            pending: 0,
            lost: a.roots.lost + b.roots.lost,
            unresolved: 0,
          },
    tally: b.tally === undefined ? a.tally : addTallies(a.tally, b.tally),
  }
}
