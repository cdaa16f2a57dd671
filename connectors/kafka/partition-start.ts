// Where each partition begins: at the position that the engine kept, at what the group has committed, or where `from` says. A start that
// follows so soon on another one that the engine can have kept no position yet goes on where that one stood: a crash in the
// first moments must not move "latest".
import type { SourceSpiContext } from 'gearpump/spi'
import { asError, EngineError } from 'gearpump/spi'
import type { CommittedOffset, KafkaClient, OffsetPlace, TopicPartition } from './client.ts'
import { brokerErrorName, placeOf } from './kafka-errors.ts'
import { readMetadata, type Standing, together } from './offset-ledger.ts'
import { type DealtPartition, isOtherTopic } from './partition-dealing.ts'
import type { KafkaSourceSettings } from './source-options.ts'

/** Of a group whose coordinator is not there yet: brokers that have just come up need some time to make the topic of the offsets. */
const YOUNG = new Set<unknown>([
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
])
/** The client itself tries for ten seconds each time, with waits: two minutes in all. */
const COORDINATOR_TRIES = 12

/** Positions are told each second; this is far beyond. */
const RESUME_WITHIN_S = 60

/** What `position()` gives: plain data. */
export interface KafkaPosition {
  readonly version: 1
  readonly startedS: number
  readonly partitions: readonly KeptPartition[]
}

type KeptPartition = TopicPartition & Standing & { readonly topicId?: string | undefined }

/** Where a partition begins. `remade`: all that is known of it is of a former topic of this name. */
export interface PartitionBeginning {
  readonly standing: Standing
  readonly remade: boolean
}

/** The position of an earlier life; undefined: there was none; null: it is of another kind of source. */
export function readPosition(
  position: SourceSpiContext['position'],
): KafkaPosition | null | undefined {
  if (position === undefined || position === null) return undefined
  const { version, startedS, partitions } = position as Partial<KafkaPosition>
  const known = version === 1 && typeof startedS === 'number' && Array.isArray(partitions)
  return known ? (position as KafkaPosition) : null
}

export interface Beginning {
  /** When this run of the source began, in its first life. */
  readonly startedS: number
  readonly position: KafkaPosition | undefined
  /** The partitions were found while the run went on, not at its start. */
  readonly late: boolean
}

/** What a start that must wait needs of its source's context. */
export type StartContext = Pick<SourceSpiContext, 'report'>

export class PartitionStart {
  readonly #client: KafkaClient
  readonly #settings: KafkaSourceSettings
  readonly #context: StartContext

  constructor(client: KafkaClient, settings: KafkaSourceSettings, context: StartContext) {
    this.#client = client
    this.#settings = settings
    this.#context = context
  }

  /** Where each of the partitions begins, by name. */
  async of(
    partitions: readonly DealtPartition[],
    beginning: Beginning,
  ): Promise<Map<string, PartitionBeginning>> {
    const standings = new Map<string, PartitionBeginning>()
    if (partitions.length === 0) return standings
    const committed = await this.#committed(partitions, beginning.late)
    const commits = new Map(committed.map(one => [placeOf(one.topic, one.partition), one]))
    const kept = new Map(
      beginning.position?.partitions.map(one => [placeOf(one.topic, one.partition), one]),
    )
    const fresh: TopicPartition[] = []
    const remade: TopicPartition[] = []
    for (const one of partitions) {
      const place = placeOf(one.topic, one.partition)
      const { standing, isFormer } = this.#known(
        one,
        kept.get(place),
        commits.get(place),
        beginning,
      )
      if (standing !== undefined) standings.set(place, { standing, remade: false })
      else if (isFormer) remade.push(one)
      else fresh.push(one)
    }
    for (const [place, low] of await this.#begin(fresh, beginning.late))
      standings.set(place, { standing: { low, runs: [] }, remade: false })
    const { onOffsetGone } = this.#settings
    const again = onOffsetGone === 'latest' ? 'latest' : 'earliest'
    const found = remade.length === 0 ? [] : await this.#client.offsets(again, remade)
    for (const { topic, partition, offset } of found) {
      const standing = { low: offset, runs: [] }
      standings.set(placeOf(topic, partition), { standing, remade: true })
    }
    return standings
  }

  // A coordinator that is still to come is waited for at a start, and told of; later the next look comes anyway.
  async #committed(
    partitions: readonly DealtPartition[],
    late: boolean,
  ): Promise<readonly CommittedOffset[]> {
    const { groupId } = this.#settings
    for (let tries = 1; ; tries++) {
      try {
        return await this.#client.committed(groupId, partitions)
      } catch (error) {
        const waits = YOUNG.has(brokerErrorName(error)) && !late && tries < COORDINATOR_TRIES
        if (!waits) throw error
        if (tries === 1) this.#context.report(coordinatorAwaited(groupId, asError(error)))
      }
    }
  }

  // What counts of the two accounts. One that is of a former topic of this name does not.
  #known(
    { topicId }: DealtPartition,
    kept: KeptPartition | undefined,
    commit: CommittedOffset | undefined,
    beginning: Beginning,
  ): { standing: Standing | undefined; isFormer: boolean } {
    const read = commit === undefined ? undefined : readMetadata(commit.offset, commit.metadata)
    const isKeptFormer = isOtherTopic(kept?.topicId, topicId)
    const isCommitFormer = isOtherTopic(read?.topicId, topicId)
    const standing = this.#resumed(
      isKeptFormer ? undefined : kept,
      isCommitFormer ? undefined : commit,
      beginning,
    )
    return { standing, isFormer: isKeptFormer || isCommitFormer }
  }

  #resumed(
    kept: Standing | undefined,
    commit: CommittedOffset | undefined,
    { startedS }: Beginning,
  ): Standing | undefined {
    const read = commit === undefined ? undefined : readMetadata(commit.offset, commit.metadata)
    if (kept !== undefined) {
      // A commit of an earlier run may be far ahead of a run that reads everything again.
      return read?.startedS === startedS ? together(kept, read) : kept
    }
    if (this.#settings.from === 'committed')
      return read ?? (commit === undefined ? undefined : { low: commit.offset, runs: [] })
    return read !== undefined && Math.abs(read.startedS - startedS) <= RESUME_WITHIN_S
      ? read
      : undefined
  }

  async #begin(
    fresh: readonly TopicPartition[],
    late: boolean,
  ): Promise<(readonly [string, number])[]> {
    if (fresh.length === 0) return []
    const { from, otherwise } = this.#settings
    if (!late && typeof from === 'object' && 'offset' in from)
      return fresh.map(one => [placeOf(one.topic, one.partition), from.offset])
    const found = await this.#client.offsets(placeOfStart(from, otherwise, late), fresh)
    return found.map(one => [placeOf(one.topic, one.partition), one.offset])
  }
}

// What appears later is read whole, or something would be lost between its making and its finding.
function placeOfStart(
  from: KafkaSourceSettings['from'],
  otherwise: OffsetPlace,
  late: boolean,
): OffsetPlace {
  if (typeof from === 'object') return 'timestampMs' in from ? from : 'earliest'
  if (late) return 'earliest'
  return from === 'committed' ? otherwise : from
}

function coordinatorAwaited(groupId: string, cause: Error): EngineError {
  return new EngineError(
    'KAFKA_FAILED',
    `the start waits for the coordinator of the group ${groupId}: ${cause.message}`,
    {
      hint: 'brokers that have just come up need some time; if it lasts, look at the topic __consumer_offsets',
      details: { groupId },
      cause,
    },
  )
}
