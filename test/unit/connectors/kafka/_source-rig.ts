// A Kafka source on a cluster in memory, turned by hand: what it emitted and told, and time for it.
import type { ExecutionContext } from 'ava'
import { type KafkaRecord, type KafkaSourceOptions, kafkaSource } from 'gearpump/kafka'
import { ManualEnvironment, type SourceTest, testSource } from 'gearpump/testing'
import { MemoryKafka } from './_memory-kafka.ts'

export const textOf = (record: KafkaRecord) => String(record.value)

export interface Started {
  readonly source: SourceTest
  /** Texts emitted so far. */
  texts(): string[]
  /** Lets time pass until nothing has come for a while. */
  quiet(ms?: number): Promise<void>
}

export interface Given {
  readonly options?: Partial<KafkaSourceOptions<string>>
  readonly position?: unknown
  readonly index?: number
  readonly parallelism?: number
}

export async function start(kafka: MemoryKafka, given: Given = {}): Promise<Started> {
  const { options = {}, ...place } = given
  const topics = options.pattern === undefined ? { topics: ['in'] } : {}
  const declared = kafkaSource<string>(
    { brokers: ['memory:1'], ...topics, groupId: 'g', decode: textOf, ...options },
    { openClient: kafka.open },
  )
  const environment = new ManualEnvironment({ seed: 1 })
  const source = await testSource(declared(), { environment, ...place })
  const quiet = async (ms = 400) => {
    for (let passed = 0; passed < ms; passed += 20) {
      await source.advance(20)
      kafka.tick()
      await new Promise<void>(resolve => setImmediate(resolve))
    }
  }
  await quiet()
  return { source, quiet, texts: () => source.emitted.map(one => String(one.value)) }
}

export function filled(count = 5, partitions = 1): MemoryKafka {
  const kafka = new MemoryKafka()
  kafka.create('in', partitions)
  for (let i = 0; i < count; i++) kafka.append('in', i % partitions, `text ${i}`)
  return kafka
}

export const codes = (t: ExecutionContext, { source }: Started) => {
  for (const error of source.errors) t.log(error.message)
  return source.errors.map(error => (error as { code?: string }).code)
}
