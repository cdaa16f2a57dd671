// Topics that are deleted while they are read, and perhaps made anew under the same name. Brokers answer by name, so the new one would
// be read on from the old offset as if nothing had happened; its id tells it apart. Looked at with each refresh, and whenever
// leaders are asked for. Never silently: what was known of the former topic counts no more, and by whose order reading goes on.
import { asError, type EngineError } from 'gearpump/spi'
import type { TopicInfo, TopicPartition } from './client.ts'
import { placeOf, topicDeleted, topicRemade } from './kafka-errors.ts'
import { OffsetLedger } from './offset-ledger.ts'
import { isOtherTopic } from './partition-dealing.ts'
import type { TroubledOwner, TroubleParts } from './partition-troubles.ts'

const RETRY_MS = 1000

export class TopicChanges {
  readonly #owner: TroubledOwner
  readonly #parts: TroubleParts
  /** Partitions that are about to begin anew. */
  readonly #beginning = new Set<string>()
  /** Topics that the last look did not find. */
  #missing: ReadonlySet<string> = new Set()

  constructor(owner: TroubledOwner, parts: TroubleParts) {
    this.#owner = owner
    this.#parts = parts
  }

  /** Compares what is read with what is there now: all topics of the source. */
  compare(topics: readonly TopicInfo[]): void {
    const ids = new Map(topics.map(({ topic, id }) => [topic, id]))
    const missing = new Set<string>()
    for (const { at, topicId } of [...this.#parts.partitions.values()]) {
      const id = ids.get(at.topic)
      if (!ids.has(at.topic)) missing.add(at.topic)
      else if (isOtherTopic(topicId, id)) this.remade(at, id!)
    }
    // A named topic is waited for. One of a pattern is let go when it is missed twice: a young broker may not know all.
    if (this.#parts.settings.choice instanceof RegExp) {
      for (const topic of missing) if (this.#missing.has(topic)) this.#drop(topic)
    }
    this.#missing = missing
  }

  remade({ topic, partition }: TopicPartition, topicId: string): void {
    const at = { topic, partition }
    const place = placeOf(topic, partition)
    const held = this.#parts.partitions.get(place)
    if (held === undefined || this.#beginning.has(place)) return
    if (!isOtherTopic(held.topicId, topicId)) return
    this.#beginning.add(place)
    this.#parts.fetcher.halt(at)
    this.#owner.run(() => this.#beginAnew(at, topicId))
  }

  async #beginAnew(at: TopicPartition, topicId: string): Promise<void> {
    const { settings, client, fetcher, partitions } = this.#parts
    const place = placeOf(at.topic, at.partition)
    const from = partitions.get(place)?.ledger.cursor
    try {
      if (settings.onOffsetGone === 'fail') {
        this.#owner.report(topicRemade(at, from, undefined))
        return
      }
      const [found] = await client.offsets(settings.onOffsetGone, [at])
      const to = found!.offset
      this.#owner.report(topicRemade(at, from, to))
      // What is open of the former topic ends in its own ledger, and is committed no more.
      partitions.set(place, { at, topicId, ledger: new OffsetLedger({ low: to, runs: [] }) })
      this.#beginning.delete(place)
      fetcher.seek(at, to, topicId)
    } catch (error) {
      this.#owner.report(asError(error) as EngineError)
      this.#owner.after(RETRY_MS, () => this.#owner.run(() => this.#beginAnew(at, topicId)))
    }
  }

  #drop(topic: string): void {
    const { fetcher, partitions } = this.#parts
    const gone = [...partitions].filter(([, { at }]) => at.topic === topic)
    for (const [place, { at }] of gone) {
      fetcher.unassign(at)
      partitions.delete(place)
      this.#beginning.delete(place)
    }
    this.#owner.report(topicDeleted(topic, gone.length))
  }
}
