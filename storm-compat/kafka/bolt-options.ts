// How a Kafka bolt is set up: what users write, and the complete settings that it runs by. Mapper and selector are
// functions, objects with Storm's methods, or plain data for topologies that travel.

import type { KafkaDriver, ProducerOptions } from 'gearpump/kafka'
import { type Problem, UserError } from 'gearpump/spi'
import type { Tuple } from '../component/api.ts'
import { type ClientProperties, checkProperties, number, text } from './client-properties.ts'
import { CODEC_NAMES, encoderOf } from './java-codecs.ts'
import type { SenderSettings } from './record-sender.ts'

/** TupleToKafkaMapper. */
export interface TupleMapper {
  getKeyFromTuple(tuple: Tuple): unknown
  getMessageFromTuple(tuple: Tuple): unknown
}

/** KafkaTopicSelector. No topic: the tuple is acked and nothing is written. */
export interface TopicSelector {
  getTopic(tuple: Tuple): string | null | undefined
}

/** FieldNameBasedTupleToKafkaMapper. */
export interface MapperFields {
  readonly keyField: string
  readonly messageField: string
}

/** DefaultTopicSelector, FieldNameTopicSelector, FieldIndexTopicSelector. */
export type SelectorData =
  | { readonly topic: string }
  | { readonly field: string; readonly otherwise: string }
  | { readonly fieldIndex: number; readonly otherwise: string }

export interface KafkaBoltOptions {
  /** `host:port,host:port`, or a list. The property `bootstrap.servers` says the same. */
  readonly bootstrapServers?: string | readonly string[]
  /** One topic for all; without topic and selector the setting `topic` of the topology or component names it. */
  readonly topic?: string
  readonly topicSelector?:
    | SelectorData
    | TopicSelector
    | ((tuple: Tuple) => string | null | undefined)
  /** Default: the fields `key`, which may be missing, and `message`. */
  readonly mapper?: MapperFields | TupleMapper
  /** Names of Kafka's own Java classes, or `String`, `ByteArray`, `Integer`, `Long` …. Default: String. */
  readonly keySerializer?: string
  readonly valueSerializer?: string
  /** Inputs are acked before they are written. Default: false. */
  readonly fireAndForget?: boolean
  /** false: one record at a time. Default: true. */
  readonly async?: boolean
  /** Properties of Kafka's producer by their names in Java. */
  readonly properties?: ClientProperties
  readonly driver?: KafkaDriver
}

export interface KafkaBoltSettings {
  readonly properties: ClientProperties
  readonly selector: TopicSelector | undefined
  readonly mapper: TupleMapper
  readonly encodeKey: (value: unknown) => Buffer | string
  readonly encodeValue: (value: unknown) => Buffer | string
  readonly fireAndForget: boolean
  readonly async: boolean
  readonly driver: KafkaDriver | undefined
  readonly producer: ProducerOptions
  readonly sender: SenderSettings
}

const PRODUCER_KEYS = [
  'key.serializer',
  'value.serializer',
  'acks',
  'request.required.acks',
  'enable.idempotence',
  'compression.type',
  'delivery.timeout.ms',
  'linger.ms',
  'buffer.memory',
  'max.request.size',
  'metadata.max.age.ms',
]
/** Retries go on until `delivery.timeout.ms`, and batches are as large as the time allows, whatever these say. */
const NEEDLESS_KEYS = [
  'retries',
  'retry.backoff.ms',
  'batch.size',
  'max.in.flight.requests.per.connection',
]

/** Throws a UserError (BAD_INPUT) that lists all that is wrong. */
export function boltSettings(options: KafkaBoltOptions): {
  settings: KafkaBoltSettings
  notices: readonly string[]
} {
  const { bootstrapServers, keySerializer, valueSerializer } = options
  const properties = {
    ...options.properties,
    ...(bootstrapServers === undefined ? {} : { 'bootstrap.servers': bootstrapServers }),
    ...(keySerializer === undefined ? {} : { 'key.serializer': keySerializer }),
    ...(valueSerializer === undefined ? {} : { 'value.serializer': valueSerializer }),
  }
  const { problems, notices } = checkProperties(properties, [...PRODUCER_KEYS, ...NEEDLESS_KEYS])
  const settings: KafkaBoltSettings = {
    properties,
    selector: selectorOf(options),
    mapper: mapperOf(options.mapper),
    encodeKey: encoder('key.serializer', properties, problems),
    encodeValue: encoder('value.serializer', properties, problems),
    fireAndForget: options.fireAndForget ?? false,
    async: options.async ?? true,
    driver: options.driver,
    producer: producerOf(properties, { problems, notices }),
    sender: {
      batchBytesMax: number(properties, 'max.request.size') ?? 1024 * 1024,
      bufferBytesMax: number(properties, 'buffer.memory') ?? 32 * 1024 * 1024,
      lingerMs: number(properties, 'linger.ms'),
      metadataMaxAgeMs: number(properties, 'metadata.max.age.ms') ?? 300_000,
    },
  }
  if (problems.length > 0) throw new UserError('BAD_INPUT', 'a Kafka bolt', problems)
  return { settings, notices }
}

function selectorOf({ topic, topicSelector }: KafkaBoltOptions): TopicSelector | undefined {
  if (topicSelector === undefined) {
    return topic === undefined ? undefined : { getTopic: () => topic }
  }
  if (typeof topicSelector === 'function') return { getTopic: topicSelector }
  if ('getTopic' in topicSelector) return topicSelector
  if ('topic' in topicSelector) return { getTopic: () => topicSelector.topic }
  const { otherwise } = topicSelector
  return {
    getTopic: ({ fields, values }) => {
      const at =
        'field' in topicSelector ? fields.indexOf(topicSelector.field) : topicSelector.fieldIndex
      return at < 0 || at >= values.length ? otherwise : (values[at] as string | null)
    },
  }
}

function mapperOf(mapper: KafkaBoltOptions['mapper']): TupleMapper {
  if (mapper !== undefined && 'getKeyFromTuple' in mapper) return mapper
  const { keyField, messageField } = mapper ?? { keyField: 'key', messageField: 'message' }
  return {
    getKeyFromTuple: tuple => {
      const at = tuple.fields.indexOf(keyField)
      return at < 0 ? null : tuple.values[at]
    },
    getMessageFromTuple: tuple => tuple.get(messageField),
  }
}

function encoder(place: string, properties: ClientProperties, problems: Problem[]) {
  const name = text(properties, place) ?? 'String'
  const found = encoderOf(name)
  if (found !== undefined) return found
  const names = CODEC_NAMES.filter(codec => codec !== 'Void').join(', ')
  const otherwise = 'take ByteArray and encode in the bolt before, or run it in the Java sidecar'
  problems.push({
    place,
    message: `${place} is the Java class ${name}`,
    hint: `there are ${names}; ${otherwise}`,
  })
  return String
}

function producerOf(
  properties: ClientProperties,
  { problems, notices }: { problems: Problem[]; notices: string[] },
): ProducerOptions {
  // The older name is of Kafka 0.8.
  const acks = text(properties, 'acks') ?? text(properties, 'request.required.acks') ?? 'all'
  if (!['all', '-1', '0', '1'].includes(acks)) {
    problems.push({ place: 'acks', message: `acks is ${acks}`, hint: 'there are all, 1 and 0' })
  }
  const compression = text(properties, 'compression.type') ?? 'none'
  if (!['none', 'gzip'].includes(compression)) {
    notices.push(
      `batches are not compressed: compression.type is ${compression}, known are none and gzip`,
    )
  }
  const deliveryTimeoutMs = number(properties, 'delivery.timeout.ms')
  return {
    acks: acks === '0' ? 0 : acks === '1' ? 1 : -1,
    compression: compression === 'gzip' ? 'gzip' : 'none',
    ...(text(properties, 'enable.idempotence') === 'false' ? { idempotent: false } : {}),
    ...(deliveryTimeoutMs === undefined ? {} : { deliveryTimeoutMs }),
  }
}
