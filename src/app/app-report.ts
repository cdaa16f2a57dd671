// What people ask of an application, all at once. Plain data: it crosses the wire as it is.
import type { Application } from './application.ts'
import type { Books, ErrorRecord, ExecutorDeath } from './books.ts'
import type { MetricValue } from './component-metrics.ts'
import type { ExecutorSlot } from './executor-slot.ts'
import type { RunFigures, TaskTally } from './figures.ts'
import type { Plan } from './plan.ts'
import type { StallReport } from './stall-watch.ts'

export interface ExecutorInfo {
  readonly id: number
  readonly pid: number | undefined
  /** Name of the worker; absent where there are none. */
  readonly where?: string
  readonly tasks: readonly number[]
  /** For how long it has been there, ms, when it was last asked; absent before. */
  readonly upMs?: number
}

export interface AppReport {
  /** µs since 1970: every root emitted before it has ended. */
  readonly clockUs: number
  readonly executors: readonly ExecutorInfo[]
  readonly figures: RunFigures
  /** What running tasks count by themselves; empty where they do not, or are very many. */
  readonly tallies?: readonly TaskTally[]
  readonly errors: Readonly<Record<string, { total: number; last: readonly ErrorRecord[] }>>
  /** What tasks told by `context.metric`, by component and name; components that told none are not there. */
  readonly metrics?: Readonly<Record<string, Readonly<Record<string, MetricValue>>>>
  readonly deaths: readonly ExecutorDeath[]
  /** What holds the app clock, when it has stood still for a while. */
  readonly stall?: StallReport | undefined
  /** Of the executor that was started again most often, in the window that ends now; 0 where no limit is set. */
  readonly restarts: number
}

export interface Reporting {
  readonly application: Application
  readonly clockUs: number
  readonly errors: Books
  executors(): ExecutorInfo[]
}

/** Of an app master: all but its figures. */
export function reportOf(
  master: Reporting,
  slots: readonly ExecutorSlot[],
  nowMs: number,
): Omit<AppReport, 'figures'> {
  const { application, clockUs, errors } = master
  const names = application.dag.processors.map(processor => processor.name)
  return {
    clockUs,
    executors: master.executors(),
    errors: Object.fromEntries(names.map(name => [name, errors.errorsOf(name)])),
    metrics: metricsOf(application, errors),
    deaths: errors.deaths,
    restarts: Math.max(...slots.map(slot => slot.budget.used(nowMs))),
  }
}

function metricsOf({ dag }: Application, { metrics }: Books): NonNullable<AppReport['metrics']> {
  const told = dag.processors.map(({ name, tasks }) => [name, metrics.of(name, tasks)] as const)
  return Object.fromEntries(told.filter(([, of]) => Object.keys(of).length > 0))
}

export function executorInfos(slots: readonly ExecutorSlot[], plan: Plan): ExecutorInfo[] {
  return slots.map(({ id, launched, status }) => ({
    id,
    pid: launched?.pid,
    ...(launched?.where === undefined ? {} : { where: launched.where }),
    tasks: plan.placement.filter(([, executor]) => executor === id).map(([task]) => task),
    ...(status?.upMs === undefined ? {} : { upMs: status.upMs }),
  }))
}
