// Transactions. One is begun by taking its id, which fences whoever held it; partitions and groups are
// added before anything is written to them; and it is ended by a few numbers that any later process can use as well, so that
// "prepare, remember, commit" works over a crash.
import type {
  CommittedOffset,
  KafkaTransaction,
  PreparedTransaction,
  ProduceBatch,
} from '../client.ts'
import { type Asked, kafkaFailed } from '../kafka-errors.ts'
import type { Retries } from '../retries.ts'
import {
  addGroupRequest,
  addPartitionsRequest,
  endTransactionRequest,
  initProducerRequest,
  type TransactionKey,
  transactionOffsetsRequest,
} from './transaction-requests.ts'
import type { WireClient } from './wire-client.ts'
import { Numbering, type WireProducer } from './wire-producer.ts'

/** The broker aborts what was not ended by then. Below its default for the most it allows (15 min). */
const TRANSACTION_TIMEOUT_MS = 600_000

export class WireTransactions {
  readonly #client: WireClient
  readonly #retries: Retries
  readonly #producer: WireProducer

  constructor(client: WireClient, retries: Retries, producer: WireProducer) {
    this.#client = client
    this.#retries = retries
    this.#producer = producer
  }

  async begin(transactionalId: string): Promise<KafkaTransaction> {
    const request = initProducerRequest(transactionalId, TRANSACTION_TIMEOUT_MS)
    const { producerId, producerEpoch } = await this.coordinated(
      transactionalId,
      () => this.#client.askCoordinator(coordinatorOf(transactionalId), request),
      { what: `gives no producer id for the transactional id ${transactionalId}` },
      answer => answer.error,
    )
    const key = { transactionalId, producerId, producerEpoch }
    return new OpenTransaction(this, this.#client, this.#producer, key)
  }

  async end(prepared: PreparedTransaction, end: 'commit' | 'abort'): Promise<void> {
    const { transactionalId, producerEpoch } = prepared
    const key = { transactionalId, producerEpoch, producerId: BigInt(prepared.producerId) }
    const request = endTransactionRequest(key, end === 'commit')
    await this.coordinated(
      transactionalId,
      () => this.#client.askCoordinator(coordinatorOf(transactionalId), request),
      { what: `cannot ${end} the transaction ${transactionalId}` },
      error => error,
    )
  }

  /** Asks a coordinator until it answers; `errorOf` finds the error number in the answer. */
  coordinated<T>(
    transactionalId: string,
    ask: () => Promise<T>,
    asked: Asked,
    errorOf: (answer: T) => number,
  ): Promise<T> {
    return this.#retries.run(async () => {
      const answer = await ask()
      this.#client.checkCoordinated(transactionalId, errorOf(answer), asked)
      return answer
    })
  }
}

const coordinatorOf = (key: string) => ({ kind: 'transaction', key }) as const

class OpenTransaction implements KafkaTransaction {
  readonly #transactions: WireTransactions
  readonly #client: WireClient
  readonly #producer: WireProducer
  readonly #key: TransactionKey
  readonly #numbering: Numbering
  readonly #added = new Map<string, Promise<void>>()
  #prepared = false

  constructor(
    transactions: WireTransactions,
    client: WireClient,
    producer: WireProducer,
    key: TransactionKey,
  ) {
    this.#transactions = transactions
    this.#client = client
    this.#producer = producer
    this.#key = key
    this.#numbering = new Numbering(key.producerId, key.producerEpoch, key.transactionalId)
  }

  async produce(batch: ProduceBatch): Promise<{ readonly baseOffset: number }> {
    this.#open()
    const { topic, partition } = batch
    const place = `${topic}/${partition}`
    let added = this.#added.get(place)
    if (added === undefined) {
      added = this.#add(batch)
      this.#added.set(place, added)
    }
    await added
    return this.#producer.send(batch, this.#numbering)
  }

  async addOffsets(groupId: string, offsets: readonly CommittedOffset[]): Promise<void> {
    this.#open()
    const { transactionalId } = this.#key
    const transaction = coordinatorOf(transactionalId)
    const asked: Asked = { what: `cannot be added to the transaction ${transactionalId}`, groupId }
    await this.#transactions.coordinated(
      transactionalId,
      () => this.#client.askCoordinator(transaction, addGroupRequest(this.#key, groupId)),
      asked,
      error => error,
    )
    const request = transactionOffsetsRequest(this.#key, groupId, offsets)
    await this.#transactions.coordinated(
      groupId,
      () => this.#client.askCoordinator({ kind: 'group', key: groupId }, request),
      asked,
      answers => answers.find(({ error }) => error !== 0)?.error ?? 0,
    )
  }

  prepare(): PreparedTransaction {
    this.#prepared = true
    const { transactionalId, producerId, producerEpoch } = this.#key
    return { transactionalId, producerId: String(producerId), producerEpoch }
  }

  async #add({ topic, partition }: ProduceBatch): Promise<void> {
    const { transactionalId } = this.#key
    const request = addPartitionsRequest(this.#key, [{ topic, partition }])
    await this.#transactions.coordinated(
      transactionalId,
      () => this.#client.askCoordinator(coordinatorOf(transactionalId), request),
      { what: `cannot be added to the transaction ${transactionalId}`, topic, partition },
      answers => answers.find(({ error }) => error !== 0)?.error ?? 0,
    )
  }

  #open(): void {
    if (!this.#prepared) return
    throw kafkaFailed(
      `the transaction ${this.#key.transactionalId} is prepared: nothing can be added`,
      'begin another one',
    )
  }
}
