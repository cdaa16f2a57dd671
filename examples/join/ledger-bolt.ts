// Books what was joined, each order once, however often it comes. To show a replay it refuses every n-th order the
// first time: then both spouts, of the order and of its payment, hear of the failure.
import {
  type BasicBolt,
  FailedException,
  type OutputFieldsDeclarer,
  type Tuple,
} from 'gearpump/storm'

export class LedgerBolt implements BasicBolt {
  readonly basic = true
  readonly #refuseEvery: number
  readonly #show: (text: string) => void
  readonly #booked = new Map<number, number>()
  readonly #refused = new Set<number>()

  /** @param refuseEvery 0 = none */
  constructor(refuseEvery: number, show: (text: string) => void = t => process.stdout.write(t)) {
    this.#refuseEvery = refuseEvery
    this.#show = show
  }

  execute(tuple: Tuple): void {
    const order = tuple.get('order') as number
    const refuse = this.#refuseEvery > 0 && order % this.#refuseEvery === 0
    if (refuse && !this.#refused.has(order)) {
      this.#refused.add(order)
      throw new FailedException(`order ${order} is refused the first time`)
    }
    this.#booked.set(order, tuple.get('paid') as number)
  }

  cleanup(): void {
    const sum = [...this.#booked.values()].reduce((total, paid) => total + paid, 0)
    const refused = this.#refused.size
    this.#show(`${this.#booked.size} orders booked, ${sum} paid, ${refused} refused at first\n`)
  }

  declareOutputFields(_declarer: OutputFieldsDeclarer): void {
    return
  }
}
