// Nimbus, the service: every method of Storm 0.9 to 2.x with its arguments, result and exceptions. What a client may leave out
// (null in Java, None in Python) is optional.
import { method, nothing } from './service.ts'
import {
  AlreadyAliveException,
  AuthorizationException,
  IllegalStateException,
  InvalidTopologyException,
  KeyAlreadyExistsException,
  KeyNotFoundException,
  NotAliveException,
} from './storm-exceptions.ts'
import {
  BeginDownloadResult,
  Credentials,
  GetInfoOptions,
  KillOptions,
  ListBlobsResult,
  LogConfig,
  ProfileAction,
  ProfileRequest,
  ReadableBlobMeta,
  RebalanceOptions,
  SettableBlobMeta,
  SubmitOptions,
} from './storm-requests.ts'
import {
  ClusterSummary,
  ComponentPageInfo,
  NimbusSummary,
  OwnerResourceSummary,
  SupervisorPageInfo,
  TopologyHistoryInfo,
  TopologyInfo,
  TopologyPageInfo,
  TopologySummary,
} from './storm-summaries.ts'
import {
  SupervisorAssignments,
  SupervisorWorkerHeartbeat,
  SupervisorWorkerHeartbeats,
  WorkerMetrics,
} from './storm-supervisor.ts'
import { StormTopology } from './storm-topology.ts'
import { binary, bool, double, i32, list, string } from './wire-types.ts'

export const nimbusMethods = {
  submitTopology: method(
    {
      name: [1, string],
      uploadedJarLocation: [2, string, 'optional'],
      jsonConf: [3, string, 'optional'],
      topology: [4, StormTopology],
    },
    nothing,
    {
      e: [1, AlreadyAliveException],
      ite: [2, InvalidTopologyException],
      aze: [3, AuthorizationException],
    },
  ),
  submitTopologyWithOpts: method(
    {
      name: [1, string],
      uploadedJarLocation: [2, string, 'optional'],
      jsonConf: [3, string, 'optional'],
      topology: [4, StormTopology],
      options: [5, SubmitOptions, 'optional'],
    },
    nothing,
    {
      e: [1, AlreadyAliveException],
      ite: [2, InvalidTopologyException],
      aze: [3, AuthorizationException],
    },
  ),
  killTopology: method({ name: [1, string] }, nothing, {
    e: [1, NotAliveException],
    aze: [2, AuthorizationException],
  }),
  killTopologyWithOpts: method(
    { name: [1, string], options: [2, KillOptions, 'optional'] },
    nothing,
    { e: [1, NotAliveException], aze: [2, AuthorizationException] },
  ),
  activate: method({ name: [1, string] }, nothing, {
    e: [1, NotAliveException],
    aze: [2, AuthorizationException],
  }),
  deactivate: method({ name: [1, string] }, nothing, {
    e: [1, NotAliveException],
    aze: [2, AuthorizationException],
  }),
  rebalance: method({ name: [1, string], options: [2, RebalanceOptions, 'optional'] }, nothing, {
    e: [1, NotAliveException],
    ite: [2, InvalidTopologyException],
    aze: [3, AuthorizationException],
  }),
  setLogConfig: method({ name: [1, string], config: [2, LogConfig] }, nothing, {}),
  getLogConfig: method({ name: [1, string] }, LogConfig, {}),
  debug: method(
    {
      name: [1, string],
      component: [2, string, 'optional'],
      enable: [3, bool],
      samplingPercentage: [4, double],
    },
    nothing,
    { e: [1, NotAliveException], aze: [2, AuthorizationException] },
  ),
  setWorkerProfiler: method({ id: [1, string], profileRequest: [2, ProfileRequest] }, nothing, {}),
  getComponentPendingProfileActions: method(
    { id: [1, string], component_id: [2, string], action: [3, ProfileAction] },
    list(ProfileRequest),
    {},
  ),
  uploadNewCredentials: method({ name: [1, string], creds: [2, Credentials] }, nothing, {
    e: [1, NotAliveException],
    ite: [2, InvalidTopologyException],
    aze: [3, AuthorizationException],
  }),
  beginCreateBlob: method({ key: [1, string], meta: [2, SettableBlobMeta] }, string, {
    aze: [1, AuthorizationException],
    kae: [2, KeyAlreadyExistsException],
  }),
  beginUpdateBlob: method({ key: [1, string] }, string, {
    aze: [1, AuthorizationException],
    knf: [2, KeyNotFoundException],
  }),
  uploadBlobChunk: method({ session: [1, string], chunk: [2, binary] }, nothing, {
    aze: [1, AuthorizationException],
  }),
  finishBlobUpload: method({ session: [1, string] }, nothing, { aze: [1, AuthorizationException] }),
  cancelBlobUpload: method({ session: [1, string] }, nothing, { aze: [1, AuthorizationException] }),
  getBlobMeta: method({ key: [1, string] }, ReadableBlobMeta, {
    aze: [1, AuthorizationException],
    knf: [2, KeyNotFoundException],
  }),
  setBlobMeta: method({ key: [1, string], meta: [2, SettableBlobMeta] }, nothing, {
    aze: [1, AuthorizationException],
    knf: [2, KeyNotFoundException],
  }),
  beginBlobDownload: method({ key: [1, string] }, BeginDownloadResult, {
    aze: [1, AuthorizationException],
    knf: [2, KeyNotFoundException],
  }),
  downloadBlobChunk: method({ session: [1, string] }, binary, { aze: [1, AuthorizationException] }),
  deleteBlob: method({ key: [1, string] }, nothing, {
    aze: [1, AuthorizationException],
    knf: [2, KeyNotFoundException],
    ise: [3, IllegalStateException],
  }),
  listBlobs: method({ session: [1, string, 'optional'] }, ListBlobsResult, {}),
  getBlobReplication: method({ key: [1, string] }, i32, {
    aze: [1, AuthorizationException],
    knf: [2, KeyNotFoundException],
  }),
  updateBlobReplication: method({ key: [1, string], replication: [2, i32] }, i32, {
    aze: [1, AuthorizationException],
    knf: [2, KeyNotFoundException],
  }),
  createStateInZookeeper: method({ key: [1, string] }, nothing, {}),
  isRemoteBlobExists: method({ blobKey: [1, string] }, bool, { aze: [1, AuthorizationException] }),
  beginFileUpload: method({}, string, { aze: [1, AuthorizationException] }),
  uploadChunk: method({ location: [1, string], chunk: [2, binary] }, nothing, {
    aze: [1, AuthorizationException],
  }),
  finishFileUpload: method({ location: [1, string] }, nothing, {
    aze: [1, AuthorizationException],
  }),
  beginFileDownload: method({ file: [1, string] }, string, { aze: [1, AuthorizationException] }),
  downloadChunk: method({ id: [1, string] }, binary, { aze: [1, AuthorizationException] }),
  getNimbusConf: method({}, string, { aze: [1, AuthorizationException] }),
  getClusterInfo: method({}, ClusterSummary, { aze: [1, AuthorizationException] }),
  getTopologySummaries: method({}, list(TopologySummary), { aze: [1, AuthorizationException] }),
  getTopologySummary: method({ id: [1, string] }, TopologySummary, {
    e: [1, NotAliveException],
    aze: [2, AuthorizationException],
  }),
  getTopologySummaryByName: method({ name: [1, string] }, TopologySummary, {
    e: [1, NotAliveException],
    aze: [2, AuthorizationException],
  }),
  getLeader: method({}, NimbusSummary, { aze: [1, AuthorizationException] }),
  isTopologyNameAllowed: method({ name: [1, string] }, bool, { aze: [1, AuthorizationException] }),
  getTopologyInfo: method({ id: [1, string] }, TopologyInfo, {
    e: [1, NotAliveException],
    aze: [2, AuthorizationException],
  }),
  getTopologyInfoWithOpts: method(
    { id: [1, string], options: [2, GetInfoOptions, 'optional'] },
    TopologyInfo,
    { e: [1, NotAliveException], aze: [2, AuthorizationException] },
  ),
  getTopologyInfoByName: method({ name: [1, string] }, TopologyInfo, {
    e: [1, NotAliveException],
    aze: [2, AuthorizationException],
  }),
  getTopologyInfoByNameWithOpts: method(
    { name: [1, string], options: [2, GetInfoOptions, 'optional'] },
    TopologyInfo,
    { e: [1, NotAliveException], aze: [2, AuthorizationException] },
  ),
  getTopologyPageInfo: method(
    { id: [1, string], window: [2, string, 'optional'], is_include_sys: [3, bool] },
    TopologyPageInfo,
    { e: [1, NotAliveException], aze: [2, AuthorizationException] },
  ),
  getSupervisorPageInfo: method(
    { id: [1, string, 'optional'], host: [2, string, 'optional'], is_include_sys: [3, bool] },
    SupervisorPageInfo,
    { e: [1, NotAliveException], aze: [2, AuthorizationException] },
  ),
  getComponentPageInfo: method(
    {
      topology_id: [1, string],
      component_id: [2, string],
      window: [3, string, 'optional'],
      is_include_sys: [4, bool],
    },
    ComponentPageInfo,
    { e: [1, NotAliveException], aze: [2, AuthorizationException] },
  ),
  getTopologyConf: method({ id: [1, string] }, string, {
    e: [1, NotAliveException],
    aze: [2, AuthorizationException],
  }),
  getTopology: method({ id: [1, string] }, StormTopology, {
    e: [1, NotAliveException],
    aze: [2, AuthorizationException],
  }),
  getUserTopology: method({ id: [1, string] }, StormTopology, {
    e: [1, NotAliveException],
    aze: [2, AuthorizationException],
  }),
  getTopologyHistory: method({ user: [1, string, 'optional'] }, TopologyHistoryInfo, {
    aze: [1, AuthorizationException],
  }),
  getOwnerResourceSummaries: method(
    { owner: [1, string, 'optional'] },
    list(OwnerResourceSummary),
    { aze: [1, AuthorizationException] },
  ),
  getSupervisorAssignments: method({ node: [1, string] }, SupervisorAssignments, {
    aze: [1, AuthorizationException],
  }),
  sendSupervisorWorkerHeartbeats: method({ heartbeats: [1, SupervisorWorkerHeartbeats] }, nothing, {
    aze: [1, AuthorizationException],
  }),
  sendSupervisorWorkerHeartbeat: method({ heatbeat: [1, SupervisorWorkerHeartbeat] }, nothing, {
    aze: [1, AuthorizationException],
    e: [2, NotAliveException],
  }),
  processWorkerMetrics: method({ metrics: [1, WorkerMetrics] }, nothing, {}),
}
