// Commits what is finished, for all partitions of a task with one call: now and then, before partitions go to another
// task, and at the end. Never two calls at a time, so that an older position cannot overtake a newer one.
import type { KafkaClient, TopicPartition } from 'gearpump/kafka'
import { EngineError } from 'gearpump/spi'
import type { CommitPoint } from './offset-ledger.ts'
import { partitionName, type SpoutPartition } from './spout-partition.ts'

export class OffsetCommits {
  readonly #client: KafkaClient
  readonly #groupId: string
  readonly #metadata: (topicId: string | undefined) => string
  #last: Promise<void> = Promise.resolve()

  constructor(
    client: KafkaClient,
    group: { groupId: string; metadata: (topicId: string | undefined) => string },
  ) {
    this.#client = client
    this.#groupId = group.groupId
    this.#metadata = group.metadata
  }

  /** What is finished when its turn comes. Rejects with what the client said; the next one tries again. */
  commit(partitions: readonly SpoutPartition[]): Promise<void> {
    return this.#inTurn(() => this.#commitFinished(partitions))
  }

  /** Positions that were read but not emitted yet: AT_MOST_ONCE. */
  commitAhead(positions: ReadonlyMap<SpoutPartition, number>): Promise<void> {
    const offsets = [...positions].map(([at, offset]) => this.#offset(at, offset))
    return this.#inTurn(async () => {
      const gone = await this.#client.commit(this.#groupId, offsets)
      if (gone.length > 0) throw notCommitted(gone)
    })
  }

  #inTurn(call: () => Promise<void>): Promise<void> {
    const result = this.#last.then(call)
    // The caller gets the failure; whoever is next only waits for the end of it.
    this.#last = result.catch(() => undefined)
    return result
  }

  async #commitFinished(partitions: readonly SpoutPartition[]): Promise<void> {
    const points: [SpoutPartition, CommitPoint][] = []
    for (const partition of partitions) {
      if (partition.ledger.isClosed) continue
      const point = partition.ledger.commitPoint()
      if (point !== undefined) points.push([partition, point])
    }
    if (points.length === 0) return
    const offsets = points.map(([partition, { offset }]) => this.#offset(partition, offset))
    // A topic that was deleted is not there to be committed for; that must not keep back the others.
    const gone = new Set((await this.#client.commit(this.#groupId, offsets)).map(partitionName))
    for (const [partition, point] of points) {
      if (!gone.has(partition.name)) partition.ledger.noteCommitted(point)
    }
  }

  #offset({ topic, partition, topicId }: SpoutPartition, offset: number) {
    return { topic, partition, offset, metadata: this.#metadata(topicId) }
  }
}

function notCommitted(gone: readonly TopicPartition[]): EngineError {
  const names = gone.map(partitionName).join(', ')
  return new EngineError('KAFKA_FAILED', `${names} cannot be committed: not in this cluster`, {
    hint: 'was the topic deleted? It is looked for again',
    details: { partitions: names, retriable: true },
  })
}
