// The door `gearpump/storm`: topologies in TypeScript, Flux files, and components beside multi-lang ones.
export {
  type BasicBolt,
  type BasicOutputCollector,
  type Bolt,
  type Conf,
  FailedException,
  type OutputCollector,
  type OutputFieldsDeclarer,
  type Spout,
  type SpoutOutputCollector,
  type TopologyContext,
  type Tuple,
  type Values,
} from './component/api.ts'
export { isTick } from './component/tuple.ts'
export { Double } from './component/values.ts'
export { type Access, accessOf, type FunctionAccess, listAccess } from './drpc/access.ts'
export type {
  BatchBolt,
  BatchOutputCollector,
  FinishedCallback,
  TimeoutCallback,
} from './drpc/batch-bolt.ts'
export { CoordinatedBolt, type CoordinatedOptions } from './drpc/coordinated-bolt.ts'
export { KeyedFairBolt } from './drpc/keyed-fair-bolt.ts'
export { LinearDRPCTopologyBuilder, type LinearInputDeclarer } from './drpc/linear-builder.ts'
export { LocalDRPC, type LocalDRPCOptions } from './drpc/local-drpc.ts'
export { JoinResult, PrepareRequest } from './drpc/request-bolts.ts'
export type { FetchedRequest, Invocations } from './drpc/requests.ts'
export { ReturnResults, returnResults } from './drpc/return-results.ts'
export { type AnyBolt, richBolt } from './drpc/rich-bolt.ts'
export {
  DRPC_HTTP_PORT,
  DRPC_INVOCATIONS_PORT,
  DRPC_PORT,
  type Drpc,
  type DrpcOptions,
  startDrpc,
} from './drpc/server.ts'
export { DRPCSpout, drpcSpout, type LocalServer } from './drpc/spout.ts'
export { type FluxOptions, type LoadedFlux, loadFlux } from './flux/load.ts'
export { frontDoor } from './front-door.ts'
export { shellOrClass } from './jvm/shell-classes.ts'
export type { KafkaBoltOptions, TopicSelector, TupleMapper } from './kafka/bolt-options.ts'
export { kafkaBolt } from './kafka/kafka-bolt.ts'
export { kafkaSpout } from './kafka/kafka-spout.ts'
export type { RetryPolicy } from './kafka/retry-queue.ts'
export type { KafkaSpoutOptions } from './kafka/spout-options.ts'
export {
  ByTopicRecordTranslator,
  type ConsumerRecord,
  DefaultRecordTranslator,
  KafkaTuple,
  type RecordTranslator,
  SimpleRecordTranslator,
} from './kafka/translators.ts'
export { NIMBUS_PORT, type Nimbus, type NimbusOptions, startNimbus } from './nimbus/nimbus.ts'
export {
  type GearHostOptions,
  gearHost,
  type HostedInfo,
  type HostedTopology,
  type HostRequest,
  type RebalanceWish,
  type TopologyHost,
} from './nimbus/topology-host.ts'
export type { JavaComponent, ReadJavaComponent } from './nimbus/topology-reader.ts'
export { shellBolt, shellSpout, TopologyBuilder } from './topology/builder.ts'
export type {
  Component,
  CustomGrouping,
  Grouping,
  Input,
  StormTopology,
  Stream,
} from './topology/topology.ts'
export { type Translated, type TranslateOptions, translate } from './translate/translate.ts'
export { always, type NimbusCalls, perRequest, type WithNimbus } from './ui/nimbus-calls.ts'
export { startUi, UI_PORT, type Ui, type UiOptions } from './ui/ui-server.ts'
