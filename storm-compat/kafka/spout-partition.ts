// One partition that a spout's task reads: who leads it, where fetching goes on, what was fetched and not emitted
// yet, and the ledger of what was. Plain state; the reader fills it, the spout empties it.
import { detached, type KafkaRecord, recordWeight, type TopicPartition } from 'gearpump/kafka'
import type { LedPartition } from './assignment.ts'
import { OffsetLedger, type OpenRecord } from './offset-ledger.ts'

/** Bytes of records that wait, of all partitions of a task. */
export class WaitingBytes {
  total = 0
}

export class SpoutPartition implements TopicPartition {
  readonly topic: string
  readonly partition: number
  /** Which topic the name meant when reading began. */
  readonly topicId: string | undefined
  readonly ledger: OffsetLedger
  /** Node id; -1 while nobody leads. */
  leader: number
  /** Where the next fetch begins. */
  fetchOffset: number
  /** After a problem it is not asked before this time. */
  restUntilMs = 0
  readonly #all: WaitingBytes
  #bytes = 0
  #records: readonly KafkaRecord[] = []
  #taken = 0

  constructor(at: LedPartition, start: number, all: WaitingBytes) {
    this.topic = at.topic
    this.partition = at.partition
    this.topicId = at.topicId
    this.leader = at.leader
    this.#all = all
    this.fetchOffset = start
    this.ledger = new OffsetLedger(start)
  }

  get name(): string {
    return partitionName(this)
  }

  /** Records that wait to be emitted. */
  get waiting(): number {
    return this.#records.length - this.#taken
  }

  /** What a fetch from `fetchOffset` brought, and where the next one begins. */
  deliver(records: readonly KafkaRecord[], nextOffset: number): void {
    // A batch comes whole, also what is before the offset that was asked for.
    const isEarly = records.length > 0 && records[0]!.offset < this.fetchOffset
    const wanted = isEarly ? records.filter(({ offset }) => offset >= this.fetchOffset) : records
    // A record that is open for long must not keep the whole answer that it was cut from.
    const fresh = wanted.map(detached)
    let bytes = 0
    for (const record of fresh) bytes += recordWeight(record)
    this.#count(bytes)
    this.#records = this.waiting === 0 ? fresh : [...this.#records.slice(this.#taken), ...fresh]
    this.#taken = 0
    this.#moveTo(Math.max(nextOffset, this.fetchOffset))
  }

  /** Fetching goes on at `offset`, which is further on: what lies between is gone. */
  jumpTo(offset: number): void {
    this.#moveTo(offset)
  }

  /** It is read no more: what is open of it ends without an effect, what waits is forgotten. */
  close(): void {
    this.ledger.isClosed = true
    this.#count(-this.#bytes)
    this.#records = []
    this.#taken = 0
  }

  #count(bytes: number): void {
    this.#bytes += bytes
    this.#all.total += bytes
  }

  #moveTo(offset: number): void {
    this.fetchOffset = offset
    // Only when nothing waits: the position must never pass what was fetched and not emitted.
    if (this.waiting === 0) this.ledger.skipTo(offset)
  }

  /** The next record, under way from now on. */
  openNext(): OpenRecord | undefined {
    const record = this.#records[this.#taken]
    if (record === undefined) return undefined
    this.#taken++
    const entry = this.ledger.open(record)
    this.#count(-recordWeight(record))
    if (this.waiting === 0) {
      this.#records = []
      this.#taken = 0
      this.ledger.skipTo(this.fetchOffset)
    }
    return entry
  }
}

export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}
