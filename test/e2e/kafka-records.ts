// Topics of a real Kafka as tests look at them: made, filled, read to the end, and what a group has committed.
import { type KafkaClient, type KafkaRecord, openKafka } from 'gearpump/kafka'
import kafkajs from 'kafkajs'
import type { Kafka } from '../real/kafka.ts'
import { until } from './until.ts'

export class KafkaTopics {
  readonly client: KafkaClient
  readonly #kafka: Kafka

  private constructor(kafka: Kafka, client: KafkaClient) {
    this.#kafka = kafka
    this.client = client
  }

  static async open(kafka: Kafka): Promise<KafkaTopics> {
    return new KafkaTopics(kafka, await openKafka({ brokers: kafka.brokers }))
  }

  close(): Promise<void> {
    return this.client.close()
  }

  async create(topics: Readonly<Record<string, number>>): Promise<void> {
    const admin = new kafkajs.Kafka({ brokers: [...this.#kafka.brokers], logLevel: 0 }).admin()
    await admin.connect()
    for (const [topic, numPartitions] of Object.entries(topics)) {
      await until(`the topic ${topic} is made`, () =>
        admin.createTopics({ topics: [{ topic, numPartitions }] }).then(
          () => true,
          () => undefined,
        ),
      )
    }
    await admin.disconnect()
    await until('all partitions are led', async () => {
      const found = await this.client.topics(Object.keys(topics))
      const partitions = found.flatMap(topic => topic.partitions)
      const wanted = Object.values(topics).reduce((a, b) => a + b, 0)
      return partitions.length === wanted && partitions.every(({ leader }) => leader > 0)
    })
  }

  /** Appends records `kP-I` → `vP-I` to partition P, from number `from` on. */
  async append(topic: string, partition: number, { from, count }: { from: number; count: number }) {
    const records = Array.from({ length: count }, (_, at) => ({
      key: `k${partition}-${from + at}`,
      value: `v${partition}-${from + at}`,
    }))
    await this.client.produce({ topic, partition, records })
  }

  /** Everything that is in a topic now. */
  async read(topic: string): Promise<KafkaRecord[]> {
    const [info] = await this.client.topics([topic])
    const partitions = info!.partitions.map(({ partition }) => ({ topic, partition }))
    const ends = await this.client.offsets('latest', partitions)
    const records: KafkaRecord[] = []
    for (const { partition, leader } of info!.partitions) {
      const end = ends.find(at => at.partition === partition)!.offset
      for (let offset = 0; offset < end; ) {
        const position = { topic, partition, offset, bytesMax: 1 << 22 }
        const limits = {
          bytesMin: 1,
          bytesMax: 1 << 22,
          waitMs: 500,
          isolation: 'committed',
        } as const
        const [found] = await this.client.fetch(leader, [position], limits)
        if (found!.problem !== undefined) throw found!.problem.error
        records.push(...found!.records)
        offset = found!.nextOffset
      }
    }
    return records
  }

  async ends(topic: string): Promise<number[]> {
    const [info] = await this.client.topics([topic])
    const partitions = info!.partitions.map(({ partition }) => ({ topic, partition }))
    const ends = await this.client.offsets('latest', partitions)
    return ends.toSorted((a, b) => a.partition - b.partition).map(({ offset }) => offset)
  }

  /** By partition; -1 where nothing was committed. With the text beside it. */
  async committed(group: string, topic: string): Promise<{ offset: number; metadata: string }[]> {
    const [info] = await this.client.topics([topic])
    const partitions = info!.partitions.map(({ partition }) => ({ topic, partition }))
    const found = await this.client.committed(group, partitions)
    return partitions.map(({ partition }) => {
      const at = found.find(offset => offset.partition === partition)
      return at === undefined
        ? { offset: -1, metadata: '' }
        : { offset: at.offset, metadata: at.metadata }
    })
  }
}
