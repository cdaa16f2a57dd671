// Storm's KafkaSpout as Flux files set it up: KafkaSpoutConfig and its builder, topic filters, translators, retries.
// They become plain options of our own spout. Setters work as `properties` and as `configMethods`, as in Java; so do
// the older ones of Storm 1.x.
import { KafkaSpout } from '../kafka/kafka-spout.ts'
import type { RetryPolicy } from '../kafka/retry-queue.ts'
import type { KafkaSpoutOptions } from '../kafka/spout-options.ts'
import {
  ByTopicRecordTranslator,
  DefaultRecordTranslator,
  isRecordFunction,
  isTranslator,
  type RecordTranslator,
  SimpleRecordTranslator,
} from '../kafka/translators.ts'
import { type Argument, checkCount, textOf, textsOf, UseError } from './arguments.ts'
import { flagOf, numberOf, propertiesOf } from './kafka-arguments.ts'
import { type FluxClass, fieldsOf, known, noArguments } from './known-class.ts'

const PACKAGE = 'org.apache.storm.kafka.spout.'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** KafkaSpoutConfig and its builder: what was set so far. */
export class SpoutConfigBean {
  readonly options: Mutable<KafkaSpoutOptions> & { properties: Record<string, unknown> }

  constructor(options: KafkaSpoutOptions) {
    this.options = { properties: {}, ...options }
  }
}

/** TopicFilter, and the Subscription of Storm 1.1. */
class TopicFilterBean {
  readonly topics: readonly string[] | RegExp

  constructor(topics: readonly string[] | RegExp) {
    this.topics = topics
  }
}

class RetryBean {
  readonly policy: RetryPolicy

  constructor(policy: RetryPolicy) {
    this.policy = policy
  }
}

class IntervalBean {
  readonly ms: number

  constructor(ms: number) {
    this.ms = ms
  }
}

/** Objects that say nothing here: the partitioner is the one that there is, and the listener listens to nothing. */
class SilentBean {}

const TIME_UNITS: Readonly<Record<string, number>> = {
  NANOSECONDS: 1e-6,
  MICROSECONDS: 1e-3,
  MILLISECONDS: 1,
  SECONDS: 1000,
  MINUTES: 60_000,
  HOURS: 3_600_000,
  DAYS: 86_400_000,
}

// (servers, topics), also with the deserialisers between them, as Storm 1.x had it.
function builderOf(args: readonly Argument[], place: string): SpoutConfigBean {
  const form = '[bootstrap servers, topics]'
  checkCount(args, { place, name: 'KafkaSpoutConfig.Builder', form, min: 2, max: 100 })
  const [servers, ...rest] = args
  const bootstrapServers = textOf(servers!, 'the bootstrap servers')
  const codecs = rest.length >= 3 && isCodec(rest[0]!) && isCodec(rest[1]!) ? rest.splice(0, 2) : []
  const last = rest.at(-1)
  if (last?.value instanceof SilentBean) rest.pop()
  const bean = new SpoutConfigBean({ bootstrapServers, topics: topicsOf(rest) })
  const [key, value] = codecs
  if (key !== undefined) bean.options.keyDeserializer = textOf(key, 'a deserializer')
  if (value !== undefined) bean.options.valueDeserializer = textOf(value, 'a deserializer')
  return bean
}

function isCodec({ value }: Argument): boolean {
  return typeof value === 'string' && value.endsWith('Deserializer')
}

function topicsOf(args: readonly Argument[]): readonly string[] | RegExp {
  const [first] = args
  if (first?.value instanceof TopicFilterBean) return first.value.topics
  if (first?.value instanceof RegExp) return first.value
  return args.flatMap(argument =>
    Array.isArray(argument.value) ? textsOf(argument, 'topics') : [textOf(argument, 'a topic')],
  )
}

/** (translator), (function, fields) or (function, fields, stream). */
function translatorOf(args: readonly Argument[]): RecordTranslator {
  const [first, fields, stream] = args
  const { value, place } = first!
  if (fields === undefined) {
    if (isTranslator(value)) return value
    const hint = 'a translator has apply(record) and getFieldsFor(stream)'
    throw new UseError(place, 'this is no RecordTranslator', hint)
  }
  if (!isRecordFunction(value)) {
    throw new UseError(place, 'this is no function of a record', 'it has apply(record)')
  }
  const name = stream === undefined ? 'default' : textOf(stream, 'the stream')
  return new SimpleRecordTranslator(value, fieldsOf(fields), name)
}

type Setter = (bean: SpoutConfigBean, args: readonly Argument[]) => void

function numeric(
  key:
    | 'offsetCommitPeriodMs'
    | 'maxUncommittedOffsets'
    | 'partitionRefreshPeriodMs'
    | 'startTimestampMs',
): Setter {
  return ({ options }, [value]) => {
    options[key] = numberOf(value!, key)
  }
}

function flag(key: 'emitNullTuples' | 'tupleTrackingEnforced'): Setter {
  return ({ options }, [value]) => {
    options[key] = flagOf(value!, key)
  }
}

/** A property of Kafka's consumer that has a setter of its own. */
function property(name: string): Setter {
  return ({ options }, [value]) => {
    options.properties[name] = value?.value
  }
}

const setters: Readonly<Record<string, Setter>> = {
  setProp: ({ options }, args) => {
    const [key, value] = args
    if (value === undefined) Object.assign(options.properties, propertiesOf(key!))
    else options.properties[textOf(key!, 'a property')] = value.value
  },
  setGroupId: property('group.id'),
  setKey: property('key.deserializer'),
  setValue: property('value.deserializer'),
  setBootstrapServers: ({ options }, [servers]) => {
    options.bootstrapServers = textOf(servers!, 'the bootstrap servers')
  },
  setFetchMinBytes: property('fetch.min.bytes'),
  setMaxPartitionFectchBytes: property('max.partition.fetch.bytes'),
  setMaxPollRecords: property('max.poll.records'),
  setSecurityProtocol: property('security.protocol'),
  // How long Java's consumer waits for records; here nothing waits for them.
  setPollTimeoutMs: () => undefined,
  setMetricsTimeBucketSizeInSecs: () => undefined,
  setOffsetCommitPeriodMs: numeric('offsetCommitPeriodMs'),
  setMaxUncommittedOffsets: numeric('maxUncommittedOffsets'),
  setPartitionRefreshPeriodMs: numeric('partitionRefreshPeriodMs'),
  setStartTimeStamp: numeric('startTimestampMs'),
  setEmitNullTuples: flag('emitNullTuples'),
  setTupleTrackingEnforced: flag('tupleTrackingEnforced'),
  setFirstPollOffsetStrategy: ({ options }, [name]) => {
    options.firstPollOffsetStrategy = textOf(name!, 'the strategy') as NonNullable<
      KafkaSpoutOptions['firstPollOffsetStrategy']
    >
  },
  setProcessingGuarantee: ({ options }, [name]) => {
    options.processingGuarantee = textOf(name!, 'the guarantee') as NonNullable<
      KafkaSpoutOptions['processingGuarantee']
    >
  },
  setRetry: ({ options }, [retry]) => {
    if (retry?.value instanceof RetryBean) options.retry = retry.value.policy
    else throw new UseError(retry!.place, 'this is no KafkaSpoutRetryExponentialBackoff')
  },
  setRecordTranslator: ({ options }, args) => {
    options.translator = translatorOf(args)
  },
  // Nothing is told to it.
  setTupleListener: () => undefined,
}

const config = known(
  'KafkaSpoutConfig',
  (args, place) => {
    checkCount(args, { place, name: 'KafkaSpoutConfig', form: '[ref: builder]', min: 1, max: 1 })
    const { value } = args[0]!
    if (value instanceof SpoutConfigBean) return value
    throw new UseError(
      args[0]!.place,
      'KafkaSpoutConfig takes its Builder',
      'refer to one: [ref: builder]',
    )
  },
  setters,
)

const retryName = 'KafkaSpoutRetryExponentialBackoff'
const retry = known(retryName, (args, place) => {
  const form = '[initial delay, delay period, max retries, max delay]'
  checkCount(args, { place, name: retryName, form, min: 4, max: 4 })
  const ms = ({ value, place: at }: Argument) => {
    if (value instanceof IntervalBean) return value.ms
    throw new UseError(
      at,
      'this is no TimeInterval',
      `a component of class ${PACKAGE}${retryName}$TimeInterval`,
    )
  }
  return new RetryBean({
    initialDelayMs: ms(args[0]!),
    delayPeriodMs: ms(args[1]!),
    maxRetries: numberOf(args[2]!, 'the number of retries'),
    maxDelayMs: ms(args[3]!),
  })
})

const interval: FluxClass = {
  ...known('TimeInterval', (args, place) => {
    checkCount(args, { place, name: 'TimeInterval', form: '[5, SECONDS]', min: 2, max: 2 })
    const unit = TIME_UNITS[textOf(args[1]!, 'the unit')]
    if (unit === undefined) {
      throw new UseError(
        args[1]!.place,
        'there is no such unit',
        Object.keys(TIME_UNITS).join(', '),
      )
    }
    return new IntervalBean(numberOf(args[0]!, 'the length') * unit)
  }),
  factory: (name, args, place) => {
    const unit = { seconds: 1000, milliSeconds: 1, microSeconds: 1e-3 }[name]
    if (unit === undefined) throw new UseError(place, `TimeInterval has no factory "${name}" here`)
    checkCount(args, { place, name, form: '[5]', min: 1, max: 1 })
    return new IntervalBean(numberOf(args[0]!, 'the length') * unit)
  },
}

const namedFilter = known('NamedTopicFilter', args => new TopicFilterBean(topicsOf(args)))
const patternFilter = known('PatternTopicFilter', (args, place) => {
  checkCount(args, { place, name: 'PatternTopicFilter', form: '[ref: pattern]', min: 1, max: 1 })
  const { value, place: at } = args[0]!
  if (value instanceof RegExp) return new TopicFilterBean(value)
  throw new UseError(at, 'a pattern is expected', 'a component of class java.util.regex.Pattern')
})

function silent(name: string): [string, FluxClass] {
  return [`${PACKAGE}${name}`, noArguments(name, () => new SilentBean())]
}

export const kafkaSpoutClasses: readonly [string, FluxClass][] = [
  [
    `${PACKAGE}KafkaSpout`,
    known('KafkaSpout', (args, place) => {
      checkCount(args, { place, name: 'KafkaSpout', form: '[ref: spoutConfig]', min: 1, max: 1 })
      const { value, place: at } = args[0]!
      if (value instanceof SpoutConfigBean) return new KafkaSpout(value.options)
      throw new UseError(
        at,
        'KafkaSpout takes a KafkaSpoutConfig',
        'refer to one: [ref: spoutConfig]',
      )
    }),
  ],
  [
    `${PACKAGE}KafkaSpoutConfig`,
    {
      ...config,
      factory: (name, args, place) => {
        if (name === 'builder') return builderOf(args, place)
        throw new UseError(place, `KafkaSpoutConfig has no factory "${name}" here`)
      },
    },
  ],
  [`${PACKAGE}KafkaSpoutConfig$Builder`, known('KafkaSpoutConfig.Builder', builderOf, setters)],
  [`${PACKAGE}${retryName}`, retry],
  [`${PACKAGE}${retryName}$TimeInterval`, interval],
  ...['', 'subscription.'].flatMap((folder): [string, FluxClass][] => [
    [`${PACKAGE}${folder}NamedTopicFilter`, namedFilter],
    [`${PACKAGE}${folder}PatternTopicFilter`, patternFilter],
    silent(`${folder}RoundRobinManualPartitioner`),
  ]),
  [`${PACKAGE}NamedSubscription`, namedFilter],
  [`${PACKAGE}PatternSubscription`, patternFilter],
  silent('EmptyKafkaTupleListener'),
  [
    `${PACKAGE}DefaultRecordTranslator`,
    noArguments('DefaultRecordTranslator', () => new DefaultRecordTranslator()),
  ],
  [
    `${PACKAGE}SimpleRecordTranslator`,
    known('SimpleRecordTranslator', (args, place) => {
      const form = '[ref: function, [field, …], stream]'
      checkCount(args, { place, name: 'SimpleRecordTranslator', form, min: 2, max: 3 })
      return translatorOf(args)
    }),
  ],
  [
    `${PACKAGE}ByTopicRecordTranslator`,
    known(
      'ByTopicRecordTranslator',
      (args, place) => {
        const form = '[ref: translator]'
        checkCount(args, { place, name: 'ByTopicRecordTranslator', form, min: 1, max: 3 })
        return new ByTopicRecordTranslator(translatorOf(args))
      },
      {
        forTopic: (translator: ByTopicRecordTranslator, [topic, ...args]) =>
          translator.forTopic(textOf(topic!, 'a topic'), translatorOf(args)),
      },
    ),
  ],
]
