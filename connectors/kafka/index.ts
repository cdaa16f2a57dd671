// The door `gearpump/kafka`: Kafka topics as a source and as a sink, at-least-once, and the client that both stand on.
export type {
  CommittedOffset,
  FetchedPartition,
  FetchLimits,
  FetchPosition,
  FetchProblem,
  KafkaClient,
  KafkaConnection,
  KafkaDriver,
  KafkaHeader,
  KafkaRecord,
  KafkaSasl,
  KafkaTls,
  KafkaTransaction,
  OffsetPlace,
  PartitionInfo,
  PartitionOffset,
  PreparedTransaction,
  ProduceBatch,
  ProducedRecord,
  ProducerOptions,
  TopicChoice,
  TopicInfo,
  TopicPartition,
} from './client.ts'
export { Fetcher } from './fetcher.ts'
export type { FetchedRecords, FetcherOwner, FetcherSettings } from './fetcher-owner.ts'
export { kafkaSink } from './kafka-sink.ts'
export { kafkaSource } from './kafka-source.ts'
export { type KafkaParts, openKafka } from './open-client.ts'
export { detached, recordWeight } from './open-records.ts'
export { isOtherTopic } from './partition-dealing.ts'
export type { KafkaOutput, KafkaSinkOptions } from './sink-options.ts'
export type { KafkaSourceOptions, StartPlace } from './source-options.ts'
