// The door for those who write connectors and translation layers: everything storm-compat and connectors may use.
export {
  type Application,
  application,
  type CodeRef,
  type Program,
  program,
} from './app/application.ts'
export { Backoff } from './base/backoff.ts'
export { alignedMs } from './base/environment.ts'
export {
  asError,
  assertNever,
  EngineError,
  type ErrorCode,
  invariant,
  nearestName,
  type Problem,
  UserError,
} from './base/errors.ts'
export type { FrontDoor, Loaded, RunOptions, ServeOptions, Service } from './client/front-door.ts'
export { isLoopback } from './cluster/loopback.ts'
export { type Dag, type Edge, graph, type ProcessorSpec, validateDag } from './dag/graph.ts'
export * from './dag/partitioner.ts'
export { type AnyProcessor, type Path, type Processor, processor, source } from './dag/processor.ts'
export { NONE, type Slot } from './progress/slot-ledger.ts'
export { anchorClosed, Hold } from './task/hold.ts'
export type { Profile } from './task/profile.ts'
export type { SourceRunnerContext as SourceSpiContext } from './task/source-context.ts'
export type { Outlet, Source, SourceContext, Tally, Task, TaskContext } from './task/task.ts'
export type { RunnerContext as TaskSpiContext } from './task/task-context.ts'
export type { Serialiser } from './transport/serialisers.ts'
