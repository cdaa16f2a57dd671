// The contract of the Kafka client, kept by both drivers against the last broker of the 3.x line and the newest one.
import test, { type ExecutionContext } from 'ava'
import { EngineError } from 'gearpump'
import {
  type FetchLimits,
  type KafkaClient,
  type KafkaConnection,
  type KafkaDriver,
  openKafka,
  type ProducerOptions,
} from 'gearpump/kafka'
import kafkajs from 'kafkajs'
import { KAFKA_VERSIONS, type Kafka, startKafka } from '../real/kafka.ts'
import { realTest } from '../real/parts.ts'
import { until } from './until.ts'

const DRIVERS: readonly KafkaDriver[] = ['kafkajs', 'platformatic']
const LIMITS: FetchLimits = {
  bytesMin: 1,
  bytesMax: 1 << 22,
  waitMs: 200,
  isolation: 'committed',
}

type Open = (more?: Partial<KafkaConnection>, options?: ProducerOptions) => Promise<KafkaClient>

for (const version of KAFKA_VERSIONS) {
  realTest(test.serial, ['kafka'], `a broker ${version} and both drivers`, async (t, [part]) => {
    t.timeout(170_000)
    const kafka = await startKafka({ dir: part.dir, version })
    t.teardown(() => kafka.stop())
    for (const driver of DRIVERS) {
      const name = (text: string) => `${driver}-${text}`
      const clients: KafkaClient[] = []
      const open: Open = async (more = {}, options = {}) => {
        const client = await openKafka({ brokers: kafka.brokers, driver, ...more }, options)
        clients.push(client)
        return client
      }
      await recordsComeBack(t, kafka, open, name('records'))
      await offsetsAreFound(t, kafka, open, name('offsets'))
      await commitsAreKept(t, kafka, open, name('commits'))
      await transactionsEndOnce(t, kafka, open, name('transactions'))
      await copiesAreDropped(t, kafka, open, name('copies'))
      await refusalsAreClear(t, kafka, open, name('refusals'))
      await Promise.all(clients.map(client => client.close()))
    }
  })
}

async function create(kafka: Kafka, topic: string, numPartitions = 2): Promise<void> {
  const admin = new kafkajs.Kafka({ brokers: [...kafka.brokers], logLevel: 0 }).admin()
  await admin.connect()
  await until(`the topic ${topic} is made`, () =>
    admin.createTopics({ topics: [{ topic, numPartitions }] }).then(
      () => true,
      () => undefined,
    ),
  )
  await admin.disconnect()
}

async function read(client: KafkaClient, topic: string, offset = 0, limits = LIMITS) {
  const [found] = await client.topics([topic])
  const position = { topic, partition: 0, offset, bytesMax: 1 << 20 }
  const [answer] = await client.fetch(found!.partitions[0]!.leader, [position], limits)
  return answer!
}

const textsOf = (answer: { records: readonly { value: Buffer | null }[] }) =>
  answer.records.map(record => String(record.value))

async function recordsComeBack(t: ExecutionContext, kafka: Kafka, open: Open, topic: string) {
  await create(kafka, topic)
  const client = await open()
  const found = await client.topics([topic, 'not-there'])
  const id = found[0]!.id!
  t.regex(id, /^[\w-]{22}$/, 'an id as Kafka writes it')
  t.deepEqual(found, [
    {
      topic,
      id,
      partitions: [
        { partition: 0, leader: 1 },
        { partition: 1, leader: 1 },
      ],
    },
  ])
  t.deepEqual(
    (await client.topics(new RegExp(topic.replace('records', 'rec.*')))).map(one => one.topic),
    [topic],
  )
  t.deepEqual(await client.topics(/records/), [], 'a part of a name is no match')
  t.deepEqual(await client.topics(/.*consumer_offsets/), [], "Kafka's own topics match nothing")
  // Near now: old ones would lie in segments of their own, and expire.
  const nowMs = Date.now()
  const headers = [
    ['twice', Buffer.from('1')],
    ['twice', Buffer.from([0, 255])],
    ['none', null],
  ] as const
  const records = [
    { key: 'k', value: Buffer.from([0, 1, 255]), headers, timestampMs: nowMs },
    { key: null, value: null, timestampMs: nowMs - 5000 },
    { key: Buffer.alloc(0), value: '', timestampMs: nowMs + 5000 },
  ]
  t.is((await client.produce({ topic, partition: 0, records })).baseOffset, 0)
  const gzip = await open({}, { compression: 'gzip' })
  const many = Array.from({ length: 1000 }, (_, i) => ({ key: null, value: `text ${i}` }))
  t.is((await gzip.produce({ topic, partition: 0, records: many })).baseOffset, 3)
  const answer = await read(client, topic)
  t.is(answer.records.length, 1003)
  t.deepEqual(answer.records.slice(0, 3), [
    { ...records[0]!, topic, partition: 0, offset: 0, key: Buffer.from('k'), headers },
    { ...records[1]!, topic, partition: 0, offset: 1, headers: [] },
    { ...records[2]!, topic, partition: 0, offset: 2, value: Buffer.alloc(0), headers: [] },
  ] as never)
  t.is(String(answer.records[1002]!.value), 'text 999')
  t.is(answer.nextOffset, 1003)
  t.is(answer.logEnd, 1003)
  const later = await read(client, topic, 1001)
  t.deepEqual(
    textsOf(later),
    ['text 998', 'text 999'],
    'a batch comes whole, its beginning does not',
  )
  const atEnd = await read(client, topic, 1003)
  t.deepEqual([atEnd.records.length, atEnd.nextOffset, atEnd.problem], [0, 1003, undefined])
  t.is((await read(client, topic, 2000)).problem?.kind, 'out-of-range')
}

async function offsetsAreFound(t: ExecutionContext, kafka: Kafka, open: Open, topic: string) {
  await create(kafka, topic)
  const client = await open()
  const nowMs = Date.now()
  const records = [10, 20, 30].map(ms => ({ key: null, value: 'x', timestampMs: nowMs + ms }))
  await client.produce({ topic, partition: 1, records })
  const both = [0, 1].map(partition => ({ topic, partition }))
  const offsets = async (at: Parameters<KafkaClient['offsets']>[0]) =>
    (await client.offsets(at, both))
      .toSorted((a, b) => a.partition - b.partition)
      .map(o => o.offset)
  t.deepEqual(await offsets('earliest'), [0, 0])
  t.deepEqual(await offsets('latest'), [0, 3])
  t.deepEqual(await offsets({ timestampMs: nowMs + 20 }), [0, 1])
  t.deepEqual(await offsets({ timestampMs: nowMs + 21 }), [0, 2])
  t.deepEqual(await offsets({ timestampMs: nowMs + 31 }), [0, 3], 'beyond all: the end')
}

async function commitsAreKept(t: ExecutionContext, kafka: Kafka, open: Open, topic: string) {
  await create(kafka, topic)
  const client = await open()
  const both = [0, 1].map(partition => ({ topic, partition }))
  const group = `${topic}-group`
  t.deepEqual(await client.committed(group, both), [])
  const first = { topic, partition: 1, offset: 7, metadata: 'm'.repeat(4000) }
  await client.commit(group, [first])
  t.deepEqual(await client.committed(group, both), [first])
  const error = await t.throwsAsync(
    client.commit(group, [{ ...first, metadata: 'm'.repeat(5000) }]),
  )
  t.regex(error!.message, /commits\[1\] of group .* OFFSET_METADATA_TOO_LARGE/)
  t.deepEqual(await client.committed(group, both), [first])
}

async function transactionsEndOnce(t: ExecutionContext, kafka: Kafka, open: Open, topic: string) {
  await create(kafka, topic)
  const client = await open()
  const id = `${topic}-id`
  const group = `${topic}-group`
  const batch = (value: string) => ({ topic, partition: 0, records: [{ key: null, value }] })
  const committedTexts = async () => textsOf(await read(client, topic))

  const kept = await client.beginTransaction(id)
  await kept.produce(batch('a'))
  await kept.produce(batch('b'))
  await kept.addOffsets(group, [{ topic, partition: 0, offset: 5, metadata: 'x' }])
  const prepared = kept.prepare()
  await t.throwsAsync(kept.produce(batch('c')), { message: /is prepared/ })
  t.deepEqual(await committedTexts(), [])
  const all = await read(client, topic, 0, { ...LIMITS, isolation: 'uncommitted' })
  t.deepEqual(textsOf(all), ['a', 'b'])
  // Another process finds what was prepared, and ends it.
  const other = await open()
  const told = JSON.parse(JSON.stringify(prepared))
  await other.endTransaction(told, 'commit')
  await other.endTransaction(told, 'commit')
  await until('it is seen', async () => ((await committedTexts()).length === 2 ? true : undefined))
  t.deepEqual(await committedTexts(), ['a', 'b'])
  const [offset] = await client.committed(group, [{ topic, partition: 0 }])
  t.is(offset?.offset, 5)

  const dropped = await client.beginTransaction(id)
  await dropped.produce(batch('never'))
  await client.endTransaction(dropped.prepare(), 'abort')
  const fenced = await client.beginTransaction(id)
  await fenced.produce(batch('fenced'))
  const winner = await other.beginTransaction(id)
  await t.throwsAsync(fenced.produce(batch('late')), { code: 'KAFKA_FAILED' })
  await winner.produce(batch('d'))
  await other.endTransaction(winner.prepare(), 'commit')
  await client.produce(batch('plain'))
  await until('the end is seen', async () => {
    return (await committedTexts()).at(-1) === 'plain' ? true : undefined
  })
  t.deepEqual(await committedTexts(), ['a', 'b', 'd', 'plain'])
}

// Two clients under one numbering would be one client that sends twice: the broker must know the second as a copy.
async function copiesAreDropped(t: ExecutionContext, kafka: Kafka, open: Open, topic: string) {
  await create(kafka, topic)
  const client = await open()
  const send = (value: string) =>
    client.produce({ topic, partition: 0, records: [{ key: null, value }] })
  for (let i = 0; i < 20; i++) await send(`${i}`)
  t.is((await read(client, topic)).records.length, 20)
  // A batch that is refused for good leaves no gap behind it.
  await t.throwsAsync(send('x'.repeat(2 << 20)), { message: /MESSAGE_TOO_LARGE/ })
  await send('after')
  t.is((await read(client, topic)).records.length, 21)
}

async function refusalsAreClear(t: ExecutionContext, kafka: Kafka, open: Open, topic: string) {
  await create(kafka, topic)
  const client = await open({}, { deliveryTimeoutMs: 300 })
  const record = { key: null, value: 'x' }
  const error = await t.throwsAsync<EngineError>(
    client.produce({ topic: `${topic}-not`, partition: 0, records: [record] }),
    { instanceOf: EngineError },
  )
  t.regex(error!.message, /refusals-not\b.*UNKNOWN_TOPIC_OR_PARTITION/)
  await t.throwsAsync(client.produce({ topic, partition: 9, records: [record] }), {
    message: /refusals\[9\]/,
  })
  const nobody = await open({ brokers: ['127.0.0.1:1'], connectTimeoutMs: 500 })
  const startMs = performance.now()
  const dead = await t.throwsAsync(nobody.topics([topic]), { code: 'KAFKA_UNREACHABLE' })
  t.regex(dead!.message, /127\.0\.0\.1:1 does not answer: .*ECONNREFUSED/s)
  t.true(performance.now() - startMs < 20_000)
  const closed = await open()
  await closed.close()
  await t.throwsAsync(closed.topics([topic]), { message: /closed/ })
}
