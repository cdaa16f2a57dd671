// What lists of a cluster show: the cluster, its one supervisor, the leader, and a line per topology.
import type {
  ClusterSummary,
  NimbusSummary,
  OwnerResourceSummary,
  SupervisorSummary,
  TopologyInfo,
  TopologySummary,
} from '../thrift/storm-summaries.ts'
import { errorsOf, executorSummaries, totalExecutors, totalTasks } from './figures.ts'
import type { Topology } from './topology.ts'
import type { HostedInfo } from './topology-host.ts'
import { type Site, uptimeSecs } from './whereabouts.ts'

/** The Storm whose Nimbus this stands in for; clients choose their calls by it. */
export const STORM_VERSION = '2.8.1'
/** The one supervisor: this process. */
export const SUPERVISOR_ID = 'gearpump'

/** A Nimbus as its callers see it. */
export interface NimbusSite extends Site {
  readonly port: number
  readonly startedMs: number
  readonly tls: boolean
  /** What this machine has. Nothing is reserved of it for topologies. */
  readonly memoryMb: number
  readonly cpuPercent: number
}

export function topologySummary(topology: Topology, site: NimbusSite): TopologySummary {
  return {
    id: topology.id,
    name: topology.name,
    num_tasks: totalTasks(topology),
    num_executors: totalExecutors(topology),
    num_workers: topology.workers,
    uptime_secs: uptimeSecs(topology, site),
    status: statusOf(topology),
    storm_version: topology.message.storm_version ?? STORM_VERSION,
    sched_status: topology.failure ?? '',
    owner: topology.owner,
    replication_count: 1,
  }
}

/** Storm's word, or FAILED for a topology that does not run any more, which Storm would restart for ever. */
export function statusOf(topology: Topology): string {
  return topology.failure === undefined || topology.status === 'KILLED' ? topology.status : 'FAILED'
}

export function nimbusSummary(site: NimbusSite): NimbusSummary {
  return {
    host: site.host,
    port: site.port,
    uptime_secs: Math.max(0, Math.floor((site.nowMs - site.startedMs) / 1000)),
    isLeader: true,
    version: STORM_VERSION,
    // Clients over TLS come back to this port.
    ...(site.tls ? { tlsPort: site.port } : {}),
  }
}

export function clusterSummary(topologies: readonly Topology[], site: NimbusSite): ClusterSummary {
  const nimbus = nimbusSummary(site)
  return {
    supervisors: [supervisorSummary(topologies, site)],
    // Clients of 0.9 and 0.10 cannot read a summary without it.
    nimbus_uptime_secs: nimbus.uptime_secs,
    topologies: topologies.map(topology => topologySummary(topology, site)),
    nimbuses: [nimbus],
  }
}

export function supervisorSummary(
  topologies: readonly Topology[],
  site: NimbusSite,
): SupervisorSummary {
  const used = topologies.reduce((sum, { workers }) => sum + workers, 0)
  return {
    host: site.host,
    uptime_secs: nimbusSummary(site).uptime_secs,
    // There is always room: topologies share this process.
    num_workers: used + 1,
    num_used_workers: used,
    supervisor_id: SUPERVISOR_ID,
    version: STORM_VERSION,
    // Storm's UI cannot show a supervisor without them.
    total_resources: new Map([
      ['memory.mb', site.memoryMb],
      ['cpu.pcore.percent', site.cpuPercent],
    ]),
    used_mem: 0,
    used_cpu: 0,
    used_generic_resources: new Map(),
  }
}

export function ownerSummary(owner: string, all: readonly Topology[]): OwnerResourceSummary {
  const topologies = all.filter(topology => topology.owner === owner)
  const sum = (of: (topology: Topology) => number) =>
    topologies.reduce((total, topology) => total + of(topology), 0)
  return {
    owner,
    total_topologies: topologies.length,
    total_executors: sum(totalExecutors),
    total_workers: sum(({ workers }) => workers),
    total_tasks: sum(totalTasks),
  }
}

/** All of one topology: its executors with their figures, and its errors. */
export function topologyInfo(
  topology: Topology,
  info: HostedInfo | undefined,
  site: NimbusSite,
  errorsMax = Infinity,
): TopologyInfo {
  const { components } = topology.topology
  return {
    id: topology.id,
    name: topology.name,
    uptime_secs: uptimeSecs(topology, site),
    executors: components.flatMap(each => executorSummaries(topology, each, info, site)),
    status: statusOf(topology),
    errors: new Map(
      components.map(({ id }) => {
        const errors = errorsOf(topology, id, info, site)
        return [id, errors.slice(0, errorsMax)] as const
      }),
    ),
    storm_version: topology.message.storm_version ?? STORM_VERSION,
    sched_status: topology.failure ?? '',
    owner: topology.owner,
    replication_count: 1,
  }
}
