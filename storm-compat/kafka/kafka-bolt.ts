// Storm's KafkaBolt without Java: each tuple becomes a record, and is acked when the brokers have it. Records are
// sent in batches per partition (record-sender.ts). A record that could not be written fails its tuple, which the
// spout emits again: so a record may be there twice, never not at all.
import { readFileSync } from 'node:fs'
import {
  type KafkaClient,
  type KafkaConnection,
  openKafka,
  type ProducerOptions,
} from 'gearpump/kafka'
import { asError, EngineError } from 'gearpump/spi'
import type { Bolt, Conf, OutputCollector, TopologyContext, Tuple } from '../component/api.ts'
import { isTick } from '../component/tuple.ts'
import { type ShellClock, systemClock } from '../multilang/clock.ts'
import {
  boltSettings,
  type KafkaBoltOptions,
  type KafkaBoltSettings,
  type TopicSelector,
} from './bolt-options.ts'
import { connectionOf } from './client-properties.ts'
import { RecordSender } from './record-sender.ts'

export interface KafkaBoltParts {
  readonly openClient: (
    connection: KafkaConnection,
    producer: ProducerOptions,
  ) => Promise<KafkaClient>
  readonly clock: ShellClock
}

const REAL_PARTS: KafkaBoltParts = { openClient: openKafka, clock: systemClock }

/** What is under way at the end gets this long. */
const DRAIN_MS = 5000
/** The same trouble is told again after this. */
const REPORT_AGAIN_MS = 10_000

export class KafkaBolt implements Bolt {
  readonly #settings: KafkaBoltSettings
  readonly #notices: readonly string[]
  readonly #parts: KafkaBoltParts
  #collector!: OutputCollector
  #selector!: TopicSelector
  #log!: TopologyContext['log']
  #client: KafkaClient | undefined = undefined
  #sender: RecordSender | undefined = undefined
  #reportedMs = Number.NEGATIVE_INFINITY

  /** Throws a UserError that lists what is wrong with the options. */
  constructor(options: KafkaBoltOptions, parts: KafkaBoltParts = REAL_PARTS) {
    const { settings, notices } = boltSettings(options)
    this.#settings = settings
    this.#notices = notices
    this.#parts = parts
  }

  declareOutputFields(): void {
    // It emits nothing.
  }

  async prepare(conf: Conf, context: TopologyContext, collector: OutputCollector): Promise<void> {
    for (const notice of this.#notices) context.log.write('warn', notice)
    const { properties, driver, producer, sender } = this.#settings
    this.#collector = collector
    this.#log = context.log
    this.#selector = this.#settings.selector ?? selectorOfConf(conf, context.componentId)
    const connection = connectionOf(properties, {
      readText: path => readFileSync(path, 'utf8'),
      driver,
    })
    const client = await this.#parts.openClient(connection, producer)
    this.#client = client
    this.#sender = new RecordSender(client, sender, this.#parts.clock)
  }

  execute(tuple: Tuple): void | Promise<void> {
    if (isTick(tuple)) {
      this.#collector.ack(tuple)
      return undefined
    }
    if (!this.#settings.async) return new Promise<void>(resolve => this.#send(tuple, resolve))
    this.#send(tuple)
    return this.#sender!.ready()
  }

  #send(tuple: Tuple, ended: () => void = () => undefined): void {
    const { mapper, encodeKey, encodeValue, fireAndForget, async } = this.#settings
    try {
      const key = mapper.getKeyFromTuple(tuple)
      const message = mapper.getMessageFromTuple(tuple)
      const topic = this.#selector.getTopic(tuple)
      if (topic === null || topic === undefined) {
        this.#log.write('warn', `a tuple of ${tuple.sourceComponent} has no topic and is left out`)
        this.#collector.ack(tuple)
        ended()
        return
      }
      const record = {
        key: key === null || key === undefined ? null : encodeKey(key),
        value: message === null || message === undefined ? null : encodeValue(message),
      }
      // Storm looks at `async` first: without it nothing is forgotten.
      const isForgotten = fireAndForget && async
      this.#sender!.send(topic, record, error => {
        if (error !== undefined) this.#report(error)
        if (!isForgotten) {
          if (error === undefined) this.#collector.ack(tuple)
          else this.#collector.fail(tuple)
        }
        ended()
      })
      if (isForgotten) this.#collector.ack(tuple)
    } catch (thrown) {
      this.#report(asError(thrown))
      this.#collector.fail(tuple)
      ended()
    }
  }

  #report(error: Error): void {
    const nowMs = this.#parts.clock.nowMs()
    if (nowMs - this.#reportedMs < REPORT_AGAIN_MS) return
    this.#reportedMs = nowMs
    this.#collector.reportError(error)
  }

  async cleanup(): Promise<void> {
    const sender = this.#sender
    if (sender === undefined) return
    await new Promise<void>(resolve => {
      const cancel = this.#parts.clock.after(DRAIN_MS, resolve)
      void sender.drained().then(() => {
        cancel()
        resolve()
      })
    })
    sender.close()
    await this.#client?.close()
  }
}

function selectorOfConf(conf: Conf, component: string): TopicSelector {
  const topic = conf.topic
  if (typeof topic === 'string') return { getTopic: () => topic }
  throw new EngineError('BAD_INPUT', `the Kafka bolt "${component}" has no topic`, {
    hint: 'give it a topic selector, or set "topic" in the config of the topology',
  })
}

/**
 * A bolt for the topology builder.
 *
 * @example
 * builder.setBolt('out', kafkaBolt({
 *   bootstrapServers: 'kafka-1:9092', topic: 'counts', mapper: { keyField: 'word', messageField: 'count' },
 * })).shuffleGrouping('count')
 */
export function kafkaBolt(options: KafkaBoltOptions): () => KafkaBolt {
  return () => new KafkaBolt(options)
}
