// Bolts that work on all tuples of one request: one instance per request, fed with its tuples and told when there will be no more.
// Storm's IBatchBolt and BatchBoltExecutor. The executor is an ordinary bolt with a `finishedId`, which CoordinatedBolt calls.
import {
  type Bolt,
  type Conf,
  FailedException,
  type OutputCollector,
  type OutputFieldsDeclarer,
  type TopologyContext,
  type Tuple,
  type Values,
} from '../component/api.ts'
import { ExpiringMap } from './expiring-map.ts'
import { requestKey } from './request-key.ts'

/** Where a batch bolt emits. The first value must be the id of the request. */
export interface BatchOutputCollector {
  emit(values: Values, stream?: string): readonly number[]
  emitDirect(task: number, values: Values, stream?: string): void
  reportError(error: Error): void
}

/** One request's work. Made anew for each request; its inputs are acked when `execute` returns. */
export interface BatchBolt {
  prepare?(conf: Conf, context: TopologyContext, collector: BatchOutputCollector, id: unknown): void
  /** Throw a FailedException to fail the request. */
  execute(tuple: Tuple): void | Promise<void>
  /** Every tuple of the request has been here. */
  finishBatch(): void | Promise<void>
  declareOutputFields(declarer: OutputFieldsDeclarer): void
  getComponentConfiguration?(): Conf
}

/** A bolt that wants to hear when it has seen every tuple of a request. */
export interface FinishedCallback {
  finishedId(id: unknown): void | Promise<void>
}

/** A bolt that wants to hear of requests that never came to their end here. */
export interface TimeoutCallback {
  timeoutId(id: unknown): void
}

export function isBatchBolt(value: unknown): value is BatchBolt {
  return typeof (value as Partial<BatchBolt> | null)?.finishBatch === 'function'
}

/** Requests of one task at once; each is a bolt in memory. */
const BATCHES_MAX = 100_000

export class BatchBoltExecutor implements Bolt, FinishedCallback, TimeoutCallback {
  readonly #create: () => BatchBolt
  readonly #nowMs: () => number
  #open!: ExpiringMap<unknown, BatchBolt>
  #conf!: Conf
  #context!: TopologyContext
  #collector!: OutputCollector

  constructor(create: () => BatchBolt, nowMs: () => number = () => performance.now()) {
    this.#create = create
    this.#nowMs = nowMs
  }

  prepare(conf: Conf, context: TopologyContext, collector: OutputCollector): void {
    this.#conf = conf
    this.#context = context
    this.#collector = collector
    // CoordinatedBolt tells of time-outs; this only bounds what is kept should it not be there.
    const periodMs = 2000 * Number(conf['topology.message.timeout.secs'] ?? 30)
    this.#open = new ExpiringMap({ periodMs, entriesMax: BATCHES_MAX, nowMs: this.#nowMs })
  }

  execute(tuple: Tuple): void | Promise<void> {
    const id = tuple.values[0]
    try {
      const done = this.#batch(id).execute(tuple)
      if (done === undefined) this.#collector.ack(tuple)
      else {
        return done.then(
          () => this.#collector.ack(tuple),
          (error: unknown) => this.#failed(tuple, error),
        )
      }
    } catch (error) {
      this.#failed(tuple, error)
    }
    return undefined
  }

  #failed(tuple: Tuple, error: unknown): void {
    if (!(error instanceof FailedException)) throw error
    this.#collector.fail(tuple)
  }

  finishedId(id: unknown): void | Promise<void> {
    const batch = this.#batch(id)
    this.#open.delete(requestKey(id))
    return batch.finishBatch()
  }

  timeoutId(id: unknown): void {
    this.#open.delete(requestKey(id))
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    this.#create().declareOutputFields(declarer)
  }

  getComponentConfiguration(): Conf {
    return this.#create().getComponentConfiguration?.() ?? {}
  }

  // A request of which this task got no tuple has a batch too: it is finished empty.
  #batch(id: unknown): BatchBolt {
    const key = requestKey(id)
    const open = this.#open.get(key)
    if (open !== undefined) return open
    const made = this.#create()
    // Anchors are left to CoordinatedBolt: it holds tuples of the request.
    made.prepare?.(this.#conf, this.#context, this.#collectorOf(), id)
    this.#open.set(key, made)
    return made
  }

  #collectorOf(): BatchOutputCollector {
    const collector = this.#collector
    return {
      emit: (values, stream) => collector.emit(values, null, stream),
      emitDirect: (task, values, stream) => collector.emitDirect(task, values, null, stream),
      reportError: error => collector.reportError(error),
    }
  }
}
