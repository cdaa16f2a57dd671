// What Storm's UI shows on a page: a topology, a component, the supervisor. Sums over components and windows.
import type { ErrorInfo } from '../thrift/storm-statistics.ts'
import type {
  ComponentPageInfo,
  SupervisorPageInfo,
  TopologyPageInfo,
  WorkerSummary,
} from '../thrift/storm-summaries.ts'
import type { Component } from '../topology/topology.ts'
import {
  aggregateStats,
  countIn,
  errorsOf,
  executorSummaries,
  inputOf,
  perWindow,
  streamOf,
  totalExecutors,
  totalTasks,
  uptimeSecs,
  WORKER_PORT,
} from './figures.ts'
import {
  type NimbusSite,
  STORM_VERSION,
  SUPERVISOR_ID,
  statusOf,
  supervisorSummary,
} from './summaries.ts'
import type { CountKind, Topology } from './topology.ts'
import type { HostedInfo } from './topology-host.ts'
import { WINDOWS, type Window } from './windows.ts'

/** A window as a client wrote it; what is none of Storm's is all time. */
export function windowOf(word: string | undefined): Window {
  return WINDOWS.find(window => window === word) ?? ':all-time'
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
        .map(component => {
          const [last] = errorsOf(info, component.id, site)
          return [component.id, aggregateStats(topology, component, window, last)] as const
        }),
    )
  const sum = (kind: CountKind, of: readonly Component[]) =>
    perWindow(w => BigInt(of.reduce((total, c) => total + countIn(topology, c, kind, w), 0)))
  const spouts = components.filter(({ kind }) => kind === 'spout')
  const emitted = sum('emitted', components)
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
    topology_stats: {
      window_to_emitted: emitted,
      window_to_transferred: emitted,
      window_to_complete_latencies_ms: perWindow(() => 0),
      window_to_acked: sum('acked', spouts),
      window_to_failed: sum('failed', spouts),
    },
    owner: topology.owner,
    replication_count: 1,
    workers: [workerSummary(topology, site)],
    storm_version: topology.message.storm_version ?? STORM_VERSION,
  }
}

export function componentPage(
  topology: Topology,
  component: Component,
  info: HostedInfo | undefined,
  window: Window,
  site: NimbusSite,
): ComponentPageInfo {
  const executors = executorSummaries(topology, component, site)
  const errors: readonly ErrorInfo[] = errorsOf(info, component.id, site)
  const stats = aggregateStats(topology, component, window, errors[0])
  const input = inputOf(component)
  return {
    component_id: component.id,
    component_type: component.kind === 'spout' ? 'SPOUT' : 'BOLT',
    topology_id: topology.id,
    topology_name: topology.name,
    num_executors: executors.length,
    num_tasks: topology.tasks.get(component.id)?.length ?? 0,
    window_to_stats: perWindow(w => aggregateStats(topology, component, w)),
    gsid_to_input_stats: input === undefined ? [] : [[input, stats]],
    sid_to_output_stats: new Map([[streamOf(component), stats]]),
    exec_stats: executors.map(exec_summary => ({ exec_summary, stats })),
    errors,
    topology_status: statusOf(topology),
  }
}

export function supervisorPage(
  topologies: readonly Topology[],
  site: NimbusSite,
): SupervisorPageInfo {
  return {
    supervisor_summaries: [supervisorSummary(topologies, site)],
    worker_summaries: topologies.map(topology => workerSummary(topology, site)),
  }
}

function workerSummary(topology: Topology, site: NimbusSite): WorkerSummary {
  const { components } = topology.topology
  return {
    supervisor_id: SUPERVISOR_ID,
    host: site.host,
    port: WORKER_PORT,
    topology_id: topology.id,
    topology_name: topology.name,
    num_executors: totalExecutors(topology),
    component_to_num_tasks: new Map(
      components.map(({ id }) => [id, BigInt(topology.tasks.get(id)?.length ?? 0)] as const),
    ),
    time_secs: Math.floor(site.nowMs / 1000),
    uptime_secs: uptimeSecs(topology, site),
    owner: topology.owner,
  }
}
