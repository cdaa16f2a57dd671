// What a Kafka source does where a partition cannot simply go on: the offset is gone, a batch does not read, or a record is one too many.
// Never silently: what is missing is named, and by whose order it is passed over.
import { asError, EngineError } from 'gearpump/spi'
import type { FetchProblem, KafkaClient, TopicPartition } from './client.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { Fetcher } from './fetcher.ts'
import { offsetGone, placeOf } from './kafka-errors.ts'
import type { Ledgered } from './offset-commits.ts'
import { OffsetLedger } from './offset-ledger.ts'
import type { KafkaSourceSettings } from './source-options.ts'

/** Wait before a broker, or the dead letters, are tried again. */
const RETRY_MS = 1000

export interface TroubledOwner {
  report(error: EngineError): void
  after(delayMs: number, fn: () => void): void
  /** Something that takes its time; `close` waits for it. */
  run(fn: () => Promise<void>): void
  halted(at: TopicPartition): void
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

  constructor(owner: TroubledOwner, parts: TroubleParts) {
    this.#owner = owner
    this.#parts = parts
  }

  stuck(at: TopicPartition, kind: FetchProblem, error: EngineError, after: number): void {
    if (kind === 'out-of-range') this.#owner.run(() => this.#offsetGone(at, error))
    else if (this.#parts.settings.onPoison === 'fail') this.halt(at, error)
    else this.#owner.run(() => this.#passCorrupt(at, error, after))
  }

  /** The partition rests until the next start: what is open of it goes on, nothing new is read. */
  halt({ topic, partition }: TopicPartition, reason: EngineError): void {
    const at = { topic, partition }
    this.#parts.fetcher.pause(at)
    this.#owner.halted(at)
    this.#owner.report(
      new EngineError(reason.code, `${reason.message}; nothing more of this partition is read`, {
        hint: 'mend the cause and start again, or choose another onPoison or onOffsetGone',
        details: reason.details,
        cause: reason,
      }),
    )
  }

  // A batch that does not read is passed over as a whole; a dead letter tells of it, without its bytes.
  async #passCorrupt(at: TopicPartition, error: EngineError, after: number): Promise<void> {
    const offset = Number(error.details.offset)
    this.#owner.report(error)
    const record = { ...at, offset, timestampMs: Date.now(), key: null, value: null, headers: [] }
    const { settings, letters, fetcher } = this.#parts
    try {
      if (settings.onPoison === 'dead-letter') await letters!.send(record, error, 0)
      fetcher.seek(at, after)
    } catch (failure) {
      this.#owner.report(asError(failure) as EngineError)
      this.#again(() => this.#passCorrupt(at, error, after))
    }
  }

  // The offset to go on at is not in the partition.
  async #offsetGone(at: TopicPartition, error: EngineError): Promise<void> {
    const { settings, client, fetcher, partitions } = this.#parts
    const place = placeOf(at.topic, at.partition)
    try {
      const [earliest] = await client.offsets('earliest', [at])
      const [latest] = await client.offsets('latest', [at])
      const held = partitions.get(place)
      if (held === undefined || earliest === undefined || latest === undefined) return
      const from = held.ledger.cursor
      const ends = { earliest: earliest.offset, latest: latest.offset }
      if (settings.onOffsetGone === 'fail') {
        this.halt(at, offsetGone(at, from, ends, undefined, error))
        return
      }
      const to = ends[settings.onOffsetGone]
      this.#owner.report(offsetGone(at, from, ends, to, error))
      // Behind the end: the topic was made anew, so what was known of it says nothing.
      if (from > ends.latest)
        partitions.set(place, { at, ledger: new OffsetLedger({ low: to, runs: [] }) })
      else held.ledger.pass(to)
      fetcher.seek(at, to)
    } catch (failure) {
      this.#owner.report(asError(failure) as EngineError)
      this.#again(() => this.#offsetGone(at, error))
    }
  }

  #again(fn: () => Promise<void>): void {
    this.#owner.after(RETRY_MS, () => this.#owner.run(fn))
  }
}
