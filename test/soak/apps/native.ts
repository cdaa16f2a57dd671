// The applications under load as native DAGs. Tasks are dealt to executors one by one in the order of the DAG, so the
// parallelisms decide what lies where.
import { join } from 'node:path'
import {
  type Application,
  application,
  broadcast,
  graph,
  processor,
  type Source,
  type SourceContext,
  shuffle,
  source,
  type Task,
  type TaskContext,
} from 'gearpump'
import { appears, FLAGS, type FlowInput, Numbers, pause } from '../flow.ts'
import { noteStuck, StuckPoint } from './stuck-point.ts'

type Value = number | string

class NumberSource implements Source<Value> {
  readonly #input: FlowInput
  readonly #numbers: Numbers

  constructor(input: FlowInput) {
    this.#input = input
    this.#numbers = new Numbers(input)
  }

  next = (out: SourceContext<Value>): boolean | 'end' => {
    const due = this.#numbers.due()
    for (let k = 0; k < due; k++) {
      const n = this.#numbers.take()
      if (this.#input.acked) out.output(this.#numbers.valueOf(n), n)
      else out.output(this.#numbers.valueOf(n))
    }
    if (due > 0) return true
    return this.#numbers.finished() ? 'end' : false
  }

  done = (id: unknown): void => this.#numbers.done(id as number)
  fail = (): void => this.#numbers.fail()
}

const numbers = (input: FlowInput, parallelism = 1) =>
  source('numbers', () => new NumberSource(input), { parallelism })

class Relay implements Task<Value, Value> {
  onNext = (value: Value, context: TaskContext<Value>): void => context.output(value)
}

class End implements Task<Value> {
  onNext = (): void => undefined
}

const end = (parallelism = 1) => processor<Value, never>('end', () => new End(), { parallelism })

/** The same application in another process: each function below is an export of this module. */
function codeOf(name: string, input: unknown) {
  return { module: import.meta.url, export: name, input }
}

// ---- one input that does not end

export interface StuckInput extends FlowInput {
  /** hold: kept beyond `onNext`, the task goes on. park: the promise of `onNext` is open, the task waits. */
  readonly how: 'hold' | 'park'
  readonly tasks: number
  /** Index of the task it happens in. */
  readonly index: number
  /** It happens at the first input from this number on. */
  readonly from: number
  readonly maxOpenRoots: number
}

class StuckTask implements Task<Value, Value> {
  readonly #input: StuckInput
  #point: StuckPoint | undefined

  constructor(input: StuckInput) {
    this.#input = input
  }

  onStart = (context: TaskContext<Value>): void => {
    if (context.index === this.#input.index) this.#point = new StuckPoint(this.#input)
  }

  onNext = (value: Value, context: TaskContext<Value>): void | Promise<void> => {
    context.output(value)
    if (this.#point?.reached(value as number) !== true) return undefined
    noteStuck(this.#input)
    const released = appears(join(this.#input.dir, FLAGS.release))
    if (this.#input.how === 'park') return released
    const hold = context.hold()
    released.then(
      () => hold.release(),
      () => hold.fail(),
    )
    return undefined
  }
}

export function stuckApp(input: StuckInput): Application {
  const work = processor<Value, Value>('work', () => new StuckTask(input), {
    parallelism: input.tasks,
  })
  return application('stuck', graph(numbers(input).to(work, shuffle()).to(end(), shuffle())), {
    profile: { maxOpenRoots: input.maxOpenRoots },
    code: codeOf('stuckApp', input),
  })
}

// ---- fast before slow

export interface SlowInput extends FlowInput {
  /** The slow task pauses `pauseMs` after so many messages. */
  readonly every: number
  readonly pauseMs: number
}

class Slow implements Task<Value, Value> {
  readonly #input: SlowInput
  #count = 0

  constructor(input: SlowInput) {
    this.#input = input
  }

  onNext = (value: Value, context: TaskContext<Value>): void | Promise<void> => {
    context.output(value)
    return ++this.#count % this.#input.every === 0 ? pause(this.#input.pauseMs) : undefined
  }
}

const slow = (name: string, input: SlowInput) =>
  processor<Value, Value>(name, () => new Slow(input))
const relay = (name: string, parallelism = 1) =>
  processor<Value, Value>(name, () => new Relay(), { parallelism })

export function slowApp(input: SlowInput): Application {
  const path = numbers(input).to(slow('slow', input), shuffle()).to(end(), shuffle())
  return application('slow', graph(path), { code: codeOf('slowApp', input) })
}

// ---- chain over executors

export interface ChainInput extends SlowInput {
  /** Which of the three behind the source is slow. */
  readonly slow: 'b1' | 'a2' | 'b2'
}

/** A1 → B1 → A2 → B2, one task each: with two executors the first and third are in one, the others in the other. */
export function chainApp(input: ChainInput): Application {
  const link = (name: string) => (name === input.slow ? slow(name, input) : relay(name))
  const path = numbers(input)
    .to(link('b1'), shuffle())
    .to(link('a2'), shuffle())
    .to(link('b2'), shuffle())
  return application('chain', graph(path.to(end(), shuffle())), { code: codeOf('chainApp', input) })
}

// ---- cycle over executors

export interface CycleInput extends SlowInput {
  /** How often a token goes round. */
  readonly rounds: number
  readonly slowTask: boolean
}

interface Token {
  readonly n: Value
  readonly left: number
}

class Enter implements Task<Value, Token> {
  readonly #rounds: number
  constructor(rounds: number) {
    this.#rounds = rounds
  }
  onNext = (n: Value, context: TaskContext<Token>): void =>
    context.output({ n, left: this.#rounds })
}

class Pass implements Task<Token, Token> {
  onNext = (token: Token, context: TaskContext<Token>): void => context.output(token)
}

class Turn implements Task<Token, Token> {
  readonly #input: CycleInput
  #count = 0
  constructor(input: CycleInput) {
    this.#input = input
  }
  onNext = (token: Token, context: TaskContext<Token>): void | Promise<void> => {
    if (token.left > 1) context.output({ n: token.n, left: token.left - 1 }, 'again')
    else context.output(token, 'out')
    const { slowTask, every, pauseMs } = this.#input
    return slowTask && ++this.#count % every === 0 ? pause(pauseMs) : undefined
  }
}

class Leave implements Task<Token> {
  onNext = (): void => undefined
}

/** Tokens go `rounds` times from two `pass` to two `turn` and back, each hop possibly between executors. */
export function cycleApp(input: CycleInput): Application {
  const enter = processor<Value, Token>('enter', () => new Enter(input.rounds))
  const pass = processor<Token, Token>('pass', () => new Pass(), { parallelism: 2 })
  const turn = processor<Token, Token>('turn', () => new Turn(input), { parallelism: 2 })
  const leave = processor<Token, never>('leave', () => new Leave())
  const dag = graph(
    numbers(input).to(enter, shuffle()).to(pass, shuffle()).to(turn, shuffle()),
    turn.to(pass, shuffle(), 'again'),
    turn.to(leave, shuffle(), 'out'),
  )
  return application('cycle', dag, { code: codeOf('cycleApp', input) })
}

// ---- very many tasks

export interface BroadcastInput extends FlowInput {
  readonly sources: number
  readonly tasks: number
}

export function broadcastApp(input: BroadcastInput): Application {
  const path = numbers(input, input.sources).to(end(input.tasks), broadcast())
  return application('broadcast', graph(path), { code: codeOf('broadcastApp', input) })
}

// ---- nothing at all

export interface IdleInput {
  readonly dir: string
  readonly sources: number
  readonly tasks: number
}

class Silent implements Source<Value> {
  next = (): boolean => false
}

export function idleApp(input: IdleInput): Application {
  const silent = source<Value>('numbers', () => new Silent(), { parallelism: input.sources })
  const path = silent.to(end(input.tasks), shuffle())
  return application('idle', graph(path), { code: codeOf('idleApp', input) })
}
