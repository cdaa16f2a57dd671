// Storm's KafkaSpout without Java: reads its share of the partitions, emits one record per turn, and commits for its
// group what is finished. Offsets, metadata and options are Storm's, so that a group can be taken over and handed
// back. What is different: failed records are kept in memory and emitted again from there, and commits do not wait
// for `nextTuple`.
//
// Fetching (record-reader.ts), assignment (partition-keeper.ts) and commits run in the background. The three methods
// that the engine calls for each record only touch memory.
import { readFileSync } from 'node:fs'
import { type KafkaClient, type KafkaConnection, openKafka } from 'gearpump/kafka'
import { UserError } from 'gearpump/spi'
import type {
  Conf,
  OutputFieldsDeclarer,
  Spout,
  SpoutOutputCollector,
  TopologyContext,
} from '../component/api.ts'
import { type ShellClock, systemClock } from '../multilang/clock.ts'
import { connectionOf, isSecret, serversOf } from './client-properties.ts'
import { writeMetadata } from './commit-metadata.ts'
import { RecordEmitter } from './record-emitter.ts'
import {
  type KafkaSpoutOptions,
  type KafkaSpoutSettings,
  SERVERS_SETTING,
  spoutSettings,
} from './spout-options.ts'
import { SpoutSession } from './spout-session.ts'
import { streamsOf } from './translators.ts'

export interface KafkaParts {
  readonly openClient: (connection: KafkaConnection) => Promise<KafkaClient>
  readonly clock: ShellClock
}

const REAL_PARTS: KafkaParts = {
  openClient: connection => openKafka(connection),
  clock: systemClock,
}

export class KafkaSpout implements Spout {
  readonly #settings: KafkaSpoutSettings
  readonly #notices: readonly string[]
  readonly #parts: KafkaParts
  #emitter: RecordEmitter | undefined = undefined
  #session: SpoutSession | undefined = undefined

  /** Throws a UserError that lists what is wrong with the options. */
  constructor(options: KafkaSpoutOptions, parts: KafkaParts = REAL_PARTS) {
    const { settings, notices } = spoutSettings(options)
    this.#settings = settings
    this.#notices = notices
    this.#parts = parts
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    const { translator } = this.#settings
    for (const stream of streamsOf(translator)) {
      declarer.declareStream(stream, translator.getFieldsFor(stream))
    }
  }

  /** What a view of the lag needs, under Storm's names; passwords stay out. */
  getComponentConfiguration(): Conf {
    const { properties, topics, groupId } = this.#settings
    const servers = serversOf(properties).join(',')
    const plain = Object.entries(properties).filter(
      ([key, value]) => !isSecret(key) && ['string', 'number', 'boolean'].includes(typeof value),
    )
    return {
      ...Object.fromEntries(plain.map(([key, value]) => [`config.${key}`, value])),
      ...(servers === '' ? {} : { 'config.bootstrap.servers': servers }),
      'config.topics': topics instanceof RegExp ? topics.source : topics.join(','),
      'config.groupid': groupId,
    }
  }

  async open(conf: Conf, context: TopologyContext, collector: SpoutOutputCollector): Promise<void> {
    const settings = this.#settings
    for (const notice of this.#notices) context.log.write('warn', notice)
    const properties = settings.serversFromConf ? withServers(settings, conf) : settings.properties
    const connection = connectionOf(properties, {
      readText: path => readFileSync(path, 'utf8'),
      driver: settings.driver,
    })
    const { clock, openClient } = this.#parts
    const emitter = new RecordEmitter(settings, { clock, collector })
    const { stormId, taskId, componentId } = context
    this.#emitter = emitter
    this.#session = new SpoutSession(await openClient(connection), settings, {
      clock,
      emitter,
      report: error => collector.reportError(error),
      log: (level, text) => context.log.write(level, text),
      task: {
        topologyId: stormId,
        index: context.taskIndex,
        count: Math.max(1, context.componentTasks(componentId).length),
        metadata: topicId =>
          writeMetadata({
            topologyId: stormId,
            taskId,
            threadName: `${componentId}-executor[${taskId}, ${taskId}]`,
            topicId,
          }),
      },
    })
  }

  activate(): void {
    this.#session?.start()
  }

  nextTuple(): void {
    this.#emitter?.emitNext()
  }

  ack(messageId: unknown): void {
    this.#emitter?.ack(messageId)
  }

  fail(messageId: unknown): void {
    this.#emitter?.fail(messageId)
  }

  async deactivate(): Promise<void> {
    await this.#session?.commit()
  }

  async close(): Promise<void> {
    await this.#session?.close()
  }
}

function withServers(settings: KafkaSpoutSettings, conf: Conf) {
  const servers = conf[SERVERS_SETTING]
  if (typeof servers === 'string' && servers !== '') {
    return { ...settings.properties, 'bootstrap.servers': servers }
  }
  throw new UserError('BAD_INPUT', 'a Kafka spout', [
    {
      place: SERVERS_SETTING,
      message: 'no Kafka broker is named: this spout found them through ZooKeeper',
      hint: `set ${SERVERS_SETTING}: "host:9092,host:9092" in the config of the topology`,
    },
  ])
}

/**
 * A spout for the topology builder.
 *
 * @example
 * builder.setSpout('words', kafkaSpout({
 *   bootstrapServers: 'kafka-1:9092', topics: ['words'], groupId: 'word-count',
 * }), 2)
 */
export function kafkaSpout(options: KafkaSpoutOptions): () => KafkaSpout {
  return () => new KafkaSpout(options)
}
