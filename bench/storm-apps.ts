// The Storm peer's topologies (bench/storm, Parts.java and Bench.java) in TypeScript, line by line the same work: a spout
// that emits one tuple per call, basic bolts that emit anew, counts at the sink. Run through the translation.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Application } from 'gearpump'
import {
  type BasicBolt,
  type BasicOutputCollector,
  type Conf,
  type OutputFieldsDeclarer,
  type Spout,
  type SpoutOutputCollector,
  shellBolt,
  TopologyBuilder,
  type TopologyContext,
  type Tuple,
  translate,
} from 'gearpump/storm'
import { type Cell, cell, type Histogram, histogram } from './harness/meter.ts'
import { sentences } from './sentences.ts'
import { randomStrings } from './sol-app.ts'

/** One message in 64 is timed (the peer: one in eight): reading the clock costs as much as a tuple does. */
const TIMED_MASK = 63
const UNTIMED = -1

/** Cycles over a fixed set of strings; acked, one id in 64 is the time of the emit. */
class LoopSpout implements Spout {
  readonly #field: string
  readonly #data: readonly string[]
  readonly #acked: boolean
  #out!: SpoutOutputCollector
  #done!: Cell
  #failed!: Cell
  #latency!: Histogram
  #i = 0
  #sent = 0

  constructor(field: string, data: readonly string[], acked: boolean) {
    this.#field = field
    this.#data = data
    this.#acked = acked
  }

  open(_conf: Conf, _context: TopologyContext, out: SpoutOutputCollector): void {
    this.#out = out
    this.#done = cell('done')
    this.#failed = cell('fail')
    this.#latency = histogram()
  }

  nextTuple(): void {
    const value = this.#data[this.#i]!
    if (++this.#i === this.#data.length) this.#i = 0
    if (!this.#acked) this.#out.emit([value])
    else if ((this.#sent++ & TIMED_MASK) === 0) this.#out.emit([value], performance.now())
    else this.#out.emit([value], UNTIMED)
  }

  ack(id: unknown): void {
    this.#done.n++
    if (id !== UNTIMED) this.#latency.record(performance.now() - (id as number))
  }

  fail(): void {
    this.#failed.n++
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declare([this.#field])
  }
}

/** The sink of `sol`: counts its input and emits it again, to nobody. */
class PassBolt implements BasicBolt {
  readonly basic = true
  #count!: Cell

  prepare(): void {
    this.#count = cell('sink')
  }

  execute(tuple: Tuple, out: BasicOutputCollector): void {
    this.#count.n++
    out.emit([tuple.values[0]])
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declare(['message'])
  }
}

class SplitBolt implements BasicBolt {
  readonly basic = true

  execute(tuple: Tuple, out: BasicOutputCollector): void {
    // As Java's String.split does it. That of V8 takes twice as long where it has not seen the very text before.
    const sentence = tuple.values[0] as string
    let from = 0
    for (let to = sentence.indexOf(' '); to >= 0; to = sentence.indexOf(' ', from)) {
      out.emit([sentence.slice(from, to)])
      from = to + 1
    }
    out.emit([sentence.slice(from)])
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declare(['word'])
  }
}

class CountBolt implements BasicBolt {
  readonly basic = true
  // One look-up per word, as the peer's HashMap.merge.
  readonly #seen = new Map<string, Cell>()
  #count!: Cell

  prepare(): void {
    this.#count = cell('sink')
  }

  execute(tuple: Tuple, out: BasicOutputCollector): void {
    this.#count.n++
    const word = tuple.values[0] as string
    let seen = this.#seen.get(word)
    if (seen === undefined) {
      seen = { n: 0 }
      this.#seen.set(word, seen)
    }
    out.emit([word, ++seen.n])
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declare(['word', 'count'])
  }
}

export interface StormInput {
  readonly acked: boolean
  readonly maxSpoutPending?: number
  /** Working directory of shell components; also holds the run's pid files. */
  readonly folder: string
  readonly config?: Conf
}

export function stormSolApp(input: StormInput): Application {
  const data = randomStrings(100, 100)
  const builder = new TopologyBuilder()
  builder.setSpout('spout', () => new LoopSpout('message', data, input.acked), 1)
  builder.setBolt('bolt', () => new PassBolt(), 1).shuffleGrouping('spout')
  return translated(builder, 'storm-sol', input)
}

export function wordCountApp(input: StormInput): Application {
  const builder = withSentences(input)
  builder.setBolt('split', () => new SplitBolt(), 1).shuffleGrouping('spout')
  return counted(builder, 'word-count', input)
}

/** The split is a child process. */
export function shellSplitApp(input: StormInput & { command: readonly string[] }): Application {
  const builder = withSentences(input)
  builder.setBolt('split', shellBolt(input.command, ['word']), 1).shuffleGrouping('spout')
  return counted(builder, 'shell-split', input)
}

function withSentences({ acked }: StormInput): TopologyBuilder {
  const builder = new TopologyBuilder()
  const data = sentences()
  builder.setSpout('spout', () => new LoopSpout('sentence', data, acked), 1)
  return builder
}

function counted(builder: TopologyBuilder, name: string, input: StormInput): Application {
  builder.setBolt('count', () => new CountBolt(), 1).fieldsGrouping('split', ['word'])
  return translated(builder, name, input)
}

function translated(builder: TopologyBuilder, name: string, input: StormInput): Application {
  const pidDir = join(input.folder, 'pids')
  mkdirSync(pidDir, { recursive: true })
  const config: Record<string, unknown> = { ...input.config }
  if (!input.acked) config['topology.acker.executors'] = 0
  if (input.maxSpoutPending !== undefined)
    config['topology.max.spout.pending'] = input.maxSpoutPending
  return translate(builder.createTopology(name, config), {
    resources: input.folder,
    pidDir,
    startedMs: Date.now(),
  }).application
}
