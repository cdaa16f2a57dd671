// What Storm's UI shows on a page: a topology, a component, the supervisor. Sums over components and windows.
import type {
  ComponentPageInfo,
  SupervisorPageInfo,
  TopologyPageInfo,
  WorkerSummary,
} from '../thrift/storm-summaries.ts'
import type { Component } from '../topology/topology.ts'
import {
  aggregateOf,
  componentAggregate,
  errorsOf,
  executorAggregates,
  executorsOf,
  long,
  perWindow,
  resourcesOf,
  totalExecutors,
  totalTasks,
} from './figures.ts'
import { componentStatistics, type Totals, totalsOf, weighted } from './statistics.ts'
import {
  type NimbusSite,
  STORM_VERSION,
  SUPERVISOR_ID,
  statusOf,
  supervisorSummary,
} from './summaries.ts'
import type { Topology } from './topology.ts'
import type { HostedInfo } from './topology-host.ts'
import { uptimeSecs, type Worker, workersOf } from './whereabouts.ts'
import { WINDOWS, type Window } from './windows.ts'

/** A window as a client wrote it; all time if it wrote none. */
export function windowOf(word: string | undefined): Window {
  if (word === undefined || word === '') return ':all-time'
  return WINDOWS.find(window => window === word) ?? 'none'
}

export function topologyPage(
  topology: Topology,
  info: HostedInfo | undefined,
  window: Window,
  site: NimbusSite,
): TopologyPageInfo {
  const { components } = topology.topology
  const stats = (kind: Component['kind']) =>
    new Map(
      components
        .filter(component => component.kind === kind)
        .map(each => [each.id, componentAggregate(topology, each, window, info, site)] as const),
    )
  return {
    id: topology.id,
    name: topology.name,
    uptime_secs: uptimeSecs(topology, site),
    status: statusOf(topology),
    num_tasks: totalTasks(topology),
    num_workers: topology.workers,
    num_executors: totalExecutors(topology),
    topology_conf: JSON.stringify(topology.conf),
    id_to_spout_agg_stats: stats('spout'),
    id_to_bolt_agg_stats: stats('bolt'),
    sched_status: topology.failure ?? '',
    topology_stats: topologyStats(topology),
    owner: topology.owner,
    replication_count: 1,
    workers: workerSummaries(topology, info, site),
    storm_version: topology.message.storm_version ?? STORM_VERSION,
  }
}

// Emits of all components; acks, fails and latency of the spouts.
function topologyStats(topology: Topology): TopologyPageInfo['topology_stats'] {
  const { components } = topology.topology
  const totals = (window: Window, spoutsOnly: boolean) =>
    components
      .filter(({ kind }) => !spoutsOnly || kind === 'spout')
      .map(component => totalsOf(componentStatistics(topology, component, window)))
  const sum = (of: (totals: Totals) => number, spoutsOnly = false) =>
    perWindow(window => long(totals(window, spoutsOnly).reduce((all, each) => all + of(each), 0)))
  return {
    window_to_emitted: sum(each => each.emitted),
    window_to_transferred: sum(each => each.transferred),
    window_to_complete_latencies_ms: perWindow(window =>
      weighted(totals(window, true).map(({ completeMs, acked }) => [completeMs, acked])),
    ),
    window_to_acked: sum(each => each.acked, true),
    window_to_failed: sum(each => each.failed, true),
  }
}

export function componentPage(
  topology: Topology,
  component: Component,
  info: HostedInfo | undefined,
  window: Window,
  site: NimbusSite,
): ComponentPageInfo {
  const { streams, inputs } = componentStatistics(topology, component, window)
  return {
    component_id: component.id,
    component_type: component.kind === 'spout' ? 'SPOUT' : 'BOLT',
    topology_id: topology.id,
    topology_name: topology.name,
    num_executors: executorsOf(topology, component).length,
    num_tasks: topology.tasks.get(component.id)?.length ?? 0,
    window_to_stats: perWindow(w => componentAggregate(topology, component, w, info, site)),
    gsid_to_input_stats: inputs.map(
      input => [input.source, aggregateOf(component, { inputs: [input] })] as const,
    ),
    sid_to_output_stats: new Map(
      streams.map(each => [each.stream, aggregateOf(component, { streams: [each] })] as const),
    ),
    exec_stats: executorAggregates(topology, component, window, info, site),
    errors: errorsOf(topology, component.id, info, site),
    topology_status: statusOf(topology),
    resources_map: resourcesOf(topology, component),
  }
}

/** A topology and what its host knows of it. */
export type Seen = readonly [topology: Topology, info: HostedInfo | undefined]

export function supervisorPage(seen: readonly Seen[], site: NimbusSite): SupervisorPageInfo {
  const topologies = seen.map(([topology]) => topology)
  return {
    supervisor_summaries: [supervisorSummary(topologies, site)],
    worker_summaries: seen.flatMap(([topology, info]) => workerSummaries(topology, info, site)),
  }
}

function workerSummaries(
  topology: Topology,
  info: HostedInfo | undefined,
  site: NimbusSite,
): WorkerSummary[] {
  return workersOf(topology, info, site).map(worker => ({
    supervisor_id: SUPERVISOR_ID,
    host: worker.host,
    port: worker.port,
    topology_id: topology.id,
    topology_name: topology.name,
    num_executors: executorsOn(topology, worker),
    component_to_num_tasks: tasksOn(topology, worker),
    time_secs: Math.floor(site.nowMs / 1000),
    uptime_secs: worker.uptimeSecs,
    owner: topology.owner,
  }))
}

// An executor of several tasks is where its first task is.
function executorsOn(topology: Topology, { tasks }: Worker): number {
  const executors = topology.topology.components.flatMap(each => executorsOf(topology, each))
  return executors.filter(({ task_start }) => tasks.includes(task_start)).length
}

function tasksOn(topology: Topology, { tasks }: Worker): Map<string, bigint> {
  const counts = topology.topology.components.map(({ id }) => {
    const own = topology.tasks.get(id) ?? []
    return [id, BigInt(own.filter(task => tasks.includes(task)).length)] as const
  })
  return new Map(counts.filter(([, count]) => count > 0n))
}
