// What the Kafka connectors ask of a client library, and nothing more: metadata, offsets, committed offsets of a group that nobody
// joins, fetching from partitions that the caller chose, and sending one batch to one partition. Who reads what is the
// caller's decision, so no broker ever rebalances anything. Two drivers keep this contract (`open-client.ts`); the
// same tests run on both against a real broker. `fetcher.ts` makes a bounded, pausable reader out of `fetch`.
import type { EngineError } from 'gearpump/spi'

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** Names may repeat; Kafka keeps their order. */
export type KafkaHeader = readonly [name: string, value: Buffer | null]

/** One record as it lies in a partition. */
export interface KafkaRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly KafkaHeader[]
}

export interface PartitionInfo {
  readonly partition: number
  /** Node id of the leader; -1 while there is none. */
  readonly leader: number
}

export interface TopicInfo {
  readonly topic: string
  /** Another one when the topic is deleted and made anew; undefined from brokers before 2.8. */
  readonly id?: string | undefined
  /** In the order of their numbers. */
  readonly partitions: readonly PartitionInfo[]
}

/** Names, or a pattern that whole names must match. Kafka's own topics (`__…`) match no pattern. */
export type TopicChoice = readonly string[] | RegExp

/** The first record that is still there, the end, or the first one with this time or a later one. */
export type OffsetPlace = 'earliest' | 'latest' | { readonly timestampMs: number }

export interface PartitionOffset extends TopicPartition {
  readonly offset: number
}

/** `metadata` is a text that the broker keeps beside the offset (4,096 bytes unless it is configured otherwise). */
export interface CommittedOffset extends PartitionOffset {
  readonly metadata: string
}

export interface FetchPosition extends PartitionOffset {
  /** A first batch that is larger comes whole all the same. */
  readonly bytesMax: number
}

export interface FetchLimits {
  /** The broker answers at once when there is this much, else after `waitMs`. */
  readonly bytesMin: number
  readonly bytesMax: number
  readonly waitMs: number
  /** `committed` leaves out records of transactions that were aborted or are open. */
  readonly isolation: 'committed' | 'uncommitted'
}

/**
 * Why a partition gave nothing. `out-of-range`: the offset is not there any more, or not yet. `moved`: another node leads;
 * ask `topics` again. `gone`: no such topic or partition. `refused`: no right to read. `corrupt`: the batch at the
 * offset asked for does not read; `nextOffset` is behind it, as far as that can be told.
 */
export type FetchProblem = 'out-of-range' | 'moved' | 'gone' | 'refused' | 'corrupt' | 'failed'

export interface FetchedPartition extends TopicPartition {
  readonly records: readonly KafkaRecord[]
  /** Where to go on: behind the last record and behind what was skipped (compacted, aborted, control records). */
  readonly nextOffset: number
  /** Where the partition begins and ends now (its end for committed readers); -1 = not told. */
  readonly logStart: number
  readonly logEnd: number
  /** What its batches take in memory, unpacked. */
  readonly bytes: number
  readonly problem?: { readonly kind: FetchProblem; readonly error: EngineError }
}

export interface ProducedRecord {
  readonly key?: Buffer | string | null
  readonly value: Buffer | string | null
  readonly headers?: readonly KafkaHeader[]
  /** Now if not given. */
  readonly timestampMs?: number
}

export interface ProduceBatch extends TopicPartition {
  readonly records: readonly ProducedRecord[]
}

/** What is needed to end a transaction later, from another process too: plain data. */
export interface PreparedTransaction {
  readonly transactionalId: string
  readonly producerId: string
  readonly producerEpoch: number
}

/** One open transaction. Its records are seen by readers of committed ones when it was committed. */
export interface KafkaTransaction {
  produce(batch: ProduceBatch): Promise<{ readonly baseOffset: number }>
  /** Offsets of a group that are committed with the transaction, or not at all. */
  addOffsets(groupId: string, offsets: readonly CommittedOffset[]): Promise<void>
  /** Everything is at the broker: what remains is to end it. Nothing may be added after this. */
  prepare(): PreparedTransaction
}

/**
 * One connection to a Kafka cluster. Every method throws an EngineError that names topic, partition, node, cause and next step:
 * KAFKA_UNREACHABLE (no broker, or none that answers; worth another try), KAFKA_REFUSED (password, certificate or right
 * is missing; trying again does not help), KAFKA_FAILED (anything else; `details.retriable` says whether to try again).
 */
export interface KafkaClient {
  /** The topics of these names, or that match, fresh from a broker. What does not exist is not in the answer. */
  topics(choice: TopicChoice): Promise<readonly TopicInfo[]>
  /** For `{ timestampMs }` a partition without such a record gives its end. */
  offsets(
    at: OffsetPlace,
    partitions: readonly TopicPartition[],
  ): Promise<readonly PartitionOffset[]>
  /** What the group has committed; partitions without anything are not in the answer. */
  committed(
    groupId: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly CommittedOffset[]>
  /**
   * Commits for a group without joining it. Refused (KAFKA_FAILED) while others have joined it. Gives the partitions that do
   * not exist, or not any more: for those nothing is committed, for all others it is.
   */
  commit(groupId: string, offsets: readonly CommittedOffset[]): Promise<readonly TopicPartition[]>
  /**
   * Asks one node for records of partitions that it leads. Resolves when there are some, or after `waitMs`; with one entry
   * for each partition asked for, in that order. At most one call per node at a time.
   */
  fetch(
    node: number,
    positions: readonly FetchPosition[],
    limits: FetchLimits,
  ): Promise<readonly FetchedPartition[]>
  /**
   * Sends one batch to one partition and resolves when the broker has acknowledged exactly that partition. Tries again over
   * changes of leaders, with the same sequence numbers where the client is idempotent, until `deliveryTimeoutMs`. One
   * batch per partition at a time. What is sent to one broker in one turn may share a request, so it is answered together; what fails
   * of it is tried again by itself.
   */
  produce(batch: ProduceBatch): Promise<{ readonly baseOffset: number }>
  /** Opens a transaction; whoever held the same id before is fenced. */
  beginTransaction(transactionalId: string): Promise<KafkaTransaction>
  /** Commits or aborts. Doing it again with the same end is no error. */
  endTransaction(prepared: PreparedTransaction, end: 'commit' | 'abort'): Promise<void>
  /** Ends what is under way with an error, and all connections. */
  close(): Promise<void>
}

/** How a broker is spoken to. Secrets stay in here: no message and no log line has them. */
export interface KafkaConnection {
  /** Host and port of some brokers; the others are found through them. */
  readonly brokers: readonly string[]
  /** Default: gearpump. */
  readonly clientId?: string
  /** true: with the certificates that Node trusts. */
  readonly tls?: boolean | KafkaTls
  readonly sasl?: KafkaSasl
  /** Default: 5,000. */
  readonly connectTimeoutMs?: number
  /** Default: 30,000. */
  readonly requestTimeoutMs?: number
  /** `kafkajs` if not given; `platformatic` needs the package `@platformatic/kafka`. */
  readonly driver?: KafkaDriver
}

export type KafkaDriver = 'kafkajs' | 'platformatic'

export interface KafkaTls {
  /** PEM texts. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly servername?: string
  /** false takes any certificate: for tests only. */
  readonly rejectUnauthorized?: boolean
}

export interface KafkaSasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}

/** Of a client that sends. */
export interface ProducerOptions {
  /** -1 = all replicas in sync (default), 1 = the leader, 0 = nobody: then nothing is promised. */
  readonly acks?: -1 | 0 | 1
  /** Copies made by repeated sends are dropped by the broker. Default: true, with acks -1. */
  readonly idempotent?: boolean
  /** Default: none. */
  readonly compression?: 'none' | 'gzip'
  /** Tries of one batch end after this. Default: 120,000. */
  readonly deliveryTimeoutMs?: number
}
