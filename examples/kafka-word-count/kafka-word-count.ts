// Word count from Kafka to Kafka: lines of one topic → split → count by word → a record per word and count in another topic, keyed by the
// word, so that a compacted topic holds the newest count of each. At-least-once: a line's offset is committed when all its counts are
// at the broker; counts live in the memory of their task and may only ever be too high.
// Run it: gear run examples/kafka-word-count/kafka-word-count.ts -- --brokers HOST:PORT --from lines --to counts
import {
  application,
  graph,
  groupBy,
  processor,
  program,
  shuffle,
  source,
  type Task,
  type TaskContext,
} from 'gearpump'
import { kafkaSink, kafkaSource } from 'gearpump/kafka'
import { wordsOf } from '../text/words.ts'

export type WordCount = readonly [word: string, count: number]

export class Split implements Task<string, string> {
  onNext = (line: string, context: TaskContext<string>): void => {
    for (const word of wordsOf(line)) context.output(word)
  }
}

export class Count implements Task<string, WordCount> {
  readonly #counts = new Map<string, number>()

  onNext = (word: string, context: TaskContext<WordCount>): void => {
    const count = (this.#counts.get(word) ?? 0) + 1
    this.#counts.set(word, count)
    context.output([word, count])
  }
}

interface Options {
  readonly brokers: string
  readonly from: string
  readonly to: string
  readonly group: string
}

/** The application. Also how the other executors of a run get it. */
export function kafkaWordCount(input: Options) {
  const brokers = input.brokers.split(',')
  const lines = source(
    'lines',
    kafkaSource({
      brokers,
      topics: [input.from],
      groupId: input.group,
      decode: record => String(record.value ?? ''),
    }),
    { parallelism: 2 },
  )
  const split = processor('split', () => new Split(), { parallelism: 2 })
  const count = processor('count', () => new Count(), { parallelism: 2 })
  const out = processor(
    'counts',
    kafkaSink<WordCount>({
      brokers,
      topic: input.to,
      encode: ([word, times]) => ({ key: word, value: String(times) }),
    }),
  )
  const words = lines.to(split, shuffle()).to(
    count,
    groupBy((word: string) => word),
  )
  return application('kafka-word-count', graph(words.to(out)), {
    code: { module: import.meta.url, export: 'kafkaWordCount', input },
  })
}

export default program({
  args: {
    brokers: { default: '127.0.0.1:9092', description: 'host:port of some brokers, with commas' },
    from: { default: 'lines', description: 'the topic with lines of text; it must exist' },
    to: { default: 'counts', description: 'the topic for the counts; it must exist' },
    group: { default: 'kafka-word-count', description: 'the group that offsets are committed for' },
  },
  build: kafkaWordCount,
})
