// A Kafka topic that is read and nothing more: by the native source, or by Storm's spout.
import { join } from 'node:path'
import { type Application, application, graph, processor, source } from 'gearpump'
import { kafkaSource } from 'gearpump/kafka'
import {
  type BasicBolt,
  type BasicOutputCollector,
  kafkaSpout,
  TopologyBuilder,
  translate,
} from 'gearpump/storm'

export interface KafkaReadingInput {
  readonly dir: string
  readonly brokers: readonly string[]
  readonly topic: string
}

/** Offset and length: what a reader that keeps nothing needs. */
type Seen = readonly [offset: number, length: number]

export function kafkaSourceReading(input: KafkaReadingInput): Application {
  const { brokers, topic } = input
  const records = source(
    'records',
    kafkaSource<Seen>({
      brokers,
      topics: [topic],
      groupId: 'source',
      decode: ({ offset, value }) => [offset, value?.length ?? 0],
    }),
  )
  const end = processor<Seen, never>('end', () => ({ onNext: () => undefined }))
  return application('kafka-reading', graph(records.to(end)), {
    code: { module: import.meta.url, export: 'kafkaSourceReading', input },
  })
}

class End implements BasicBolt {
  readonly basic = true

  execute(_tuple: unknown, _collector: BasicOutputCollector): void {
    // Acked by returning.
  }

  declareOutputFields(): void {
    // It emits nothing.
  }
}

export function kafkaSpoutReading(input: KafkaReadingInput): Application {
  const { brokers, topic, dir } = input
  const builder = new TopologyBuilder()
  const translator = {
    apply: ({ offset, value }: { offset: number; value: unknown }) => [
      offset,
      (value as Buffer).length,
    ],
    getFieldsFor: () => ['offset', 'length'],
  }
  const spout = kafkaSpout({
    bootstrapServers: brokers,
    topics: topic,
    groupId: 'spout',
    valueDeserializer: 'ByteArray',
    translator,
  })
  builder.setSpout('records', spout).setMaxSpoutPending(5000)
  builder.setBolt('end', () => new End()).shuffleGrouping('records')
  const { application: made } = translate(builder.createTopology('kafka-reading', {}), {
    resources: dir,
    pidDir: join(dir, 'pids'),
    startedMs: 0,
  })
  return { ...made, code: { module: import.meta.url, export: 'kafkaSpoutReading', input } }
}
