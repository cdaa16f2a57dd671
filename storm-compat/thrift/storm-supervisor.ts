// Storm's messages between its daemons. No such daemon runs here; the tables are there so that what one sends can be answered
// with a reason.
import { struct } from './codec.ts'
import { NodeInfo } from './storm-requests.ts'
import { ExecutorInfo } from './storm-statistics.ts'
import { double, entries, i32, i64, list, map, string, type ValueOf } from './wire-types.ts'

export const WorkerResources = struct('WorkerResources', {
  mem_on_heap: [1, double, 'optional'],
  mem_off_heap: [2, double, 'optional'],
  cpu: [3, double, 'optional'],
  shared_mem_on_heap: [4, double, 'optional'],
  shared_mem_off_heap: [5, double, 'optional'],
  resources: [6, map(string, double), 'optional'],
  shared_resources: [7, map(string, double), 'optional'],
})
export type WorkerResources = ValueOf<typeof WorkerResources>

export const Assignment = struct('Assignment', {
  master_code_dir: [1, string],
  node_host: [2, map(string, string), 'optional'],
  executor_node_port: [3, entries(list(i64), NodeInfo), 'optional'],
  executor_start_time_secs: [4, entries(list(i64), i64), 'optional'],
  worker_resources: [5, entries(NodeInfo, WorkerResources), 'optional'],
  total_shared_off_heap: [6, map(string, double), 'optional'],
  owner: [7, string, 'optional'],
})
export type Assignment = ValueOf<typeof Assignment>

export const SupervisorAssignments = struct('SupervisorAssignments', {
  storm_assignment: [1, map(string, Assignment), 'optional'],
})
export type SupervisorAssignments = ValueOf<typeof SupervisorAssignments>

export const SupervisorWorkerHeartbeat = struct('SupervisorWorkerHeartbeat', {
  storm_id: [1, string],
  executors: [2, list(ExecutorInfo)],
  time_secs: [3, i32],
})
export type SupervisorWorkerHeartbeat = ValueOf<typeof SupervisorWorkerHeartbeat>

export const SupervisorWorkerHeartbeats = struct('SupervisorWorkerHeartbeats', {
  supervisor_id: [1, string],
  worker_heartbeats: [2, list(SupervisorWorkerHeartbeat)],
})
export type SupervisorWorkerHeartbeats = ValueOf<typeof SupervisorWorkerHeartbeats>

export const WorkerMetricPoint = struct('WorkerMetricPoint', {
  metricName: [1, string],
  timestamp: [2, i64],
  metricValue: [3, double],
  componentId: [4, string],
  executorId: [5, string],
  streamId: [6, string],
})
export type WorkerMetricPoint = ValueOf<typeof WorkerMetricPoint>

export const WorkerMetricList = struct('WorkerMetricList', {
  metrics: [1, list(WorkerMetricPoint), 'optional'],
})
export type WorkerMetricList = ValueOf<typeof WorkerMetricList>

export const WorkerMetrics = struct('WorkerMetrics', {
  topologyId: [1, string],
  port: [2, i32],
  hostname: [3, string],
  metricList: [4, WorkerMetricList],
})
export type WorkerMetrics = ValueOf<typeof WorkerMetrics>
