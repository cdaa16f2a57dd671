// Who leads what, and which topic a name means: the Metadata request in two versions. The newer one, of brokers from 2.8 on, tells
// the id of each topic, another one when it is deleted and made anew; it is written in Kafka's "flexible" way (lengths as varints,
// tagged fields at every end), which is why what a broker speaks is asked first.
import { type WireRequest, wireRequest } from './requests.ts'
import type { WireReader, WireWriter } from './wire-bytes.ts'

const METADATA = 3
const PLAIN_VERSION = 7
/** The first one that tells ids of topics. */
const IDS_VERSION = 10
const UUID_BYTES = 16

export interface NodeAddress {
  readonly node: number
  readonly host: string
  readonly port: number
}

export interface TopicMetadata {
  readonly error: number
  readonly topic: string
  /** Undefined from a broker that tells none. */
  readonly id: string | undefined
  readonly internal: boolean
  readonly partitions: readonly { error: number; partition: number; leader: number }[]
}

export interface Metadata {
  readonly nodes: readonly NodeAddress[]
  readonly controller: number
  readonly topics: readonly TopicMetadata[]
}

/** Whether a broker tells ids of topics. */
export function idsKnownRequest(): WireRequest<boolean> {
  return wireRequest(
    { key: 18, version: 0, name: 'ApiVersions' },
    () => undefined,
    reader => {
      if (reader.int16() !== 0) return false
      const newest = reader.list(() => {
        const key = reader.int16()
        reader.int16()
        return [key, reader.int16()] as const
      })
      return newest.some(([key, version]) => key === METADATA && version >= IDS_VERSION)
    },
  )
}

/** `topics` null: all of them. No topic is made by asking. */
export function metadataRequest(
  topics: readonly string[] | null,
  withIds: boolean,
): WireRequest<Metadata> {
  return withIds ? metadataWithIds(topics) : plainMetadata(topics)
}

function plainMetadata(topics: readonly string[] | null): WireRequest<Metadata> {
  return wireRequest(
    { key: METADATA, version: PLAIN_VERSION, name: 'Metadata' },
    writer => {
      if (topics === null) writer.int32(-1)
      else writer.list(topics, topic => void writer.text(topic))
      writer.int8(0)
    },
    reader => {
      reader.int32()
      const nodes = reader.list(() => {
        const address = { node: reader.int32(), host: reader.text(), port: reader.int32() }
        reader.nullableText()
        return address
      })
      reader.nullableText()
      const controller = reader.int32()
      return { nodes, controller, topics: reader.list(() => readTopic(reader)) }
    },
  )
}

function readTopic(reader: WireReader): TopicMetadata {
  const error = reader.int16()
  const topic = reader.text()
  const internal = reader.int8() !== 0
  const partitions = reader.list(() => {
    const one = { error: reader.int16(), partition: reader.int32(), leader: reader.int32() }
    reader.int32()
    for (let k = 0; k < 3; k++) reader.list(() => reader.int32())
    return one
  })
  return { error, topic, id: undefined, internal, partitions }
}

// The drivers write the older head of a request and read the older one of an answer: the newer ones end in an empty list of
// tagged fields more, which therefore comes first here.
function metadataWithIds(topics: readonly string[] | null): WireRequest<Metadata> {
  return wireRequest(
    { key: METADATA, version: IDS_VERSION, name: 'Metadata' },
    writer => {
      noTags(writer)
      writer.uvarint(topics === null ? 0 : topics.length + 1)
      for (const topic of topics ?? []) {
        writer.raw(Buffer.alloc(UUID_BYTES)).compactText(topic)
        noTags(writer)
      }
      writer.int8(0).int8(0).int8(0)
      noTags(writer)
    },
    reader => {
      reader.skipTags()
      reader.int32()
      const nodes = reader.compactList(() => {
        const address = { node: reader.int32(), host: reader.compactText(), port: reader.int32() }
        reader.compactText()
        reader.skipTags()
        return address
      })
      reader.compactText()
      const controller = reader.int32()
      return { nodes, controller, topics: reader.compactList(() => readTopicWithId(reader)) }
    },
  )
}

function readTopicWithId(reader: WireReader): TopicMetadata {
  const error = reader.int16()
  const topic = reader.compactText()
  const uuid = reader.raw(UUID_BYTES)
  // As Kafka's own tools write it; all zero = it has none.
  const id = uuid.every(byte => byte === 0) ? undefined : uuid.toString('base64url')
  const internal = reader.int8() !== 0
  const partitions = reader.compactList(() => {
    const one = { error: reader.int16(), partition: reader.int32(), leader: reader.int32() }
    reader.int32()
    for (let k = 0; k < 3; k++) reader.compactList(() => reader.int32())
    reader.skipTags()
    return one
  })
  reader.int32()
  reader.skipTags()
  return { error, topic, id, internal, partitions }
}

function noTags(writer: WireWriter): void {
  writer.uvarint(0)
}
