// The TypeScript ends of the test topologies: a spout that emits what it is given, a bolt that writes down what it sees.
// Both know the folder of the run by the setting `test.dir`; files work across executor processes where memory does not.
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type BasicBolt,
  type Bolt,
  type Conf,
  Double,
  type OutputCollector,
  type OutputFieldsDeclarer,
  type Spout,
  type SpoutOutputCollector,
  type TopologyContext,
  type Tuple,
} from 'gearpump/storm'

/** JSON has one type of number and no bytes, tuples have more: what it cannot say is written as an object with one `$` key. */
export function toText(value: unknown): string {
  return JSON.stringify(tagged(value))
}

export function fromText(text: string): unknown {
  return JSON.parse(text, (_key, value) => {
    if (typeof value?.$big === 'string') return BigInt(value.$big)
    if (typeof value?.$double === 'string') return new Double(Number(value.$double))
    if (typeof value?.$bytes === 'string') return Buffer.from(value.$bytes, 'hex')
    return value
  })
}

function tagged(value: unknown): unknown {
  if (typeof value === 'bigint') return { $big: String(value) }
  if (value instanceof Double)
    return { $double: Object.is(value.value, -0) ? '-0' : String(value.value) }
  if (Buffer.isBuffer(value)) return { $bytes: value.toString('hex') }
  if (value instanceof Map) return { $map: tagged([...value]) }
  if (Array.isArray(value)) return value.map(tagged)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, tagged(item)]))
}

const dirOf = (conf: Conf) => conf['test.dir'] as string

/**
 * A reliable spout: emits each tuple of `given.json` with its number as id, once more after each fail where it replays.
 * Writes into `ends` how each emit ended and after how long. Exhausted when all have ended.
 */
export class Given implements Spout {
  readonly #fields: readonly string[]
  readonly #replays: boolean
  readonly #emittedMs = new Map<number, number>()
  readonly #again: number[] = []
  #tuples: readonly unknown[][] = []
  #next = 0
  #ends = ''
  #collector!: SpoutOutputCollector

  constructor(fields: readonly string[], replays = false) {
    this.#fields = fields
    this.#replays = replays
  }

  open(conf: Conf, context: TopologyContext, collector: SpoutOutputCollector): void {
    this.#collector = collector
    this.#ends = join(dirOf(conf), `ends-${context.componentId}`)
    this.#tuples = fromText(readFileSync(join(dirOf(conf), 'given.json'), 'utf8')) as unknown[][]
  }

  nextTuple(): void {
    const id = this.#again.pop() ?? (this.#next < this.#tuples.length ? this.#next++ : undefined)
    if (id === undefined) {
      if (this.#emittedMs.size === 0) this.#collector.exhausted()
      return
    }
    this.#emittedMs.set(id, performance.now())
    this.#collector.emit(this.#tuples[id]!, id)
  }

  ack(id: unknown): void {
    this.#ended('ack', id as number)
  }

  fail(id: unknown): void {
    this.#ended('fail', id as number)
    if (this.#replays) this.#again.push(id as number)
  }

  #ended(end: 'ack' | 'fail', id: number): void {
    const ms = Math.round(performance.now() - this.#emittedMs.get(id)!)
    this.#emittedMs.delete(id)
    appendFileSync(this.#ends, `${JSON.stringify({ end, id, ms })}\n`)
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declare(this.#fields)
  }
}

/** Emits nothing and is never exhausted. */
export class Silent implements Spout {
  open(): void {
    return
  }

  nextTuple(): void {
    return
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declare(['nothing'])
  }
}

/** Writes each tuple into `seen-COMPONENT`, one line each. */
export class Seen implements BasicBolt {
  readonly basic = true
  #file = ''
  #task = 0

  prepare(conf: Conf, context: TopologyContext): void {
    this.#file = join(dirOf(conf), `seen-${context.componentId}`)
    this.#task = context.taskId
  }

  execute({ sourceStream, values }: Tuple): void {
    appendFileSync(this.#file, `${toText({ task: this.#task, stream: sourceStream, values })}\n`)
  }

  declareOutputFields(): void {
    return
  }
}

/** Takes what comes until it holds `count` tuples, then acks them all; writes into `held` how many they were at most. */
export class Holder implements Bolt {
  readonly #count: number
  readonly #held: Tuple[] = []
  #releasing: NodeJS.Timeout | undefined = undefined
  #collector!: OutputCollector
  #file = ''

  constructor(count: number) {
    this.#count = count
  }

  prepare(conf: Conf, _context: TopologyContext, collector: OutputCollector): void {
    this.#collector = collector
    this.#file = join(dirOf(conf), 'held')
  }

  execute(tuple: Tuple): void {
    this.#held.push(tuple)
    if (this.#held.length === this.#count)
      this.#releasing = setTimeout(() => this.#release(), LATER_MS)
  }

  // Later than a spout without a bound needs to emit more.
  #release(): void {
    appendFileSync(this.#file, `${this.#held.length}\n`)
    for (const tuple of this.#held.splice(0)) this.#collector.ack(tuple)
  }

  cleanup(): void {
    clearTimeout(this.#releasing)
  }

  declareOutputFields(): void {
    return
  }
}

const LATER_MS = 100
