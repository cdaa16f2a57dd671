// What goes wrong with a real Kafka: topics that grow, expire, are compacted; large and damaged records; wrong passwords and missing
// rights. No stall, no silent loss, and words that name topic, partition, cause and next step.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { application, connect, type EngineError, graph, noLog, processor, source } from 'gearpump'
import {
  type KafkaClient,
  type KafkaConnection,
  type KafkaSourceOptions,
  kafkaSink,
  kafkaSource,
  openKafka,
} from 'gearpump/kafka'
import kafkajs from 'kafkajs'
import { lagAsker } from '../../storm-compat/ui/spout-lag.ts'
import { ALICE, type Kafka, startKafka } from '../real/kafka.ts'
import { realTest } from '../real/parts.ts'
import { asAdmin, clientOf, fill, makeTopic } from './kafka-topics.ts'
import { readBySpout } from './spout-reading.ts'
import { until } from './until.ts'

const textsOf = (count: number, name = 'text') =>
  Array.from({ length: count }, (_, i) => `${name} ${i}`)

interface Reading {
  readonly got: string[]
  /** Codes and messages of the errors that the source has told. */
  errors(): Promise<string>
  /** Records not done yet, as the application tells; undefined before it does. */
  lag(): Promise<unknown>
  stop(): Promise<void>
}

let groups = 0

/** An application in this process that reads a topic. */
async function read(
  connection: KafkaConnection,
  topic: string,
  options: Partial<KafkaSourceOptions<string>> = {},
): Promise<Reading> {
  const got: string[] = []
  const gear = await connect({ log: noLog })
  const records = source(
    'records',
    kafkaSource<string>({
      ...connection,
      topics: [topic],
      groupId: `group-${++groups}`,
      refreshMs: 200,
      decode: record => `${record.value}`,
      ...options,
    }),
  )
  const keep = processor<string, never>('keep', () => ({ onNext: text => void got.push(text) }))
  try {
    const app = await gear.submit(application(`read-${groups}`, graph(records.to(keep))))
    return {
      got,
      errors: async () => JSON.stringify((await app.info()).errors),
      lag: async () => (await app.info()).metrics?.records?.lag,
      stop: () => gear.close(),
    }
  } catch (error) {
    await gear.close()
    throw error
  }
}

realTest(test.serial, ['kafka'], 'what befalls a topic', async (t, [part]) => {
  t.timeout(175_000)
  const lines = ['log.retention.check.interval.ms=500', 'log.cleaner.backoff.ms=200']
  const kafka = await startKafka({ dir: part.dir, lines })
  t.teardown(() => kafka.stop())
  const client = await clientOf(kafka.brokers)
  t.teardown(() => client.close())
  await grows(t, kafka, client)
  await loses(t, kafka, client)
  await isCompacted(t, kafka, client)
  await hasLarge(t, kafka)
  await fromTime(t, kafka, client)
  await isDamaged(t, kafka, client)
  await isMadeAnew(t, kafka, client)
})

async function grows(t: ExecutionContext, { brokers }: Kafka, client: KafkaClient) {
  await makeTopic(brokers, 'growing', 4)
  const reading = await read({ brokers }, 'growing')
  await fill(client, 'growing', 4, textsOf(400))
  await asAdmin(brokers, async admin => {
    await admin.createPartitions({ topicPartitions: [{ topic: 'growing', count: 8 }] })
    return true
  })
  await until('it has leaders', async () => {
    const [topic] = await client.topics(['growing'])
    return topic!.partitions.length === 8 && topic!.partitions.every(one => one.leader > 0)
  })
  await fill(client, 'growing', 8, textsOf(800, 'grown'))
  await until('all was read', () => reading.got.length >= 1200)
  t.is(new Set(reading.got).size, 1200)
  t.is(reading.got.length, 1200)
  await until('no lag is told', async () => (await reading.lag()) === 0)
  await reading.stop()
}

/** Beyond the old offset, where a reader by name would notice nothing; read by the source and by the spout. */
async function isMadeAnew(t: ExecutionContext, { brokers }: Kafka, client: KafkaClient) {
  await makeTopic(brokers, 'anew', 1)
  await fill(client, 'anew', 1, textsOf(300))
  const source = await read({ brokers }, 'anew')
  const spout = await readBySpout(t, {
    bootstrapServers: brokers,
    topics: 'anew',
    groupId: 'anew-spout',
    partitionRefreshPeriodMs: 200,
  })
  const readers = [source, spout]
  await until('both have read', () => readers.every(({ got }) => got.length >= 300))
  await asAdmin(brokers, async admin => {
    await admin.deleteTopics({ topics: ['anew'] })
    return true
  })
  await until('it is gone', async () => (await client.topics(['anew'])).length === 0)
  await makeTopic(brokers, 'anew', 1)
  await until('it has a leader', async () => {
    const [topic] = await client.topics(['anew'])
    return topic !== undefined && topic.partitions[0]!.leader > 0
  })
  await fill(client, 'anew', 1, textsOf(500, 'anew'))
  for (const reader of readers) {
    await until('all of the new one was read', () => new Set(reader.got).size >= 800)
    t.deepEqual(new Set(reader.got), new Set([...textsOf(300), ...textsOf(500, 'anew')]))
    t.regex(await reader.errors(), /the topic was deleted and made anew/)
    await reader.stop()
  }
  const connection = { brokers }
  const lag = await lagAsker()({ connection, groupId: 'anew-spout', topics: ['anew', 'not-there'] })
  t.deepEqual(Object.keys(lag), ['anew'])
  const { consumerCommittedOffset, logHeadOffset, lag: behind } = lag.anew![0]!
  t.is(logHeadOffset, 500)
  t.is(behind, 500 - consumerCommittedOffset)
}

async function loses(t: ExecutionContext, { brokers }: Kafka, client: KafkaClient) {
  await makeTopic(brokers, 'losing', 1)
  await fill(client, 'losing', 1, textsOf(100))
  // As if the group had left off there long ago.
  await client.commit('left-off', [{ topic: 'losing', partition: 0, offset: 5, metadata: '' }])
  await asAdmin(brokers, async admin => {
    // Loads what the next call needs.
    await admin.fetchTopicOffsets('losing')
    await admin.deleteTopicRecords({
      topic: 'losing',
      partitions: [{ partition: 0, offset: '40' }],
    })
    return true
  })
  const reading = await read({ brokers }, 'losing', { groupId: 'left-off' })
  await until('the rest was read', () => reading.got.length >= 60)
  t.deepEqual(reading.got, textsOf(100).slice(40))
  t.regex(await reading.errors(), /losing\[0\] cannot be read at offset 5: .* 35 offsets expired/)
  await reading.stop()
}

async function isCompacted(t: ExecutionContext, { brokers }: Kafka, client: KafkaClient) {
  const settings = {
    'cleanup.policy': 'compact',
    'segment.ms': '100',
    'min.cleanable.dirty.ratio': '0.01',
    'max.compaction.lag.ms': '200',
  }
  await makeTopic(brokers, 'compacted', 1, settings)
  const at = { topic: 'compacted', partition: 0 }
  for (let round = 0; round < 5; round++) {
    const records = textsOf(20).map((key, i) => ({ key, value: `${round} ${i}` }))
    await client.produce({ ...at, records })
  }
  const texts = async () => {
    const [topic] = await client.topics(['compacted'])
    const limits = { bytesMin: 1, bytesMax: 1e6, waitMs: 100, isolation: 'committed' } as const
    const position = { ...at, offset: 0, bytesMax: 1e6 }
    const [answer] = await client.fetch(topic!.partitions[0]!.leader, [position], limits)
    return answer!.records
  }
  await until('it was compacted', async () => {
    await client.produce({ ...at, records: [{ key: 'last', value: 'last' }] })
    const [first] = await texts()
    return first !== undefined && first.offset >= 80
  })
  const reading = await read({ brokers }, 'compacted')
  const expected = textsOf(20).map((_, i) => `4 ${i}`)
  await until('all was read', () => reading.got.includes('last'))
  t.deepEqual(
    expected.filter(text => !reading.got.includes(text)),
    [],
  )
  await until('the end is committed', async () => {
    const [committed] = await client.committed(`group-${groups}`, [at])
    const [end] = await client.offsets('latest', [at])
    return committed?.offset === end!.offset
  })
  await reading.stop()
}

const TEN_MB = 10 * 1024 * 1024

async function hasLarge(t: ExecutionContext, { brokers }: Kafka) {
  await makeTopic(brokers, 'large', 1, { 'max.message.bytes': `${12 * 1024 * 1024}` })
  const values = ['small', 'x'.repeat(TEN_MB), 'after']
  const gear = await connect({ log: noLog })
  const all = source<string>('all', () => {
    const left = [...values]
    return {
      next: out => {
        const value = left.shift()
        if (value !== undefined) out.output(value, value.length)
        return left.length > 0 ? true : 'end'
      },
    }
  })
  const out = processor('out', kafkaSink<string>({ brokers, topic: 'large' }))
  const app = await gear.submit(application('large', graph(all.to(out))))
  await app.drained()
  await gear.close()
  const reading = await read({ brokers }, 'large')
  await until('all was read', () => reading.got.length === 3)
  t.deepEqual(
    reading.got.map(text => text.length),
    [5, TEN_MB, 5],
  )
  await reading.stop()
}

async function fromTime(t: ExecutionContext, { brokers }: Kafka, client: KafkaClient) {
  await makeTopic(brokers, 'timed', 1)
  const nowMs = Date.now()
  const records = textsOf(50).map((value, i) => ({ key: null, value, timestampMs: nowMs + i }))
  await client.produce({ topic: 'timed', partition: 0, records })
  const reading = await read({ brokers }, 'timed', { from: { timestampMs: nowMs + 20 } })
  await until('all was read', () => reading.got.length >= 30)
  t.deepEqual(reading.got, textsOf(50).slice(20))
  await reading.stop()
}

// One byte of a batch is changed on the broker's disk.
async function isDamaged(t: ExecutionContext, kafka: Kafka, client: KafkaClient) {
  const { brokers } = kafka
  await makeTopic(brokers, 'damaged', 1)
  await makeTopic(brokers, 'dead', 1)
  for (const text of ['first', 'DAMAGE', 'last'])
    await client.produce({ topic: 'damaged', partition: 0, records: [{ key: null, value: text }] })
  const folder = join(kafka.nodes[0]!.directory, 'log', 'damaged-0')
  const file = join(folder, readdirSync(folder).find(name => name.endsWith('.log'))!)
  const bytes = readFileSync(file)
  bytes[bytes.indexOf('DAMAGE')] = 0x21
  writeFileSync(file, bytes)
  const reading = await read({ brokers }, 'damaged', { deadLetterTopic: 'dead' })
  await until('the rest was read', () => reading.got.includes('last'))
  t.deepEqual(reading.got, ['first', 'last'])
  t.regex(await reading.errors(), /damaged\[0\]: the batch at offset 1 .* its checksum is/)
  await reading.stop()
  const [letters] = await client.offsets('latest', [{ topic: 'dead', partition: 0 }])
  t.is(letters!.offset, 1)
}

realTest(test.serial, ['kafka'], 'who is let in, and to what', async (t, [part]) => {
  t.timeout(175_000)
  const lines = [
    'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users=User:ANONYMOUS',
  ]
  const kafka = await startKafka({ dir: part.dir, secured: 'SASL_PLAINTEXT', lines })
  t.teardown(() => kafka.stop())
  const { brokers, secured } = kafka
  const root = await clientOf(brokers)
  t.teardown(() => root.close())
  for (const topic of ['open', 'closed']) await makeTopic(brokers, topic, 1)
  await fill(root, 'open', 1, textsOf(3))
  await allowAlice(brokers)
  for (const driver of ['kafkajs', 'platformatic'] as const) {
    for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
      const connection = { brokers: secured, driver, sasl: { mechanism, ...ALICE } }
      const reading = await read(connection, 'open', { from: 'earliest' })
      await until('all was read', () => reading.got.length === 3)
      await reading.stop()
    }
    const sasl = { mechanism: 'plain', ...ALICE } as const
    const wrong = { ...sasl, password: 'not-her-secret' }
    const refused = await t.throwsAsync<EngineError>(
      read({ brokers: secured, driver, sasl: wrong }, 'open'),
    )
    t.regex(refused!.message, /127\.0\.0\.1:\d+ does not let us in/)
    t.false(JSON.stringify([refused!.message, refused!.details]).includes('not-her-secret'))

    const hidden = await t.throwsAsync(read({ brokers: secured, driver, sasl }, 'closed'))
    t.regex(hidden!.message, /closed.*TOPIC_AUTHORIZATION_FAILED/)
    const client = await openKafka({ brokers: secured, driver, sasl })
    const batch = { topic: 'open', partition: 0, records: [{ key: null, value: 'x' }] }
    const write = await t.throwsAsync<EngineError>(client.produce(batch))
    t.is(write!.code, 'KAFKA_REFUSED')
    t.regex(write!.message, /AUTHORIZATION_FAILED/)
    const foreign = client.commit('not-hers', [
      { topic: 'open', partition: 0, offset: 1, metadata: '' },
    ])
    await t.throwsAsync(foreign, { message: /group not-hers.*GROUP_AUTHORIZATION_FAILED/ })
    await client.close()
  }
})

async function allowAlice(brokers: readonly string[]): Promise<void> {
  const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs
  const right = (resourceType: number, resourceName: string, prefixed = false) => ({
    resourceType,
    resourceName,
    resourcePatternType: prefixed ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
    principal: `User:${ALICE.username}`,
    host: '*',
    operation: AclOperationTypes.READ,
    permissionType: AclPermissionTypes.ALLOW,
  })
  await asAdmin(brokers, admin =>
    admin.createAcls({
      acl: [right(AclResourceTypes.TOPIC, 'open'), right(AclResourceTypes.GROUP, 'group-', true)],
    }),
  )
}
