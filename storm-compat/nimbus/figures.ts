// The figures of a topology in Storm's shapes: executors, counts by window and stream, means, errors. What was counted is in
// statistics.ts, where it runs in whereabouts.ts.
import type {
  ComponentAggregateStats,
  ErrorInfo,
  ExecutorAggregateStats,
  ExecutorInfo,
  ExecutorStats,
  ExecutorSummary,
} from '../thrift/storm-statistics.ts'
import type { Component } from '../topology/topology.ts'
import {
  componentStatistics,
  type InputStatistics,
  meanOf,
  type Statistics,
  type StreamStatistics,
  type Totals,
  taskStatistics,
  totalsOf,
} from './statistics.ts'
import type { Topology } from './topology.ts'
import type { HostedInfo } from './topology-host.ts'
import { type Site, type Worker, workerOf, workersOf } from './whereabouts.ts'
import { WINDOWS, type Window } from './windows.ts'

/** Capacity is the part of the last ten minutes that an executor has worked. */
const CAPACITY_WINDOW: Window = '600'

/** Executors of a component: each has a range of tasks. */
export function executorsOf(topology: Topology, component: Component): ExecutorInfo[] {
  return taskRanges(topology, component).map(tasks => ({
    task_start: tasks[0]!,
    task_end: tasks.at(-1)!,
  }))
}

function taskRanges(topology: Topology, component: Component): readonly (readonly number[])[] {
  const tasks = topology.tasks.get(component.id) ?? []
  const wanted = topology.executors.get(component.id) ?? component.parallelismHint
  const count = Math.min(Math.max(1, wanted), tasks.length)
  return Array.from({ length: count }, (_, i) =>
    tasks.slice(
      Math.floor((i * tasks.length) / count),
      Math.floor(((i + 1) * tasks.length) / count),
    ),
  )
}

export function totalTasks({ topology, tasks }: Topology): number {
  return topology.components.reduce((sum, { id }) => sum + (tasks.get(id)?.length ?? 0), 0)
}

export function totalExecutors(topology: Topology): number {
  return topology.topology.components.reduce(
    (sum, component) => sum + executorsOf(topology, component).length,
    0,
  )
}

/** Every executor of a component, with what its tasks counted. */
export function executorSummaries(
  topology: Topology,
  component: Component,
  info: HostedInfo | undefined,
  site: Site,
): ExecutorSummary[] {
  const workers = workersOf(topology, info, site)
  return taskRanges(topology, component).map(tasks => ({
    ...executorPlace(component, tasks, workerOf(workers, tasks[0]!)),
    stats: executorStats(topology, component, tasks),
  }))
}

/** The same in one window, summed over streams. */
export function executorAggregates(
  topology: Topology,
  component: Component,
  window: Window,
  info: HostedInfo | undefined,
  site: Site,
): ExecutorAggregateStats[] {
  const workers = workersOf(topology, info, site)
  return taskRanges(topology, component).map(tasks => {
    const worker = workerOf(workers, tasks[0]!)
    const totals = totalsOf(taskStatistics(topology, component, tasks, window))
    const capacity = executorCapacity(topology, component, tasks, worker.uptimeSecs)
    const counts = { num_executors: 1, num_tasks: tasks.length }
    return {
      exec_summary: executorPlace(component, tasks, worker),
      stats: aggregate(component, totals, { ...counts, capacity }),
    }
  })
}

function executorPlace(
  { id }: Component,
  tasks: readonly number[],
  { host, port, uptimeSecs }: Worker,
): ExecutorSummary {
  return {
    executor_info: { task_start: tasks[0]!, task_end: tasks.at(-1)! },
    component_id: id,
    host,
    port,
    uptime_secs: uptimeSecs,
  }
}

function executorStats(
  topology: Topology,
  component: Component,
  tasks: readonly number[],
): ExecutorStats {
  const byWindow = new Map<Window, Statistics>(
    WINDOWS.map(window => [window, taskStatistics(topology, component, tasks, window)] as const),
  )
  const out = <T>(of: (stream: StreamStatistics) => T) =>
    perWindow(w => new Map(byWindow.get(w)!.streams.map(each => [each.stream, of(each)] as const)))
  const into = <T>(of: (input: InputStatistics) => T) =>
    perWindow(w => byWindow.get(w)!.inputs.map(each => [each.source, of(each)] as const))
  const emitted = out(s => long(s.emitted))
  const transferred = out(s => long(s.transferred))
  if (component.kind === 'spout') {
    const value = {
      acked: out(s => long(s.acked)),
      failed: out(s => long(s.failed)),
      complete_ms_avg: out(s => meanOf(s.completeMs)),
    }
    return { emitted, transferred, rate: 1, specific: { kind: 'spout', value } }
  }
  const value = {
    acked: into(i => long(i.acked)),
    failed: into(i => long(i.failed)),
    executed: into(i => long(i.executed)),
    process_ms_avg: into(i => meanOf(i.processMs)),
    execute_ms_avg: into(i => meanOf(i.executeMs)),
  }
  return { emitted, transferred, rate: 1, specific: { kind: 'bolt', value } }
}

/** A whole component in one window. */
export function componentAggregate(
  topology: Topology,
  component: Component,
  window: Window,
  info: HostedInfo | undefined,
  site: Site,
): ComponentAggregateStats {
  const totals = totalsOf(componentStatistics(topology, component, window))
  const workers = workersOf(topology, info, site)
  const ranges = taskRanges(topology, component)
  const capacity = Math.max(
    0,
    ...ranges.map(tasks =>
      executorCapacity(topology, component, tasks, workerOf(workers, tasks[0]!).uptimeSecs),
    ),
  )
  const num_tasks = topology.tasks.get(component.id)?.length ?? 0
  const last_error = errorsOf(topology, component.id, info, site)[0]
  return {
    ...aggregate(component, totals, {
      num_executors: ranges.length,
      num_tasks,
      capacity,
      resources_map: resourcesOf(topology, component),
    }),
    last_error,
  }
}

/** One stream of a component, or one of its inputs. */
export function aggregateOf(
  component: Component,
  part: Partial<Statistics>,
): ComponentAggregateStats {
  const totals = totalsOf({ streams: part.streams ?? [], inputs: part.inputs ?? [] })
  return aggregate(component, totals, { capacity: 0 })
}

function aggregate(
  component: Component,
  totals: Totals,
  about: {
    readonly num_executors?: number
    readonly num_tasks?: number
    readonly resources_map?: Map<string, number>
    readonly capacity: number
  },
): ComponentAggregateStats {
  const { capacity, ...counts } = about
  const common_stats = {
    ...counts,
    emitted: long(totals.emitted),
    transferred: long(totals.transferred),
    acked: long(totals.acked),
    failed: long(totals.failed),
  }
  if (component.kind === 'spout') {
    const value = { complete_latency_ms: totals.completeMs }
    return { type: 'SPOUT', common_stats, specific_stats: { kind: 'spout', value } }
  }
  const value = {
    execute_latency_ms: totals.executeMs,
    process_latency_ms: totals.processMs,
    executed: long(totals.executed),
    capacity,
  }
  return { type: 'BOLT', common_stats, specific_stats: { kind: 'bolt', value } }
}

function executorCapacity(
  topology: Topology,
  component: Component,
  tasks: readonly number[],
  upSecs: number,
): number {
  const secs = Math.min(upSecs, Number(CAPACITY_WINDOW))
  if (component.kind === 'spout' || secs === 0) return 0
  const { executed, executeMs } = totalsOf(
    taskStatistics(topology, component, tasks, CAPACITY_WINDOW),
  )
  return (executed * executeMs) / (secs * 1000)
}

/** The last errors of a component, the newest first. */
export function errorsOf(
  topology: Topology,
  component: string,
  info: HostedInfo | undefined,
  site: Site,
): readonly ErrorInfo[] {
  const last = info?.errors[component]?.last ?? []
  if (last.length === 0) return []
  const workers = workersOf(topology, info, site)
  return last
    .map(({ message, timeMs, task }) => {
      const { host, port } = workerOf(workers, task)
      return { error: message, error_time_secs: Math.floor(timeMs / 1000), host, port }
    })
    .reverse()
}

/** What a component asks for. Nothing is reserved for it, but Storm's UI cannot show a component without them. */
export function resourcesOf({ conf }: Topology, { config }: Component): Map<string, number> {
  const names = ['onheap.memory.mb', 'offheap.memory.mb', 'cpu.pcore.percent']
  return new Map(
    names.map(name => {
      const key = `topology.component.${name === 'cpu.pcore.percent' ? name : `resources.${name}`}`
      const wanted = config[key] ?? conf[key]
      return [name, typeof wanted === 'number' ? wanted : 0]
    }),
  )
}

export function perWindow<T>(value: (window: Window) => T): Map<string, T> {
  return new Map(WINDOWS.map(window => [window, value(window)]))
}

export function long(count: number): bigint {
  return BigInt(Math.round(count))
}
