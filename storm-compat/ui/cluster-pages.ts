// What the UI tells of the cluster: its summary, the Nimbus, supervisors, owners, the list of topologies. Each function makes
// the JSON value of one path from what the Nimbus says, in Storm's fields.
import type {
  ClusterSummary,
  OwnerResourceSummary,
  SupervisorPageInfo,
  SupervisorSummary,
  TopologyHistoryInfo,
  TopologySummary,
  WorkerSummary,
} from '../thrift/storm-summaries.ts'
import {
  CPU,
  daemonLogLink,
  genericResources,
  latencyText,
  logviewer,
  MEMORY,
  prettyUptime,
  type UiConf,
  urlEncoded,
  whole,
  workerLogLink,
} from './formats.ts'

/** An answer before it is written: plain data. */
export type Json = Record<string, unknown>

export function clusterSummaryJson(of: ClusterSummary, conf: UiConf): Json {
  const { supervisors, topologies, nimbuses } = of
  const sum = <T>(items: readonly T[], each: (item: T) => number) =>
    items.reduce((total, item) => total + each(item), 0)
  const slotsTotal = sum(supervisors, s => s.num_workers)
  const slotsUsed = sum(supervisors, s => s.num_used_workers)
  const totalMem = sum(supervisors, totalMemOf)
  const totalCpu = sum(supervisors, totalCpuOf)
  const usedMem = sum(supervisors, s => s.used_mem ?? 0)
  const usedCpu = sum(supervisors, s => s.used_cpu ?? 0)
  const leader = nimbuses.find(({ isLeader }) => isLeader) ?? nimbuses[0]
  const version = leader?.version ?? ''
  const upSecs = leader?.uptime_secs ?? of.nimbus_uptime_secs ?? 0
  return {
    user: null,
    stormVersion: version,
    stormVersionInfo: { version, revision: '', branch: '', date: '', srcChecksum: '' },
    supervisors: supervisors.length,
    topologies: topologies.length,
    slotsUsed,
    slotsTotal,
    slotsFree: slotsTotal - slotsUsed,
    tasksTotal: sum(topologies, topology => topology.num_tasks),
    executorsTotal: sum(topologies, topology => topology.num_executors),
    // Until 0.10; clients of today still ask for it.
    nimbusUptime: prettyUptime(upSecs),
    nimbusUptimeSeconds: upSecs,
    totalMem,
    totalCpu,
    availMem: totalMem - usedMem,
    availCpu: totalCpu - usedCpu,
    fragmentedMem: sum(supervisors, s => s.fragmented_mem ?? 0),
    fragmentedCpu: sum(supervisors, s => s.fragmented_cpu ?? 0),
    schedulerDisplayResource: displaysResources(conf),
    memAssignedPercentUtil: totalMem > 0 ? latencyText((usedMem * 100) / totalMem) : '0.0',
    cpuAssignedPercentUtil: totalCpu > 0 ? latencyText((usedCpu * 100) / totalCpu) : '0.0',
    ...uiLinks(conf),
    availGenerics: '',
    totalGenerics: '',
  }
}

export function displaysResources(conf: UiConf): boolean {
  return conf['scheduler.display.resource'] === true
}

export function uiLinks(conf: UiConf): Json {
  return {
    'bugtracker-url': conf['ui.project.bugtracker.url'] ?? null,
    'central-log-url': conf['ui.central.logging.url'] ?? null,
  }
}

function totalMemOf({ total_resources }: SupervisorSummary): number {
  return total_resources?.get(MEMORY) ?? total_resources?.get('supervisor.memory.capacity.mb') ?? 0
}

function totalCpuOf({ total_resources }: SupervisorSummary): number {
  return total_resources?.get(CPU) ?? total_resources?.get('supervisor.cpu.capacity') ?? 0
}

export function nimbusSummaryJson({ nimbuses }: ClusterSummary, conf: UiConf): Json {
  return {
    nimbuses: nimbuses.map(({ host, port, isLeader, version, uptime_secs }) => ({
      host,
      port,
      status: isLeader ? 'Leader' : 'Not a Leader',
      version,
      nimbusUpTimeSeconds: uptime_secs,
      nimbusUpTime: prettyUptime(uptime_secs),
      nimbusLogLink: daemonLogLink(conf, host, 'nimbus.log'),
    })),
  }
}

export function supervisorsJson({ supervisors }: ClusterSummary, conf: UiConf): Json {
  return {
    ...logviewerJson(conf),
    supervisors: supervisors.map(each => supervisorJson(each, conf)),
    schedulerDisplayResource: displaysResources(conf),
  }
}

export function supervisorPageJson(page: SupervisorPageInfo, conf: UiConf): Json {
  return {
    workers: (page.worker_summaries ?? []).map(worker => workerJson(worker, conf)),
    schedulerDisplayResource: displaysResources(conf),
    supervisors: (page.supervisor_summaries ?? []).map(each => supervisorJson(each, conf)),
    ...logviewerJson(conf),
  }
}

export function logviewerJson(conf: UiConf): Json {
  const { scheme, port } = logviewer(conf)
  return { logviewerPort: port, logviewerScheme: scheme }
}

function supervisorJson(of: SupervisorSummary, conf: UiConf): Json {
  const totalMem = totalMemOf(of)
  const totalCpu = totalCpuOf(of)
  return {
    id: of.supervisor_id,
    host: of.host,
    uptime: prettyUptime(of.uptime_secs),
    uptimeSeconds: of.uptime_secs,
    blacklisted: of.blacklisted ?? false,
    slotsTotal: of.num_workers,
    slotsUsed: of.num_used_workers,
    slotsFree: Math.max(0, of.num_workers - of.num_used_workers),
    totalMem,
    totalCpu,
    usedMem: of.used_mem ?? 0,
    usedCpu: of.used_cpu ?? 0,
    availMem: totalMem - (of.used_mem ?? 0),
    availCpu: totalCpu - (of.used_cpu ?? 0),
    logLink: daemonLogLink(conf, of.host, 'supervisor.log'),
    version: of.version ?? null,
    totalGenericResources: genericResources(of.total_resources),
    usedGenericResources: genericResources(of.used_generic_resources),
    availGenericResources: genericResources(of.total_resources),
  }
}

export function workerJson(of: WorkerSummary, conf: UiConf): Json {
  const { host = '', port = 0, topology_id = '', uptime_secs = 0 } = of
  const counts = [...(of.component_to_num_tasks ?? [])].map(([id, n]) => [id, whole(n)] as const)
  return {
    supervisorId: of.supervisor_id ?? null,
    host,
    port,
    topologyId: topology_id,
    topologyName: of.topology_name ?? null,
    executorsTotal: of.num_executors ?? 0,
    assignedMemOnHeap: of.assigned_memonheap ?? 0,
    assignedMemOffHeap: of.assigned_memoffheap ?? 0,
    assignedCpu: of.assigned_cpu ?? 0,
    componentNumTasks: Object.fromEntries(counts),
    uptime: prettyUptime(uptime_secs),
    uptimeSeconds: uptime_secs,
    workerLogLink: workerLogLink(conf, host, port, topology_id),
    owner: of.owner ?? null,
  }
}

export function ownersJson(owners: readonly OwnerResourceSummary[], conf: UiConf): Json {
  return {
    schedulerDisplayResource: displaysResources(conf),
    owners: owners.map(ownerJson),
  }
}

/** One owner with the topologies that are theirs. */
export function ownerPageJson(
  owner: OwnerResourceSummary,
  topologies: readonly TopologySummary[],
  conf: UiConf,
): Json {
  const own = topologies.filter(topology => topology.owner === owner.owner)
  return {
    schedulerDisplayResource: displaysResources(conf),
    ...ownerJson(owner),
    topologies: own.map(topologyJson),
  }
}

function ownerJson(of: OwnerResourceSummary): Json {
  return {
    owner: of.owner,
    totalTopologies: of.total_topologies ?? 0,
    totalExecutors: of.total_executors ?? 0,
    totalWorkers: of.total_workers ?? 0,
    totalTasks: of.total_tasks ?? 0,
    totalMemoryUsage: of.memory_usage ?? 0,
    totalCpuUsage: of.cpu_usage ?? 0,
    memoryGuarantee: of.memory_guarantee ?? 'N/A',
    cpuGuarantee: of.cpu_guarantee ?? 'N/A',
    isolatedNodes: of.isolated_node_guarantee ?? -1,
    memoryGuaranteeRemaining: of.memory_guarantee_remaining ?? 'N/A',
    cpuGuaranteeRemaining: of.cpu_guarantee_remaining ?? 'N/A',
    totalReqOnHeapMem: of.requested_on_heap_memory ?? 0,
    totalReqOffHeapMem: of.requested_off_heap_memory ?? 0,
    totalReqMem: of.requested_total_memory ?? 0,
    totalReqCpu: of.requested_cpu ?? 0,
    totalAssignedOnHeapMem: of.assigned_on_heap_memory ?? 0,
    totalAssignedOffHeapMem: of.assigned_off_heap_memory ?? 0,
  }
}

export function historyJson({ topo_ids = [] }: TopologyHistoryInfo): Json {
  return { 'topo-history': topo_ids }
}

export function topologiesJson(topologies: readonly TopologySummary[], conf: UiConf): Json {
  return {
    topologies: topologies.map(topologyJson),
    schedulerDisplayResource: displaysResources(conf),
  }
}

function topologyJson(of: TopologySummary): Json {
  const requested = { onHeap: of.requested_memonheap ?? 0, offHeap: of.requested_memoffheap ?? 0 }
  const assigned = { onHeap: of.assigned_memonheap ?? 0, offHeap: of.assigned_memoffheap ?? 0 }
  return {
    id: of.id,
    encodedId: urlEncoded(of.id),
    owner: of.owner ?? null,
    name: of.name,
    status: of.status,
    uptime: prettyUptime(of.uptime_secs),
    uptimeSeconds: of.uptime_secs,
    tasksTotal: of.num_tasks,
    workersTotal: of.num_workers,
    executorsTotal: of.num_executors,
    replicationCount: of.replication_count ?? 0,
    schedulerInfo: of.sched_status ?? null,
    requestedMemOnHeap: requested.onHeap,
    requestedMemOffHeap: requested.offHeap,
    requestedTotalMem: requested.onHeap + requested.offHeap,
    requestedCpu: of.requested_cpu ?? 0,
    requestedGenericResources: genericResources(of.requested_generic_resources),
    assignedMemOnHeap: assigned.onHeap,
    assignedMemOffHeap: assigned.offHeap,
    assignedTotalMem: assigned.onHeap + assigned.offHeap,
    assignedCpu: of.assigned_cpu ?? 0,
    assignedGenericResources: genericResources(of.assigned_generic_resources),
    topologyVersion: of.topology_version ?? null,
    stormVersion: of.storm_version ?? null,
  }
}
