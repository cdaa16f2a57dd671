// Storm's messages that clients send with a request (kill, rebalance, submit, log levels), and those of the blob store.
import { enumeration, struct } from './codec.ts'
import { double, i32, i64, list, map, set, string, type ValueOf } from './wire-types.ts'

export const KillOptions = struct('KillOptions', {
  wait_secs: [1, i32, 'optional'],
})
export type KillOptions = ValueOf<typeof KillOptions>

export const RebalanceOptions = struct('RebalanceOptions', {
  wait_secs: [1, i32, 'optional'],
  num_workers: [2, i32, 'optional'],
  num_executors: [3, map(string, i32), 'optional'],
  topology_resources_overrides: [4, map(string, map(string, double)), 'optional'],
  topology_conf_overrides: [5, string, 'optional'],
  principal: [6, string, 'optional'],
})
export type RebalanceOptions = ValueOf<typeof RebalanceOptions>

export const Credentials = struct('Credentials', {
  creds: [1, map(string, string)],
  topoOwner: [2, string, 'optional'],
})
export type Credentials = ValueOf<typeof Credentials>

export const TopologyInitialStatus = enumeration('TopologyInitialStatus', {
  ACTIVE: 1,
  INACTIVE: 2,
})

export const SubmitOptions = struct('SubmitOptions', {
  initial_status: [1, TopologyInitialStatus],
  creds: [2, Credentials, 'optional'],
})
export type SubmitOptions = ValueOf<typeof SubmitOptions>

export const NumErrorsChoice = enumeration('NumErrorsChoice', { ALL: 0, NONE: 1, ONE: 2 })

export const GetInfoOptions = struct('GetInfoOptions', {
  num_err_choice: [1, NumErrorsChoice, 'optional'],
})
export type GetInfoOptions = ValueOf<typeof GetInfoOptions>

export const LogLevelAction = enumeration('LogLevelAction', { UNCHANGED: 1, UPDATE: 2, REMOVE: 3 })

export const LogLevel = struct('LogLevel', {
  action: [1, LogLevelAction],
  target_log_level: [2, string, 'optional'],
  reset_log_level_timeout_secs: [3, i32, 'optional'],
  reset_log_level_timeout_epoch: [4, i64, 'optional'],
  reset_log_level: [5, string, 'optional'],
})
export type LogLevel = ValueOf<typeof LogLevel>

export const LogConfig = struct('LogConfig', {
  named_logger_level: [2, map(string, LogLevel), 'optional'],
})
export type LogConfig = ValueOf<typeof LogConfig>

export const NodeInfo = struct('NodeInfo', {
  node: [1, string],
  port: [2, set(i64)],
})
export type NodeInfo = ValueOf<typeof NodeInfo>

export const ProfileAction = enumeration('ProfileAction', {
  JPROFILE_STOP: 0,
  JPROFILE_START: 1,
  JPROFILE_DUMP: 2,
  JMAP_DUMP: 3,
  JSTACK_DUMP: 4,
  JVM_RESTART: 5,
})

export const ProfileRequest = struct('ProfileRequest', {
  nodeInfo: [1, NodeInfo],
  action: [2, ProfileAction],
  time_stamp: [3, i64, 'optional'],
})
export type ProfileRequest = ValueOf<typeof ProfileRequest>

export const AccessControlType = enumeration('AccessControlType', { OTHER: 1, USER: 2 })

export const AccessControl = struct('AccessControl', {
  type: [1, AccessControlType],
  name: [2, string, 'optional'],
  access: [3, i32],
})
export type AccessControl = ValueOf<typeof AccessControl>

export const SettableBlobMeta = struct('SettableBlobMeta', {
  acl: [1, list(AccessControl)],
  replication_factor: [2, i32, 'optional'],
})
export type SettableBlobMeta = ValueOf<typeof SettableBlobMeta>

export const ReadableBlobMeta = struct('ReadableBlobMeta', {
  settable: [1, SettableBlobMeta],
  version: [2, i64],
})
export type ReadableBlobMeta = ValueOf<typeof ReadableBlobMeta>

export const ListBlobsResult = struct('ListBlobsResult', {
  keys: [1, list(string)],
  session: [2, string],
})
export type ListBlobsResult = ValueOf<typeof ListBlobsResult>

export const BeginDownloadResult = struct('BeginDownloadResult', {
  version: [1, i64],
  session: [2, string],
  data_size: [3, i64, 'optional'],
})
export type BeginDownloadResult = ValueOf<typeof BeginDownloadResult>
