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
export { type FluxOptions, type LoadedFlux, loadFlux } from './flux/load.ts'
export { frontDoor } from './front-door.ts'
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
