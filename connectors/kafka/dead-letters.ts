// Where records go that cannot be worked on: to a topic of their own, as they were, with the reason in headers. A record counts as done
// only when the broker has its copy; until then it is tried again, and stays open.
import type { KafkaClient, KafkaHeader, KafkaRecord, ProducedRecord } from './client.ts'
import { kafkaFailed } from './kafka-errors.ts'

/** Why, and where it came from. Values are text. */
const PREFIX = 'gearpump.'
/** A header is for people; a stack trace is not needed there. */
const REASON_CHARS_MAX = 1000

export class DeadLetters {
  readonly #client: KafkaClient
  readonly #topic: string
  #partitions = 0

  constructor(client: KafkaClient, topic: string) {
    this.#client = client
    this.#topic = topic
  }

  /** Resolves when the broker has it. */
  async send(record: KafkaRecord, reason: Error, failures: number): Promise<void> {
    if (this.#partitions === 0) {
      const [found] = await this.#client.topics([this.#topic])
      if (found === undefined) {
        throw kafkaFailed(
          `there is no topic ${this.#topic} for dead letters`,
          'make it; what should go there waits meanwhile',
          { topic: this.#topic, retriable: true },
        )
      }
      this.#partitions = found.partitions.length
    }
    const partition = record.partition % this.#partitions
    await this.#client.produce({
      topic: this.#topic,
      partition,
      records: [letterOf(record, reason, failures)],
    })
  }
}

function letterOf(record: KafkaRecord, reason: Error, failures: number): ProducedRecord {
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
