// What a fetcher is given and gives: its bounds, what its owner hears, and the records that it hands out.
import type { EngineError } from 'gearpump/spi'
import type { FetchLimits, FetchProblem, KafkaRecord, TopicPartition } from './client.ts'

export interface FetcherSettings {
  /** Of one partition in one answer. */
  readonly partitionBytes: number
  /** Buffered of all partitions at most, give or take one answer per node. */
  readonly bufferBytes: number
  /** The broker waits so long for something new. */
  readonly waitMs: number
  readonly isolation: FetchLimits['isolation']
}

export interface FetcherOwner {
  /** Something can be taken. */
  ready(): void
  /**
   * A partition cannot go on by itself: `out-of-range` or `corrupt`. It rests until `seek` or `skip`. `after` is where a
   * corrupt batch ends, as far as that can be told, else the offset that was asked for.
   */
  stuck(at: TopicPartition, kind: FetchProblem, error: EngineError, after: number): void
  /** The topic was deleted and made anew: the partition rests until `seek`. */
  remade(at: TopicPartition, topicId: string): void
  /** Something goes wrong and is tried again. */
  report(error: EngineError): void
  /** Calls `fn` after `delayMs`. */
  after(delayMs: number, fn: () => void): void
}

/** Records of one partition, in order. Between them and up to `nextOffset` there is nothing else to read. */
export interface FetchedRecords extends TopicPartition {
  readonly records: readonly KafkaRecord[]
  readonly nextOffset: number
}
