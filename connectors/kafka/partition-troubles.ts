// What a Kafka source does where a partition cannot simply go on: the offset is gone, a batch does not read, or a record is one too many.
// Never silently: what is missing is named, and by whose order it is passed over.
import { asError, EngineError } from 'gearpump/spi'
import type { FetchProblem, KafkaClient, TopicPartition } from './client.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { Fetcher } from './fetcher.ts'
import { offsetGone, placeOf } from './kafka-errors.ts'
import type { Ledgered } from './offset-commits.ts'
import { OffsetLedger } from './offset-ledger.ts'
import { isOtherTopic } from './partition-dealing.ts'
import type { KafkaSourceSettings } from './source-options.ts'

/** Wait before a broker, or the dead letters, are tried again. */
const RETRY_MS = 1000

export interface TroubledOwner {
  report(error: EngineError): void
  after(delayMs: number, fn: () => void): void
  /** Something that takes its time; `close` waits for it. */
  run(fn: () => Promise<void>): void
  halted(at: TopicPartition): void
  /** Its topic was deleted and made anew. */
  remade(at: TopicPartition, topicId: string): void
}

export interface TroubleParts {
  readonly settings: KafkaSourceSettings
  readonly client: KafkaClient
  readonly fetcher: Fetcher
  readonly letters: DeadLetters | undefined
  readonly partitions: Map<string, Ledgered>
}

export class PartitionTroubles {
  readonly #owner: TroubledOwner
  readonly #parts: TroubleParts
  /** Partitions that rest. */
  readonly #halted = new Set<string>()

  constructor(owner: TroubledOwner, parts: TroubleParts) {
    this.#owner = owner
    this.#parts = parts
  }

  stuck(at: TopicPartition, kind: FetchProblem, error: EngineError, after: number): void {
    if (kind === 'out-of-range') this.#owner.run(() => this.#offsetGone(at, error, after))
    else if (this.#parts.settings.onPoison === 'fail') this.halt(at, error)
    else this.#passCorrupt(at, error, after)
  }

  /** The partition rests until the next start: what is open of it goes on, nothing new is read. Told once. */
  halt({ topic, partition }: TopicPartition, reason: EngineError): void {
    const at = { topic, partition }
    const place = placeOf(topic, partition)
    if (this.#halted.has(place)) return
    this.#halted.add(place)
    this.#parts.fetcher.halt(at)
    this.#owner.halted(at)
    this.#tellHalt(reason)
  }

  #tellHalt(reason: EngineError): void {
    this.#owner.report(
      new EngineError(reason.code, `${reason.message}; nothing more of this partition is read`, {
        hint: 'mend the cause and start again, or choose another onPoison or onOffsetGone',
        details: reason.details,
        cause: reason,
      }),
    )
  }

  // A batch that does not read is passed over as a whole; a dead letter tells of it, without its bytes.
  #passCorrupt(at: TopicPartition, error: EngineError, after: number): void {
    const offset = Number(error.details.offset)
    this.#owner.report(error)
    const record = { ...at, offset, timestampMs: Date.now(), key: null, value: null, headers: [] }
    const { settings, letters, fetcher } = this.#parts
    const pass = () => fetcher.seek(at, after)
    if (settings.onPoison === 'dead-letter')
      letters!.send(record, { reason: error, failures: 0 }, pass)
    else pass()
  }

  // The offset that was asked for is not in the partition. What was fetched below it is given out all the same.
  async #offsetGone(at: TopicPartition, error: EngineError, asked: number): Promise<void> {
    const { settings, client, fetcher, partitions } = this.#parts
    const place = placeOf(at.topic, at.partition)
    try {
      const [topic] = await client.topics([at.topic])
      if (isOtherTopic(partitions.get(place)?.topicId, topic?.id)) {
        this.#owner.remade(at, topic!.id!)
        return
      }
      const [earliest] = await client.offsets('earliest', [at])
      const [latest] = await client.offsets('latest', [at])
      const held = partitions.get(place)
      if (held === undefined || earliest === undefined || latest === undefined) return
      const ends = { earliest: earliest.offset, latest: latest.offset }
      if (settings.onOffsetGone === 'fail') {
        this.#tellHalt(offsetGone(at, asked, ends, undefined, error))
        return
      }
      const to = ends[settings.onOffsetGone]
      this.#owner.report(offsetGone(at, asked, ends, to, error))
      if (asked < ends.earliest) {
        fetcher.skip(at, to)
        return
      }
      // Behind the end, as it was then: the topic was made anew, or lost its end, so what was known of it says nothing.
      partitions.set(place, { ...held, ledger: new OffsetLedger({ low: to, runs: [] }) })
      fetcher.seek(at, to)
    } catch (failure) {
      this.#owner.report(asError(failure) as EngineError)
      this.#again(() => this.#offsetGone(at, error, asked))
    }
  }

  #again(fn: () => Promise<void>): void {
    this.#owner.after(RETRY_MS, () => this.#owner.run(fn))
  }
}
