// Storm's own Kafka components of a submitted jar, as our own: the configuration that kafka-classes.ts reads out of
// the Java object becomes options, which are plain data and travel with the topology. What needs a class of the
// user's (a translator, a mapper, a deserialiser) stays Java; the reason is told, so that it can run in the Java
// sidecar or be written anew.
import { EngineError } from 'gearpump/spi'
import type { KafkaComponent, KafkaConfig, KafkaConfigValue } from '../jvm/kafka-classes.ts'
import type { Implementation } from '../topology/topology.ts'
import { boltSettings, type KafkaBoltOptions, type SelectorData } from './bolt-options.ts'
import type { ClientProperties } from './client-properties.ts'
import { javaPattern } from './java-pattern.ts'
import { type OldSpoutConfig, oldSpoutOptions } from './old-spout-options.ts'
import type { RetryPolicy } from './retry-queue.ts'
import { type KafkaSpoutOptions, spoutSettings } from './spout-options.ts'
import type { SchemeName } from './translators.ts'

/** `java`: why it has to stay Java. */
export type NativeKafka = { readonly native: Implementation } | { readonly java: string }

/** Thrown while a configuration is read, caught below. */
class StaysJava extends Error {}

export function nativeKafka({ kind, config }: KafkaComponent): NativeKafka {
  try {
    switch (kind) {
      case 'spout': {
        const options = spoutOptions(config)
        spoutSettings(options)
        return { native: { kind: 'kafka-spout', options } }
      }
      case 'zookeeper-spout':
        return { native: { kind: 'kafka-spout', options: oldSpoutOptions(oldConfig(config)) } }
      case 'bolt': {
        const options = boltOptions(config)
        boltSettings(options)
        return { native: { kind: 'kafka-bolt', options } }
      }
    }
  } catch (error) {
    if (error instanceof StaysJava || error instanceof EngineError) return { java: error.message }
    throw error
  }
}

function spoutOptions(config: KafkaConfig): KafkaSpoutOptions {
  const { translator, tupleListener } = config
  stock(translator, ['DefaultRecordTranslator'], 'translator')
  if (tupleListener !== undefined)
    stock(tupleListener, ['EmptyKafkaTupleListener'], 'tuple listener')
  const partitioner = config.topicPartitioner ?? partOf(config.subscription, 'partitioner')
  if (partitioner !== undefined) stock(partitioner, ['RoundRobinManualPartitioner'], 'partitioner')
  const codecs = {
    'key.deserializer': codecOf(config, 'key'),
    'value.deserializer': codecOf(config, 'value'),
  }
  const properties = { ...(config.kafkaProps as ClientProperties), ...withoutUndefined(codecs) }
  return {
    properties,
    topics: topicsOf(config),
    retry: retryOf(config.retryService),
    ...withoutUndefined({
      firstPollOffsetStrategy: config.firstPollOffsetStrategy,
      startTimestampMs: config.startTimeStamp,
      processingGuarantee: config.processingGuarantee,
      offsetCommitPeriodMs: config.offsetCommitPeriodMs,
      maxUncommittedOffsets: config.maxUncommittedOffsets,
      partitionRefreshPeriodMs: config.partitionRefreshPeriodMs,
      emitNullTuples: config.emitNullTuples,
      tupleTrackingEnforced: config.tupleTrackingEnforced,
    }),
  }
}

// Storm 1.x had the class beside the properties, or an object that only Java can use.
function codecOf(config: KafkaConfig, which: 'key' | 'value'): string | undefined {
  if (partOf(config[`${which}Des`], 'class') !== undefined) {
    throw new StaysJava(
      `its ${which} deserializer is an object of ${classOf(config[`${which}Des`])}`,
    )
  }
  const name = config[`${which}DesClazz`]
  return typeof name === 'string' ? name : undefined
}

function topicsOf(config: KafkaConfig): readonly string[] | RegExp {
  const filter =
    config.topicFilter ?? partOf(config.subscription, 'partitionFilter') ?? config.subscription
  stock(
    filter,
    ['NamedTopicFilter', 'PatternTopicFilter', 'NamedSubscription', 'PatternSubscription'],
    'topic filter',
  )
  const pattern = partOf(filter, 'pattern')
  if (pattern !== undefined) {
    return javaPattern(String(partOf(pattern, 'pattern')), Number(partOf(pattern, 'flags') ?? 0))
  }
  const topics = partOf(filter, 'topics')
  return Array.isArray(topics) ? topics.map(String) : []
}

function retryOf(service: KafkaConfigValue | undefined): RetryPolicy {
  stock(service, ['KafkaSpoutRetryExponentialBackoff'], 'retry service')
  const ms = (name: string) => Number(partOf(partOf(service, name), 'lengthNanos') ?? 0) / 1e6
  return {
    initialDelayMs: ms('initialDelay'),
    delayPeriodMs: ms('delayPeriod'),
    maxRetries: Number(partOf(service, 'maxRetries')),
    maxDelayMs: ms('maxDelay'),
  }
}

const SCHEMES: Readonly<Record<string, SchemeName>> = {
  RawMultiScheme: 'bytes',
  RawScheme: 'bytes',
  StringScheme: 'text',
  StringKeyValueScheme: 'key-and-text',
  StringMultiSchemeWithTopic: 'text-with-topic',
}

function oldConfig(config: KafkaConfig): OldSpoutConfig {
  const scheme = partOf(config.scheme, 'scheme') ?? config.scheme
  stock(scheme, Object.keys(SCHEMES), 'scheme')
  const { outputStreamId, ignoreZkOffsets, forceFromStart } = config
  const numbers = Object.entries(config).filter(([, value]) => typeof value === 'number')
  return {
    // Every figure of it has its name in Java; those that mean nothing here are not looked at.
    ...(Object.fromEntries(numbers) as Partial<OldSpoutConfig>),
    topic: String(config.topic),
    id: String(config.id),
    scheme: SCHEMES[shortName(classOf(scheme))]!,
    ignoreZkOffsets: ignoreZkOffsets === true || forceFromStart === true,
    ...(typeof outputStreamId === 'string' && outputStreamId !== '' ? { outputStreamId } : {}),
  }
}

function boltOptions(config: KafkaConfig): KafkaBoltOptions {
  const { mapper, topicSelector, providedCallback, async, fireAndForget } = config
  if (partOf(providedCallback, 'class') !== undefined) {
    throw new StaysJava(`its producer callback is ${classOf(providedCallback)}`)
  }
  const selector = selectorOf(topicSelector)
  return {
    properties: (config.boltSpecifiedProperties ?? {}) as ClientProperties,
    async: async !== false,
    fireAndForget: fireAndForget === true,
    ...(selector === undefined ? {} : { topicSelector: selector }),
    ...(mapper === null || mapper === undefined ? {} : { mapper: mapperOf(mapper) }),
  }
}

function mapperOf(mapper: KafkaConfigValue) {
  stock(mapper, ['FieldNameBasedTupleToKafkaMapper'], 'mapper')
  return {
    keyField: String(partOf(mapper, 'boltKeyField')),
    messageField: String(partOf(mapper, 'boltMessageField')),
  }
}

function selectorOf(selector: KafkaConfigValue | undefined): SelectorData | undefined {
  if (selector === null || selector === undefined) return undefined
  const name = stock(
    selector,
    ['DefaultTopicSelector', 'FieldNameTopicSelector', 'FieldIndexTopicSelector'],
    'topic selector',
  )
  if (name === 'DefaultTopicSelector') return { topic: String(partOf(selector, 'topicName')) }
  const otherwise = String(partOf(selector, 'defaultTopicName'))
  return name === 'FieldNameTopicSelector'
    ? { field: String(partOf(selector, 'fieldName')), otherwise }
    : { fieldIndex: Number(partOf(selector, 'fieldIndex')), otherwise }
}

/** One of Storm's own classes, by its short name; anything else keeps the component in Java. */
function stock(
  value: KafkaConfigValue | undefined,
  names: readonly string[],
  what: string,
): string {
  const className = classOf(value)
  const name = shortName(className)
  if (/^(?:org\.apache\.|backtype\.)?storm\./.test(className) && names.includes(name)) return name
  const func = partOf(value, 'func')
  throw new StaysJava(
    `its ${what} is ${func === undefined ? className : `${name} with ${classOf(func)}`}`,
  )
}

function classOf(value: KafkaConfigValue | undefined): string {
  return String(partOf(value, 'method') ?? partOf(value, 'class') ?? 'no class that is known here')
}

function shortName(className: string): string {
  return className.slice(className.lastIndexOf('.') + 1)
}

function partOf(value: KafkaConfigValue | undefined, name: string): KafkaConfigValue | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return (value as Readonly<Record<string, KafkaConfigValue>>)[name]
}

function withoutUndefined(values: Readonly<Record<string, unknown>>): Record<string, never> {
  const entries = Object.entries(values).filter(
    ([, value]) => value !== undefined && value !== null,
  )
  return Object.fromEntries(entries) as Record<string, never>
}
