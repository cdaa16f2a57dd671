// Where records go that cannot be worked on: to a topic of their own, as they were, with the reason in headers. A record counts as done
// only when the broker has its copy; until then it stays open and is tried again. Letters of one partition go in batches, one
// batch at a time, so that a topic full of bad records is no storm of requests, and its trouble no storm of reports.
import { asError } from 'gearpump/spi'
import type { KafkaClient, KafkaHeader, KafkaRecord, ProducedRecord } from './client.ts'
import { kafkaFailed } from './kafka-errors.ts'
import { PartitionOutbox } from './partition-outbox.ts'

/** Why, and where it came from. Values are text. */
const PREFIX = 'gearpump.'
/** A header is for people; a stack trace is not needed there. */
const REASON_CHARS_MAX = 1000
/** What could not be written, or has no topic yet, waits so long. */
const RETRY_MS = 1000
const BATCH_BYTES = 512 * 1024

export interface LetterParts {
  readonly client: KafkaClient
  readonly topic: string
  after(delayMs: number, fn: () => void): { cancel(): void }
  report(error: Error): void
}

/** What is told with a letter. */
export interface LetterReason {
  readonly reason: Error
  readonly failures: number
}

interface Letter {
  readonly from: number
  readonly record: ProducedRecord
  readonly sent: () => void
}

export class DeadLetters {
  readonly #parts: LetterParts
  #outboxes: readonly PartitionOutbox[] | undefined = undefined
  /** Letters that no outbox has: open records all of them, so there are never more than of those. */
  #waiting: Letter[] = []
  #looking = false
  #failures = 0
  #closed = false

  constructor(parts: LetterParts) {
    this.#parts = parts
  }

  /** Calls `sent` when the broker has it; never after `close`. */
  send(record: KafkaRecord, why: LetterReason, sent: () => void): void {
    this.#waiting.push({ from: record.partition, record: letterOf(record, why), sent })
    this.#post()
  }

  /** One last try of what waits; resolves when nothing is under way. The client must be closed meanwhile. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all((this.#outboxes ?? []).map(outbox => outbox.finish()))
  }

  #post(): void {
    const outboxes = this.#outboxes
    if (outboxes === undefined) {
      if (!this.#looking) void this.#look()
      return
    }
    for (const letter of this.#waiting.splice(0)) {
      const { from, record, sent } = letter
      outboxes[from % outboxes.length]!.add(record, {
        open: true,
        release: () => {
          if (!this.#closed) sent()
        },
        fail: () => this.#again(letter),
      })
    }
  }

  // Never rejects.
  async #look(): Promise<void> {
    this.#looking = true
    const { client, topic } = this.#parts
    try {
      const [found] = await client.topics([topic])
      if (found === undefined) throw noTopic(topic)
      this.#outboxes = found.partitions.map(
        ({ partition }) => new PartitionOutbox({ topic, partition }, this.#outboxParts()),
      )
      this.#failures = 0
    } catch (error) {
      const times = ++this.#failures
      if (!this.#closed && (times & (times - 1)) === 0) this.#parts.report(asError(error))
    }
    this.#looking = false
    if (this.#closed || this.#waiting.length === 0) return
    if (this.#outboxes === undefined) this.#parts.after(RETRY_MS, () => this.#post())
    else this.#post()
  }

  #outboxParts() {
    const { client, after, report } = this.#parts
    const tell = (error: Error) => {
      if (!this.#closed) report(error)
    }
    return {
      client,
      batchBytes: BATCH_BYTES,
      lingerMs: 0,
      after,
      report: tell,
      freed: () => undefined,
    }
  }

  // Refused for good, or so it says: what is mended at the broker helps the next try.
  #again(letter: Letter): void {
    if (this.#closed) return
    this.#waiting.push(letter)
    if (this.#waiting.length === 1) this.#parts.after(RETRY_MS, () => this.#post())
  }
}

function noTopic(topic: string): Error {
  return kafkaFailed(
    `there is no topic ${topic} for dead letters`,
    'make it; what should go there waits meanwhile',
    { topic, retriable: true },
  )
}

function letterOf(record: KafkaRecord, { reason, failures }: LetterReason): ProducedRecord {
  const { key, value, timestampMs, headers, topic, partition, offset } = record
  const told = {
    reason: reason.message.slice(0, REASON_CHARS_MAX),
    topic,
    partition,
    offset,
    timestampMs,
    failures,
  }
  const added = Object.entries(told).map(
    ([name, text]): KafkaHeader => [`${PREFIX}${name}`, Buffer.from(String(text))],
  )
  return { key, value, headers: [...headers, ...added] }
}
