// Kafka's record batches (format 2, the only one brokers have written since 0.11), read and written. Each batch's checksum is
// compared, which neither client library does: what a bad disk or cable made of it is told, never handed on. Records of aborted
// transactions and control records are left out here, so `nextOffset` may be far behind the last record.
import type { KafkaHeader, KafkaRecord, ProducedRecord } from '../client.ts'
import { compressionName, GZIP, packGzip, unpack } from './compression.ts'
import { crc32c } from './crc32c.ts'
import { int64At, WireReader, WireWriter } from './wire-bytes.ts'

/** Bytes of a batch before its records. */
const HEAD_BYTES = 61
/** From the beginning of the batch to what its length counts, and to what its checksum covers. */
const LENGTH_FROM = 12
const CHECKED_FROM = 21
const MAGIC = 2
const CONTROL = 0x20
const TRANSACTIONAL = 0x10
const LOG_APPEND_TIME = 0x08
const ABORT_MARKER = 0

const NO_HEADERS: readonly KafkaHeader[] = []

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

export interface BatchesToRead {
  readonly topic: string
  readonly partition: number
  /** Records below it are left out: a batch comes whole, whatever offset was asked for. */
  readonly from: number
  readonly aborted: readonly AbortedTransaction[]
}

export interface ReadBatches {
  readonly records: KafkaRecord[]
  readonly nextOffset: number
  /** What the batches take in memory, unpacked. */
  readonly bytes: number
  /** Why the batch at `nextOffset` cannot be read, and where the one after it begins, as far as that can be told. */
  readonly corrupt?: { readonly reason: string; readonly after: number }
}

/** Reads batch after batch; the last one may be cut off, and is left for the next time. */
export function readBatches(bytes: Buffer, wanted: BatchesToRead): ReadBatches {
  const records: KafkaRecord[] = []
  const aborted = new AbortedProducers(wanted.aborted)
  let nextOffset = wanted.from
  let at = 0
  let unpackedBytes = 0
  while (at + LENGTH_FROM <= bytes.length) {
    const end = at + LENGTH_FROM + bytes.readInt32BE(at + 8)
    if (end > bytes.length && end > at) break
    const baseOffset = int64At(bytes, at)
    const before = records.length
    try {
      const batch = bytes.subarray(at, end)
      checkHead(batch)
      const last = baseOffset + batch.readInt32BE(23)
      if (last >= nextOffset) {
        if (aborted.wanted(batch, last))
          unpackedBytes += readRecords(batch, wanted, nextOffset, records)
        nextOffset = last + 1
      }
    } catch (error) {
      records.length = before
      const reason = error instanceof Error ? error.message : String(error)
      const after = Math.max(nextOffset + 1, batchAfter(bytes, at, end, baseOffset))
      return { records, nextOffset, bytes: unpackedBytes, corrupt: { reason, after } }
    }
    at = end
  }
  return { records, nextOffset, bytes: unpackedBytes }
}

function checkHead(batch: Buffer): void {
  const magic = batch.length > 16 ? batch.readInt8(16) : MAGIC
  if (magic === 0 || magic === 1) {
    throw new Error(
      `it is in the message format ${magic}, from before Kafka 0.11, which is not read: have the broker convert the topic`,
    )
  }
  if (magic !== MAGIC) throw new Error(`it is in the message format ${magic}, which is not known`)
  if (batch.length < HEAD_BYTES)
    throw new Error(`it has ${batch.length} bytes, too few for a batch`)
  const told = batch.readUInt32BE(17)
  const found = crc32c(batch.subarray(CHECKED_FROM))
  if (told !== found)
    throw new Error(`its checksum is ${found.toString(16)}, not ${told.toString(16)} as it says`)
}

// Where the batch after a bad one begins. Its own head is not to be believed, so the next one's is asked first.
function batchAfter(bytes: Buffer, at: number, end: number, baseOffset: number): number {
  if (end > at && end + 8 <= bytes.length) {
    const next = int64At(bytes, end)
    if (next > baseOffset) return next
  }
  const lastDelta = at + HEAD_BYTES <= bytes.length ? bytes.readInt32BE(at + 23) : 0
  return baseOffset + Math.max(lastDelta, 0) + 1
}

/** Which producers' records are of aborted transactions, as reading goes on. */
class AbortedProducers {
  readonly #waiting: AbortedTransaction[]
  readonly #now = new Set<number>()

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#waiting = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  }

  wanted(batch: Buffer, lastOffset: number): boolean {
    const attributes = batch.readInt16BE(21)
    const producerId = int64At(batch, 43)
    while (this.#waiting.length > 0 && this.#waiting[0]!.firstOffset <= lastOffset)
      this.#now.add(this.#waiting.shift()!.producerId)
    if ((attributes & CONTROL) !== 0) {
      if (isAbortMarker(batch)) this.#now.delete(producerId)
      return false
    }
    return (attributes & TRANSACTIONAL) === 0 || !this.#now.has(producerId)
  }
}

function isAbortMarker(batch: Buffer): boolean {
  const reader = new WireReader(batch, HEAD_BYTES)
  reader.varint()
  reader.int8()
  reader.varint()
  reader.varint()
  const key = reader.varBytes()
  return key !== null && key.readInt16BE(2) === ABORT_MARKER
}

// Returns how many bytes they are, unpacked.
function readRecords(
  batch: Buffer,
  { topic, partition }: BatchesToRead,
  from: number,
  records: KafkaRecord[],
): number {
  const attributes = batch.readInt16BE(21)
  const baseOffset = int64At(batch, 0)
  const baseTimestampMs = int64At(batch, 27)
  const maxTimestampMs = int64At(batch, 35)
  const appended = (attributes & LOG_APPEND_TIME) !== 0
  const count = batch.readInt32BE(57)
  let plain: Buffer
  try {
    plain = unpack(attributes, batch.subarray(HEAD_BYTES))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(`it does not unpack (${compressionName(attributes)}): ${why}`)
  }
  const reader = new WireReader(plain)
  for (let i = 0; i < count; i++) {
    const bytes = reader.varint()
    const end = reader.at + bytes
    reader.at += 1
    const timestampMs = baseTimestampMs + reader.varint()
    const offset = baseOffset + reader.varint()
    if (offset >= from) {
      const key = reader.varBytes()
      const value = reader.varBytes()
      const headers = readHeaders(reader)
      records.push({
        topic,
        partition,
        offset,
        timestampMs: appended ? maxTimestampMs : timestampMs,
        key,
        value,
        headers,
      })
    }
    reader.at = end
  }
  return HEAD_BYTES + plain.length
}

function readHeaders(reader: WireReader): readonly KafkaHeader[] {
  const count = reader.varint()
  if (count <= 0) return NO_HEADERS
  const headers: KafkaHeader[] = []
  for (let i = 0; i < count; i++) headers.push([String(reader.varBytes() ?? ''), reader.varBytes()])
  return headers
}

// ---- writing

export interface BatchToWrite {
  readonly records: readonly ProducedRecord[]
  readonly nowMs: number
  readonly compression: 'none' | 'gzip'
  readonly transactional: boolean
  /** -1, -1, -1 for a producer that is not idempotent. */
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly sequence: number
}

/** Bytes of one record: what it says of itself, and the longest numbers around it. */
const RECORD_OVERHEAD_BYTES = 40

export function writeBatch(given: BatchToWrite): Buffer {
  const { records, nowMs, producerId, producerEpoch, sequence } = given
  const plain = new WireWriter(records.length * 128 + HEAD_BYTES)
  const baseTimestampMs = records[0]?.timestampMs ?? nowMs
  const maxTimestampMs = writeRecords(plain, given, baseTimestampMs)
  const zipped = given.compression === 'gzip'
  const body = zipped ? packGzip(plain.buffer) : plain.buffer
  const attributes = (zipped ? GZIP : 0) | (given.transactional ? TRANSACTIONAL : 0)
  const batch = new WireWriter(HEAD_BYTES + body.length)
    .int64(0)
    .int32(HEAD_BYTES - LENGTH_FROM + body.length)
    .int32(-1)
    .int8(MAGIC)
    .int32(0)
    .int16(attributes)
    .int32(records.length - 1)
    .int64(baseTimestampMs)
    .int64(maxTimestampMs)
    .int64(producerId)
    .int16(producerEpoch)
    .int32(sequence)
    .int32(records.length)
    .raw(body).buffer
  batch.writeUInt32BE(crc32c(batch.subarray(CHECKED_FROM)), 17)
  return batch
}

function writeRecords(
  plain: WireWriter,
  { records, nowMs }: BatchToWrite,
  baseTimestampMs: number,
): number {
  const record = new WireWriter()
  let maxTimestampMs = baseTimestampMs
  for (let i = 0; i < records.length; i++) {
    const { key = null, value, headers = NO_HEADERS, timestampMs = nowMs } = records[i]!
    maxTimestampMs = Math.max(maxTimestampMs, timestampMs)
    record.clear()
    record
      .int8(0)
      .varint(timestampMs - baseTimestampMs)
      .varint(i)
      .varBytes(key)
      .varBytes(value)
    record.varint(headers.length)
    for (const [name, content] of headers) record.varBytes(name).varBytes(content)
    plain.varint(record.size).raw(record.buffer)
  }
  return maxTimestampMs
}

/** About as many bytes as a record takes in a batch. */
export function recordBytes({ key, value, headers = NO_HEADERS }: ProducedRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0)
  for (const [name, content] of headers) bytes += name.length + (content?.length ?? 0) + 4
  return bytes
}
