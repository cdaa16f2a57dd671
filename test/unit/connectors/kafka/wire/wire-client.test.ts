// The client over a link that answers by hand: brokers that forget what they counted, or come back elsewhere, and groups with
// partitions that are gone.
import test from 'ava'
import type {
  BrokerAddress,
  BrokerLink,
  Linking,
} from '../../../../../connectors/kafka/wire/broker-nodes.ts'
import { keyOf } from '../../../../../connectors/kafka/wire/broker-nodes.ts'
import type { WireRequest } from '../../../../../connectors/kafka/wire/requests.ts'
import { WireReader, WireWriter } from '../../../../../connectors/kafka/wire/wire-bytes.ts'
import { WireClient } from '../../../../../connectors/kafka/wire/wire-client.ts'

type Answer = (address: string, request: WireRequest<unknown>) => unknown

/** Answers by the names of requests; who is asked for anything else does not answer. */
function clientOf(answers: Readonly<Record<string, Answer>>): WireClient {
  const link = (address: BrokerAddress): BrokerLink => ({
    send: async <T>(request: WireRequest<T>) => {
      const answer =
        answers[request.name] ?? (request.name === 'ApiVersions' ? () => true : undefined)
      if (answer === undefined) throw new Error(`nobody answers ${request.name}`)
      return answer(keyOf(address), request as WireRequest<unknown>) as T
    },
    destroy: () => undefined,
  })
  const linking: Linking = { open: link, refused: () => false }
  return new WireClient({ brokers: ['a:1'] }, linking)
}

const metadata = (host: string) => () => ({
  nodes: [{ node: 1, host, port: 1 }],
  controller: 1,
  topics: [
    {
      error: 0,
      topic: 'in',
      id: undefined,
      internal: false,
      partitions: [{ error: 0, partition: 0, leader: 1 }],
    },
  ],
})

/** Where a Produce request of one batch has its producer id: behind what is before the batch, and the batch's first 43 bytes. */
function producerIdOf(request: WireRequest<unknown>): number {
  const writer = new WireWriter()
  request.write(writer)
  const beforeBatch = 2 + 2 + 4 + 4 + (2 + 'in'.length) + 4 + 4 + 4
  return Number(writer.buffer.readBigInt64BE(beforeBatch + 43))
}

test('a batch that the broker has lost count of goes again under a new producer id', async t => {
  const ids: number[] = []
  let taken = 0n
  const client = clientOf({
    Metadata: metadata('a'),
    InitProducerId: () => ({ error: 0, producerId: ++taken, producerEpoch: 0 }),
    Produce: (_address, request) => {
      ids.push(producerIdOf(request))
      const error = ids.length === 2 ? 45 : 0
      return [{ topic: 'in', partition: 0, error, baseOffset: 7 }]
    },
  })
  const batch = { topic: 'in', partition: 0, records: [{ value: 'x' }] }
  await client.produce(batch)
  t.deepEqual(await client.produce(batch), { baseOffset: 7 })
  t.deepEqual(ids, [1, 1, 2])
  await client.close()
})

test('a coordinator that came back elsewhere is found there, though it leads nothing', async t => {
  const asked: string[] = []
  const client = clientOf({
    Metadata: metadata('old'),
    FindCoordinator: () => ({ error: 0, message: null, node: 1, host: 'new', port: 1 }),
    OffsetFetch: address => {
      asked.push(address)
      return { error: 0, partitions: [] }
    },
  })
  await client.topics(['in'])
  await client.committed('g', [{ topic: 'in', partition: 0 }])
  t.deepEqual(asked, ['new:1'])
  await client.close()
})

test('what cannot be committed because it is gone is told, and all else counts', async t => {
  const client = clientOf({
    Metadata: metadata('a'),
    FindCoordinator: () => ({ error: 0, message: null, node: 1, host: 'a', port: 1 }),
    OffsetCommit: () => [
      { topic: 'gone', partition: 0, error: 3 },
      { topic: 'in', partition: 0, error: 0 },
    ],
  })
  const commit = (topic: string) => ({ topic, partition: 0, offset: 1, metadata: '' })
  t.deepEqual(await client.commit('g', [commit('gone'), commit('in')]), [
    { topic: 'gone', partition: 0 },
  ])
  await client.close()
})

/** The partitions of a Produce request, read back from its bytes. */
function partitionsOf(request: WireRequest<unknown>): number[] {
  const writer = new WireWriter()
  request.write(writer)
  const reader = new WireReader(writer.buffer)
  reader.int16()
  reader.int16()
  reader.int32()
  return reader
    .list(() => {
      reader.text()
      return reader.list(() => {
        const partition = reader.int32()
        for (let left = reader.int32(); left > 0; left--) reader.int8()
        return partition
      })
    })
    .flat()
}

test('batches sent in one turn go in one request; those that were not acknowledged by name go again, the others do not', async t => {
  const asked: number[][] = []
  const partitions = [0, 1, 2].map(partition => ({ error: 0, partition, leader: 1 }))
  const topic = { error: 0, topic: 'in', id: undefined, internal: false, partitions }
  const client = clientOf({
    Metadata: () => ({ nodes: [{ node: 1, host: 'a', port: 1 }], controller: 1, topics: [topic] }),
    InitProducerId: () => ({ error: 0, producerId: 1n, producerEpoch: 0 }),
    Produce: (_address, request) => {
      const of = partitionsOf(request)
      asked.push(of)
      const answers = of.map(partition => ({ topic: 'in', partition, error: 0, baseOffset: 5 }))
      // At first one is left out, and one is refused for now (NOT_LEADER_OR_FOLLOWER).
      if (asked.length > 1) return answers
      return [answers[0]!, { ...answers[1]!, error: 6 }]
    },
  })
  const records = [{ value: 'v' }]
  const ends = await Promise.all(
    [0, 1, 2].map(partition => client.produce({ topic: 'in', partition, records })),
  )
  t.deepEqual(
    ends.map(({ baseOffset }) => baseOffset),
    [5, 5, 5],
  )
  t.deepEqual(asked[0], [0, 1, 2])
  t.deepEqual(asked.slice(1).flat().sort(), [1, 2])
  await client.close()
})
