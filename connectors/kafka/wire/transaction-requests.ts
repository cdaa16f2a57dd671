// The requests of producers and transactions; `requests.ts` has the others, and says what holds for all.
import type { CommittedOffset, TopicPartition } from '../client.ts'
import {
  type PartitionAnswer,
  readPartitionAnswers,
  type WireRequest,
  wireRequest,
  writeByTopic,
} from './requests.ts'
import type { WireReader, WireWriter } from './wire-bytes.ts'

export interface ProducerIdAnswer {
  readonly error: number
  readonly producerId: bigint
  readonly producerEpoch: number
}

export function initProducerRequest(
  transactionalId: string | null,
  timeoutMs: number,
): WireRequest<ProducerIdAnswer> {
  return wireRequest(
    { key: 22, version: 1, name: 'InitProducerId' },
    writer => void writer.text(transactionalId).int32(timeoutMs),
    reader => {
      reader.int32()
      return {
        error: reader.int16(),
        producerId: reader.bigint64(),
        producerEpoch: reader.int16(),
      }
    },
  )
}

export interface TransactionKey {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly producerEpoch: number
}

function writeKey(writer: WireWriter, key: TransactionKey): WireWriter {
  return writer.text(key.transactionalId).int64(key.producerId).int16(key.producerEpoch)
}

export function addPartitionsRequest(
  key: TransactionKey,
  partitions: readonly TopicPartition[],
): WireRequest<PartitionAnswer[]> {
  return wireRequest(
    { key: 24, version: 1, name: 'AddPartitionsToTxn' },
    writer => {
      writeKey(writer, key)
      writeByTopic(writer, partitions, one => void writer.int32(one.partition))
    },
    readPartitionAnswers,
  )
}

const readError = (reader: WireReader): number => {
  reader.int32()
  return reader.int16()
}

export function addGroupRequest(key: TransactionKey, groupId: string): WireRequest<number> {
  return wireRequest(
    { key: 25, version: 1, name: 'AddOffsetsToTxn' },
    writer => void writeKey(writer, key).text(groupId),
    readError,
  )
}

export function transactionOffsetsRequest(
  key: TransactionKey,
  groupId: string,
  offsets: readonly CommittedOffset[],
): WireRequest<PartitionAnswer[]> {
  return wireRequest(
    { key: 28, version: 2, name: 'TxnOffsetCommit' },
    writer => {
      writer.text(key.transactionalId).text(groupId)
      writer.int64(key.producerId).int16(key.producerEpoch)
      writeByTopic(writer, offsets, one => {
        writer.int32(one.partition).int64(one.offset).int32(-1).text(one.metadata)
      })
    },
    readPartitionAnswers,
  )
}

export function endTransactionRequest(key: TransactionKey, commit: boolean): WireRequest<number> {
  return wireRequest(
    { key: 26, version: 1, name: 'EndTxn' },
    writer => void writeKey(writer, key).int8(commit ? 1 : 0),
    readError,
  )
}
