// The bolts at both ends of a linear DRPC topology. PrepareRequest gives a request an id of its own and deals out what belongs to
// it; JoinResult brings the result and the address to which it must go together again.
import type {
  BasicBolt,
  BasicOutputCollector,
  Bolt,
  Conf,
  OutputCollector,
  OutputFieldsDeclarer,
  TopologyContext,
  Tuple,
} from '../component/api.ts'
import { ExpiringMap } from './expiring-map.ts'
import { requestKey } from './request-key.ts'

/** Streams of PrepareRequest. */
export const ARGS_STREAM = 'default'
export const RETURN_STREAM = 'ret'
export const ID_STREAM = 'id'

/** Ids begin here, so that in Java they are Longs, whichever comes. */
const ID_MIN = 2 ** 32

/** `[args, return-info]` in; `[request, args]`, `[request, return]` and `[request]` out. */
export class PrepareRequest implements BasicBolt {
  readonly basic = true
  readonly #random: () => number

  constructor(random: () => number = Math.random) {
    this.#random = random
  }

  execute(tuple: Tuple, collector: BasicOutputCollector): void {
    const [args, returnInfo] = tuple.values
    // Not the number of the DRPC server, of which there may be several. JavaScript children can read it exactly, unlike Storm's.
    const id = ID_MIN + Math.floor(this.#random() * (Number.MAX_SAFE_INTEGER - ID_MIN))
    collector.emit([id, args], ARGS_STREAM)
    collector.emit([id, returnInfo], RETURN_STREAM)
    collector.emit([id], ID_STREAM)
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declareStream(ARGS_STREAM, ['request', 'args'])
    declarer.declareStream(RETURN_STREAM, ['request', 'return'])
    declarer.declareStream(ID_STREAM, ['request'])
  }
}

/** Halves that wait for the other one. */
const HALVES_MAX = 100_000

/** `[request, result]` and, from `returnComponent`, `[request, return-info]` in; `[result, return-info]` out. */
export class JoinResult implements Bolt {
  readonly #returnComponent: string
  readonly #nowMs: () => number
  #collector!: OutputCollector
  #returns!: ExpiringMap<unknown, Tuple>
  #results!: ExpiringMap<unknown, Tuple>

  constructor(returnComponent: string, nowMs: () => number = () => performance.now()) {
    this.#returnComponent = returnComponent
    this.#nowMs = nowMs
  }

  prepare(conf: Conf, _context: TopologyContext, collector: OutputCollector): void {
    this.#collector = collector
    const expiry = {
      periodMs: 1000 * Number(conf['topology.message.timeout.secs'] ?? 30),
      entriesMax: HALVES_MAX,
      nowMs: this.#nowMs,
      onExpire: (_key: unknown, tuple: Tuple) => collector.fail(tuple),
    }
    this.#returns = new ExpiringMap(expiry)
    this.#results = new ExpiringMap(expiry)
  }

  execute(tuple: Tuple): void {
    const key = requestKey(tuple.values[0])
    const own = tuple.sourceComponent === this.#returnComponent ? this.#returns : this.#results
    // A second result takes the place of the first.
    const before = own.get(key)
    if (before !== undefined) this.#collector.ack(before)
    own.set(key, tuple)
    const [result, returnInfo] = [this.#results.get(key), this.#returns.get(key)]
    if (result === undefined || returnInfo === undefined) return
    this.#results.delete(key)
    this.#returns.delete(key)
    const both = [result, returnInfo]
    this.#collector.emit([textOf(result.values[1]), returnInfo.values[1]], both)
    for (const half of both) this.#collector.ack(half)
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declare(['result', 'return-info'])
  }
}

// A result is text for its caller: objects and lists are written as JSON.
function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  const plain: unknown = value.valueOf()
  return typeof plain === 'object' ? JSON.stringify(value) : String(plain)
}
