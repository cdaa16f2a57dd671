// Batches that are sent to one broker in the same turn share a request: one batch for each of several partitions, each answered by its
// own name and error. Brokers take the requests of a connection one after the other, so batches on requests of their own would wait
// for each other just the same, and each request costs a broker more than the few records that are in it. What fails is sent again by
// whoever sent it, batch by batch (wire-producer.ts).
import type { TopicPartition } from '../client.ts'
import { placeOf } from '../kafka-errors.ts'
import { type ProduceAnswer, produceRequest } from './requests.ts'
import type { WireClient } from './wire-client.ts'

/**
 * Of one request that is shared; a larger batch goes alone. With hundreds of records in it the price of a request is small, and several
 * on their way keep the broker busy while the next are made.
 */
const REQUEST_BYTES = 64 * 1024

export interface WrittenBatch extends TopicPartition {
  readonly batch: Buffer
}

export interface ProduceTerms {
  readonly acks: number
  readonly transactionalId: string | null
  readonly timeoutMs: number
}

interface Gathered {
  readonly batches: Map<string, WrittenBatch>
  bytes: number
  readonly answers: Promise<readonly ProduceAnswer[]>
}

export class SharedRequests {
  readonly #client: WireClient
  /** By node and transactional id: what leaves at the end of this turn. */
  readonly #gathered = new Map<string, Gathered>()

  constructor(client: WireClient) {
    this.#client = client
  }

  /** The answers to the request that the batch went with; nothing with acks 0. */
  send(
    node: number,
    batch: WrittenBatch,
    terms: ProduceTerms,
  ): Promise<readonly ProduceAnswer[] | undefined> {
    const key = `${node}/${terms.transactionalId ?? ''}`
    const place = placeOf(batch.topic, batch.partition)
    const bytes = batch.batch.length
    let gathered = this.#gathered.get(key)
    if (
      gathered === undefined ||
      gathered.batches.has(place) ||
      gathered.bytes + bytes > REQUEST_BYTES
    ) {
      gathered = this.#gather(node, key, terms)
      this.#gathered.set(key, gathered)
    }
    gathered.batches.set(place, batch)
    gathered.bytes += bytes
    return gathered.answers
  }

  #gather(node: number, key: string, terms: ProduceTerms): Gathered {
    const batches = new Map<string, WrittenBatch>()
    // Behind all that is to be done now: whoever sends in this turn has done so by then.
    const turn = new Promise<void>(resolve => process.nextTick(resolve))
    const answers = turn.then(() => {
      if (this.#gathered.get(key) === gathered) this.#gathered.delete(key)
      return this.#client.send(node, produceRequest([...batches.values()], terms))
    })
    const gathered = { batches, bytes: 0, answers }
    return gathered
  }
}
