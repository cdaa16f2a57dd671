// Where each partition begins: at the position that the engine kept, at what the group has committed, or where `from` says. A start that
// follows so soon on another one that the engine can have kept no position yet goes on where that one stood: a crash in the
// first moments must not move "latest".
import type { SourceSpiContext } from 'gearpump/spi'
import type { CommittedOffset, KafkaClient, OffsetPlace, TopicPartition } from './client.ts'
import { placeOf } from './kafka-errors.ts'
import { readMetadata, type Standing, together } from './offset-ledger.ts'
import type { KafkaSourceSettings } from './source-options.ts'

/** Positions are told each second; this is far beyond. */
const RESUME_WITHIN_S = 60

/** What `position()` gives: plain data. */
export interface KafkaPosition {
  readonly version: 1
  readonly startedS: number
  readonly partitions: readonly (TopicPartition & Standing)[]
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

export class PartitionStart {
  readonly #client: KafkaClient
  readonly #settings: KafkaSourceSettings

  constructor(client: KafkaClient, settings: KafkaSourceSettings) {
    this.#client = client
    this.#settings = settings
  }

  /** Where each of the partitions begins, by name. */
  async of(
    partitions: readonly TopicPartition[],
    beginning: Beginning,
  ): Promise<Map<string, Standing>> {
    const standings = new Map<string, Standing>()
    if (partitions.length === 0) return standings
    const { groupId } = this.#settings
    const committed = await this.#client.committed(groupId, partitions)
    const commits = new Map(committed.map(one => [placeOf(one.topic, one.partition), one]))
    const kept = new Map(
      beginning.position?.partitions.map(one => [placeOf(one.topic, one.partition), one]),
    )
    const fresh: TopicPartition[] = []
    for (const one of partitions) {
      const place = placeOf(one.topic, one.partition)
      const found = this.#resumed(kept.get(place), commits.get(place), beginning)
      if (found === undefined) fresh.push(one)
      else standings.set(place, found)
    }
    for (const [place, low] of await this.#begin(fresh, beginning.late))
      standings.set(place, { low, runs: [] })
    return standings
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
