// The few Java components that Storm ships for examples and tests, written anew, so that the usual example files run
// without a JVM: LogInfoBolt, TestWordSpout, TestWordCounter and NGrouping behave as their namesakes do.
import { setTimeout as delay } from 'node:timers/promises'
import type {
  BasicBolt,
  BasicOutputCollector,
  Conf,
  OutputFieldsDeclarer,
  Spout,
  SpoutOutputCollector,
  TopologyContext,
  Tuple,
} from '../component/api.ts'
import type { CustomGrouping } from '../topology/topology.ts'

/** Writes every tuple to the log of its component. */
export class LogInfoBolt implements BasicBolt {
  readonly basic = true
  #context: TopologyContext | undefined

  prepare(_conf: Conf, context: TopologyContext): void {
    this.#context = context
  }

  execute(tuple: Tuple): void {
    const { sourceComponent, sourceTask, sourceStream, values } = tuple
    const text = values.map(v => (typeof v === 'object' ? JSON.stringify(v) : String(v))).join(', ')
    this.#context?.log.write(
      'info',
      `source: ${sourceComponent}:${sourceTask}, stream: ${sourceStream}, [${text}]`,
    )
  }

  declareOutputFields(): void {
    // It emits nothing.
  }
}

const WORDS = ['nathan', 'mike', 'jackson', 'golda', 'bertels']
/** Storm's test spout rests so long before each word. */
const WORD_EVERY_MS = 100

/** Emits one of five words ten times a second, unreliably. */
export class TestWordSpout implements Spout {
  readonly #distributed: boolean
  readonly #random: () => number
  #collector: SpoutOutputCollector | undefined

  constructor(distributed = true, random: () => number = Math.random) {
    this.#distributed = distributed
    this.#random = random
  }

  open(_conf: Conf, _context: TopologyContext, collector: SpoutOutputCollector): void {
    this.#collector = collector
  }

  async nextTuple(): Promise<void> {
    await delay(WORD_EVERY_MS)
    this.#collector?.emit([WORDS[Math.floor(this.#random() * WORDS.length)]])
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declare(['word'])
  }

  getComponentConfiguration(): Conf {
    return this.#distributed ? {} : { 'topology.max.task.parallelism': 1 }
  }
}

/** Emits each word with how often it was seen. Keeps every word it ever saw, as Storm's does. */
export class TestWordCounter implements BasicBolt {
  readonly basic = true
  readonly #counts = new Map<unknown, number>()

  execute(tuple: Tuple, collector: BasicOutputCollector): void {
    const word = tuple.values[0]
    const count = (this.#counts.get(word) ?? 0) + 1
    this.#counts.set(word, count)
    collector.emit([word, count])
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declare(['word', 'count'])
  }
}

/** Sends every tuple to the first n tasks. */
export class NGrouping implements CustomGrouping {
  readonly #count: number
  #targets: readonly number[] = []

  constructor(count: number) {
    this.#count = count
  }

  prepare(_source: string, _stream: string, targetTasks: readonly number[]): void {
    this.#targets = targetTasks.slice(0, this.#count)
  }

  chooseTasks(): readonly number[] {
    return this.#targets
  }
}
