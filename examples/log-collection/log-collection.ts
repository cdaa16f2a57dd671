// Log collection: the log files of several hosts to one Kafka topic. It is started on every host and follows the files there
// over rotation. At-least-once: a line counts as read when the brokers have it. Lines of one host have its name as key, so
// they stay in one partition. Make the topic first, then on each host:
// gear run examples/log-collection/log-collection.ts -- --logs '/var/log/*.log' --brokers kafka-1:9092 --follow
import { hostname } from 'node:os'
import {
  application,
  graph,
  processor,
  program,
  source,
  type Task,
  type TaskContext,
} from 'gearpump'
import { fileSource } from 'gearpump/files'
import { kafkaSink } from 'gearpump/kafka'

/** What is written for a line. */
export interface LogRecord {
  readonly host: string
  readonly level: string
  readonly line: string
}

/** Says of each line where it comes from and how grave it is. */
export class Describe implements Task<string, LogRecord> {
  readonly #host: string

  constructor(host: string) {
    this.#host = host
  }

  onNext = (line: string, context: TaskContext<LogRecord>): void => {
    // What is blank tells nobody anything.
    if (line.trim() === '') return
    const level = /\b(TRACE|DEBUG|INFO|WARN|ERROR)\b/.exec(line)?.[1] ?? 'OTHER'
    context.output({ host: this.#host, level, line })
  }
}

interface Options {
  readonly logs: string
  readonly brokers: string
  readonly topic: string
  readonly host: string
  readonly follow: boolean
}

/** The application. Also how the other executors of a run get it. */
export function logCollection(input: Options) {
  const host = input.host === '' ? hostname() : input.host
  const lines = source('lines', fileSource({ glob: input.logs, tail: input.follow }))
  const describe = processor('describe', () => new Describe(host))
  const out = processor(
    'kafka',
    kafkaSink<LogRecord>({
      brokers: input.brokers.split(','),
      topic: input.topic,
      encode: record => ({ key: record.host, value: JSON.stringify(record) }),
    }),
  )
  return application('log-collection', graph(lines.to(describe).to(out)), {
    code: { module: import.meta.url, export: 'logCollection', input },
  })
}

export default program({
  args: {
    logs: { required: true, description: 'the files to read; wildcards in the name' },
    brokers: { required: true, description: 'Kafka brokers: host:port,host:port' },
    topic: { default: 'logs', description: 'the topic to write to' },
    host: { default: '', description: 'the name of this host; by default its own' },
    follow: { type: 'boolean', default: false, description: 'wait for more, as `tail -F` does' },
  },
  build: logCollection,
})
