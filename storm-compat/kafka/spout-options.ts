// How a Kafka spout is set up: what users write (in TypeScript, in Flux files, or found in a Java object), and the
// complete settings that the spout runs by. Defaults are Storm's. Everything that is wrong is told at once, where it
// is declared, except for what only a broker knows.

import type { KafkaDriver, TopicChoice } from 'gearpump/kafka'
import { nearestName, type Problem, UserError } from 'gearpump/spi'
import {
  type ClientProperties,
  checkProperties,
  number,
  serversOf,
  text,
} from './client-properties.ts'
import { FIRST_POLL_STRATEGIES, type FirstPollOffsetStrategy } from './first-poll.ts'
import { CODEC_NAMES, decoderOf } from './java-codecs.ts'
import { type RetryPolicy, STORM_RETRY } from './retry-queue.ts'
import {
  DefaultRecordTranslator,
  isTranslator,
  type RecordTranslator,
  type SchemeName,
  SchemeTranslator,
} from './translators.ts'

export const PROCESSING_GUARANTEES = ['AT_LEAST_ONCE', 'AT_MOST_ONCE', 'NO_GUARANTEE'] as const
export type ProcessingGuarantee = (typeof PROCESSING_GUARANTEES)[number]

/** A scheme is plain data, for topologies that travel. */
export type TranslatorChoice =
  | RecordTranslator
  | { readonly scheme: SchemeName; readonly stream?: string }

export interface KafkaSpoutOptions {
  /** `host:port,host:port`, or a list. The property `bootstrap.servers` says the same. */
  readonly bootstrapServers?: string | readonly string[]
  /** Names, or a pattern that whole names must match. */
  readonly topics: string | readonly string[] | RegExp
  /** Whose offsets are committed. The property `group.id` says the same. */
  readonly groupId?: string
  /** Default: UNCOMMITTED_EARLIEST. */
  readonly firstPollOffsetStrategy?: FirstPollOffsetStrategy
  /** For the TIMESTAMP strategies, ms since 1970. */
  readonly startTimestampMs?: number
  /** Default: AT_LEAST_ONCE. */
  readonly processingGuarantee?: ProcessingGuarantee
  /** Default: 30,000. */
  readonly offsetCommitPeriodMs?: number
  /** Per partition. Default: 10,000,000. */
  readonly maxUncommittedOffsets?: number
  /** How often new topics and partitions are looked for. Default: 2,000. */
  readonly partitionRefreshPeriodMs?: number
  readonly retry?: Partial<RetryPolicy>
  /** Records for which the translator gives nothing become tuples of nulls. Default: false. */
  readonly emitNullTuples?: boolean
  /** Tuples are tracked even where nothing follows from it, so that `topology.max.spout.pending` holds. */
  readonly tupleTrackingEnforced?: boolean
  /** Default: topic, partition, offset, key, value on the default stream. */
  readonly translator?: TranslatorChoice
  /** Names of Kafka's own Java classes, or `String`, `ByteArray`, `Integer`, `Long` …. Default: String. */
  readonly keyDeserializer?: string
  readonly valueDeserializer?: string
  /** Properties of Kafka's consumer by their names in Java. */
  readonly properties?: ClientProperties
  /**
   * Bytes of records that a task keeps for retries, until they are finished; at the bound it emits no new ones.
   * Default: 256 MiB.
   */
  readonly openBytesMax?: number
  readonly driver?: KafkaDriver
  /** Brokers are those of the topology's setting `gearpump.kafka.bootstrap.servers` when none are named here. */
  readonly serversFromConf?: boolean
}

export interface KafkaSpoutSettings {
  readonly properties: ClientProperties
  readonly serversFromConf: boolean
  readonly topics: TopicChoice
  readonly groupId: string
  readonly strategy: FirstPollOffsetStrategy
  readonly startTimestampMs: number
  readonly guarantee: ProcessingGuarantee
  readonly offsetCommitPeriodMs: number
  readonly maxUncommittedOffsets: number
  readonly partitionRefreshPeriodMs: number
  readonly retry: RetryPolicy
  readonly emitNullTuples: boolean
  readonly tracked: boolean
  readonly translator: RecordTranslator
  readonly decodeKey: (bytes: Buffer) => unknown
  readonly decodeValue: (bytes: Buffer) => unknown
  readonly openBytesMax: number
  readonly driver: KafkaDriver | undefined
  readonly fetch: FetchSettings
}

export interface FetchSettings {
  readonly onOutOfRange: 'earliest' | 'latest' | 'none'
  /** Records of one partition that wait in memory to be emitted. */
  readonly recordsMax: number
  readonly partitionBytesMax: number
  readonly bytesMax: number
  readonly bytesMin: number
  readonly waitMs: number
  readonly isolation: 'committed' | 'uncommitted'
}

/** The setting of a topology that names brokers where ZooKeeper named them before. */
export const SERVERS_SETTING = 'gearpump.kafka.bootstrap.servers'

const CONSUMER_KEYS = [
  'group.id',
  'key.deserializer',
  'value.deserializer',
  'auto.offset.reset',
  'enable.auto.commit',
  'max.poll.records',
  'max.partition.fetch.bytes',
  'fetch.max.bytes',
  'fetch.min.bytes',
  'fetch.max.wait.ms',
  'isolation.level',
]

const OPEN_BYTES_MAX = 256 * 1024 * 1024
const RESETS = ['earliest', 'latest', 'none'] as const

/** Throws a UserError (BAD_INPUT) that lists all that is wrong. */
export function spoutSettings(options: KafkaSpoutOptions): {
  settings: KafkaSpoutSettings
  notices: readonly string[]
} {
  const properties = mergedProperties(options)
  const report = checkProperties(properties, CONSUMER_KEYS)
  const fromConf = options.serversFromConf === true && serversOf(properties).length === 0
  const problems = fromConf
    ? report.problems.filter(problem => problem.place !== 'bootstrap.servers')
    : report.problems
  const guarantee = oneOf('processingGuarantee', options.processingGuarantee ?? 'AT_LEAST_ONCE', {
    of: PROCESSING_GUARANTEES,
    problems,
  })
  const settings: KafkaSpoutSettings = {
    properties,
    serversFromConf: fromConf,
    topics: topicsOf(options.topics, problems),
    groupId: groupOf(properties, problems),
    strategy: oneOf(
      'firstPollOffsetStrategy',
      options.firstPollOffsetStrategy ?? 'UNCOMMITTED_EARLIEST',
      {
        of: FIRST_POLL_STRATEGIES,
        problems,
      },
    ),
    startTimestampMs: options.startTimestampMs ?? 0,
    guarantee,
    offsetCommitPeriodMs: positive(
      'offsetCommitPeriodMs',
      options.offsetCommitPeriodMs ?? 30_000,
      problems,
    ),
    maxUncommittedOffsets: positive(
      'maxUncommittedOffsets',
      options.maxUncommittedOffsets ?? 10_000_000,
      problems,
    ),
    partitionRefreshPeriodMs: positive(
      'partitionRefreshPeriodMs',
      options.partitionRefreshPeriodMs ?? 2000,
      problems,
    ),
    retry: { ...STORM_RETRY, ...options.retry },
    emitNullTuples: options.emitNullTuples ?? false,
    tracked: guarantee === 'AT_LEAST_ONCE' || options.tupleTrackingEnforced === true,
    translator: translatorOf(options.translator, problems),
    decodeKey: decoder('key.deserializer', properties, problems),
    decodeValue: decoder('value.deserializer', properties, problems),
    openBytesMax: positive('openBytesMax', options.openBytesMax ?? OPEN_BYTES_MAX, problems),
    driver: options.driver,
    fetch: fetchOf(properties, guarantee, problems),
  }
  if (problems.length > 0) throw new UserError('BAD_INPUT', 'a Kafka spout', problems)
  return { settings, notices: report.notices }
}

function mergedProperties(options: KafkaSpoutOptions): ClientProperties {
  const { bootstrapServers, groupId, keyDeserializer, valueDeserializer } = options
  return {
    ...options.properties,
    ...(bootstrapServers === undefined ? {} : { 'bootstrap.servers': bootstrapServers }),
    ...(groupId === undefined ? {} : { 'group.id': groupId }),
    ...(keyDeserializer === undefined ? {} : { 'key.deserializer': keyDeserializer }),
    ...(valueDeserializer === undefined ? {} : { 'value.deserializer': valueDeserializer }),
  }
}

function topicsOf(
  topics: KafkaSpoutOptions['topics'] | undefined,
  problems: Problem[],
): TopicChoice {
  if (topics instanceof RegExp) return topics
  const names = typeof topics === 'string' ? [topics] : [...new Set(topics ?? [])]
  if (names.length === 0 || names.some(name => name === '')) {
    problems.push({
      place: 'topics',
      message: 'no topic is named',
      hint: 'name one, or give a pattern',
    })
  }
  return names
}

function groupOf(properties: ClientProperties, problems: Problem[]): string {
  const groupId = text(properties, 'group.id')
  if (groupId !== undefined) return groupId
  problems.push({
    place: 'group.id',
    message: 'group.id is missing',
    hint: 'the offsets are committed under this name; take the one that the topology had in Storm',
  })
  return ''
}

function oneOf<T extends string>(
  place: string,
  value: string,
  { of, problems }: { of: readonly T[]; problems: Problem[] },
): T {
  if ((of as readonly string[]).includes(value)) return value as T
  const near = nearestName(value, of)
  const hint = near === undefined ? `there are ${of.join(', ')}` : `did you mean ${near}?`
  problems.push({ place, message: `${place} is ${value}`, hint })
  return of[0]!
}

function positive(place: string, value: number, problems: Problem[]): number {
  if (!Number.isFinite(value) || value <= 0) {
    problems.push({ place, message: `${place} must be a number above 0, is ${value}` })
  }
  return value
}

function translatorOf(choice: TranslatorChoice | undefined, problems: Problem[]): RecordTranslator {
  if (choice === undefined) return new DefaultRecordTranslator()
  if ('scheme' in choice) return new SchemeTranslator(choice.scheme, choice.stream)
  if (isTranslator(choice)) return choice
  problems.push({
    place: 'translator',
    message: 'the translator is none',
    hint: 'it has apply(record) and getFieldsFor(stream)',
  })
  return new DefaultRecordTranslator()
}

function decoder(
  place: string,
  properties: ClientProperties,
  problems: Problem[],
): (bytes: Buffer) => unknown {
  const name = text(properties, place) ?? 'String'
  const found = decoderOf(name)
  if (found !== undefined) return found
  const otherwise = 'take ByteArray and decode in a bolt, or run the spout in the Java sidecar'
  problems.push({
    place,
    message: `${place} is the Java class ${name}`,
    hint: `there are ${CODEC_NAMES.join(', ')}; ${otherwise}`,
  })
  return bytes => bytes
}

function fetchOf(
  properties: ClientProperties,
  guarantee: ProcessingGuarantee,
  problems: Problem[],
): FetchSettings {
  // false is what Storm itself sets, so it is found in configurations out of Java.
  if (text(properties, 'enable.auto.commit') === 'true') {
    problems.push({
      place: 'enable.auto.commit',
      message: 'enable.auto.commit is not supported, as in Storm',
      hint: 'processingGuarantee NO_GUARANTEE commits by time',
    })
  }
  const otherwise = guarantee === 'AT_LEAST_ONCE' ? 'earliest' : 'latest'
  const reset = text(properties, 'auto.offset.reset') ?? otherwise
  return {
    onOutOfRange: oneOf('auto.offset.reset', reset, { of: RESETS, problems }),
    recordsMax: number(properties, 'max.poll.records') ?? 500,
    partitionBytesMax: number(properties, 'max.partition.fetch.bytes') ?? 1024 * 1024,
    bytesMax: number(properties, 'fetch.max.bytes') ?? 50 * 1024 * 1024,
    bytesMin: number(properties, 'fetch.min.bytes') ?? 1,
    waitMs: number(properties, 'fetch.max.wait.ms') ?? 500,
    isolation:
      text(properties, 'isolation.level') === 'read_committed' ? 'committed' : 'uncommitted',
  }
}
