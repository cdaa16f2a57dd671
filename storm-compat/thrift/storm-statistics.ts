// Storm's messages that carry figures: per executor, and summed per component. Maps are by window first: `600`, `10800`,
// `86400` and `:all-time`, then by stream.
import { enumeration, struct, union } from './codec.ts'
import { GlobalStreamId } from './storm-topology.ts'
import { double, entries, i32, i64, map, string, type ValueOf } from './wire-types.ts'

export const BoltStats = struct('BoltStats', {
  acked: [1, map(string, entries(GlobalStreamId, i64))],
  failed: [2, map(string, entries(GlobalStreamId, i64))],
  process_ms_avg: [3, map(string, entries(GlobalStreamId, double))],
  executed: [4, map(string, entries(GlobalStreamId, i64))],
  execute_ms_avg: [5, map(string, entries(GlobalStreamId, double))],
})
export type BoltStats = ValueOf<typeof BoltStats>

export const SpoutStats = struct('SpoutStats', {
  acked: [1, map(string, map(string, i64))],
  failed: [2, map(string, map(string, i64))],
  complete_ms_avg: [3, map(string, map(string, double))],
})
export type SpoutStats = ValueOf<typeof SpoutStats>

export const ExecutorSpecificStats = union('ExecutorSpecificStats', {
  bolt: [1, BoltStats],
  spout: [2, SpoutStats],
})
export type ExecutorSpecificStats = ValueOf<typeof ExecutorSpecificStats>

export const ExecutorStats = struct('ExecutorStats', {
  emitted: [1, map(string, map(string, i64))],
  transferred: [2, map(string, map(string, i64))],
  specific: [3, ExecutorSpecificStats],
  rate: [4, double],
})
export type ExecutorStats = ValueOf<typeof ExecutorStats>

export const ExecutorInfo = struct('ExecutorInfo', {
  task_start: [1, i32],
  task_end: [2, i32],
})
export type ExecutorInfo = ValueOf<typeof ExecutorInfo>

export const ExecutorSummary = struct('ExecutorSummary', {
  executor_info: [1, ExecutorInfo],
  component_id: [2, string],
  host: [3, string],
  port: [4, i32],
  uptime_secs: [5, i32],
  stats: [7, ExecutorStats, 'optional'],
})
export type ExecutorSummary = ValueOf<typeof ExecutorSummary>

export const CommonAggregateStats = struct('CommonAggregateStats', {
  num_executors: [1, i32, 'optional'],
  num_tasks: [2, i32, 'optional'],
  emitted: [3, i64, 'optional'],
  transferred: [4, i64, 'optional'],
  acked: [5, i64, 'optional'],
  failed: [6, i64, 'optional'],
  resources_map: [7, map(string, double), 'optional'],
})
export type CommonAggregateStats = ValueOf<typeof CommonAggregateStats>

export const SpoutAggregateStats = struct('SpoutAggregateStats', {
  complete_latency_ms: [1, double, 'optional'],
})
export type SpoutAggregateStats = ValueOf<typeof SpoutAggregateStats>

export const BoltAggregateStats = struct('BoltAggregateStats', {
  execute_latency_ms: [1, double, 'optional'],
  process_latency_ms: [2, double, 'optional'],
  executed: [3, i64, 'optional'],
  capacity: [4, double, 'optional'],
})
export type BoltAggregateStats = ValueOf<typeof BoltAggregateStats>

export const SpecificAggregateStats = union('SpecificAggregateStats', {
  bolt: [1, BoltAggregateStats],
  spout: [2, SpoutAggregateStats],
})
export type SpecificAggregateStats = ValueOf<typeof SpecificAggregateStats>

export const ComponentType = enumeration('ComponentType', { BOLT: 1, SPOUT: 2 })

export const ErrorInfo = struct('ErrorInfo', {
  error: [1, string],
  error_time_secs: [2, i32],
  host: [3, string, 'optional'],
  port: [4, i32, 'optional'],
})
export type ErrorInfo = ValueOf<typeof ErrorInfo>

export const ComponentAggregateStats = struct('ComponentAggregateStats', {
  type: [1, ComponentType, 'optional'],
  common_stats: [2, CommonAggregateStats, 'optional'],
  specific_stats: [3, SpecificAggregateStats, 'optional'],
  last_error: [4, ErrorInfo, 'optional'],
})
export type ComponentAggregateStats = ValueOf<typeof ComponentAggregateStats>

export const TopologyStats = struct('TopologyStats', {
  window_to_emitted: [1, map(string, i64), 'optional'],
  window_to_transferred: [2, map(string, i64), 'optional'],
  window_to_complete_latencies_ms: [3, map(string, double), 'optional'],
  window_to_acked: [4, map(string, i64), 'optional'],
  window_to_failed: [5, map(string, i64), 'optional'],
})
export type TopologyStats = ValueOf<typeof TopologyStats>

export const ExecutorAggregateStats = struct('ExecutorAggregateStats', {
  exec_summary: [1, ExecutorSummary, 'optional'],
  stats: [2, ComponentAggregateStats, 'optional'],
})
export type ExecutorAggregateStats = ValueOf<typeof ExecutorAggregateStats>
