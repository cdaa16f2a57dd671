// What the Kafka connectors say when something goes wrong: a broker's error number becomes a sentence with topic, partition, node, cause
// and next step, the same whichever driver brought it.
import { asError, EngineError, type ErrorCode } from 'gearpump/spi'
import type { FetchProblem } from './client.ts'

interface BrokerError {
  readonly name: string
  readonly code: ErrorCode
  readonly hint: string
  /** Worth asking again, perhaps another node. */
  readonly retriable: boolean
  readonly problem?: FetchProblem
}

const moved = (name: string): BrokerError => ({
  name,
  code: 'KAFKA_FAILED',
  hint: 'the leader has moved or is being chosen: it is asked for again',
  retriable: true,
  problem: 'moved',
})

const soon = (name: string): BrokerError => ({
  name,
  code: 'KAFKA_FAILED',
  hint: 'the broker is busy with itself: it is tried again',
  retriable: true,
})

const refused = (name: string, hint: string): BrokerError => ({
  name,
  code: 'KAFKA_REFUSED',
  hint,
  retriable: false,
  problem: 'refused',
})

const failed = (name: string, hint: string, problem: FetchProblem = 'failed'): BrokerError => ({
  name,
  code: 'KAFKA_FAILED',
  hint,
  retriable: false,
  problem,
})

const FENCED_HINT =
  'another producer has begun with this transactional id: each task needs one of its own'
const ACL = (what: string) => `give this user the right in the broker's ACLs: ${what}`

/** Broker errors by number; https://kafka.apache.org/protocol#protocol_error_codes has all of them. */
const BROKER_ERRORS: Readonly<Record<number, BrokerError>> = {
  1: {
    name: 'OFFSET_OUT_OF_RANGE',
    code: 'KAFKA_OFFSET_GONE',
    hint: 'the records there expired or were deleted, or the topic was made anew',
    retriable: false,
    problem: 'out-of-range',
  },
  2: failed('CORRUPT_MESSAGE', 'the batch was damaged on its way or on the disk', 'corrupt'),
  3: {
    name: 'UNKNOWN_TOPIC_OR_PARTITION',
    code: 'KAFKA_FAILED',
    hint: 'make the topic, or look at its name; without the right to see it a broker says the same',
    retriable: true,
    problem: 'gone',
  },
  5: moved('LEADER_NOT_AVAILABLE'),
  6: moved('NOT_LEADER_OR_FOLLOWER'),
  7: soon('REQUEST_TIMED_OUT'),
  8: soon('BROKER_NOT_AVAILABLE'),
  9: moved('REPLICA_NOT_AVAILABLE'),
  10: failed(
    'MESSAGE_TOO_LARGE',
    'raise max.message.bytes of the topic, or send smaller batches (batchBytes)',
  ),
  12: failed(
    'OFFSET_METADATA_TOO_LARGE',
    'raise offset.metadata.max.bytes of the brokers, or lower metadataBytesMax',
  ),
  13: soon('NETWORK_EXCEPTION'),
  14: soon('COORDINATOR_LOAD_IN_PROGRESS'),
  15: soon('COORDINATOR_NOT_AVAILABLE'),
  16: soon('NOT_COORDINATOR'),
  17: failed('INVALID_TOPIC', 'letters, digits, dots, underscores and hyphens make a name'),
  18: failed(
    'RECORD_LIST_TOO_LARGE',
    'raise segment.bytes of the topic, or send smaller batches (batchBytes)',
  ),
  19: soon('NOT_ENOUGH_REPLICAS'),
  20: soon('NOT_ENOUGH_REPLICAS_AFTER_APPEND'),
  22: failed(
    'ILLEGAL_GENERATION',
    'consumers have joined this group: give the source a group of its own',
  ),
  25: failed(
    'UNKNOWN_MEMBER_ID',
    'consumers have joined this group: give the source a group of its own',
  ),
  27: failed(
    'REBALANCE_IN_PROGRESS',
    'consumers have joined this group: give the source a group of its own',
  ),
  29: refused('TOPIC_AUTHORIZATION_FAILED', ACL('READ or WRITE, and DESCRIBE, on the topic')),
  30: refused('GROUP_AUTHORIZATION_FAILED', ACL('READ on the group')),
  31: refused('CLUSTER_AUTHORIZATION_FAILED', ACL('IDEMPOTENT_WRITE on the cluster')),
  32: failed('INVALID_TIMESTAMP', 'look at message.timestamp.* of the topic'),
  45: failed('OUT_OF_ORDER_SEQUENCE_NUMBER', 'a new producer id is taken'),
  46: failed('DUPLICATE_SEQUENCE_NUMBER', 'the batch is there already'),
  47: failed('INVALID_PRODUCER_EPOCH', FENCED_HINT),
  48: failed('INVALID_TXN_STATE', 'the transaction has ended already'),
  49: failed('INVALID_PRODUCER_ID_MAPPING', 'the transaction expired at the broker'),
  50: failed('INVALID_TRANSACTION_TIMEOUT', 'lower it below transaction.max.timeout.ms'),
  51: soon('CONCURRENT_TRANSACTIONS'),
  53: refused('TRANSACTIONAL_ID_AUTHORIZATION_FAILED', ACL('WRITE on the transactional id')),
  56: soon('KAFKA_STORAGE_ERROR'),
  58: refused('SASL_AUTHENTICATION_FAILED', 'look at user name, password and mechanism'),
  59: failed('UNKNOWN_PRODUCER_ID', 'a new producer id is taken'),
  74: moved('FENCED_LEADER_EPOCH'),
  75: moved('UNKNOWN_LEADER_EPOCH'),
  76: failed('UNSUPPORTED_COMPRESSION_TYPE', 'the broker is too old for it'),
  78: moved('OFFSET_NOT_AVAILABLE'),
  88: soon('UNSTABLE_OFFSET_COMMIT'),
  90: failed('PRODUCER_FENCED', FENCED_HINT),
  100: moved('UNKNOWN_TOPIC_ID'),
}

/** What a broker was asked for, as words of a message. */
export interface Asked {
  /** Such as `cannot be read`. */
  readonly what: string
  readonly topic?: string
  readonly partition?: number
  readonly node?: string
  readonly groupId?: string
}

export function brokerError(number: number, asked: Asked, text?: string): EngineError {
  const known = BROKER_ERRORS[number]
  const name = known?.name ?? `error ${number}`
  const at = asked.node === undefined ? '' : ` (${asked.node})`
  const more = text === undefined || text === '' ? '' : `: ${text}`
  return new EngineError(
    known?.code ?? 'KAFKA_FAILED',
    `${place(asked)} ${asked.what}: the broker${at} says ${name}${more}`,
    {
      hint: known?.hint ?? 'look at the log of the broker',
      details: {
        ...detailsOf(asked),
        error: name,
        number,
        retriable: known?.retriable ?? false,
      },
    },
  )
}

export function fetchProblem(number: number): FetchProblem {
  return BROKER_ERRORS[number]?.problem ?? 'failed'
}

export function placeOf(topic: string, partition: number): string {
  return `${topic}[${partition}]`
}

function place({ topic, partition, groupId }: Asked): string {
  const at = topic === undefined ? '' : partition === undefined ? topic : placeOf(topic, partition)
  if (groupId === undefined) return at === '' ? 'the Kafka cluster' : at
  return at === '' ? `group ${groupId}` : `${at} of group ${groupId}`
}

function detailsOf({ topic, partition, node, groupId }: Asked): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries({ topic, partition, node, groupId }).filter(([, value]) => value !== undefined),
  )
}

/** How deep causes of causes are looked at. */
const CAUSES_MAX = 5

// Drivers wrap the system's own words, which say most.
function wordsOf(error: Error): string {
  const words = [error.message]
  let inner = causeOf(error)
  for (let depth = 0; inner !== undefined && depth < CAUSES_MAX; depth++) {
    if (inner.message !== '' && !words.includes(inner.message)) words.push(inner.message)
    inner = causeOf(inner)
  }
  return words.join(': ')
}

function causeOf(error: Error): Error | undefined {
  const { cause, errors } = error as { cause?: unknown; errors?: unknown }
  const inner = cause ?? (Array.isArray(errors) ? errors[0] : undefined)
  return inner instanceof Error ? inner : undefined
}

/** No broker answers, or the one that was asked does not. `address` is what was tried. */
export function unreachable(address: string, thrown: unknown): EngineError {
  const cause = asError(thrown)
  return new EngineError(
    'KAFKA_UNREACHABLE',
    `the Kafka broker ${address} does not answer: ${wordsOf(cause)}`,
    {
      hint: 'does it run, is that the address it advertises, and do both sides agree on TLS?',
      details: { node: address, retriable: true },
      cause,
    },
  )
}

/** The connection is there, but the broker does not let this user in. */
export function notLetIn(address: string, thrown: unknown): EngineError {
  const cause = asError(thrown)
  return new EngineError(
    'KAFKA_REFUSED',
    `the Kafka broker ${address} does not let us in: ${wordsOf(cause)}`,
    {
      hint: 'look at user name, password, mechanism and certificates; trying again does not help',
      details: { node: address, retriable: false },
      cause,
    },
  )
}

export function kafkaFailed(
  message: string,
  hint: string,
  details: Record<string, unknown> = {},
  cause?: unknown,
): EngineError {
  return new EngineError('KAFKA_FAILED', message, {
    hint,
    details: { retriable: false, ...details },
    ...(cause === undefined ? {} : { cause }),
  })
}

/** `decode` threw. */
export function undecoded(
  { topic, partition, offset }: { topic: string; partition: number; offset: number },
  thrown: unknown,
): EngineError {
  const cause = asError(thrown)
  return new EngineError(
    'KAFKA_RECORD_INVALID',
    `${placeOf(topic, partition)}: the record at offset ${offset} cannot be read: ${cause.message}`,
    {
      hint: 'look at who wrote it, and at decode; onPoison says what follows',
      details: { topic, partition, offset, retriable: false },
      cause,
    },
  )
}

/** A record, or a whole batch, that cannot be read. */
export function unreadable(
  place: { topic: string; partition: number; offset: number; node?: string | undefined },
  what: string,
  thrown: unknown,
): EngineError {
  const cause = asError(thrown)
  const { topic, partition, offset, node } = place
  const at = node === undefined ? '' : ` (${node})`
  return new EngineError(
    'KAFKA_RECORD_INVALID',
    `${placeOf(topic, partition)}: the ${what} at offset ${offset}${at} cannot be read: ${cause.message}`,
    {
      hint: 'look at who wrote it, and at the disk of the broker; onPoison says what follows',
      details: { topic, partition, offset, node, retriable: false },
      cause,
    },
  )
}

/** A record that failed more often than it may. */
export function tooManyFailures(
  { topic, partition, offset }: { topic: string; partition: number; offset: number },
  failures: number,
): EngineError {
  return new EngineError(
    'KAFKA_RECORD_INVALID',
    `${placeOf(topic, partition)}: the record at offset ${offset} failed ${failures} times`,
    {
      hint: 'the log of the tasks behind the source says why; onPoison says what follows',
      details: { topic, partition, offset, failures, retriable: false },
    },
  )
}

/** The offset to go on at is not in the partition. `to` undefined: it does not go on. */
export function offsetGone(
  { topic, partition }: { topic: string; partition: number },
  from: number,
  { earliest, latest }: { earliest: number; latest: number },
  to: number | undefined,
  cause: EngineError,
): EngineError {
  const what =
    from < earliest
      ? `it begins at ${earliest}: ${earliest - from} offsets expired or were deleted before they were read`
      : `it ends at ${latest}: the topic was made anew, or lost its end`
  const next = to === undefined ? '' : `; reading goes on at ${to}`
  return new EngineError(
    'KAFKA_OFFSET_GONE',
    `${placeOf(topic, partition)} cannot be read at offset ${from}: ${what}${next}`,
    {
      hint: 'give the topic a longer retention, or the source more tasks; onOffsetGone says what follows',
      details: { topic, partition, from, earliest, latest, to, retriable: false },
      cause,
    },
  )
}

/** The name means another topic than before. `to` undefined: it does not go on. */
export function topicRemade(
  { topic, partition }: { topic: string; partition: number },
  from: number | undefined,
  to: number | undefined,
): EngineError {
  const was = from === undefined ? '' : `, where it was at offset ${from}`
  const next = to === undefined ? '; nothing more of it is read' : `; reading goes on at ${to}`
  return new EngineError(
    'KAFKA_OFFSET_GONE',
    `${placeOf(topic, partition)}: the topic was deleted and made anew${was}${next}`,
    {
      hint: 'what was not read of the former topic is gone with it; onOffsetGone says what follows',
      details: { topic, partition, from, to, retriable: false },
    },
  )
}

/** A topic of a pattern is not there any more. */
export function topicDeleted(topic: string, open: number): EngineError {
  return kafkaFailed(
    `the topic ${topic} is not in this Kafka cluster any more and is read no longer`,
    'when a topic of this name is made again, it is read from its beginning',
    { topic, partitions: open },
  )
}

/** Partitions without a leader, or of a topic that is not there. */
export function nobodyLeads(
  partitions: readonly { topic: string; partition: number }[],
): EngineError {
  const { topic, partition } = partitions[0]!
  const more = partitions.length === 1 ? '' : ` and ${partitions.length - 1} more`
  return kafkaFailed(
    `${placeOf(topic, partition)}${more} cannot be read: no broker leads it, or the topic is gone`,
    'it is looked for again; look at the brokers, and whether the topic was deleted',
    { topic, partition, retriable: true },
  )
}

export function isRetriable(error: unknown): boolean {
  return error instanceof EngineError && error.details.retriable === true
}

/** Name of the broker's error, or undefined. */
export function brokerErrorName(error: unknown): unknown {
  return error instanceof EngineError ? error.details.error : undefined
}

/** Named topics that are not there when a run starts. */
export function topicsMissing(topics: readonly string[]): EngineError {
  return kafkaFailed(
    `there is no topic ${topics.join(', ')}`,
    'make it, or look at its name; a pattern waits for topics that match',
    { topics },
  )
}

/** The engine kept a position that another kind of source has told. */
export function foreignPosition(processor: string, index: number): EngineError {
  return new EngineError(
    'BAD_INPUT',
    `${processor}[${index}] was stored at a position that is not one of a Kafka source`,
    {
      hint: 'a source that is replaced by another kind needs a name of its own, or a new application',
    },
  )
}
