// One partition that a spout's task reads: who leads it, where fetching goes on, what was fetched and not emitted
// yet, and the ledger of what was. Plain state; the reader fills it, the spout empties it.
import type { KafkaRecord, TopicPartition } from 'gearpump/kafka'
import { OffsetLedger, type OpenRecord } from './offset-ledger.ts'

export class SpoutPartition implements TopicPartition {
  readonly topic: string
  readonly partition: number
  readonly ledger: OffsetLedger
  /** Node id; -1 while nobody leads. */
  leader: number
  /** Where the next fetch begins. */
  fetchOffset: number
  /** After a problem it is not asked before this time. */
  restUntilMs = 0
  #records: readonly KafkaRecord[] = []
  #taken = 0

  constructor(at: TopicPartition, leader: number, start: number) {
    this.topic = at.topic
    this.partition = at.partition
    this.leader = leader
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
    const fresh = isEarly ? records.filter(({ offset }) => offset >= this.fetchOffset) : records
    this.#records = this.waiting === 0 ? fresh : [...this.#records.slice(this.#taken), ...fresh]
    this.#taken = 0
    this.#moveTo(Math.max(nextOffset, this.fetchOffset))
  }

  /** Fetching goes on at `offset`, which is further on: what lies between is gone. */
  jumpTo(offset: number): void {
    this.#moveTo(offset)
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
