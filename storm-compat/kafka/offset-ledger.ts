// Which records of one partition are under way, and up to where its offset may be committed. Pure. Records come in
// the order of their offsets, so what lies between two of them does not exist any more (compacted, aborted, a marker
// of a transaction) and never keeps the position back. Anything may be finished in any order; the position stands at
// the first record that is not. What is finished behind it is forgotten at once, so that memory is what is open, however
// long one record fails.

import type { KafkaRecord } from 'gearpump/kafka'
import { invariant } from 'gearpump/spi'

/** One record under way: the message id of its tuple. */
export class OpenRecord {
  readonly ledger: OffsetLedger
  readonly offset: number
  /** How many were opened before it. */
  readonly before: number
  /** Kept for a retry, gone once the record is finished. */
  record: KafkaRecord | undefined
  failures = 0
  previous: OpenRecord | undefined = undefined
  next: OpenRecord | undefined = undefined

  constructor(ledger: OffsetLedger, record: KafkaRecord, before: number) {
    this.ledger = ledger
    this.before = before
    this.offset = record.offset
    this.record = record
  }

  get isDone(): boolean {
    return this.record === undefined
  }
}

/** Where a commit would put the group, and how many records that lets go. */
export interface CommitPoint {
  readonly offset: number
  readonly passed: number
}

export class OffsetLedger {
  /** The partition is read by another task now: what still comes for it here means nothing. */
  isClosed = false
  #first: OpenRecord | undefined = undefined
  #last: OpenRecord | undefined = undefined
  /** Behind the last record that was opened, and behind what is known not to exist. */
  #end: number
  #committed: number
  #openedCount = 0
  #committedCount = 0

  /** `start`: where reading begins, which is what the group has until its first commit. */
  constructor(start: number) {
    this.#end = start
    this.#committed = start
  }

  /** Everything below is finished, or does not exist. */
  get position(): number {
    return this.#first?.offset ?? this.#end
  }

  /** Where reading goes on. */
  get end(): number {
    return this.#end
  }

  get committed(): number {
    return this.#committed
  }

  /** Records that were opened and are not behind the last commit: what `maxUncommittedOffsets` bounds. */
  get uncommitted(): number {
    return this.#openedCount - this.#committedCount
  }

  /** Records must come in ascending order. */
  open(record: KafkaRecord): OpenRecord {
    invariant(
      record.offset >= this.#end,
      'records of a partition come in the order of their offsets',
    )
    const entry = new OpenRecord(this, record, this.#openedCount++)
    entry.previous = this.#last
    if (this.#last === undefined) this.#first = entry
    else this.#last.next = entry
    this.#last = entry
    this.#end = record.offset + 1
    return entry
  }

  /** Nothing more will come below `offset`. */
  skipTo(offset: number): void {
    this.#end = Math.max(this.#end, offset)
  }

  /** Returns false if it was finished before. */
  done(entry: OpenRecord): boolean {
    if (entry.isDone) return false
    entry.record = undefined
    const { previous, next } = entry
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    entry.previous = undefined
    entry.next = undefined
    return true
  }

  /** What to commit; undefined when the group has it already. */
  commitPoint(): CommitPoint | undefined {
    const offset = this.position
    const passed = this.#first?.before ?? this.#openedCount
    return offset === this.#committed ? undefined : { offset, passed }
  }

  /** The broker has taken it. */
  noteCommitted({ offset, passed }: CommitPoint): void {
    this.#committed = offset
    this.#committedCount = passed
  }
}
