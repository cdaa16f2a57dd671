// The same applications through the Storm layer: spouts and bolts in TypeScript, and bolts in Python where the name says so.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Application } from 'gearpump'
import {
  type BasicBolt,
  type BasicOutputCollector,
  type Bolt,
  type Conf,
  type OutputCollector,
  type OutputFieldsDeclarer,
  type Spout,
  type SpoutOutputCollector,
  shellBolt,
  TopologyBuilder,
  type TopologyContext,
  type Tuple,
  translate,
} from 'gearpump/storm'
import { appears, FLAGS, type FlowInput, Numbers, pause } from '../flow.ts'
import type { BroadcastInput, CycleInput, IdleInput, SlowInput, StuckInput } from './native.ts'
import { noteStuck, StuckPoint } from './stuck-point.ts'

const RESOURCES = fileURLToPath(new URL('../resources', import.meta.url))

export class NumberSpout implements Spout {
  readonly #input: FlowInput
  readonly #numbers: Numbers
  #out!: SpoutOutputCollector

  constructor(input: FlowInput) {
    this.#input = input
    this.#numbers = new Numbers(input)
  }

  open(_conf: Conf, _context: TopologyContext, out: SpoutOutputCollector): void {
    this.#out = out
  }

  nextTuple(): void {
    const due = this.#numbers.due()
    for (let k = 0; k < due; k++) {
      const n = this.#numbers.take()
      const values = [this.#numbers.valueOf(n)]
      if (this.#input.acked) this.#out.emit(values, n)
      else this.#out.emit(values)
    }
    if (due === 0 && this.#numbers.finished()) this.#out.exhausted()
  }

  ack(id: unknown): void {
    this.#numbers.done(id as number)
  }

  fail(): void {
    this.#numbers.fail()
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declare(['n'])
  }
}

class EndBolt implements BasicBolt {
  readonly basic = true
  execute(): void {
    return
  }
  declareOutputFields(): void {
    return
  }
}

/** Makes the application, as each of its processes does. */
export function stormApplication(
  builder: TopologyBuilder,
  input: { readonly dir: string },
  name: string,
  config: Conf = {},
): Application {
  const { application } = translate(builder.createTopology(name, config), {
    resources: RESOURCES,
    pidDir: join(input.dir, 'pids'),
    startedMs: 0,
  })
  return application
}

function withCode(application: Application, name: string, input: unknown): Application {
  return { ...application, code: { module: import.meta.url, export: name, input } }
}

// ---- one input that does not end

class StuckBolt implements Bolt {
  readonly #input: StuckInput
  #out!: OutputCollector
  #point: StuckPoint | undefined

  constructor(input: StuckInput) {
    this.#input = input
  }

  prepare(_conf: Conf, context: TopologyContext, out: OutputCollector): void {
    this.#out = out
    if (context.taskIndex === this.#input.index) this.#point = new StuckPoint(this.#input)
  }

  execute(tuple: Tuple): void | Promise<void> {
    this.#out.emit(tuple.values, tuple)
    if (this.#point?.reached(tuple.values[0] as number) !== true) {
      this.#out.ack(tuple)
      return undefined
    }
    noteStuck(this.#input)
    const released = appears(join(this.#input.dir, FLAGS.release)).then(() => this.#out.ack(tuple))
    if (this.#input.how === 'park') return released
    released.catch(error => this.#out.reportError(error as Error))
    return undefined
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declare(['n'])
  }
}

export function stormStuckApp(input: StuckInput): Application {
  const builder = new TopologyBuilder()
  builder.setSpout('numbers', () => new NumberSpout(input)).setMaxSpoutPending(input.maxOpenRoots)
  builder.setBolt('work', () => new StuckBolt(input), input.tasks).shuffleGrouping('numbers')
  builder.setBolt('end', () => new EndBolt()).shuffleGrouping('work')
  return withCode(stormApplication(builder, input, 'stuck'), 'stormStuckApp', input)
}

// ---- fast before slow

class SlowBolt implements BasicBolt {
  readonly basic = true
  readonly #input: SlowInput
  #count = 0

  constructor(input: SlowInput) {
    this.#input = input
  }

  execute(tuple: Tuple, out: BasicOutputCollector): void | Promise<void> {
    out.emit(tuple.values)
    return ++this.#count % this.#input.every === 0 ? pause(this.#input.pauseMs) : undefined
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declare(['n'])
  }
}

export interface StormSlowInput extends SlowInput {
  readonly python: boolean
}

export function stormSlowApp(input: StormSlowInput): Application {
  const builder = new TopologyBuilder()
  builder.setSpout('numbers', () => new NumberSpout(input))
  const python = shellBolt(
    ['python3', 'slow.py', String(input.every), String(input.pauseMs)],
    ['n'],
  )
  const bolt = input.python ? python : () => new SlowBolt(input)
  builder.setBolt('slow', bolt as () => BasicBolt).shuffleGrouping('numbers')
  builder.setBolt('end', () => new EndBolt()).shuffleGrouping('slow')
  return withCode(stormApplication(builder, input, 'slow'), 'stormSlowApp', input)
}

// ---- cycle

class EnterBolt implements BasicBolt {
  readonly basic = true
  readonly #rounds: number
  constructor(rounds: number) {
    this.#rounds = rounds
  }
  execute(tuple: Tuple, out: BasicOutputCollector): void {
    out.emit([tuple.values[0], this.#rounds])
  }
  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declare(['n', 'left'])
  }
}

class PassBolt implements BasicBolt {
  readonly basic = true
  execute(tuple: Tuple, out: BasicOutputCollector): void {
    out.emit(tuple.values)
  }
  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declare(['n', 'left'])
  }
}

class TurnBolt implements BasicBolt {
  readonly basic = true
  readonly #input: CycleInput
  #count = 0
  constructor(input: CycleInput) {
    this.#input = input
  }
  execute(tuple: Tuple, out: BasicOutputCollector): void | Promise<void> {
    const [n, left] = tuple.values as [unknown, number]
    if (left > 1) out.emit([n, left - 1], 'again')
    else out.emit([n, 0], 'out')
    const { slowTask, every, pauseMs } = this.#input
    return slowTask && ++this.#count % every === 0 ? pause(pauseMs) : undefined
  }
  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declareStream('again', ['n', 'left'])
    declarer.declareStream('out', ['n', 'left'])
  }
}

export interface StormCycleInput extends CycleInput {
  /** The bolt that passes tokens on is a child process. */
  readonly python: boolean
}

export function stormCycleApp(input: StormCycleInput): Application {
  const builder = new TopologyBuilder()
  builder.setSpout('numbers', () => new NumberSpout(input))
  builder.setBolt('enter', () => new EnterBolt(input.rounds)).shuffleGrouping('numbers')
  const pass = input.python
    ? shellBolt(['python3', 'relay.py'], ['n', 'left'])
    : () => new PassBolt()
  builder
    .setBolt('pass', pass as () => BasicBolt, 2)
    .shuffleGrouping('enter')
    .shuffleGrouping('turn', 'again')
  builder.setBolt('turn', () => new TurnBolt(input), 2).shuffleGrouping('pass')
  builder.setBolt('leave', () => new EndBolt()).shuffleGrouping('turn', 'out')
  return withCode(stormApplication(builder, input, 'cycle'), 'stormCycleApp', input)
}

// ---- very many tasks

export function stormBroadcastApp(input: BroadcastInput): Application {
  const builder = new TopologyBuilder()
  builder.setSpout('numbers', () => new NumberSpout(input), input.sources)
  builder.setBolt('end', () => new EndBolt(), input.tasks).allGrouping('numbers')
  return withCode(stormApplication(builder, input, 'broadcast'), 'stormBroadcastApp', input)
}

// ---- nothing at all

export interface StormIdleInput extends IdleInput {
  /** Python bolts among the tasks. */
  readonly children: number
}

class SilentSpout implements Spout {
  open(): void {
    return
  }
  nextTuple(): void {
    return
  }
  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declare(['n'])
  }
}

export function stormIdleApp(input: StormIdleInput): Application {
  const builder = new TopologyBuilder()
  const { sources, tasks, children } = input
  builder.setSpout('numbers', () => new SilentSpout(), sources)
  builder.setBolt('end', () => new EndBolt(), tasks - children).shuffleGrouping('numbers')
  if (children > 0) {
    const relay = shellBolt(['python3', 'relay.py'], ['n'])
    builder.setBolt('relay', relay, children).shuffleGrouping('numbers')
  }
  return withCode(stormApplication(builder, input, 'idle'), 'stormIdleApp', input)
}
