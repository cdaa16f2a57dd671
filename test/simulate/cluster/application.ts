// The application of a simulated cluster: a source that counts and can be opened where it stood, one or two stages, a
// sink. Each number goes one way, so that it arrives as often as it was emitted, or less.
import { type Application, application } from '../../../src/app/application.ts'
import { graph } from '../../../src/dag/graph.ts'
import { hash, shuffle } from '../../../src/dag/partitioner.ts'
import { processor, source } from '../../../src/dag/processor.ts'
import type { Source, SourceContext, Task, TaskContext } from '../../../src/task/task.ts'
import type { Chance } from '../virtual-time.ts'
import type { AppDraw } from './scenario.ts'

/** Emitted and not done: beyond it the source waits. */
const OPEN_MAX = 40
/** A source says something each so many ms. */
const PACE_MS = 400

export type Item = readonly [task: number, number: number]

/** Who hears what user code does. */
export interface Ledger {
  /** Whether this number may be emitted now: at the end no new ones are. */
  wants(task: number, number: number): boolean
  opened(task: number, low: number, executor: number): void
  emitted(task: number, number: number): void
  done(task: number, low: number, executor: number): void
  arrived(task: number, number: number): void
}

export interface ApplicationParts {
  readonly name: string
  readonly draw: AppDraw
  readonly ledger: Ledger
  readonly chance: Chance
  readonly userFails: () => number
}

export function clusterApplication(parts: ApplicationParts): Application {
  const { name, draw, ledger } = parts
  const [sources, ...rest] = draw.parallelism as [number, ...number[]]
  const sinks = rest.pop()!
  const numbers = source<Item>('numbers', () => new Numbers(ledger), {
    parallelism: sources,
    config: { idleWaitMs: PACE_MS },
  })
  let path = numbers.to(
    processor<Item, Item>('stage0', () => new Stage(parts), { parallelism: rest[0]! }),
    shuffle(),
  )
  for (const [i, parallelism] of rest.slice(1).entries()) {
    const stage = processor<Item, Item>(`stage${i + 1}`, () => new Stage(parts), { parallelism })
    path = path.to(stage, hash())
  }
  const sink = processor<Item, never>('sink', () => new Sink(ledger), { parallelism: sinks })
  return application(name, graph(path.to(sink, hash())), {
    profile: { timeoutMs: 30_000, inboxDepth: 64, creditWindow: 64 },
  })
}

class Numbers implements Source<Item> {
  readonly #ledger: Ledger
  #task = 0
  #executor = 0
  #low = 0
  #next = 0
  readonly #done = new Set<number>()
  readonly #again: number[] = []

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  open(context: SourceContext<Item>): void {
    const position = context.position as { low: number } | undefined
    this.#task = context.taskId
    this.#executor = context.executorId
    this.#low = this.#next = position?.low ?? 0
    this.#ledger.opened(this.#task, this.#low, context.executorId)
  }

  next(out: SourceContext<Item>): boolean {
    const again = this.#again.shift()
    if (again !== undefined) {
      this.#emit(out, again)
      return true
    }
    const wanted = this.#ledger.wants(this.#task, this.#next)
    if (wanted && this.#next - this.#low < OPEN_MAX) this.#emit(out, this.#next++)
    return false
  }

  #emit(out: SourceContext<Item>, number: number): void {
    this.#ledger.emitted(this.#task, number)
    out.output([this.#task, number], number)
  }

  done(id: unknown): void {
    this.#done.add(id as number)
    while (this.#done.delete(this.#low)) this.#low++
    this.#ledger.done(this.#task, this.#low, this.#executor)
  }

  fail(id: unknown): void {
    if ((id as number) >= this.#low && !this.#done.has(id as number)) this.#again.push(id as number)
  }

  position(): unknown {
    return { low: this.#low }
  }
}

class Stage implements Task<Item, Item> {
  readonly #parts: ApplicationParts

  constructor(parts: ApplicationParts) {
    this.#parts = parts
  }

  onNext(value: Item, context: TaskContext<Item>): void {
    const { chance, userFails } = this.#parts
    if (chance.happens(userFails())) throw new Error('simulated: user code fails')
    context.output(value)
  }
}

class Sink implements Task<Item, never> {
  readonly #ledger: Ledger

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  onNext([task, number]: Item): void {
    this.#ledger.arrived(task, number)
  }
}
