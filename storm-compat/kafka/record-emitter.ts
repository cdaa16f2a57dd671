// Emits the records that were fetched, one per turn, and hears what became of them: acks move the ledger on, failed
// records wait for their time and are emitted again from memory. Synchronous; called for every record.

import { type KafkaRecord, recordWeight } from 'gearpump/kafka'
import { asError } from 'gearpump/spi'
import type { SpoutOutputCollector, Values } from '../component/api.ts'
import type { ShellClock } from '../multilang/clock.ts'
import { OpenRecord } from './offset-ledger.ts'
import { RetryQueue, retryDelayMs } from './retry-queue.ts'
import type { KafkaSpoutSettings } from './spout-options.ts'
import type { SpoutPartition } from './spout-partition.ts'
import { type ConsumerRecord, KafkaTuple, streamsOf } from './translators.ts'

/** Records of one partition in a row, before the next one has its turn. */
const BURST = 64
/** Records without a tuple that one turn may pass over. */
const PASSED_MAX = 500

/** What the emitter tells the session. */
export interface EmitterEvents {
  /** Some partition has room for more records. */
  onRoom(): void
  /** A partition has as many uncommitted offsets as it may, and some could be committed. */
  onLimit(): void
}

export class RecordEmitter {
  readonly #settings: KafkaSpoutSettings
  readonly #clock: ShellClock
  readonly #collector: SpoutOutputCollector
  readonly #retries = new RetryQueue<OpenRecord>()
  readonly #isAtLeastOnce: boolean
  #events: EmitterEvents | undefined = undefined
  #partitions: readonly SpoutPartition[] = []
  #turn = 0
  #inRow = 0
  #openBytes = 0

  constructor(
    settings: KafkaSpoutSettings,
    parts: { clock: ShellClock; collector: SpoutOutputCollector },
  ) {
    this.#settings = settings
    this.#clock = parts.clock
    this.#collector = parts.collector
    this.#isAtLeastOnce = settings.guarantee === 'AT_LEAST_ONCE'
  }

  /** Whose records are emitted from now on. */
  setPartitions(partitions: readonly SpoutPartition[], events: EmitterEvents): void {
    this.#partitions = partitions
    this.#events = events
    this.#turn = 0
    this.#inRow = 0
  }

  /** May more records be fetched for it? */
  hasRoom({ waiting, ledger }: SpoutPartition): boolean {
    const { fetch, maxUncommittedOffsets } = this.#settings
    if (waiting * 2 >= fetch.recordsMax) return false
    return !this.#isAtLeastOnce || ledger.uncommitted + waiting < maxUncommittedOffsets
  }

  emitNext(): void {
    const retry = this.#dueRetry()
    if (retry !== undefined) {
      this.#emit(retry)
      return
    }
    for (let passed = 0; passed < PASSED_MAX; passed++) {
      const entry = this.#openNext()
      if (entry === undefined || this.#emit(entry)) return
    }
  }

  #dueRetry(): OpenRecord | undefined {
    if (this.#retries.size === 0) return undefined
    const nowMs = this.#clock.nowMs()
    for (;;) {
      const entry = this.#retries.take(nowMs)
      if (entry === undefined || !entry.ledger.isClosed) return entry
      this.#finish(entry)
    }
  }

  #openNext(): OpenRecord | undefined {
    // Retries are free of this bound, so that what is open can always end.
    if (this.#openBytes >= this.#settings.openBytesMax) return undefined
    const partitions = this.#partitions
    for (let looked = 0; looked <= partitions.length; looked++) {
      const partition = partitions[this.#turn]
      if (partition === undefined) return undefined
      if (this.#inRow < BURST && partition.waiting > 0 && this.#isBelowLimit(partition)) {
        this.#inRow++
        return this.#open(partition)
      }
      this.#inRow = 0
      this.#turn = (this.#turn + 1) % partitions.length
    }
    return undefined
  }

  #isBelowLimit({ ledger }: SpoutPartition): boolean {
    if (!this.#isAtLeastOnce) return true
    if (ledger.uncommitted < this.#settings.maxUncommittedOffsets) return true
    if (ledger.commitPoint() !== undefined) this.#events?.onLimit()
    return false
  }

  #open(partition: SpoutPartition): OpenRecord {
    const entry = partition.openNext()!
    this.#openBytes += recordWeight(entry.record!)
    // Told when it becomes so, not for each record.
    if (partition.waiting === Math.ceil(this.#settings.fetch.recordsMax / 2) - 1)
      this.#events?.onRoom()
    return entry
  }

  #emit(entry: OpenRecord): boolean {
    const { translator, emitNullTuples, tracked } = this.#settings
    let values: Values | KafkaTuple | null | undefined
    try {
      values = translator.apply(this.#decoded(entry.record!))
    } catch (thrown) {
      this.#report(entry, thrown)
      this.#retryLater(entry)
      return false
    }
    if (values === null || values === undefined) {
      if (!emitNullTuples) {
        this.#finish(entry)
        return false
      }
      values = this.#nullTuple()
    }
    const [list, stream] =
      values instanceof KafkaTuple ? [values.values, values.stream] : [values, 'default']
    if (!this.#isAtLeastOnce) this.#finish(entry)
    this.#collector.emit(list, tracked ? entry : undefined, stream)
    return true
  }

  #decoded(record: KafkaRecord): ConsumerRecord {
    const { decodeKey, decodeValue } = this.#settings
    const { topic, partition, offset, timestampMs, key, value, headers } = record
    return {
      topic,
      partition,
      offset,
      timestamp: timestampMs,
      key: key === null ? null : decodeKey(key),
      value: value === null ? null : decodeValue(value),
      headers,
    }
  }

  #nullTuple(): KafkaTuple {
    const { translator } = this.#settings
    const stream = streamsOf(translator)[0] ?? 'default'
    return new KafkaTuple(
      translator.getFieldsFor(stream).map(() => null),
      stream,
    )
  }

  ack(messageId: unknown): void {
    if (this.#isAtLeastOnce && messageId instanceof OpenRecord) this.#finish(messageId)
  }

  fail(messageId: unknown): void {
    if (!this.#isAtLeastOnce || !(messageId instanceof OpenRecord) || messageId.isDone) return
    if (messageId.ledger.isClosed) this.#finish(messageId)
    else this.#retryLater(messageId)
  }

  #retryLater(entry: OpenRecord): void {
    entry.failures++
    const delayMs = retryDelayMs(this.#settings.retry, entry.failures)
    if (delayMs === undefined) this.#finish(entry)
    else this.#retries.add(entry, this.#clock.nowMs() + delayMs)
  }

  #finish(entry: OpenRecord): void {
    const { record, ledger } = entry
    if (record === undefined) return
    this.#openBytes -= recordWeight(record)
    ledger.done(entry)
  }

  #report({ record }: OpenRecord, thrown: unknown): void {
    const { topic, partition, offset } = record!
    const reason = asError(thrown).message
    this.#collector.reportError(
      new Error(
        `record ${topic}-${partition} at offset ${offset} cannot become a tuple: ${reason}`,
      ),
    )
  }
}
