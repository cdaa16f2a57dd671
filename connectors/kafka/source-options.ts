// What can be said about a Kafka source, and what is made of it. All mistakes are told at once, when the source is declared.
import { type Problem, UserError } from 'gearpump/spi'
import { checkOptions, type OptionRule } from '../base/option-rules.ts'
import type { KafkaConnection, KafkaRecord, OffsetPlace, TopicChoice } from './client.ts'
import { CONNECTION_RULES, connectionOf, connectionProblems } from './connection-options.ts'

/** Where reading begins at the first start: `committed` = where the group left off, else at `otherwise`. */
export type StartPlace =
  | 'committed'
  | 'earliest'
  | 'latest'
  | { readonly offset: number }
  | { readonly timestampMs: number }

export interface KafkaSourceOptions<Out = KafkaRecord> extends KafkaConnection {
  /** Topics by name; exactly one of `topics` and `pattern`. */
  readonly topics?: readonly string[]
  /** Topics whose whole name matches, those made later too. */
  readonly pattern?: RegExp
  /** The group that offsets are committed for. It must have no members: this source joins no group. */
  readonly groupId: string
  /** Default: committed. */
  readonly from?: StartPlace
  /** Of `committed`: where to begin when nothing is committed. Default: earliest. */
  readonly otherwise?: 'earliest' | 'latest'
  /** What is emitted of a record; undefined = nothing. Default: the record. */
  readonly decode?: (record: KafkaRecord) => Out | undefined
  /** `uncommitted` shows records of transactions that are open or aborted as well. Default: committed. */
  readonly isolation?: 'committed' | 'uncommitted'
  /** When the offset to go on at is not there any more. `fail`: the partition rests. Default: earliest. */
  readonly onOffsetGone?: 'earliest' | 'latest' | 'fail'
  /**
   * What follows when a record cannot be decoded, a batch cannot be read, or a record failed more than `failuresMax` times.
   * `fail`: its partition rests there until the next start. Default: dead-letter with a `deadLetterTopic`, else fail.
   */
  readonly onPoison?: 'dead-letter' | 'skip' | 'fail'
  readonly deadLetterTopic?: string
  /** Default: none, a record is tried again for ever. */
  readonly failuresMax?: number
  /** Messages under way, kept in memory for a replay. Default: 50,000, and 64 MiB of their keys and values. */
  readonly openMax?: number
  readonly openBytes?: number
  /** Bytes of one partition in one answer, and of all that wait to be emitted. Default: 256 KiB, 16 MiB. */
  readonly fetchBytes?: number
  readonly bufferBytes?: number
  /** How long a broker waits for something new. Default: 500. */
  readonly waitMs?: number
  /** How often offsets are committed. Default: 1,000. */
  readonly commitMs?: number
  /** How often new topics and partitions are looked for. Default: 30,000. */
  readonly refreshMs?: number
  /** Of the metadata of a commit. Default: 4,096, as that of brokers (`offset.metadata.max.bytes`). */
  readonly metadataBytes?: number
}

export interface KafkaSourceSettings {
  readonly connection: KafkaConnection
  readonly choice: TopicChoice
  readonly groupId: string
  readonly from: StartPlace
  readonly otherwise: OffsetPlace
  readonly isolation: 'committed' | 'uncommitted'
  readonly onOffsetGone: 'earliest' | 'latest' | 'fail'
  readonly onPoison: 'dead-letter' | 'skip' | 'fail'
  readonly deadLetterTopic: string | undefined
  readonly failuresMax: number
  readonly openMax: number
  readonly openBytes: number
  readonly fetchBytes: number
  readonly bufferBytes: number
  readonly waitMs: number
  readonly commitMs: number
  readonly refreshMs: number
  readonly metadataBytes: number
}

const MIB = 1024 * 1024
const HOUR_MS = 3_600_000

const STRUCTURED = ['brokers', 'tls', 'sasl', 'topics', 'pattern', 'from'] as const
type Structured = (typeof STRUCTURED)[number]

const RULES: Readonly<Record<Exclude<keyof KafkaSourceOptions, Structured>, OptionRule>> = {
  ...CONNECTION_RULES,
  groupId: { type: 'text' },
  otherwise: { type: 'choice', of: ['earliest', 'latest'] },
  decode: { type: 'function' },
  isolation: { type: 'choice', of: ['committed', 'uncommitted'] },
  onOffsetGone: { type: 'choice', of: ['earliest', 'latest', 'fail'] },
  onPoison: { type: 'choice', of: ['dead-letter', 'skip', 'fail'] },
  deadLetterTopic: { type: 'text' },
  failuresMax: { type: 'number', min: 0, max: 1_000_000 },
  openMax: { type: 'number', min: 1, max: 1_000_000 },
  openBytes: { type: 'number', min: 1, max: 64 * 1024 * MIB },
  fetchBytes: { type: 'number', min: 1, max: 1024 * MIB },
  bufferBytes: { type: 'number', min: 1, max: 1024 * MIB },
  waitMs: { type: 'number', min: 1, max: 30_000 },
  commitMs: { type: 'number', min: 1, max: HOUR_MS },
  refreshMs: { type: 'number', min: 1, max: HOUR_MS },
  metadataBytes: { type: 'number', min: 0, max: MIB },
}

/** Throws a UserError that lists every mistake. */
export function sourceSettings(options: KafkaSourceOptions<never>): KafkaSourceSettings {
  const { brokers, tls, sasl, topics, pattern, from = 'committed', ...plain } = options ?? {}
  const problems = [
    ...connectionProblems({
      ...(brokers === undefined ? {} : { brokers }),
      ...(tls === undefined ? {} : { tls }),
      ...(sasl === undefined ? {} : { sasl }),
    }),
    ...checkOptions(plain, RULES, STRUCTURED),
    ...choiceProblems(topics, pattern),
    ...fromProblems(from),
  ]
  if (plain.groupId === undefined) {
    const hint = 'offsets are committed under this name'
    problems.push({ place: 'groupId', message: 'is missing', hint })
  }
  const { deadLetterTopic, onPoison } = plain
  if (onPoison === 'dead-letter' && deadLetterTopic === undefined)
    problems.push({ place: 'deadLetterTopic', message: 'goes with onPoison: dead-letter' })
  if (problems.length > 0) throw new UserError('BAD_INPUT', 'kafkaSource', problems)
  return {
    connection: connectionOf(options),
    choice: pattern ?? topics!,
    groupId: plain.groupId,
    from,
    otherwise: plain.otherwise ?? 'earliest',
    isolation: plain.isolation ?? 'committed',
    onOffsetGone: plain.onOffsetGone ?? 'earliest',
    onPoison: onPoison ?? (deadLetterTopic === undefined ? 'fail' : 'dead-letter'),
    deadLetterTopic,
    failuresMax: plain.failuresMax ?? Number.POSITIVE_INFINITY,
    openMax: plain.openMax ?? 50_000,
    openBytes: plain.openBytes ?? 64 * MIB,
    fetchBytes: plain.fetchBytes ?? MIB / 4,
    bufferBytes: plain.bufferBytes ?? 16 * MIB,
    waitMs: plain.waitMs ?? 500,
    commitMs: plain.commitMs ?? 1000,
    refreshMs: plain.refreshMs ?? 30_000,
    metadataBytes: plain.metadataBytes ?? 4096,
  }
}

function choiceProblems(topics: unknown, pattern: unknown): Problem[] {
  if ((topics === undefined) === (pattern === undefined)) {
    const message = topics === undefined ? 'nothing says which topics' : 'only one may be given'
    return [{ place: 'topics', message, hint: 'give topics or pattern' }]
  }
  if (pattern !== undefined) {
    if (pattern instanceof RegExp) return []
    return [{ place: 'pattern', message: 'must be a regular expression' }]
  }
  const whole =
    Array.isArray(topics) &&
    topics.length > 0 &&
    topics.every(topic => typeof topic === 'string' && topic !== '') &&
    new Set(topics).size === topics.length
  return whole
    ? []
    : [{ place: 'topics', message: 'must be a list of names, each once, that is not empty' }]
}

function fromProblems(from: StartPlace): Problem[] {
  if (from === 'committed' || from === 'earliest' || from === 'latest') return []
  const { offset, timestampMs } = (from ?? {}) as { offset?: unknown; timestampMs?: unknown }
  const number = offset === undefined ? timestampMs : offset
  if (Number.isSafeInteger(number) && Number(number) >= 0) return []
  const message = 'must be committed, earliest, latest, { offset } or { timestampMs }'
  return [{ place: 'from', message }]
}
