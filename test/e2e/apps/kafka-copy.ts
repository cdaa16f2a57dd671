// Copies records from topic to topic: a Kafka source, a relay, a Kafka sink. Started by itself, with its input as an argument, it is a
// whole run in one process group, for those who kill all of it.
import { setTimeout } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import {
  application,
  connect,
  graph,
  noLog,
  processor,
  shuffle,
  source,
  type Task,
  type TaskContext,
} from 'gearpump'
import { type KafkaDriver, kafkaSink, kafkaSource } from 'gearpump/kafka'

export interface KafkaCopyInput {
  readonly brokers: readonly string[]
  readonly from: string
  readonly to: string
  readonly groupId: string
  readonly openMax: number
  readonly driver?: KafkaDriver
}

/** Every so many-th record takes its time, so that records end in another order than they began. */
const SLOW_EACH = 200
const SLOW_MS = 5

class Relay implements Task<string, string> {
  #count = 0

  onNext(text: string, context: TaskContext<string>): void | Promise<void> {
    if (++this.#count % SLOW_EACH !== 0) return context.output(text)
    return setTimeout(SLOW_MS).then(() => context.output(text))
  }
}

export function kafkaCopy(input: KafkaCopyInput) {
  const { brokers, from, to, groupId, openMax, driver = 'kafkajs' } = input
  const records = source(
    'records',
    kafkaSource({
      brokers,
      driver,
      topics: [from],
      groupId,
      openMax,
      commitMs: 100,
      fetchBytes: 20_000,
      decode: record => String(record.value),
    }),
    { parallelism: 2 },
  )
  const relay = processor<string, string>('relay', () => new Relay(), { parallelism: 2 })
  const out = processor('out', kafkaSink<string>({ brokers, driver, topic: to }), {
    parallelism: 2,
  })
  return application('kafka-copy', graph(records.to(relay, shuffle()).to(out, shuffle())), {
    profile: { timeoutMs: 10_000 },
    code: { module: import.meta.url, export: 'kafkaCopy', input },
  })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const gear = await connect({ log: noLog })
  await gear.submit(kafkaCopy(JSON.parse(process.argv[2]!)), { executors: 2 })
}
