// What can be said about a Kafka sink, and what is made of it. All mistakes are told at once, when the sink is declared.
import { UserError } from 'gearpump/spi'
import { checkOptions, type OptionRule } from '../base/option-rules.ts'
import type { KafkaConnection, KafkaHeader, ProducerOptions } from './client.ts'
import { CONNECTION_RULES, connectionOf, connectionProblems } from './connection-options.ts'

/** What is written for one message. */
export interface KafkaOutput {
  readonly value: Buffer | string | null
  /** Decides the partition, as Java's producers do. Without one, whole batches go to each partition in turn. */
  readonly key?: Buffer | string | null
  /** Default: the sink's. */
  readonly topic?: string
  /** Decides the partition whatever the key. */
  readonly partition?: number
  readonly headers?: readonly KafkaHeader[]
  readonly timestampMs?: number
}

export interface KafkaSinkOptions<In = unknown> extends KafkaConnection, ProducerOptions {
  /** Needed unless `encode` names a topic for every message. */
  readonly topic?: string
  /** What is written for a message; undefined = nothing. Default: texts and bytes as values, other things as JSON. */
  readonly encode?: (value: In) => KafkaOutput | undefined
  /** Of one batch at most. Default: 512 KiB; brokers take 1 MB unless configured otherwise. */
  readonly batchBytes?: number
  /** How long a batch waits to be fuller while its partition is idle. Default: 5. */
  readonly lingerMs?: number
  /** Of all that waits or is on its way; beyond it the task takes no more input. Default: 32 MiB. */
  readonly bufferBytes?: number
}

export interface KafkaSinkSettings {
  readonly connection: KafkaConnection
  readonly producer: ProducerOptions
  readonly topic: string | undefined
  readonly batchBytes: number
  readonly lingerMs: number
  readonly bufferBytes: number
}

const MIB = 1024 * 1024

const STRUCTURED = ['brokers', 'tls', 'sasl', 'acks'] as const
type Structured = (typeof STRUCTURED)[number]

const RULES: Readonly<Record<Exclude<keyof KafkaSinkOptions, Structured>, OptionRule>> = {
  ...CONNECTION_RULES,
  topic: { type: 'text' },
  encode: { type: 'function' },
  idempotent: { type: 'boolean' },
  compression: { type: 'choice', of: ['none', 'gzip'] },
  deliveryTimeoutMs: { type: 'number', min: 1, max: 3_600_000 },
  batchBytes: { type: 'number', min: 1, max: 1024 * MIB },
  lingerMs: { type: 'number', min: 0, max: 60_000 },
  bufferBytes: { type: 'number', min: 1, max: 4096 * MIB },
}

/** Throws a UserError that lists every mistake. */
export function sinkSettings(options: KafkaSinkOptions<never>): KafkaSinkSettings {
  const { brokers, tls, sasl, acks, ...plain } = options ?? {}
  const problems = [
    ...connectionProblems({
      ...(brokers === undefined ? {} : { brokers }),
      ...(tls === undefined ? {} : { tls }),
      ...(sasl === undefined ? {} : { sasl }),
    }),
    ...checkOptions(plain, RULES, STRUCTURED),
  ]
  if (acks !== undefined && ![-1, 0, 1].includes(acks))
    problems.push({ place: 'acks', message: 'must be -1, 0 or 1' })
  if (plain.idempotent === true && acks !== undefined && acks !== -1)
    problems.push({ place: 'idempotent', message: 'goes with acks -1 only' })
  if (plain.topic === undefined && plain.encode === undefined) {
    const hint = 'or an encode function that names a topic for every message'
    problems.push({ place: 'topic', message: 'is missing', hint })
  }
  if (problems.length > 0) throw new UserError('BAD_INPUT', 'kafkaSink', problems)
  const { idempotent, compression, deliveryTimeoutMs } = plain
  const producer = { acks, idempotent, compression, deliveryTimeoutMs }
  const given = Object.entries(producer).filter(([, value]) => value !== undefined)
  return {
    connection: connectionOf(options),
    producer: Object.fromEntries(given),
    topic: plain.topic,
    batchBytes: plain.batchBytes ?? MIB / 2,
    lingerMs: plain.lingerMs ?? 5,
    bufferBytes: plain.bufferBytes ?? 32 * MIB,
  }
}
