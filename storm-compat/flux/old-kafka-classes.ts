// The spout of storm-kafka (until Storm 1.x) as Flux files set it up. It found its brokers and kept its offsets in
// ZooKeeper; here the brokers are named by a setting of the topology, and the group has the spout's id. What it read
// before is not known: docs/kafka-spout.md says how its offsets are carried over.
import { KafkaSpout } from '../kafka/kafka-spout.ts'
import { type OldSpoutConfig, oldSpoutOptions } from '../kafka/old-spout-options.ts'
import type { SchemeName } from '../kafka/translators.ts'
import { type Argument, checkCount, textOf, UseError } from './arguments.ts'
import { flagOf, numberOf } from './kafka-arguments.ts'
import { type FluxClass, known, noArguments } from './known-class.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

class OldConfigBean {
  readonly config: Mutable<OldSpoutConfig>

  constructor(topic: string, id: string) {
    this.config = { topic, id }
  }
}

class SchemeBean {
  readonly scheme: SchemeName

  constructor(scheme: SchemeName) {
    this.scheme = scheme
  }
}

/** ZkHosts: named in the file, of no use here. */
class HostsBean {}

const setters: Readonly<Record<string, (bean: OldConfigBean, args: readonly Argument[]) => void>> =
  {
    setScheme: ({ config }, [scheme]) => {
      if (scheme?.value instanceof SchemeBean) config.scheme = scheme.value.scheme
      else throw new UseError(scheme!.place, 'this is no scheme that is known here')
    },
    setIgnoreZkOffsets: ({ config }, [value]) => {
      config.ignoreZkOffsets = flagOf(value!, 'ignoreZkOffsets')
    },
    // Its name in Storm 0.9.
    setForceFromStart: ({ config }, [value]) => {
      config.ignoreZkOffsets = flagOf(value!, 'forceFromStart')
    },
    setStartOffsetTime: ({ config }, [value]) => {
      config.startOffsetTime = numberOf(value!, 'startOffsetTime')
    },
    setOutputStreamId: ({ config }, [value]) => {
      config.outputStreamId = textOf(value!, 'outputStreamId')
    },
    setFetchSizeBytes: ({ config }, [value]) => {
      config.fetchSizeBytes = numberOf(value!, 'fetchSizeBytes')
    },
    setFetchMaxWait: ({ config }, [value]) => {
      config.fetchMaxWait = numberOf(value!, 'fetchMaxWait')
    },
    setMinFetchByte: ({ config }, [value]) => {
      config.minFetchByte = numberOf(value!, 'minFetchByte')
    },
    setSocketTimeoutMs: ({ config }, [value]) => {
      config.socketTimeoutMs = numberOf(value!, 'socketTimeoutMs')
    },
    setStateUpdateIntervalMs: ({ config }, [value]) => {
      config.stateUpdateIntervalMs = numberOf(value!, 'stateUpdateIntervalMs')
    },
    setRetryInitialDelayMs: ({ config }, [value]) => {
      config.retryInitialDelayMs = numberOf(value!, 'retryInitialDelayMs')
    },
    setRetryDelayMaxMs: ({ config }, [value]) => {
      config.retryDelayMaxMs = numberOf(value!, 'retryDelayMaxMs')
    },
    setRetryLimit: ({ config }, [value]) => {
      config.retryLimit = numberOf(value!, 'retryLimit')
    },
    ...Object.fromEntries(
      // Of the ways to ZooKeeper, and of a reader that is no more.
      [
        'ZkServers',
        'ZkPort',
        'ZkRoot',
        'BufferSizeBytes',
        'MaxOffsetBehind',
        'RetryDelayMultiplier',
        'MetricsTimeBucketSizeInSecs',
        'UseStartOffsetTimeIfOffsetOutOfRange',
      ].map(name => [`set${name}`, () => undefined]),
    ),
  }

// (hosts, topic, zkRoot, id), or with a client id before zkRoot.
const config = known(
  'SpoutConfig',
  (args, place) => {
    const form = '[ref: zkHosts, topic, zkRoot, id]'
    checkCount(args, { place, name: 'SpoutConfig', form, min: 4, max: 5 })
    return new OldConfigBean(textOf(args[1]!, 'the topic'), textOf(args.at(-1)!, 'the id'))
  },
  setters,
)

const spout = known('KafkaSpout', (args, place) => {
  checkCount(args, { place, name: 'KafkaSpout', form: '[ref: spoutConfig]', min: 1, max: 1 })
  const { value, place: at } = args[0]!
  if (value instanceof OldConfigBean) return new KafkaSpout(oldSpoutOptions(value.config))
  throw new UseError(at, 'this KafkaSpout takes a SpoutConfig', 'refer to one: [ref: spoutConfig]')
})

function scheme(name: string, of: SchemeName): FluxClass {
  return noArguments(name, () => new SchemeBean(of))
}

const wrapped = known('SchemeAsMultiScheme', (args, place) => {
  checkCount(args, { place, name: 'SchemeAsMultiScheme', form: '[ref: scheme]', min: 1, max: 1 })
  if (args[0]!.value instanceof SchemeBean) return args[0]!.value
  throw new UseError(args[0]!.place, 'this is no scheme that is known here')
})

function classesIn(prefix: string): [string, FluxClass][] {
  return [
    [`${prefix}KafkaSpout`, spout],
    [`${prefix}SpoutConfig`, config],
    [`${prefix}ZkHosts`, known('ZkHosts', () => new HostsBean())],
    [`${prefix}StringScheme`, scheme('StringScheme', 'text')],
    [`${prefix}StringKeyValueScheme`, scheme('StringKeyValueScheme', 'key-and-text')],
    [
      `${prefix}StringMultiSchemeWithTopic`,
      scheme('StringMultiSchemeWithTopic', 'text-with-topic'),
    ],
    [`${prefix}KeyValueSchemeAsMultiScheme`, wrapped],
  ]
}

export const oldKafkaClasses: readonly [string, FluxClass][] = [
  ...classesIn('org.apache.storm.kafka.'),
  ...classesIn('storm.kafka.'),
  ['org.apache.storm.spout.SchemeAsMultiScheme', wrapped],
  ['org.apache.storm.spout.RawMultiScheme', scheme('RawMultiScheme', 'bytes')],
  ['org.apache.storm.spout.RawScheme', scheme('RawScheme', 'bytes')],
]
