// The fetcher over a client that answers by hand.
import test from 'ava'
import type { FetchedPartition, FetchLimits, FetchPosition, KafkaClient } from 'gearpump/kafka'
import { Fetcher } from 'gearpump/kafka'
import { MemoryKafka } from './_memory-kafka.ts'

interface Asked {
  readonly positions: readonly FetchPosition[]
  readonly limits: FetchLimits
  answer(bytes: readonly number[]): Promise<void>
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve))
}

/** A fetcher of two partitions whose requests are answered by the test: so many bytes for each position, 0 = nothing new. */
async function begin(bufferBytes: number): Promise<{ fetcher: Fetcher; asked: Asked[] }> {
  const kafka = new MemoryKafka()
  kafka.create('in', 2)
  const asked: Asked[] = []
  const client = await kafka.open()
  const fetch: KafkaClient['fetch'] = (_node, positions, limits) =>
    new Promise(resolve => {
      const answer = async (bytes: readonly number[]) => {
        resolve(positions.map((position, i) => answerOf(position, bytes[i] ?? 0)))
        await settled()
      }
      asked.push({ positions, limits, answer })
    })
  const settings = {
    partitionBytes: 1000,
    bufferBytes,
    waitMs: 500,
    isolation: 'committed',
  } as const
  const fetcher = new Fetcher({ ...clientParts(client), fetch }, settings, {
    ready: () => undefined,
    stuck: () => undefined,
    remade: () => undefined,
    report: () => undefined,
    after: () => undefined,
  })
  for (const partition of [0, 1]) fetcher.assign({ topic: 'in', partition }, 0)
  await settled()
  return { fetcher, asked }
}

function clientParts(client: KafkaClient): KafkaClient {
  return { topics: choice => client.topics(choice) } as KafkaClient
}

function answerOf({ topic, partition, offset }: FetchPosition, bytes: number): FetchedPartition {
  const nextOffset = bytes === 0 ? offset : offset + 1
  return { topic, partition, records: [], nextOffset, logStart: 0, logEnd: 100, bytes }
}

const partitionsOf = ({ positions }: Asked) => positions.map(({ partition }) => partition)

test('a partition that is halted gives back the room that it took', async t => {
  const { fetcher, asked } = await begin(1000)
  t.deepEqual(partitionsOf(asked[0]!), [0, 1])
  await asked[0]!.answer([1000, 0])
  t.is(asked.length, 1)
  fetcher.halt({ topic: 'in', partition: 0 })
  t.is(fetcher.bufferedBytes, 0)
  t.deepEqual(partitionsOf(asked[1]!), [1])
  t.is(fetcher.take(), undefined)
  await asked[1]!.answer([500])
  t.is(fetcher.take()?.partition, 1)
})

test('what a halted partition had asked for is thrown away', async t => {
  const { fetcher, asked } = await begin(1000)
  fetcher.halt({ topic: 'in', partition: 0 })
  await asked[0]!.answer([1000, 10])
  t.is(fetcher.bufferedBytes, 10)
})

test('no answer may be larger than the room that is left, but for one batch of a partition', async t => {
  const { asked } = await begin(4000)
  t.is(asked[0]!.limits.bytesMax, 4000)
  await asked[0]!.answer([800, 0])
  t.is(asked[1]!.limits.bytesMax, 3200)
})
