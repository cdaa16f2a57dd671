// A bounded reliable source that replays on fail, a relay, and a sink that appends each number to a file.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import {
  application,
  graph,
  processor,
  type Source,
  type SourceContext,
  shuffle,
  source,
  type Task,
  type TaskContext,
} from 'gearpump'

export interface ReplayInput {
  readonly count: number
  readonly out: string
  /** Each emit is noted here before it is made, so that a test can tell a replay from a duplicate of ours. */
  readonly emits: string
  readonly relays: number
  /** A file that keeps which numbers are done, for a source whose own executor may die; undefined = the engine does. */
  readonly position?: string
  /** Emits no faster; undefined = as fast as it goes. */
  readonly perSecond?: number
}

/** Numbers from 0, at most so many open, so that a kill always meets some under way. */
const OPEN_MAX = 500

class Numbers implements Source<number> {
  readonly #input: ReplayInput
  readonly #again: number[] = []
  readonly #doneAhead = new Set<number>()
  #next = 0
  #through = 0
  #open = new Set<number>()
  readonly #beganMs = performance.now()
  #emitted = 0
  constructor(input: ReplayInput) {
    this.#input = input
  }
  // Everything below the position was done; what lies above is emitted again.
  open = (context: SourceContext<number>): void => {
    const { position } = this.#input
    if (position === undefined) this.#through = Number(context.position ?? 0)
    else if (existsSync(position)) this.#through = Number(readFileSync(position, 'utf8'))
    this.#next = this.#through
  }
  position = (): unknown => this.#through
  next = (out: SourceContext<number>): boolean | 'end' => {
    const again = this.#again.pop()
    if (again !== undefined) {
      this.#emit(out, again)
      return true
    }
    if (this.#next < this.#input.count) {
      if (this.#open.size >= OPEN_MAX || this.#ahead()) return false
      this.#emit(out, this.#next++)
      return true
    }
    return this.#open.size === 0 ? 'end' : false
  }
  #ahead(): boolean {
    const { perSecond } = this.#input
    if (perSecond === undefined) return false
    return this.#emitted > ((performance.now() - this.#beganMs) / 1000) * perSecond
  }
  #emit(out: SourceContext<number>, id: number): void {
    this.#emitted++
    this.#open.add(id)
    appendFileSync(this.#input.emits, `${id}\n`)
    out.output(id, id)
  }
  done = (id: unknown): void => {
    this.#open.delete(id as number)
    this.#doneAhead.add(id as number)
    while (this.#doneAhead.delete(this.#through)) this.#through++
    if (this.#input.position !== undefined)
      writeFileSync(this.#input.position, String(this.#through))
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
