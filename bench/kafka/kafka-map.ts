// Kafka → map → Kafka through the engine; beside it, in turn, our bare client with the same driver in a loop (fetch, map, send
// one batch per partition, commit), and once kafkajs's own consumer and producer. Each is counted from its first messages in the
// topic that it writes, so that nobody is charged for coming up.
import { application, connect, graph, noLog, processor, source, type TaskContext } from 'gearpump'
import {
  type KafkaClient,
  type KafkaConnection,
  type KafkaDriver,
  type KafkaRecord,
  kafkaSink,
  kafkaSource,
  openKafka,
} from 'gearpump/kafka'
import kafkajs from 'kafkajs'

const PARTITIONS = 4
const BATCH = 1000
const VALUE = 'x'.repeat(100)
/** As much as the engine's source asks for. */
const LIMITS = { bytesMin: 1, bytesMax: 16 << 20, waitMs: 500, isolation: 'committed' } as const
/** Of one partition in one answer: what suits a loop best that waits for each answer. The engine has its own default. */
const FETCH_BYTES = 1 << 20
const LOOK_MS = 10
const FROM = 'bench-from'

const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition)
const mapped = (record: KafkaRecord) => String(record.value).toUpperCase()

export interface KafkaMapOptions {
  readonly brokers: readonly string[]
  readonly driver: KafkaDriver
  readonly messages: number
  readonly rounds: number
}

/** Of a number of rounds the best: messages per second, and µs of this process's CPU per message. */
export interface KafkaMapFigures {
  readonly perS: number
  readonly cpuUs: number
}

type Way = 'library' | 'bare' | 'engine'

export async function kafkaMap(options: KafkaMapOptions): Promise<Record<Way, KafkaMapFigures>> {
  const { brokers, driver, messages, rounds } = options
  const connection = { brokers, driver }
  const client = await openKafka(connection)
  const taken: Record<Way, KafkaMapFigures[]> = { library: [], bare: [], engine: [] }
  try {
    await create(brokers, FROM)
    await fill(client, messages)
    for (let round = 0; round < rounds; round++) {
      const ways: Way[] = round === 0 ? ['library', 'bare', 'engine'] : ['bare', 'engine']
      for (const way of ways) {
        const to = `bench-${way}-${round}`
        await create(brokers, to)
        taken[way].push(await measure(RUN[way], { connection, client, to, messages }))
      }
    }
  } finally {
    await client.close()
  }
  return { library: best(taken.library), bare: best(taken.bare), engine: best(taken.engine) }
}

function best(rounds: readonly KafkaMapFigures[]): KafkaMapFigures {
  return {
    perS: Math.max(...rounds.map(({ perS }) => perS)),
    cpuUs: Math.min(...rounds.map(({ cpuUs }) => cpuUs)),
  }
}

interface Work {
  readonly connection: KafkaConnection
  readonly client: KafkaClient
  readonly to: string
  readonly messages: number
  /** Resolves when all messages have come to the topic `to`. */
  readonly all: Promise<void>
}

async function measure(
  run: (work: Work) => Promise<void>,
  given: Omit<Work, 'all'>,
): Promise<KafkaMapFigures> {
  const { client, to, messages } = given
  const first = arrived(client, to, 1)
  const all = first.then(async () => void (await arrived(client, to, messages)))
  const ended = run({ ...given, all })
  const failed = ended.then(() => new Promise<never>(() => undefined))
  const before = await Promise.race([first, failed])
  const beganMs = performance.now()
  const cpu = process.cpuUsage()
  await Promise.race([all, failed])
  const seconds = (performance.now() - beganMs) / 1000
  const { user, system } = process.cpuUsage(cpu)
  await ended
  const count = messages - before
  return { perS: count / seconds, cpuUs: (user + system) / count }
}

/** How many messages the topic has, once that is `count` at least. */
async function arrived(client: KafkaClient, topic: string, count: number): Promise<number> {
  for (;;) {
    const found = await total(client, topic)
    if (found >= count) return found
    await new Promise(resolve => setTimeout(resolve, LOOK_MS))
  }
}

async function create(brokers: readonly string[], topic: string): Promise<void> {
  const admin = new kafkajs.Kafka({ brokers: [...brokers], logLevel: 0 }).admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }] })
  await admin.disconnect()
}

async function fill(client: KafkaClient, messages: number): Promise<void> {
  const records = Array.from({ length: BATCH }, () => ({ key: null, value: VALUE }))
  for (let sent = 0; sent < messages; sent += BATCH * PARTITIONS) {
    await Promise.all(
      partitions.map(partition => client.produce({ topic: FROM, partition, records })),
    )
  }
}

async function total(client: KafkaClient, topic: string): Promise<number> {
  const ends = await client.offsets(
    'latest',
    partitions.map(partition => ({ topic, partition })),
  )
  return ends.reduce((sum, { offset }) => sum + offset, 0)
}

// One loop over all partitions, each batch as large as it comes.
async function bare({ client, to, messages }: Work): Promise<void> {
  const [found] = await client.topics([FROM])
  const offsets = partitions.map(() => 0)
  while (offsets.reduce((sum, offset) => sum + offset) < messages) {
    const positions = partitions.map(partition => ({
      topic: FROM,
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
      `${to}-group`,
      offsets.map((offset, partition) => ({ topic: FROM, partition, offset, metadata: '' })),
    )
  }
}

// As kafkajs's users write it: whole batches, one send per batch.
async function library({ connection, to, messages }: Work): Promise<void> {
  const kafka = new kafkajs.Kafka({ brokers: [...connection.brokers], logLevel: 0 })
  const producer = kafka.producer({
    idempotent: true,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  })
  const consumer = kafka.consumer({ groupId: `${to}-group`, maxBytesPerPartition: FETCH_BYTES })
  await Promise.all([producer.connect(), consumer.connect()])
  await consumer.subscribe({ topic: FROM, fromBeginning: true })
  let done = 0
  await new Promise<void>((resolve, reject) => {
    const eachBatch = async ({ batch }: { batch: kafkajs.Batch }) => {
      const { partition } = batch
      const made = batch.messages.map(({ value }) => {
        return { partition, value: String(value).toUpperCase() }
      })
      await producer.send({ topic: to, messages: made })
      done += made.length
      if (done >= messages) resolve()
    }
    consumer.run({ partitionsConsumedConcurrently: PARTITIONS, eachBatch }).catch(reject)
  })
  await Promise.all([producer.disconnect(), consumer.disconnect()])
}

async function engine({ connection, to, all }: Work): Promise<void> {
  const decode = (record: KafkaRecord) => String(record.value)
  const groupId = `${to}-group`
  const records = source('records', kafkaSource({ ...connection, topics: [FROM], groupId, decode }))
  const map = processor<string, string>('map', () => ({
    onNext: (text: string, context: TaskContext<string>) => context.output(text.toUpperCase()),
  }))
  const out = processor('out', kafkaSink<string>({ ...connection, topic: to }))
  const gear = await connect({ log: noLog })
  await gear.submit(application('kafka-map', graph(records.to(map).to(out))))
  await all
  await gear.close()
}

const RUN = { library, bare, engine } as const
