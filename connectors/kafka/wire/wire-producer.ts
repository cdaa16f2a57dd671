// Sending: each batch is for one partition and ends by itself, though it may share its request (shared-requests.ts). What a broker has not
// acknowledged by name is sent again, to whoever leads now, with the same sequence numbers; the broker drops copies by them. A batch that
// fails for good takes the whole numbering with it: the next one begins under a new producer id, so no gap is left for the broker to
// stumble over.
import { EngineError } from 'gearpump/spi'
import type { ProduceBatch, ProducerOptions, TopicPartition } from '../client.ts'
import { type Asked, brokerError, brokerErrorName, kafkaFailed, placeOf } from '../kafka-errors.ts'
import type { Retries } from '../retries.ts'
import { writeBatch } from './record-batch.ts'
import type { ProduceAnswer } from './requests.ts'
import { SharedRequests } from './shared-requests.ts'
import { initProducerRequest } from './transaction-requests.ts'
import type { WireClient } from './wire-client.ts'

const DELIVERY_TIMEOUT_MS = 120_000
/** How long the broker may wait for its replicas. */
const REPLICAS_TIMEOUT_MS = 10_000
/** Kafka counts up to here and begins again. */
const SEQUENCES = 2 ** 31
const DUPLICATE = 46
/** The broker has lost or forgotten what came before; this batch is not there. A new numbering helps. */
const LOST_COUNT = new Set<unknown>(['OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID'])

/** One numbering: a producer id and where each partition stands. */
export class Numbering {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly transactionalId: string | null
  readonly #next = new Map<string, number>()

  constructor(producerId: bigint, producerEpoch: number, transactionalId: string | null = null) {
    this.producerId = producerId
    this.producerEpoch = producerEpoch
    this.transactionalId = transactionalId
  }

  /** The number of the next record, and takes `count` of them. */
  take({ topic, partition }: TopicPartition, count: number): number {
    if (this.producerId < 0n) return -1
    const key = `${topic}/${partition}`
    const first = this.#next.get(key) ?? 0
    this.#next.set(key, (first + count) % SEQUENCES)
    return first
  }
}

const UNNUMBERED = new Numbering(-1n, -1)

export class WireProducer {
  readonly #client: WireClient
  readonly #retries: Retries
  readonly #requests: SharedRequests
  readonly #acks: number
  readonly #idempotent: boolean
  readonly #compression: 'none' | 'gzip'
  readonly #deliveryTimeoutMs: number
  #numbering: Numbering | undefined = undefined
  #taking: Promise<Numbering> | undefined = undefined

  constructor(client: WireClient, retries: Retries, options: ProducerOptions) {
    this.#client = client
    this.#retries = retries
    this.#requests = new SharedRequests(client)
    this.#acks = options.acks ?? -1
    this.#idempotent = (options.idempotent ?? true) && this.#acks === -1
    this.#compression = options.compression ?? 'none'
    this.#deliveryTimeoutMs = options.deliveryTimeoutMs ?? DELIVERY_TIMEOUT_MS
  }

  async produce(batch: ProduceBatch): Promise<{ readonly baseOffset: number }> {
    if (!this.#idempotent) return this.send(batch, UNNUMBERED)
    const numbering = await this.#current()
    try {
      return await this.send(batch, numbering)
    } catch (error) {
      if (this.#numbering === numbering) this.#numbering = undefined
      if (!LOST_COUNT.has(brokerErrorName(error))) throw error
    }
    return this.send(batch, await this.#current())
  }

  /** Sends under a numbering until it is acknowledged, or cannot be, or time is up. */
  send(batch: ProduceBatch, numbering: Numbering): Promise<{ readonly baseOffset: number }> {
    const { topic, partition, records } = batch
    const written = writeBatch({
      records,
      nowMs: Date.now(),
      compression: this.#compression,
      transactional: numbering.transactionalId !== null,
      producerId: numbering.producerId,
      producerEpoch: numbering.producerEpoch,
      sequence: numbering.take(batch, records.length),
    })
    const terms = {
      acks: this.#acks,
      transactionalId: numbering.transactionalId,
      timeoutMs: REPLICAS_TIMEOUT_MS,
    }
    return this.#retries.run(async () => {
      const node = await this.#client.leader(topic, partition)
      const asked: Asked = { what: 'cannot be written', topic, partition }
      if (node < 0) throw brokerError(5, asked)
      try {
        const answers = await this.#requests.send(node, { topic, partition, batch: written }, terms)
        if (answers === undefined || this.#acks === 0) return { baseOffset: -1 }
        return acknowledged(batch, answers, { ...asked, node: this.#client.describe(node) })
      } catch (error) {
        // Whatever it was: who leads is asked again before the next attempt.
        this.#client.forgetLeader(topic, partition)
        throw located(error, batch)
      }
    }, this.#deliveryTimeoutMs)
  }

  // Who asks while one is being taken gets the same.
  async #current(): Promise<Numbering> {
    if (this.#numbering !== undefined) return this.#numbering
    this.#taking ??= this.#retries
      .run(() => this.#take())
      .finally(() => {
        this.#taking = undefined
      })
    this.#numbering = await this.#taking
    return this.#numbering
  }

  async #take(): Promise<Numbering> {
    const answer = await this.#client.sendAny(initProducerRequest(null, REPLICAS_TIMEOUT_MS))
    if (answer.error !== 0)
      throw brokerError(answer.error, { what: 'gives no producer id for idempotent writes' })
    return new Numbering(answer.producerId, answer.producerEpoch)
  }
}

function acknowledged(
  { topic, partition }: TopicPartition,
  answers: readonly ProduceAnswer[],
  asked: Asked,
): { baseOffset: number } {
  const answer = answers.find(one => one.topic === topic && one.partition === partition)
  if (answer === undefined) {
    throw kafkaFailed(
      `${placeOf(topic, partition)} cannot be written: the broker (${asked.node}) acknowledged other partitions only`,
      'the leader is asked for again, and the batch is sent again',
      { topic, partition, retriable: true },
    )
  }
  if (answer.error === 0 || answer.error === DUPLICATE) return { baseOffset: answer.baseOffset }
  throw brokerError(answer.error, asked)
}

// A node that does not answer says nothing of the batch it was sent.
function located(error: unknown, { topic, partition }: TopicPartition): unknown {
  if (!(error instanceof EngineError) || error.code !== 'KAFKA_UNREACHABLE') return error
  return new EngineError(error.code, `${placeOf(topic, partition)}: ${error.message}`, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    details: { ...error.details, topic, partition },
    cause: error.cause,
  })
}
