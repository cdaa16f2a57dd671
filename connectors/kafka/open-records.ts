// What a Kafka source has emitted and nobody has finished yet: kept in memory until it is done, so that a record that failed is
// emitted again without asking the broker. One that fails waits longer each time. Bounded by number and by bytes: at a bound nothing
// more is read.
import { ReplayQueue } from '../base/replay-queue.ts'
import type { KafkaRecord } from './client.ts'
import type { OffsetLedger } from './offset-ledger.ts'

/** What a record weighs beside its key, value and headers. */
const RECORD_BYTES = 200

/** A value that is cut from a larger answer is copied, or a slow record would keep all of it in memory. */
const KEPT_WHOLE_BYTES = 16_384

export interface OpenRecord {
  value: unknown
  /** As it was read; only where it may be needed again, as it keeps bytes in memory. */
  record: KafkaRecord | undefined
  ledger: OffsetLedger | undefined
  partition: number
  topic: string
  offset: number
  bytes: number
  failures: number
}

export interface OpenBounds {
  readonly recordsMax: number
  readonly bytesMax: number
}

export class OpenRecords {
  readonly #bounds: OpenBounds
  readonly #entries: OpenRecord[] = []
  readonly #free: number[] = []
  readonly #again: ReplayQueue
  #bytes = 0

  /** `later` calls a function after a delay, on the source's own turn. */
  constructor(bounds: OpenBounds, later: (delayMs: number, fn: () => void) => void) {
    this.#bounds = bounds
    this.#again = new ReplayQueue(later)
  }

  get size(): number {
    return this.#entries.length - this.#free.length
  }

  get full(): boolean {
    return this.size >= this.#bounds.recordsMax || this.#bytes >= this.#bounds.bytesMax
  }

  /** Returns the id that it is emitted with. `kept` is what `get` will have of the record itself. */
  add(value: unknown, record: KafkaRecord, ledger: OffsetLedger, kept?: KafkaRecord): number {
    const { topic, partition, offset } = record
    const bytes = recordWeight(record)
    this.#bytes += bytes
    const id = this.#free.pop()
    if (id === undefined) {
      const failures = 0
      const entry = { value, record: kept, ledger, topic, partition, offset, bytes, failures }
      this.#entries.push(entry)
      return this.#entries.length - 1
    }
    const entry = this.#entries[id]!
    entry.value = value
    entry.record = kept
    entry.ledger = ledger
    entry.topic = topic
    entry.partition = partition
    entry.offset = offset
    entry.bytes = bytes
    entry.failures = 0
    return id
  }

  get(id: number): OpenRecord {
    return this.#entries[id]!
  }

  done(id: number): void {
    const entry = this.#entries[id]!
    this.#bytes -= entry.bytes
    entry.ledger!.finish(entry.offset)
    entry.value = undefined
    entry.record = undefined
    entry.ledger = undefined
    this.#free.push(id)
  }

  /** Returns how often it has failed by now. */
  failed(id: number): number {
    return ++this.#entries[id]!.failures
  }

  /** To be emitted again, after a wait that grows with its failures. */
  again(id: number): void {
    this.#again.add(id, this.#entries[id]!.failures)
  }

  /** Id of a record that is to be emitted again now, or undefined. */
  takeDue(): number | undefined {
    return this.#again.take()
  }
}

/** What a record that is kept costs in memory, about; in bytes. */
export function recordWeight({ key, value, headers }: KafkaRecord): number {
  let bytes = RECORD_BYTES + (key?.length ?? 0) + (value?.length ?? 0)
  for (const [name, content] of headers) bytes += name.length + (content?.length ?? 0)
  return bytes
}

/** The record with bytes of its own, where it was cut from a large answer. */
export function detached(record: KafkaRecord): KafkaRecord {
  const { key, value } = record
  const whole = (value ?? key)?.buffer.byteLength ?? 0
  if (whole <= KEPT_WHOLE_BYTES) return record
  const { topic, partition, offset, timestampMs, headers } = record
  return {
    topic,
    partition,
    offset,
    timestampMs,
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    headers:
      headers.length === 0
        ? headers
        : headers.map(([name, content]) => [name, content === null ? null : Buffer.from(content)]),
  }
}
