// Commits where the partitions of a source stand: every so often, one commit at a time, only what has moved. What is committed is what
// is done, never what was only read. A commit that fails is told and tried again with the next one.
import { asError } from 'gearpump/spi'
import type { CommittedOffset, KafkaClient, TopicPartition } from './client.ts'
import { placeOf } from './kafka-errors.ts'
import { type OffsetLedger, writeMetadata } from './offset-ledger.ts'

export interface Ledgered {
  readonly at: TopicPartition
  /** Of the topic that the offsets are of; undefined = no broker told it. */
  readonly topicId: string | undefined
  readonly ledger: OffsetLedger
}

export interface CommitSettings {
  readonly groupId: string
  readonly metadataBytes: number
  readonly startedS: number
}

/** Of so many partitions the lag is told each by itself: those that are furthest behind. */
const LAGS_TOLD = 100

/** Records not done yet, up to where each partition ends; `endOf` gives -1 where that is not known. */
export function lagOf(
  partitions: ReadonlyMap<string, Ledgered>,
  endOf: (at: TopicPartition) => number,
): { total: number; byPartition: Record<string, number> } {
  const lags: [string, number][] = []
  let total = 0
  for (const [place, { at, ledger }] of partitions) {
    const end = endOf(at)
    if (end < 0) continue
    const lag = Math.max(0, end - ledger.low)
    lags.push([place, lag])
    total += lag
  }
  if (lags.length > LAGS_TOLD) lags.sort((a, b) => b[1] - a[1]).splice(LAGS_TOLD)
  return { total, byPartition: Object.fromEntries(lags) }
}

export class OffsetCommits {
  readonly #client: KafkaClient
  readonly #settings: CommitSettings
  readonly #report: (error: Error) => void
  readonly #committed = new Map<string, string>()
  #running: Promise<void> | undefined = undefined
  #failures = 0

  constructor(client: KafkaClient, settings: CommitSettings, report: (error: Error) => void) {
    this.#client = client
    this.#settings = settings
    this.#report = report
  }

  /** Commits what has moved since the last commit, unless one is under way. Never rejects. */
  async commit(partitions: Iterable<Ledgered>): Promise<void> {
    if (this.#running !== undefined) return
    const moved = this.#moved(partitions)
    if (moved.length === 0) return
    this.#running = this.#send(moved)
    await this.#running
    this.#running = undefined
  }

  /** The last one: waits for the one under way. */
  async finish(partitions: Iterable<Ledgered>): Promise<void> {
    await this.#running
    await this.commit(partitions)
  }

  #moved(partitions: Iterable<Ledgered>): CommittedOffset[] {
    const { startedS, metadataBytes } = this.#settings
    const moved: CommittedOffset[] = []
    for (const { at, topicId, ledger } of partitions) {
      const metadata = writeMetadata(ledger, { startedS, topicId, bytesMax: metadataBytes })
      const offset = ledger.low
      if (this.#committed.get(placeOf(at.topic, at.partition)) === `${offset} ${metadata}`) continue
      moved.push({ topic: at.topic, partition: at.partition, offset, metadata })
    }
    return moved
  }

  async #send(moved: readonly CommittedOffset[]): Promise<void> {
    try {
      const gone = await this.#client.commit(this.#settings.groupId, moved)
      this.#failures = 0
      for (const { topic, partition, offset, metadata } of moved)
        this.#committed.set(placeOf(topic, partition), `${offset} ${metadata}`)
      // Of a topic that is made anew, its next commit counts.
      for (const { topic, partition } of gone) this.#committed.delete(placeOf(topic, partition))
    } catch (error) {
      const times = ++this.#failures
      if ((times & (times - 1)) === 0) this.#report(asError(error))
    }
  }
}
