// The door for those who write a DAG.

export type { ExecutorInfo } from './app/app-report.ts'
export {
  type Application,
  type ApplicationOptions,
  type ArgumentSpec,
  application,
  type CodeRef,
  type Program,
  program,
} from './app/application.ts'
export type { ComponentFigures, RunFigures } from './app/figures.ts'
export { EngineError, type ErrorCode, type Problem, UserError } from './base/errors.ts'
export { type Level, type Log, noLog, streamLog } from './base/log.ts'
export { type ClusterOptions, type ConnectOptions, connect } from './client/connect.ts'
export type {
  AppEntry,
  AppInfo,
  AppState,
  BlobRef,
  ClusterGear,
  Gear,
  GearNote,
  GearNotes,
  RunningApp,
  SubmitOptions,
} from './client/gear.ts'
export { type Dag, graph } from './dag/graph.ts'
export {
  broadcast,
  colocation,
  direct,
  first,
  groupBy,
  hash,
  hashOf,
  localOrShuffle,
  multicast,
  NOBODY,
  type Partitioner,
  shuffle,
  unicast,
} from './dag/partitioner.ts'
export {
  type Path,
  type Processor,
  type ProcessorOptions,
  processor,
  source,
} from './dag/processor.ts'
export { Hold } from './task/hold.ts'
export { balanced, lowLatency, type Profile, throughput } from './task/profile.ts'
export type { Credentials, Source, SourceContext, Task, TaskContext } from './task/task.ts'
export type { Serialiser } from './transport/serialisers.ts'
