// The requests of Kafka's protocol that are needed, each as its bytes and the reading of its answer, over whichever driver's connection.
// The libraries' own forms throw at the first failed partition and forget which one it was; these give every partition its own
// error. Versions are the newest before "flexible" ones: brokers from 2.3 to 4.x answer them.
import type { CommittedOffset, FetchLimits, FetchPosition, TopicPartition } from '../client.ts'
import type { NodeAddress } from './metadata-requests.ts'
import type { AbortedTransaction } from './record-batch.ts'
import type { WireReader, WireWriter } from './wire-bytes.ts'

export interface WireRequest<T> {
  readonly apiKey: number
  readonly apiVersion: number
  readonly name: string
  /** False: the broker sends no answer. */
  readonly answered: boolean
  readonly write: (writer: WireWriter) => void
  /** Reads the body of the answer. */
  readonly read: (reader: WireReader) => T
}

interface Api {
  readonly key: number
  readonly version: number
  readonly name: string
}

export function wireRequest<T>(
  { key, version, name }: Api,
  write: (writer: WireWriter) => void,
  read: (reader: WireReader) => T,
): WireRequest<T> {
  return { apiKey: key, apiVersion: version, name, answered: true, write, read }
}

/** By topic, in the order in which they came. */
export function byTopic<T extends TopicPartition>(partitions: readonly T[]): [string, T[]][] {
  const topics = new Map<string, T[]>()
  for (const one of partitions) {
    const of = topics.get(one.topic)
    if (of === undefined) topics.set(one.topic, [one])
    else of.push(one)
  }
  return [...topics]
}

export function writeByTopic<T extends TopicPartition>(
  writer: WireWriter,
  partitions: readonly T[],
  write: (one: T) => void,
): void {
  writer.list(byTopic(partitions), ([topic, of]) => {
    writer.text(topic).list(of, write)
  })
}

function readByTopic<T>(reader: WireReader, read: (topic: string, partition: number) => T): T[] {
  return reader
    .list(() => {
      const topic = reader.text()
      return reader.list(() => read(topic, reader.int32()))
    })
    .flat()
}

// ---- offsets

export interface PartitionAnswer extends TopicPartition {
  readonly error: number
}

export interface OffsetAnswer extends PartitionAnswer {
  readonly offset: number
}

/** `timestampMs` -2: the earliest, -1: the latest. */
export function listOffsetsRequest(
  timestampMs: number,
  partitions: readonly TopicPartition[],
  isolation: FetchLimits['isolation'],
): WireRequest<OffsetAnswer[]> {
  return wireRequest(
    { key: 2, version: 3, name: 'ListOffsets' },
    writer => {
      writer.int32(-1).int8(isolation === 'committed' ? 1 : 0)
      writeByTopic(writer, partitions, one => {
        writer.int32(one.partition).int64(timestampMs)
      })
    },
    reader => {
      reader.int32()
      return readByTopic(reader, (topic, partition) => {
        const error = reader.int16()
        reader.int64()
        return { topic, partition, error, offset: reader.int64() }
      })
    },
  )
}

export interface CoordinatorAnswer extends NodeAddress {
  readonly error: number
  readonly message: string | null
}

export function coordinatorRequest(
  key: string,
  kind: 'group' | 'transaction',
): WireRequest<CoordinatorAnswer> {
  return wireRequest(
    { key: 10, version: 2, name: 'FindCoordinator' },
    writer => void writer.text(key).int8(kind === 'group' ? 0 : 1),
    reader => {
      reader.int32()
      return {
        error: reader.int16(),
        message: reader.nullableText(),
        node: reader.int32(),
        host: reader.text(),
        port: reader.int32(),
      }
    },
  )
}

export interface CommittedAnswer {
  readonly error: number
  readonly partitions: readonly (OffsetAnswer & { metadata: string })[]
}

export function offsetFetchRequest(
  groupId: string,
  partitions: readonly TopicPartition[],
): WireRequest<CommittedAnswer> {
  return wireRequest(
    { key: 9, version: 5, name: 'OffsetFetch' },
    writer => {
      writer.text(groupId)
      writeByTopic(writer, partitions, one => void writer.int32(one.partition))
    },
    reader => {
      reader.int32()
      const found = readByTopic(reader, (topic, partition) => {
        const offset = reader.int64()
        reader.int32()
        const metadata = reader.text()
        return { topic, partition, offset, metadata, error: reader.int16() }
      })
      return { partitions: found, error: reader.int16() }
    },
  )
}

/** Generation -1 and no member: who commits has not joined the group. */
export function offsetCommitRequest(
  groupId: string,
  offsets: readonly CommittedOffset[],
): WireRequest<PartitionAnswer[]> {
  return wireRequest(
    { key: 8, version: 6, name: 'OffsetCommit' },
    writer => {
      writer.text(groupId).int32(-1).text('')
      writeByTopic(writer, offsets, one => {
        writer.int32(one.partition).int64(one.offset).int32(-1).text(one.metadata)
      })
    },
    readPartitionAnswers,
  )
}

export function readPartitionAnswers(reader: WireReader): PartitionAnswer[] {
  reader.int32()
  return readByTopic(reader, (topic, partition) => ({ topic, partition, error: reader.int16() }))
}

// ---- records

export interface FetchAnswer {
  readonly error: number
  readonly bytes: number
  readonly partitions: readonly FetchedBytes[]
}

export interface FetchedBytes extends PartitionAnswer {
  readonly logStart: number
  /** End of what was replicated, and of what is stable for readers of committed records. */
  readonly highWatermark: number
  readonly stableEnd: number
  readonly aborted: readonly AbortedTransaction[]
  readonly bytes: Buffer
}

export function fetchRequest(
  positions: readonly FetchPosition[],
  { bytesMin, bytesMax, waitMs, isolation }: FetchLimits,
): WireRequest<FetchAnswer> {
  return wireRequest(
    { key: 1, version: 11, name: 'Fetch' },
    writer => {
      writer.int32(-1).int32(waitMs).int32(bytesMin).int32(bytesMax)
      writer
        .int8(isolation === 'committed' ? 1 : 0)
        .int32(0)
        .int32(-1)
      writeByTopic(writer, positions, one => {
        writer.int32(one.partition).int32(-1).int64(one.offset).int64(-1).int32(one.bytesMax)
      })
      writer.int32(0).text('')
    },
    reader => {
      reader.int32()
      const error = reader.int16()
      reader.int32()
      const partitions = readByTopic(reader, (topic, partition) =>
        readFetched(reader, topic, partition),
      )
      return { error, bytes: reader.buf.length, partitions }
    },
  )
}

function readFetched(reader: WireReader, topic: string, partition: number): FetchedBytes {
  const error = reader.int16()
  const highWatermark = reader.int64()
  const stableEnd = reader.int64()
  const logStart = reader.int64()
  const aborted = reader.list(() => ({
    producerId: reader.int64(),
    firstOffset: reader.int64(),
  }))
  reader.int32()
  const length = reader.int32()
  const bytes = reader.raw(Math.max(0, length))
  return { topic, partition, error, logStart, highWatermark, stableEnd, aborted, bytes }
}

export interface ProduceAnswer extends PartitionAnswer {
  readonly baseOffset: number
}

export function produceRequest(
  batches: readonly (TopicPartition & { batch: Buffer })[],
  {
    acks,
    transactionalId,
    timeoutMs,
  }: {
    acks: number
    transactionalId: string | null
    timeoutMs: number
  },
): WireRequest<ProduceAnswer[]> {
  const made = wireRequest(
    { key: 0, version: 7, name: 'Produce' },
    writer => {
      writer.text(transactionalId).int16(acks).int32(timeoutMs)
      writeByTopic(writer, batches, ({ partition, batch }) => {
        writer.int32(partition).int32(batch.length).raw(batch)
      })
    },
    reader =>
      readByTopic(reader, (name, number) => {
        const error = reader.int16()
        const baseOffset = reader.int64()
        reader.int64()
        reader.int64()
        return { topic: name, partition: number, error, baseOffset }
      }),
  )
  return acks === 0 ? { ...made, answered: false } : made
}
