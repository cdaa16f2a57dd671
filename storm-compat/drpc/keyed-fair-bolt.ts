// A bolt that shares its time fairly among requests: tuples wait in a queue per request (their first value) and are taken from the
// queues in turn, so that a large request does not keep small ones waiting. Storm's KeyedFairBolt, without its thread.
import { asError } from 'gearpump/spi'
import {
  type Bolt,
  type Conf,
  FailedException,
  type OutputCollector,
  type OutputFieldsDeclarer,
  type TopologyContext,
  type Tuple,
} from '../component/api.ts'
import type { FinishedCallback } from './batch-bolt.ts'
import { requestKey } from './request-key.ts'

/** Tuples in all queues before the task takes no more. */
const QUEUED_MAX = 10_000

export class KeyedFairBolt implements Bolt, FinishedCallback {
  readonly #delegate: Bolt & Partial<FinishedCallback>
  readonly #queues = new Map<unknown, Tuple[]>()
  #queued = 0
  #draining = false
  #closed = false
  #collector!: OutputCollector
  #room: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined = undefined

  constructor(delegate: Bolt) {
    this.#delegate = delegate
  }

  prepare(conf: Conf, context: TopologyContext, collector: OutputCollector): void | Promise<void> {
    this.#collector = collector
    return this.#delegate.prepare(conf, context, collector)
  }

  execute(tuple: Tuple): Promise<void> | undefined {
    const key = requestKey(tuple.values[0])
    const queue = this.#queues.get(key)
    if (queue === undefined) this.#queues.set(key, [tuple])
    else queue.push(tuple)
    this.#queued++
    if (!this.#draining) void this.#drain()
    return this.#queued < QUEUED_MAX ? undefined : this.#waitForRoom()
  }

  // What it holds fails with the task; nothing thrown here ends the loop.
  async #drain(): Promise<void> {
    this.#draining = true
    // The rest of this turn's inputs first: that is what there is to be fair among.
    await Promise.resolve()
    for (let tuple = this.#next(); tuple !== undefined; tuple = this.#next()) {
      try {
        await this.#delegate.execute(tuple)
      } catch (error) {
        if (!(error instanceof FailedException)) this.#collector.reportError(asError(error))
        this.#collector.fail(tuple)
      }
    }
    this.#draining = false
  }

  // The queue that was served goes to the end of the row.
  #next(): Tuple | undefined {
    if (this.#closed) return undefined
    for (const [key, queue] of this.#queues) {
      const tuple = queue.shift()
      this.#queues.delete(key)
      if (queue.length > 0) this.#queues.set(key, queue)
      this.#queued--
      if (this.#queued <= QUEUED_MAX / 2) this.#giveRoom()
      return tuple
    }
    return undefined
  }

  #waitForRoom(): Promise<void> {
    if (this.#room === undefined) {
      let resolve: () => void = () => undefined
      const promise = new Promise<void>(done => {
        resolve = done
      })
      this.#room = { promise, resolve }
    }
    return this.#room.promise
  }

  #giveRoom(): void {
    this.#room?.resolve()
    this.#room = undefined
  }

  async cleanup(): Promise<void> {
    this.#closed = true
    this.#giveRoom()
    await this.#delegate.cleanup?.()
  }

  finishedId(id: unknown): void | Promise<void> {
    return this.#delegate.finishedId?.(id)
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    this.#delegate.declareOutputFields(declarer)
  }

  getComponentConfiguration(): Conf {
    return this.#delegate.getComponentConfiguration?.() ?? {}
  }
}
