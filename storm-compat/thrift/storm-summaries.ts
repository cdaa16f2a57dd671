// Storm's messages that describe a cluster and its topologies, as lists and pages show them. A superset of 0.9 to 2.x: readers
// skip what they do not know.
import { struct } from './codec.ts'
import {
  ComponentAggregateStats,
  ComponentType,
  ErrorInfo,
  ExecutorAggregateStats,
  ExecutorSummary,
  TopologyStats,
} from './storm-statistics.ts'
import { GlobalStreamId } from './storm-topology.ts'
import { bool, double, entries, i32, i64, list, map, string, type ValueOf } from './wire-types.ts'

export const DebugOptions = struct('DebugOptions', {
  enable: [1, bool, 'optional'],
  samplingpct: [2, double, 'optional'],
})
export type DebugOptions = ValueOf<typeof DebugOptions>

export const TopologySummary = struct('TopologySummary', {
  id: [1, string],
  name: [2, string],
  num_tasks: [3, i32],
  num_executors: [4, i32],
  num_workers: [5, i32],
  uptime_secs: [6, i32],
  status: [7, string],
  storm_version: [8, string, 'optional'],
  topology_version: [9, string, 'optional'],
  sched_status: [513, string, 'optional'],
  owner: [514, string, 'optional'],
  replication_count: [515, i32, 'optional'],
  requested_memonheap: [521, double, 'optional'],
  requested_memoffheap: [522, double, 'optional'],
  requested_cpu: [523, double, 'optional'],
  assigned_memonheap: [524, double, 'optional'],
  assigned_memoffheap: [525, double, 'optional'],
  assigned_cpu: [526, double, 'optional'],
  requested_generic_resources: [527, map(string, double), 'optional'],
  assigned_generic_resources: [528, map(string, double), 'optional'],
})
export type TopologySummary = ValueOf<typeof TopologySummary>

export const SupervisorSummary = struct('SupervisorSummary', {
  host: [1, string],
  uptime_secs: [2, i32],
  num_workers: [3, i32],
  num_used_workers: [4, i32],
  supervisor_id: [5, string],
  version: [6, string, 'optional'],
  total_resources: [7, map(string, double), 'optional'],
  used_mem: [8, double, 'optional'],
  used_cpu: [9, double, 'optional'],
  fragmented_mem: [10, double, 'optional'],
  fragmented_cpu: [11, double, 'optional'],
  blacklisted: [12, bool, 'optional'],
  used_generic_resources: [13, map(string, double), 'optional'],
})
export type SupervisorSummary = ValueOf<typeof SupervisorSummary>

export const NimbusSummary = struct('NimbusSummary', {
  host: [1, string],
  port: [2, i32],
  uptime_secs: [3, i32],
  isLeader: [4, bool],
  version: [5, string],
  tlsPort: [6, i32, 'optional'],
})
export type NimbusSummary = ValueOf<typeof NimbusSummary>

export const ClusterSummary = struct('ClusterSummary', {
  supervisors: [1, list(SupervisorSummary)],
  nimbus_uptime_secs: [2, i32, 'optional'],
  topologies: [3, list(TopologySummary)],
  nimbuses: [4, list(NimbusSummary)],
})
export type ClusterSummary = ValueOf<typeof ClusterSummary>

export const TopologyInfo = struct('TopologyInfo', {
  id: [1, string],
  name: [2, string],
  uptime_secs: [3, i32],
  executors: [4, list(ExecutorSummary)],
  status: [5, string],
  errors: [6, map(string, list(ErrorInfo))],
  component_debug: [7, map(string, DebugOptions), 'optional'],
  storm_version: [8, string, 'optional'],
  sched_status: [513, string, 'optional'],
  owner: [514, string, 'optional'],
  replication_count: [515, i32, 'optional'],
  requested_memonheap: [521, double, 'optional'],
  requested_memoffheap: [522, double, 'optional'],
  requested_cpu: [523, double, 'optional'],
  assigned_memonheap: [524, double, 'optional'],
  assigned_memoffheap: [525, double, 'optional'],
  assigned_cpu: [526, double, 'optional'],
})
export type TopologyInfo = ValueOf<typeof TopologyInfo>

export const WorkerSummary = struct('WorkerSummary', {
  supervisor_id: [1, string, 'optional'],
  host: [2, string, 'optional'],
  port: [3, i32, 'optional'],
  topology_id: [4, string, 'optional'],
  topology_name: [5, string, 'optional'],
  num_executors: [6, i32, 'optional'],
  component_to_num_tasks: [7, map(string, i64), 'optional'],
  time_secs: [8, i32, 'optional'],
  uptime_secs: [9, i32, 'optional'],
  requested_memonheap: [521, double, 'optional'],
  requested_memoffheap: [522, double, 'optional'],
  requested_cpu: [523, double, 'optional'],
  assigned_memonheap: [524, double, 'optional'],
  assigned_memoffheap: [525, double, 'optional'],
  assigned_cpu: [526, double, 'optional'],
  owner: [527, string, 'optional'],
})
export type WorkerSummary = ValueOf<typeof WorkerSummary>

export const SupervisorPageInfo = struct('SupervisorPageInfo', {
  supervisor_summaries: [1, list(SupervisorSummary), 'optional'],
  worker_summaries: [2, list(WorkerSummary), 'optional'],
})
export type SupervisorPageInfo = ValueOf<typeof SupervisorPageInfo>

export const TopologyPageInfo = struct('TopologyPageInfo', {
  id: [1, string],
  name: [2, string, 'optional'],
  uptime_secs: [3, i32, 'optional'],
  status: [4, string, 'optional'],
  num_tasks: [5, i32, 'optional'],
  num_workers: [6, i32, 'optional'],
  num_executors: [7, i32, 'optional'],
  topology_conf: [8, string, 'optional'],
  id_to_spout_agg_stats: [9, map(string, ComponentAggregateStats), 'optional'],
  id_to_bolt_agg_stats: [10, map(string, ComponentAggregateStats), 'optional'],
  sched_status: [11, string, 'optional'],
  topology_stats: [12, TopologyStats, 'optional'],
  owner: [13, string, 'optional'],
  debug_options: [14, DebugOptions, 'optional'],
  replication_count: [15, i32, 'optional'],
  workers: [16, list(WorkerSummary), 'optional'],
  storm_version: [17, string, 'optional'],
  topology_version: [18, string, 'optional'],
  requested_memonheap: [521, double, 'optional'],
  requested_memoffheap: [522, double, 'optional'],
  requested_cpu: [523, double, 'optional'],
  assigned_memonheap: [524, double, 'optional'],
  assigned_memoffheap: [525, double, 'optional'],
  assigned_cpu: [526, double, 'optional'],
  requested_regular_on_heap_memory: [527, double, 'optional'],
  requested_shared_on_heap_memory: [528, double, 'optional'],
  requested_regular_off_heap_memory: [529, double, 'optional'],
  requested_shared_off_heap_memory: [530, double, 'optional'],
  assigned_regular_on_heap_memory: [531, double, 'optional'],
  assigned_shared_on_heap_memory: [532, double, 'optional'],
  assigned_regular_off_heap_memory: [533, double, 'optional'],
  assigned_shared_off_heap_memory: [534, double, 'optional'],
  requested_generic_resources: [535, map(string, double), 'optional'],
  assigned_generic_resources: [536, map(string, double), 'optional'],
})
export type TopologyPageInfo = ValueOf<typeof TopologyPageInfo>

export const ComponentPageInfo = struct('ComponentPageInfo', {
  component_id: [1, string],
  component_type: [2, ComponentType],
  topology_id: [3, string, 'optional'],
  topology_name: [4, string, 'optional'],
  num_executors: [5, i32, 'optional'],
  num_tasks: [6, i32, 'optional'],
  window_to_stats: [7, map(string, ComponentAggregateStats), 'optional'],
  gsid_to_input_stats: [8, entries(GlobalStreamId, ComponentAggregateStats), 'optional'],
  sid_to_output_stats: [9, map(string, ComponentAggregateStats), 'optional'],
  exec_stats: [10, list(ExecutorAggregateStats), 'optional'],
  errors: [11, list(ErrorInfo), 'optional'],
  eventlog_host: [12, string, 'optional'],
  eventlog_port: [13, i32, 'optional'],
  debug_options: [14, DebugOptions, 'optional'],
  topology_status: [15, string, 'optional'],
  resources_map: [16, map(string, double), 'optional'],
})
export type ComponentPageInfo = ValueOf<typeof ComponentPageInfo>

export const OwnerResourceSummary = struct('OwnerResourceSummary', {
  owner: [1, string],
  total_topologies: [2, i32, 'optional'],
  total_executors: [3, i32, 'optional'],
  total_workers: [4, i32, 'optional'],
  memory_usage: [5, double, 'optional'],
  cpu_usage: [6, double, 'optional'],
  memory_guarantee: [7, double, 'optional'],
  cpu_guarantee: [8, double, 'optional'],
  memory_guarantee_remaining: [9, double, 'optional'],
  cpu_guarantee_remaining: [10, double, 'optional'],
  isolated_node_guarantee: [11, i32, 'optional'],
  total_tasks: [12, i32, 'optional'],
  requested_on_heap_memory: [13, double, 'optional'],
  requested_off_heap_memory: [14, double, 'optional'],
  requested_total_memory: [15, double, 'optional'],
  requested_cpu: [16, double, 'optional'],
  assigned_on_heap_memory: [17, double, 'optional'],
  assigned_off_heap_memory: [18, double, 'optional'],
})
export type OwnerResourceSummary = ValueOf<typeof OwnerResourceSummary>

export const TopologyHistoryInfo = struct('TopologyHistoryInfo', {
  topo_ids: [1, list(string), 'optional'],
})
export type TopologyHistoryInfo = ValueOf<typeof TopologyHistoryInfo>
