// What the tests on a real Kafka do around the connectors: make topics, fill them, read all of one.
import { type KafkaClient, openKafka, type TopicPartition } from 'gearpump/kafka'
import kafkajs from 'kafkajs'
import { until } from './until.ts'

type Admin = ReturnType<kafkajs.Kafka['admin']>

/** Tries again: a young broker refuses things for a while. */
export async function asAdmin<T>(
  brokers: readonly string[],
  fn: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = new kafkajs.Kafka({ brokers: [...brokers], logLevel: 0 }).admin()
  await admin.connect()
  try {
    const { answer } = await until('the broker did what it was told', () =>
      fn(admin).then(
        value => ({ answer: value }),
        () => undefined,
      ),
    )
    return answer
  } finally {
    await admin.disconnect()
  }
}

export async function makeTopic(
  brokers: readonly string[],
  topic: string,
  numPartitions: number,
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }))
  await asAdmin(brokers, async admin => {
    await admin.createTopics({ topics: [{ topic, numPartitions, configEntries }] })
    return true
  })
}

/** Texts dealt to the partitions in turn. */
export async function fill(
  client: KafkaClient,
  topic: string,
  partitions: number,
  texts: readonly string[],
): Promise<void> {
  await Promise.all(
    Array.from({ length: partitions }, async (_, partition) => {
      const own = texts.filter((_text, i) => i % partitions === partition)
      for (let i = 0; i < own.length; i += 1000) {
        const records = own.slice(i, i + 1000).map(value => ({ key: null, value }))
        await client.produce({ topic, partition, records })
      }
    }),
  )
}

/** All texts of one partition up to its end now, by offset. */
export async function readPartition(
  client: KafkaClient,
  at: TopicPartition,
): Promise<Map<number, string>> {
  const texts = new Map<number, string>()
  const [earliest] = await client.offsets('earliest', [at])
  const [latest] = await client.offsets('latest', [at])
  let { offset } = earliest!
  while (offset < latest!.offset) {
    const [topic] = await client.topics([at.topic])
    const node = topic!.partitions[at.partition]!.leader
    const limits = { bytesMin: 1, bytesMax: 1 << 24, waitMs: 200, isolation: 'committed' } as const
    const [answer] = await client.fetch(node, [{ ...at, offset, bytesMax: 1 << 22 }], limits)
    if (answer!.problem !== undefined) throw answer!.problem.error
    for (const record of answer!.records) texts.set(record.offset, String(record.value))
    offset = answer!.nextOffset
  }
  return texts
}

/** How often each text is in a topic. */
export async function countTexts(client: KafkaClient, topic: string): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  const [found] = await client.topics([topic])
  for (const { partition } of found!.partitions) {
    for (const text of (await readPartition(client, { topic, partition })).values())
      counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  return counts
}

/** A client that the test closes. */
export function clientOf(brokers: readonly string[]): Promise<KafkaClient> {
  return openKafka({ brokers })
}
