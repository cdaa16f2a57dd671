// A bounded reliable source that replays on fail, a relay, and a sink that appends each number to a file.
import { appendFileSync } from 'node:fs'
import { application, graph, processor, shuffle, source, type Source, type SourceContext, type Task, type TaskContext } from 'gearpump'

export interface ReplayInput {
  readonly count: number
  readonly out: string
  readonly relays: number
  readonly perSecond: number
}

class Numbers implements Source<number> {
  readonly #count: number
  readonly #perSecond: number
  readonly #again: number[] = []
  #next = 0
  #open = new Set<number>()
  #startMs = 0
  constructor(input: ReplayInput) {
    this.#count = input.count
    this.#perSecond = input.perSecond
  }
  next = (out: SourceContext<number>): boolean | 'end' => {
    if (this.#startMs === 0) this.#startMs = performance.now()
    const again = this.#again.pop()
    if (again !== undefined) {
      this.#emit(out, again)
      return true
    }
    if (this.#next < this.#count) {
      if (this.#next >= ((performance.now() - this.#startMs) / 1000) * this.#perSecond) return false
      this.#emit(out, this.#next++)
      return true
    }
    return this.#open.size === 0 ? 'end' : false
  }
  #emit(out: SourceContext<number>, id: number): void {
    this.#open.add(id)
    out.output(id, id)
  }
  done = (id: unknown): void => {
    this.#open.delete(id as number)
  }
  fail = (id: unknown): void => {
    this.#again.push(id as number)
  }
}

class Relay implements Task<number, number> {
  onNext = (value: number, context: TaskContext<number>): void => context.output(value)
}

class FileSink implements Task<number> {
  readonly #file: string
  #lines: number[] = []
  constructor(file: string) {
    this.#file = file
  }
  onNext = (value: number, context: TaskContext<never>): void => {
    this.#lines.push(value)
    if (this.#lines.length >= 64) this.#flush()
    else if (this.#lines.length === 1) context.scheduleOnce(5, () => this.#flush())
    this.#holds.push(context.hold())
  }
  readonly #holds: { release(): boolean }[] = []
  #flush(): void {
    if (this.#lines.length === 0) return
    appendFileSync(this.#file, this.#lines.map(n => `${n}\n`).join(''))
    this.#lines = []
    for (const hold of this.#holds.splice(0)) hold.release()
  }
  onStop = (): void => this.#flush()
}

export function replayApp(input: ReplayInput) {
  const numbers = source('numbers', () => new Numbers(input))
  const relay = processor<number, number>('relay', () => new Relay(), { parallelism: input.relays })
  const sink = processor<number, never>('sink', () => new FileSink(input.out), { parallelism: 2 })
  return application('replay', graph(numbers.to(relay, shuffle()).to(sink, shuffle())), {
    profile: { timeoutMs: 10_000 },
    code: { module: import.meta.url, export: 'replayApp', input },
  })
}
