// The door for tests of processors, sources and DAGs: no sockets, no real time, every run repeatable by its seed. For Storm
// topologies and multi-lang components there is a kit of the same kind at `gearpump/storm/testing`: completeTopology, and a fake
// child for protocol tests.

// `connect` loads this when it is called; virtual time would not wait for that.
import '../client/embedded-gear.ts'

export type { Faults, FaultyNetwork } from '../transport/faulty-transport.ts'
export { type SinkConformance, type SinkWorld, sinkFindings } from './conformance-sink.ts'
export { sourceFindings } from './conformance-source.ts'
export {
  ManualEnvironment,
  type ManualEnvironmentOptions,
  type ManualProcess,
} from './manual-environment.ts'
export { type DagRun, type DagRunOptions, runDag } from './run-dag.ts'
export { seededRandom } from './seeded-random.ts'
export { type Simulation, type SimulationOptions, simulate } from './simulation.ts'
export type { SourceConformance, SourceWorld } from './source-life.ts'
export {
  type SourceOutput,
  type SourceTest,
  type SourceTestOptions,
  testSource,
} from './test-source.ts'
export {
  type InputState,
  type TaskOutput,
  type TaskTest,
  type TaskTestOptions,
  type TestInput,
  testTask,
} from './test-task.ts'
