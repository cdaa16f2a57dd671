// Kafka → map → Kafka through the engine; beside it kafkajs's own consumer and producer, and our bare client with the same driver in a
// loop: fetch, map, send one batch per partition, commit. Figures are messages per second, best of the runs, and what the engine keeps
// of each.
// Run it: node --conditions=source --import=./bin/typescript.mjs bench/kafka/kafka-map.ts BROKER [MESSAGES] [DRIVER]

import { application, connect, graph, noLog, processor, source, type TaskContext } from 'gearpump'
import {
  type KafkaConnection,
  type KafkaDriver,
  type KafkaRecord,
  kafkaSink,
  kafkaSource,
  openKafka,
} from 'gearpump/kafka'
import kafkajs from 'kafkajs'

const [broker = '127.0.0.1:9092', count = '300000', driver = 'kafkajs'] = process.argv.slice(2)
const messages = Number(count)
const connection: KafkaConnection = { brokers: [broker], driver: driver as KafkaDriver }
const PARTITIONS = 4
const RUNS = 3
const BATCH = 1000
const VALUE = 'x'.repeat(100)
/** As much as the engine's source asks for. */
const LIMITS = { bytesMin: 1, bytesMax: 16 << 20, waitMs: 500, isolation: 'committed' } as const
const FETCH_BYTES = 1 << 20
const LOOK_MS = 10

const stamp = Date.now()
const from = `bench-from-${stamp}`
const client = await openKafka(connection)
const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition)

async function make(topic: string): Promise<void> {
  const admin = new kafkajs.Kafka({ brokers: [broker], logLevel: 0 }).admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }] })
  await admin.disconnect()
}

async function fill(): Promise<void> {
  const records = Array.from({ length: BATCH }, () => ({ key: null, value: VALUE }))
  for (let sent = 0; sent < messages; sent += BATCH * PARTITIONS) {
    await Promise.all(
      partitions.map(partition => client.produce({ topic: from, partition, records })),
    )
  }
}

const mapped = (record: KafkaRecord) => String(record.value).toUpperCase()

async function total(topic: string): Promise<number> {
  const ends = await client.offsets(
    'latest',
    partitions.map(partition => ({ topic, partition })),
  )
  return ends.reduce((sum, { offset }) => sum + offset, 0)
}

/** One loop per partition, each batch as large as it comes. */
async function bare(to: string, group: string): Promise<void> {
  const [found] = await client.topics([from])
  const ends = await client.offsets(
    'latest',
    partitions.map(partition => ({ topic: from, partition })),
  )
  const offsets = ends.map(() => 0)
  while (ends.some(({ partition, offset }) => offsets[partition]! < offset)) {
    const positions = partitions.map(partition => ({
      topic: from,
      partition,
      offset: offsets[partition]!,
      bytesMax: FETCH_BYTES,
    }))
    const answers = await client.fetch(found!.partitions[0]!.leader, positions, LIMITS)
    await Promise.all(
      answers.map(async ({ partition, records, nextOffset }) => {
        offsets[partition] = nextOffset
        if (records.length === 0) return
        const made = records.map(record => ({ key: null, value: mapped(record) }))
        await client.produce({ topic: to, partition, records: made })
      }),
    )
    await client.commit(
      group,
      offsets.map((offset, partition) => ({ topic: from, partition, offset, metadata: '' })),
    )
  }
}

/** As its users write it: whole batches, one send per batch. */
async function library(to: string, groupId: string): Promise<void> {
  const kafka = new kafkajs.Kafka({ brokers: [broker], logLevel: 0 })
  const producer = kafka.producer({
    idempotent: true,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  })
  const consumer = kafka.consumer({ groupId, maxBytesPerPartition: FETCH_BYTES })
  await Promise.all([producer.connect(), consumer.connect()])
  await consumer.subscribe({ topic: from, fromBeginning: true })
  const expected = await total(from)
  let done = 0
  await new Promise<void>((resolve, reject) => {
    const eachBatch = async ({ batch }: { batch: kafkajs.Batch }) => {
      const { partition } = batch
      const made = batch.messages.map(({ value }) => {
        return { partition, value: String(value).toUpperCase() }
      })
      await producer.send({ topic: to, messages: made })
      done += made.length
      if (done >= expected) resolve()
    }
    consumer.run({ partitionsConsumedConcurrently: PARTITIONS, eachBatch }).catch(reject)
  })
  await Promise.all([producer.disconnect(), consumer.disconnect()])
}

async function engine(to: string, groupId: string): Promise<void> {
  const records = source(
    'records',
    kafkaSource({ ...connection, topics: [from], groupId, decode: record => String(record.value) }),
  )
  const map = processor<string, string>('map', () => ({
    onNext: (text: string, context: TaskContext<string>) => context.output(text.toUpperCase()),
  }))
  const out = processor('out', kafkaSink<string>({ ...connection, topic: to }))
  const gear = await connect({ log: noLog })
  const expected = await total(from)
  await gear.submit(application('kafka-map', graph(records.to(map).to(out))))
  while ((await total(to)) < expected) await new Promise(resolve => setTimeout(resolve, LOOK_MS))
  await gear.close()
}

await make(from)
await fill()
const best = { library: 0, bare: 0, engine: 0 }
for (let run = 0; run < RUNS; run++) {
  for (const [name, fn] of Object.entries({ library, bare, engine })) {
    const to = `bench-${name}-${run}-${stamp}`
    await make(to)
    const beganMs = performance.now()
    const cpu = process.cpuUsage()
    await fn(to, `${to}-group`)
    const perS = (await total(from)) / ((performance.now() - beganMs) / 1000)
    const { user, system } = process.cpuUsage(cpu)
    best[name as keyof typeof best] = Math.max(best[name as keyof typeof best], perS)
    const figures = `${Math.round(perS)} messages/s, ${((user + system) / 1e6).toFixed(2)} s of CPU`
    process.stdout.write(`${driver} ${name}: ${figures}\n`)
  }
}
const share = (of: number) => `${Math.round((100 * best.engine) / of)} %`
process.stdout.write(
  `the engine keeps ${share(best.library)} of kafkajs's own rate, ${share(best.bare)} of our bare client's\n`,
)
await client.close()
