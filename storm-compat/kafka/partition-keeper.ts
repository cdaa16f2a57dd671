// Which partitions this task has, kept true: asks for topics now and then, takes new partitions with the offset where
// each begins, and lets go of those that another task reads now. Commits are the caller's; it is asked before a
// partition goes.
import { type CommittedOffset, isOtherTopic, type KafkaClient } from 'gearpump/kafka'
import { type LedPartition, partitionsOf } from './assignment.ts'
import { readMetadata } from './commit-metadata.ts'
import { type Start, startOf } from './first-poll.ts'
import type { KafkaSpoutSettings } from './spout-options.ts'
import { partitionName, SpoutPartition, WaitingBytes } from './spout-partition.ts'

export interface KeeperTask {
  /** Storm's id of the topology. */
  readonly topologyId: string
  readonly index: number
  readonly count: number
  /** What is written beside each commit. */
  readonly metadata: (topicId: string | undefined) => string
}

/** A partition whose topic was deleted and made anew. */
export interface RemadePartition {
  readonly partition: SpoutPartition
  readonly topicId: string
}

export class PartitionKeeper {
  readonly #client: KafkaClient
  readonly #settings: KafkaSpoutSettings
  readonly #task: KeeperTask
  /** What waits of all its partitions. */
  readonly waiting = new WaitingBytes()
  #partitions = new Map<string, SpoutPartition>()

  constructor(client: KafkaClient, settings: KafkaSpoutSettings, task: KeeperTask) {
    this.#client = client
    this.#settings = settings
    this.#task = task
  }

  get partitions(): readonly SpoutPartition[] {
    return [...this.#partitions.values()]
  }

  /** Throws what the client throws; nothing has changed then, except for partitions that were lost. */
  async refresh(beforeLoss: (lost: readonly SpoutPartition[]) => Promise<void>): Promise<{
    readonly gained: number
    readonly lost: number
    readonly missing: readonly string[]
    readonly remade: readonly RemadePartition[]
  }> {
    const topics = await this.#client.topics(this.#settings.topics)
    const wanted = partitionsOf(topics, this.#task)
    const names = new Set(wanted.map(partitionName))
    const missing = this.#missing(topics.map(({ topic }) => topic))
    // A topic that a broker does not know for a moment is not given up: nobody else would read it.
    const lost = this.partitions.filter(p => !names.has(p.name) && !missing.includes(p.topic))
    if (lost.length > 0) {
      await beforeLoss(lost)
      for (const partition of lost) {
        partition.close()
        this.#partitions.delete(partition.name)
      }
    }
    const fresh = wanted.filter(at => !this.#partitions.has(partitionName(at)))
    for (const partition of await this.#begin(fresh)) {
      this.#partitions.set(partition.name, partition)
    }
    const remade: RemadePartition[] = []
    for (const { leader, topicId, ...at } of wanted) {
      const kept = this.#partitions.get(partitionName(at))
      if (kept === undefined) continue
      if (isOtherTopic(kept.topicId, topicId)) {
        // Not read on: the new topic may have records at the old offset.
        kept.restUntilMs = Number.POSITIVE_INFINITY
        kept.leader = leader
        remade.push({ partition: kept, topicId: topicId! })
      } else if (kept.leader !== leader) {
        kept.leader = leader
        kept.restUntilMs = 0
      }
    }
    return { gained: fresh.length, lost: lost.length, missing, remade }
  }

  /** The partition begins anew at `offset`, which may lie before where it was: the topic was made again. */
  restart(partition: SpoutPartition, offset: number, topicId = partition.topicId): void {
    partition.close()
    const { topic, partition: number, leader } = partition
    const at = { topic, partition: number, leader, topicId }
    const again = new SpoutPartition(at, offset, this.waiting)
    this.#partitions.set(partition.name, again)
  }

  #missing(found: readonly string[]): readonly string[] {
    const { topics } = this.#settings
    return topics instanceof RegExp ? [] : topics.filter(topic => !found.includes(topic))
  }

  async #begin(fresh: readonly LedPartition[]): Promise<readonly SpoutPartition[]> {
    if (fresh.length === 0) return []
    const committed = await this.#client.committed(this.#settings.groupId, fresh)
    const byName = new Map(committed.map(offset => [partitionName(offset), offset]))
    const starts = fresh.map(at => ({ at, start: this.#startOf(byName.get(partitionName(at))) }))
    const offsets = await this.#offsetsOf(starts)
    return starts.map(({ at, start }) => {
      const offset = 'offset' in start ? start.offset : offsets.get(partitionName(at))!
      const former = readMetadata(byName.get(partitionName(at))?.metadata ?? '')?.topicId
      // Of a former topic, the offset says nothing: it is told from the partition that is there.
      const topicId = isOtherTopic(former, at.topicId) && 'offset' in start ? former : at.topicId
      return new SpoutPartition({ ...at, topicId }, offset, this.waiting)
    })
  }

  #startOf(committed: CommittedOffset | undefined): Start {
    const { strategy, startTimestampMs } = this.#settings
    const { topologyId } = this.#task
    return startOf({ strategy, startTimestampMs, topologyId, committed })
  }

  async #offsetsOf(
    starts: readonly { at: LedPartition; start: Start }[],
  ): Promise<ReadonlyMap<string, number>> {
    const placed = starts.flatMap(({ at, start }) =>
      'place' in start ? [{ at, place: start.place }] : [],
    )
    const place = placed[0]?.place
    // Of one spout all have the same place: its strategy says it.
    if (place === undefined) return new Map()
    const offsets = await this.#client.offsets(
      place,
      placed.map(({ at }) => at),
    )
    if (place !== 'earliest' && this.#settings.guarantee === 'AT_LEAST_ONCE') {
      // Committed at once: a task that starts again before its first commit would skip what came meanwhile.
      const ids = new Map(placed.map(({ at }) => [partitionName(at), at.topicId]))
      await this.#client.commit(
        this.#settings.groupId,
        offsets.map(({ topic, partition, offset }) => {
          const metadata = this.#task.metadata(ids.get(partitionName({ topic, partition })))
          return { topic, partition, offset, metadata }
        }),
      )
    }
    return new Map(offsets.map(offset => [partitionName(offset), offset.offset]))
  }
}
