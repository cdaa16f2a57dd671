// The topologies whose processes are killed. Everything that must survive a process is in files: which numbers were
// emitted (noted before each emit, so that a replay can be told from a duplicate of ours), which arrived, and, for
// the spout that is killed itself, the position.
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Application } from 'gearpump'
import {
  type Bolt,
  type Conf,
  type OutputCollector,
  type OutputFieldsDeclarer,
  type Spout,
  type SpoutOutputCollector,
  shellBolt,
  shellSpout,
  TopologyBuilder,
  type TopologyContext,
  type Tuple,
} from 'gearpump/storm'
import { stormApplication } from './storm.ts'

export interface KilledInput {
  readonly dir: string
  readonly count: number
}

export const EMITS = 'emits'
export const ARRIVED = 'arrived'
export const POSITION = 'position'
export const SPOUT = 'numbers'
export const RELAY = 'relay'

/** So that a kill always meets some under way. */
const OPEN_MAX = 500

class ReplayingSpout implements Spout {
  readonly #input: KilledInput
  readonly #emits: string
  readonly #again: number[] = []
  readonly #open = new Set<number>()
  #next = 0
  #out!: SpoutOutputCollector

  constructor(input: KilledInput) {
    this.#input = input
    this.#emits = join(input.dir, EMITS)
  }

  open(_conf: Conf, _context: TopologyContext, out: SpoutOutputCollector): void {
    this.#out = out
  }

  nextTuple(): void {
    const n = this.#again.pop() ?? this.#fresh()
    if (n === undefined) {
      if (this.#next === this.#input.count && this.#open.size === 0) this.#out.exhausted()
      return
    }
    this.#open.add(n)
    appendFileSync(this.#emits, `${n}\n`)
    this.#out.emit([n], n)
  }

  #fresh(): number | undefined {
    return this.#next < this.#input.count && this.#open.size < OPEN_MAX ? this.#next++ : undefined
  }

  ack(id: unknown): void {
    this.#open.delete(id as number)
  }

  fail(id: unknown): void {
    this.#again.push(id as number)
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declare(['n'])
  }
}

/** Writes each number down before it acks it, at once or after a while. */
class ArrivedBolt implements Bolt {
  readonly #file: string
  readonly #ackAfterMs: number
  #out!: OutputCollector

  constructor({ dir }: KilledInput, ackAfterMs = 0) {
    this.#file = join(dir, ARRIVED)
    this.#ackAfterMs = ackAfterMs
  }

  prepare(_conf: Conf, _context: TopologyContext, out: OutputCollector): void {
    this.#out = out
  }

  execute(tuple: Tuple): void {
    appendFileSync(this.#file, `${tuple.values[0]}\n`)
    if (this.#ackAfterMs === 0) this.#out.ack(tuple)
    else setTimeout(() => this.#out.ack(tuple), this.#ackAfterMs)
  }

  declareOutputFields(): void {
    return
  }
}

/** Longer than any restart: what fails in time fails because its death was noticed. */
const CONFIG = { 'topology.message.timeout.secs': 120 }

/** A TypeScript spout, a Python bolt of three tasks, a sink of two: over three executors, two of them without the spout. */
export function boltKilledApp(input: KilledInput): Application {
  const builder = new TopologyBuilder()
  builder.setSpout(SPOUT, () => new ReplayingSpout(input))
  builder.setBolt(RELAY, shellBolt(['python3', 'relay.py'], ['n']), 3).shuffleGrouping(SPOUT)
  builder.setBolt('seen', () => new ArrivedBolt(input), 2).shuffleGrouping(RELAY)
  const application = stormApplication(builder, input, 'bolt-killed', CONFIG)
  return { ...application, code: { module: import.meta.url, export: 'boltKilledApp', input } }
}

/** Without it a slow child would have next to nothing open when it is killed. */
const ACK_AFTER_MS = 50

/** A Python spout that keeps its position in a file, and a sink of five over three executors. */
export function spoutKilledApp(input: KilledInput): Application {
  const { dir, count } = input
  const command = ['python3', 'numbers.py', String(count), join(dir, POSITION), join(dir, EMITS)]
  const builder = new TopologyBuilder()
  builder.setSpout(SPOUT, shellSpout(command, ['n']))
  builder.setBolt('seen', () => new ArrivedBolt(input, ACK_AFTER_MS), 5).shuffleGrouping(SPOUT)
  const application = stormApplication(builder, input, 'spout-killed', CONFIG)
  return { ...application, code: { module: import.meta.url, export: 'spoutKilledApp', input } }
}
