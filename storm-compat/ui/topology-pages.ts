// What the UI tells of one topology: its page, its workers, its figures stream by stream, a component's page, the levels of
// its loggers. In Storm's fields.
import type { LogConfig } from '../thrift/storm-requests.ts'
import type { ExecutorSummary } from '../thrift/storm-statistics.ts'
import type {
  ComponentPageInfo,
  TopologyInfo,
  TopologyPageInfo,
} from '../thrift/storm-summaries.ts'
import {
  displaysResources,
  type Json,
  logviewerJson,
  uiLinks,
  workerJson,
} from './cluster-pages.ts'
import {
  boltOutputRow,
  boltWindowRow,
  componentRow,
  errorRows,
  executorRow,
  inputRow,
  type PagePlace,
  requested,
  spoutOutputRow,
  spoutWindowRow,
  windowOf,
} from './component-stats.ts'
import {
  genericResources,
  latencyText,
  prettyUptime,
  type UiConf,
  urlEncoded,
  whole,
  windowHint,
} from './formats.ts'

/** Of the events that a debugger would be shown; nothing here samples them. */
const SAMPLING_PERCENT = 10

export function topologyPageJson(page: TopologyPageInfo, window: string, place: PagePlace): Json {
  const { conf } = place
  const configuration = shownConf(page.topology_conf)
  return {
    ...aboutJson(page),
    ...resourcesJson(page),
    topologyStats: windowRows(page),
    workers: (page.workers ?? []).map(worker => workerJson(worker, conf)),
    spouts: [...(page.id_to_spout_agg_stats ?? [])].map(([id, stats]) =>
      componentRow(id, 'spout', stats, place),
    ),
    bolts: [...(page.id_to_bolt_agg_stats ?? [])].map(([id, stats]) =>
      componentRow(id, 'bolt', stats, place),
    ),
    debug: page.debug_options?.enable ?? false,
    samplingPct: page.debug_options?.samplingpct ?? SAMPLING_PERCENT,
    user: null,
    window,
    windowHint: windowHint(window),
    msgTimeout: configuration['topology.message.timeout.secs'] ?? null,
    configuration,
    visualizationTable: [],
    schedulerDisplayResource: displaysResources(conf),
    ...uiLinks(conf),
  }
}

function aboutJson(page: TopologyPageInfo): Json {
  const { id, uptime_secs = 0 } = page
  return {
    id,
    encodedId: urlEncoded(id),
    owner: page.owner ?? null,
    name: page.name ?? null,
    status: page.status ?? null,
    uptime: prettyUptime(uptime_secs),
    uptimeSeconds: uptime_secs,
    tasksTotal: page.num_tasks ?? 0,
    workersTotal: page.num_workers ?? 0,
    executorsTotal: page.num_executors ?? 0,
    schedulerInfo: page.sched_status ?? null,
    replicationCount: page.replication_count ?? 0,
    topologyVersion: page.topology_version ?? null,
    stormVersion: page.storm_version ?? null,
  }
}

function resourcesJson(page: TopologyPageInfo): Json {
  const of = (amount: number | undefined) => amount ?? 0
  return {
    requestedMemOnHeap: of(page.requested_memonheap),
    requestedMemOffHeap: of(page.requested_memoffheap),
    requestedTotalMem: of(page.requested_memonheap) + of(page.requested_memoffheap),
    requestedCpu: of(page.requested_cpu),
    requestedRegularOnHeapMem: of(page.requested_regular_on_heap_memory),
    requestedSharedOnHeapMem: of(page.requested_shared_on_heap_memory),
    requestedRegularOffHeapMem: of(page.requested_regular_off_heap_memory),
    requestedSharedOffHeapMem: of(page.requested_shared_off_heap_memory),
    requestedGenericResources: genericResources(page.requested_generic_resources),
    assignedMemOnHeap: of(page.assigned_memonheap),
    assignedMemOffHeap: of(page.assigned_memoffheap),
    assignedTotalMem: of(page.assigned_memonheap) + of(page.assigned_memoffheap),
    assignedCpu: of(page.assigned_cpu),
    assignedRegularOnHeapMem: of(page.assigned_regular_on_heap_memory),
    assignedSharedOnHeapMem: of(page.assigned_shared_on_heap_memory),
    assignedRegularOffHeapMem: of(page.assigned_regular_off_heap_memory),
    assignedSharedOffHeapMem: of(page.assigned_shared_off_heap_memory),
    assignedGenericResources: genericResources(page.assigned_generic_resources),
  }
}

function windowRows({ topology_stats: stats = {} }: TopologyPageInfo): Json[] {
  return [...(stats.window_to_emitted ?? [])].map(([window, emitted]) => ({
    ...windowOf(window),
    emitted: whole(emitted),
    transferred: whole(stats.window_to_transferred?.get(window)),
    completeLatency: latencyText(stats.window_to_complete_latencies_ms?.get(window)),
    acked: whole(stats.window_to_acked?.get(window)),
    failed: whole(stats.window_to_failed?.get(window)),
  }))
}

/** Keys whose values nobody needs to see on a page that every user of the host can open. */
const SECRET = /password|passwd|secret|auth\.payload|access\.?key|token$/i

function shownConf(text: string | undefined): Json {
  const conf = JSON.parse(text ?? '{}') as Json
  return Object.fromEntries(
    Object.entries(conf).map(([key, value]) => [
      key,
      typeof value === 'string' && value !== '' && SECRET.test(key) ? '*****' : value,
    ]),
  )
}

export function topologyWorkersJson({ executors }: TopologyInfo, conf: UiConf): Json {
  const places = new Map(executors.map(({ host, port }) => [`${host}:${port}`, { host, port }]))
  return { hostPortList: [...places.values()], ...logviewerJson(conf) }
}

/** The figures of every component by stream, as documented since 1.0. (In 2.x Storm gives the topology's page instead.) */
export function topologyMetricsJson(
  { executors }: TopologyInfo,
  page: TopologyPageInfo,
  window: string,
): Json {
  const components = (ids: Iterable<string>) =>
    [...ids].map(id => ({
      id,
      ...streamsJson(
        executors.filter(executor => executor.component_id === id),
        window,
      ),
    }))
  return {
    window,
    windowHint: windowHint(window),
    'window-hint': windowHint(window),
    spouts: components(page.id_to_spout_agg_stats?.keys() ?? []),
    bolts: components(page.id_to_bolt_agg_stats?.keys() ?? []),
  }
}

interface Cell {
  readonly name: Json
  readonly value: number
  readonly weight: number
}

// Counts are summed over executors, means weighted by what was counted.
function streamsJson(executors: readonly ExecutorSummary[], window: string): Json {
  const stats = executors.flatMap(executor =>
    executor.stats === undefined ? [] : [executor.stats],
  )
  const bolts = stats.flatMap(({ specific }) => (specific.kind === 'bolt' ? [specific.value] : []))
  const spouts = stats.flatMap(({ specific }) =>
    specific.kind === 'spout' ? [specific.value] : [],
  )
  type Streams = ReadonlyMap<string, ReadonlyMap<string, bigint | number>>
  type Inputs = ReadonlyMap<string, readonly (readonly [GlobalStream, bigint | number])[]>
  const streams = (of: Streams, weights?: Streams): Cell[] =>
    [...(of.get(window) ?? [])].map(([stream_id, value]) => ({
      name: { stream_id },
      value: whole(value),
      weight: whole(weights?.get(window)?.get(stream_id)),
    }))
  const inputs = (of: Inputs, weights?: Inputs): Cell[] =>
    (of.get(window) ?? []).map(([{ componentId, streamId }, value], i) => ({
      name: { component_id: componentId, stream_id: streamId },
      value: whole(value),
      weight: whole(weights?.get(window)?.[i]?.[1]),
    }))
  const out = {
    emitted: sums(stats.flatMap(each => streams(each.emitted))),
    transferred: sums(stats.flatMap(each => streams(each.transferred))),
  }
  if (spouts.length > 0) {
    return {
      ...out,
      acked: sums(spouts.flatMap(each => streams(each.acked))),
      failed: sums(spouts.flatMap(each => streams(each.failed))),
      complete_ms_avg: means(spouts.flatMap(each => streams(each.complete_ms_avg, each.acked))),
    }
  }
  return {
    ...out,
    acked: sums(bolts.flatMap(each => inputs(each.acked))),
    failed: sums(bolts.flatMap(each => inputs(each.failed))),
    process_ms_avg: means(bolts.flatMap(each => inputs(each.process_ms_avg, each.executed))),
    executed: sums(bolts.flatMap(each => inputs(each.executed))),
    executed_ms_avg: means(bolts.flatMap(each => inputs(each.execute_ms_avg, each.executed))),
  }
}

interface GlobalStream {
  readonly componentId: string
  readonly streamId: string
}

function sums(cells: readonly Cell[]): Json[] {
  return grouped(cells, same => same.reduce((sum, { value }) => sum + value, 0))
}

function means(cells: readonly Cell[]): Json[] {
  return grouped(cells, same => {
    const weight = same.reduce((sum, cell) => sum + cell.weight, 0)
    const total = same.reduce((sum, cell) => sum + cell.value * cell.weight, 0)
    return latencyText(weight === 0 ? 0 : total / weight)
  })
}

function grouped(cells: readonly Cell[], value: (same: readonly Cell[]) => unknown): Json[] {
  const groups = new Map<string, Cell[]>()
  for (const cell of cells) {
    const key = JSON.stringify(cell.name)
    groups.set(key, [...(groups.get(key) ?? []), cell])
  }
  return [...groups.values()].map(same => ({ ...same[0]!.name, value: value(same) }))
}

export function componentPageJson(page: ComponentPageInfo, window: string, place: PagePlace): Json {
  const { conf } = place
  const kind = page.component_type === 'SPOUT' ? 'spout' : 'bolt'
  const windows = [...(page.window_to_stats ?? [])]
  const outputs = [...(page.sid_to_output_stats ?? [])]
  const figures =
    kind === 'spout'
      ? {
          spoutSummary: windows.map(([name, stats]) => spoutWindowRow(name, stats)),
          outputStats: outputs.map(([stream, stats]) => spoutOutputRow(stream, stats)),
        }
      : {
          boltStats: windows.map(([name, stats]) => boltWindowRow(name, stats)),
          inputStats: (page.gsid_to_input_stats ?? []).map(([id, stats]) => inputRow(id, stats)),
          outputStats: outputs.map(([stream, stats]) => boltOutputRow(stream, stats)),
        }
  return {
    ...figures,
    executorStats: (page.exec_stats ?? []).map(each => executorRow(each, kind, place)),
    componentErrors: errorRows(page.errors ?? [], place),
    user: null,
    id: page.component_id,
    encodedId: urlEncoded(page.component_id),
    name: page.topology_name ?? null,
    executors: page.num_executors ?? 0,
    tasks: page.num_tasks ?? 0,
    ...requested(page.resources_map),
    requestedGenericResources: genericResources(page.resources_map),
    schedulerDisplayResource: displaysResources(conf),
    topologyId: place.topologyId,
    encodedTopologyId: urlEncoded(place.topologyId),
    topologyStatus: page.topology_status ?? null,
    window,
    windowHint: windowHint(window),
    componentType: kind,
    debug: page.debug_options?.enable ?? false,
    samplingPct: page.debug_options?.samplingpct ?? SAMPLING_PERCENT,
    // There is no JVM to profile.
    profilingAndDebuggingCapable: false,
    profileActionEnabled: false,
    profilerActive: [],
  }
}

export function logConfigJson({ named_logger_level = new Map() }: LogConfig): Json {
  const levels = [...named_logger_level].map(([logger, level]) => [
    logger,
    {
      target_level: level.target_log_level ?? null,
      reset_level: level.reset_log_level ?? null,
      timeout: level.reset_log_level_timeout_secs ?? 0,
      timeout_epoch: whole(level.reset_log_level_timeout_epoch),
    },
  ])
  return { namedLoggerLevels: Object.fromEntries(levels) }
}
