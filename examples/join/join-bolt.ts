// Joins two streams by a key, without a window: the first of a pair waits for the other. The joined tuple is anchored
// to both, and only then both are acked: when it fails further down, both spouts emit their part again, and the pair
// is joined anew. A tuple whose other half never comes fails by the message timeout of its spout, as it should. So
// does, again and again, a half that was replayed alone after its pair had been joined: where pairs come later than the
// timeout, or keys come twice, a join needs a window or a state that outlives the pair.
import type { Bolt, Conf, OutputCollector, OutputFieldsDeclarer, Tuple } from 'gearpump/storm'

/** Halves that may wait in one task. Beyond, the oldest fails and comes again later, instead of filling the memory. */
export const WAITING_MAX = 100_000

export class JoinBolt implements Bolt {
  readonly #left: string
  readonly #key: string
  readonly #fields: readonly string[]
  readonly #waitingMax: number
  /** Under `component key`; oldest first, as maps keep their order. */
  readonly #waiting = new Map<string, Tuple>()
  #collector!: OutputCollector

  /** @param options component of the left part, field of the key, fields to take (from the left part first) */
  constructor(options: {
    left: string
    key: string
    fields: readonly string[]
    waitingMax?: number
  }) {
    this.#left = options.left
    this.#key = options.key
    this.#fields = options.fields
    this.#waitingMax = options.waitingMax ?? WAITING_MAX
  }

  prepare(_conf: Conf, _context: unknown, collector: OutputCollector): void {
    this.#collector = collector
  }

  execute(tuple: Tuple): void {
    const key = String(tuple.get(this.#key))
    const isLeft = tuple.sourceComponent === this.#left
    const otherHalf = `${isLeft ? 'right' : 'left'} ${key}`
    const other = this.#waiting.get(otherHalf)
    if (other === undefined) {
      this.#wait(`${isLeft ? 'left' : 'right'} ${key}`, tuple)
      return
    }
    this.#waiting.delete(otherHalf)
    const [left, right] = isLeft ? [tuple, other] : [other, tuple]
    const values = this.#fields.map(f => (left.fields.includes(f) ? left : right).get(f))
    this.#collector.emit(values, [left, right])
    this.#collector.ack(left)
    this.#collector.ack(right)
  }

  #wait(half: string, tuple: Tuple): void {
    const earlier = this.#waiting.get(half)
    if (earlier !== undefined) {
      // The same again: its root had failed by timeout and was replayed. The new one counts.
      this.#waiting.delete(half)
      this.#collector.fail(earlier)
    } else if (this.#waiting.size >= this.#waitingMax) {
      const [oldest, waiting] = this.#waiting.entries().next().value!
      this.#waiting.delete(oldest)
      this.#collector.fail(waiting)
    }
    this.#waiting.set(half, tuple)
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declare(this.#fields)
  }
}
