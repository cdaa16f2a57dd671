// A reliable spout over records that it can make anew from their number: it emits each with the number as message id
// and, when one failed, again. It keeps only the numbers.
import type {
  Conf,
  OutputFieldsDeclarer,
  Spout,
  SpoutOutputCollector,
  TopologyContext,
  Values,
} from 'gearpump/storm'

export interface Records {
  readonly count: number
  readonly fields: readonly string[]
  /** The record that is emitted as the n-th; always the same for the same n. */
  readonly at: (n: number) => Values
}

export class RecordSpout implements Spout {
  readonly #records: Records
  readonly #failed: number[] = []
  #collector!: SpoutOutputCollector
  #next = 0
  #pending = 0

  constructor(records: Records) {
    this.#records = records
  }

  open(_conf: Conf, _context: TopologyContext, collector: SpoutOutputCollector): void {
    this.#collector = collector
  }

  nextTuple(): void {
    const failed = this.#failed.pop()
    const fresh = this.#next < this.#records.count ? this.#next : undefined
    const n = failed ?? fresh
    if (n === undefined) {
      if (this.#pending === 0) this.#collector.exhausted()
      return
    }
    if (failed === undefined) {
      this.#next++
      this.#pending++
    }
    this.#collector.emit(this.#records.at(n), n)
  }

  ack(): void {
    this.#pending--
  }

  fail(messageId: unknown): void {
    this.#failed.push(messageId as number)
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declare(this.#records.fields)
  }
}
