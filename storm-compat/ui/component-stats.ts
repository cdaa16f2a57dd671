// The rows of figures that pages of topologies and components share: a component in a window, its streams, inputs, executors
// and errors, in Storm's fields.
import type {
  ComponentAggregateStats,
  ErrorInfo,
  ExecutorAggregateStats,
} from '../thrift/storm-statistics.ts'
import type { GlobalStreamId } from '../thrift/storm-topology.ts'
import type { Json } from './cluster-pages.ts'
import {
  CPU,
  executorName,
  genericResources,
  latencyText,
  OFF_HEAP,
  ON_HEAP,
  prettyUptime,
  shortError,
  type UiConf,
  urlEncoded,
  whole,
  windowHint,
  workerLogLink,
} from './formats.ts'

/** Where links of a topology's page lead, and now. */
export interface PagePlace {
  readonly conf: UiConf
  readonly topologyId: string
  readonly nowSecs: number
}

function commonOf({ common_stats: common }: ComponentAggregateStats): Json {
  return {
    emitted: whole(common?.emitted),
    transferred: whole(common?.transferred),
    acked: whole(common?.acked),
    failed: whole(common?.failed),
  }
}

function completeLatency({ specific_stats: specific }: ComponentAggregateStats): string {
  return latencyText(specific?.kind === 'spout' ? specific.value.complete_latency_ms : undefined)
}

function boltOf({ specific_stats: specific }: ComponentAggregateStats) {
  const value = specific?.kind === 'bolt' ? specific.value : {}
  return {
    executeLatency: latencyText(value.execute_latency_ms),
    processLatency: latencyText(value.process_latency_ms),
    executed: whole(value.executed),
    capacity: (value.capacity ?? 0).toFixed(3),
  }
}

/** A spout or bolt on the page of its topology. */
export function componentRow(
  id: string,
  kind: 'spout' | 'bolt',
  stats: ComponentAggregateStats,
  place: PagePlace,
): Json {
  const { num_executors = 0, num_tasks = 0, resources_map } = stats.common_stats ?? {}
  const encoded = urlEncoded(id)
  return {
    executors: num_executors,
    tasks: num_tasks,
    ...commonOf(stats),
    ...(resources_map === undefined
      ? {}
      : {
          ...requested(resources_map),
          requestedGenericResourcesComp: genericResources(resources_map),
        }),
    ...(kind === 'spout'
      ? { spoutId: id, encodedSpoutId: encoded, completeLatency: completeLatency(stats) }
      : { boltId: id, encodedBoltId: encoded, ...boltOf(stats) }),
    ...lastErrorJson(stats.last_error, place),
  }
}

export function requested(resources: ReadonlyMap<string, number> | undefined): Json {
  return {
    requestedMemOnHeap: resources?.get(ON_HEAP) ?? 0,
    requestedMemOffHeap: resources?.get(OFF_HEAP) ?? 0,
    requestedCpu: resources?.get(CPU) ?? 0,
  }
}

/** A spout in one window. */
export function spoutWindowRow(window: string, stats: ComponentAggregateStats): Json {
  return {
    ...windowOf(window),
    ...commonOf(stats),
    completeLatency: completeLatency(stats),
    lastError: shortError(stats.last_error?.error ?? ''),
  }
}

/** A bolt in one window. */
export function boltWindowRow(window: string, stats: ComponentAggregateStats): Json {
  return { ...windowOf(window), ...commonOf(stats), ...boltOf(stats) }
}

export function windowOf(window: string): Json {
  return { window, windowPretty: windowHint(window) }
}

export function inputRow(
  { componentId, streamId }: GlobalStreamId,
  stats: ComponentAggregateStats,
): Json {
  const { executeLatency, processLatency, executed } = boltOf(stats)
  const { acked, failed } = commonOf(stats)
  return {
    component: componentId,
    encodedComponentId: urlEncoded(componentId),
    stream: streamId,
    executeLatency,
    processLatency,
    executed,
    acked,
    failed,
  }
}

export function spoutOutputRow(stream: string, stats: ComponentAggregateStats): Json {
  return { stream, ...commonOf(stats), completeLatency: completeLatency(stats) }
}

export function boltOutputRow(stream: string, stats: ComponentAggregateStats): Json {
  const { emitted, transferred } = commonOf(stats)
  return { stream, emitted, transferred }
}

export function executorRow(
  { exec_summary, stats = {} }: ExecutorAggregateStats,
  kind: 'spout' | 'bolt',
  { conf, topologyId }: PagePlace,
): Json {
  const { host = '', port = 0, uptime_secs = 0, executor_info } = exec_summary ?? {}
  const id = executorName(executor_info?.task_start ?? 0, executor_info?.task_end ?? 0)
  return {
    id,
    encodedId: urlEncoded(id),
    uptime: prettyUptime(uptime_secs),
    uptimeSeconds: uptime_secs,
    host,
    port,
    ...commonOf(stats),
    ...(kind === 'spout' ? { completeLatency: completeLatency(stats) } : boltOf(stats)),
    workerLogLink: workerLogLink(conf, host, port, topologyId),
  }
}

const NO_ERROR: Json = {
  lastError: '',
  errorHost: '',
  errorPort: null,
  errorWorkerLogLink: '',
  errorTime: null,
  errorLapsedSecs: null,
}

function lastErrorJson(error: ErrorInfo | undefined, place: PagePlace): Json {
  if (error === undefined) return NO_ERROR
  return { lastError: shortError(error.error), ...errorPlace(error, place) }
}

/** The errors of a component, the oldest first. */
export function errorRows(errors: readonly ErrorInfo[], place: PagePlace): Json[] {
  return [...errors]
    .sort((a, b) => a.error_time_secs - b.error_time_secs)
    .map(error => ({ error: error.error, ...errorPlace(error, place) }))
}

function errorPlace(
  { error_time_secs, host = '', port = 0 }: ErrorInfo,
  { conf, topologyId, nowSecs }: PagePlace,
): Json {
  return {
    errorTime: error_time_secs,
    errorHost: host,
    errorPort: port,
    errorWorkerLogLink: workerLogLink(conf, host, port, topologyId),
    errorLapsedSecs: Math.max(0, nowSecs - error_time_secs),
  }
}
