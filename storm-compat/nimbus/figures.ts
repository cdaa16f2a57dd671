// The figures of a topology in Storm's shapes: executors, counts by window and stream, averages. The engine counts per
// component, not per stream or executor: counts stand under a component's only stream (or `default`) and its first input, and
// are dealt out evenly to its executors, so that every sum a client makes is right.
import type {
  ComponentAggregateStats,
  ErrorInfo,
  ExecutorInfo,
  ExecutorStats,
  ExecutorSummary,
} from '../thrift/storm-statistics.ts'
import type { GlobalStreamId } from '../thrift/storm-topology.ts'
import type { Component } from '../topology/topology.ts'
import { type CountKind, countName, type Topology } from './topology.ts'
import type { HostedInfo } from './topology-host.ts'
import { WINDOWS, type Window } from './windows.ts'

/** Storm's supervisors begin to count their workers' ports here; nothing listens. */
export const WORKER_PORT = 6700

/** Where and since when a topology runs, as summaries say it. */
export interface Site {
  readonly host: string
  readonly nowMs: number
}

export function uptimeSecs(topology: Topology, { nowMs }: Site): number {
  return Math.max(0, Math.floor((nowMs - topology.startedMs) / 1000))
}

/** Executors of a component: each has a range of tasks. */
export function executorsOf(topology: Topology, component: Component): ExecutorInfo[] {
  const tasks = topology.tasks.get(component.id) ?? []
  const wanted = topology.executors.get(component.id) ?? component.parallelismHint
  const count = Math.min(Math.max(1, wanted), tasks.length)
  return Array.from({ length: count }, (_, i) => ({
    task_start: tasks[Math.floor((i * tasks.length) / count)]!,
    task_end: tasks[Math.floor(((i + 1) * tasks.length) / count) - 1]!,
  }))
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

/** Every executor of a component, with its share of the component's counts. */
export function executorSummaries(
  topology: Topology,
  component: Component,
  site: Site,
): ExecutorSummary[] {
  const executors = executorsOf(topology, component)
  return executors.map((executor_info, index) => ({
    executor_info,
    component_id: component.id,
    host: site.host,
    port: WORKER_PORT,
    uptime_secs: uptimeSecs(topology, site),
    stats: statsOf(topology, component, { index, of: executors.length }),
  }))
}

interface Share {
  readonly index: number
  readonly of: number
}

function statsOf(topology: Topology, component: Component, share: Share): ExecutorStats {
  const stream = streamOf(component)
  const count = (kind: CountKind) => (window: Window) =>
    BigInt(part(countIn(topology, component, kind, window), share))
  const byStream = <T>(value: (window: Window) => T) =>
    perWindow(window => new Map([[stream, value(window)]]))
  const emitted = byStream(count('emitted'))
  const source = inputOf(component)
  const byInput = <T>(value: (window: Window) => T) =>
    perWindow(window => (source === undefined ? [] : [[source, value(window)] as const]))
  const ms = byInput(window => millisecondsPerInput(topology, component, window))
  return {
    emitted,
    transferred: emitted,
    rate: 1,
    specific:
      component.kind === 'spout'
        ? {
            kind: 'spout',
            value: {
              acked: byStream(count('acked')),
              failed: byStream(count('failed')),
              complete_ms_avg: byStream(() => 0),
            },
          }
        : {
            kind: 'bolt',
            value: {
              acked: byInput(count('acked')),
              failed: byInput(count('failed')),
              executed: byInput(count('received')),
              process_ms_avg: ms,
              execute_ms_avg: ms,
            },
          },
  }
}

/** The counts of a whole component in one window. */
export function aggregateStats(
  topology: Topology,
  component: Component,
  window: Window,
  lastError?: ErrorInfo,
): ComponentAggregateStats {
  const count = (kind: CountKind) => BigInt(countIn(topology, component, kind, window))
  const ms = millisecondsPerInput(topology, component, window)
  return {
    type: component.kind === 'spout' ? 'SPOUT' : 'BOLT',
    common_stats: {
      num_executors: executorsOf(topology, component).length,
      num_tasks: topology.tasks.get(component.id)?.length ?? 0,
      emitted: count('emitted'),
      transferred: count('emitted'),
      acked: count('acked'),
      failed: count('failed'),
    },
    specific_stats:
      component.kind === 'spout'
        ? { kind: 'spout', value: { complete_latency_ms: 0 } }
        : {
            kind: 'bolt',
            value: {
              execute_latency_ms: ms,
              process_latency_ms: ms,
              executed: count('received'),
              capacity: 0,
            },
          },
    last_error: lastError,
  }
}

export function countIn(
  topology: Topology,
  component: Component,
  kind: CountKind,
  window: Window,
): number {
  return Math.round(topology.windows.count(window, countName(component.id, kind)))
}

/** The last errors of a component, the newest first. */
export function errorsOf(
  info: HostedInfo | undefined,
  component: string,
  site: Site,
): readonly ErrorInfo[] {
  const last = info?.errors[component]?.last ?? []
  return last
    .map(({ message, timeMs }) => ({
      error: message,
      error_time_secs: Math.floor(timeMs / 1000),
      host: site.host,
      port: WORKER_PORT,
    }))
    .reverse()
}

/** The stream under which a component's counts stand. */
export function streamOf(component: Component): string {
  const [only, second] = component.streams.keys()
  return only === undefined || second !== undefined ? 'default' : only
}

/** The input under which a bolt's counts stand. */
export function inputOf(component: Component): GlobalStreamId | undefined {
  const first = component.inputs[0]
  return first === undefined ? undefined : { componentId: first.component, streamId: first.stream }
}

function millisecondsPerInput(topology: Topology, component: Component, window: Window): number {
  const inputs = countIn(topology, component, 'received', window)
  return inputs === 0 ? 0 : countIn(topology, component, 'busyMs', window) / inputs
}

/** What falls to one of `of` executors; the first get what is left over. */
function part(count: number, { index, of }: Share): number {
  return Math.floor(count / of) + (index < count % of ? 1 : 0)
}

export function perWindow<T>(value: (window: Window) => T): Map<string, T> {
  return new Map(WINDOWS.map(window => [window, value(window)]))
}
