// One message at a time through three tasks: source, relay, sink. The next one is emitted when the last is done (as soon as
// it is, or at the next tick of a period), so nothing waits behind anything: what is left is the latency of the
// engine itself, from `output` to `done`. Over two executors the relay sits in the other one: the message crosses
// twice, and so does the word that it is finished.
import {
  type Application,
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
import { type Cell, cell, type Histogram, histogram } from './harness/meter.ts'
import { randomStrings } from './sol-app.ts'

export interface LoneInput {
  /** 0 = the next message follows at once. */
  readonly everyMs: number
}

class Lone implements Source<string> {
  readonly #everyMs: number
  readonly #text = randomStrings(1, 100)[0]!
  #context!: SourceContext<string>
  #done!: Cell
  #failed!: Cell
  #latency!: Histogram
  #open = false
  #due = true
  #sentMs = 0

  constructor(everyMs: number) {
    this.#everyMs = everyMs
  }

  open = (context: SourceContext<string>): void => {
    this.#context = context
    this.#done = cell('done')
    this.#failed = cell('fail')
    this.#latency = histogram()
    if (this.#everyMs > 0) context.schedule(this.#everyMs, this.#tick)
  }

  #tick = (): void => {
    this.#due = true
    this.#context.wake()
  }

  next = (out: SourceContext<string>): boolean => {
    if (this.#open || !this.#due) return false
    this.#open = true
    this.#due = this.#everyMs === 0
    this.#sentMs = performance.now()
    out.output(this.#text, 1)
    return false
  }

  done = (): void => {
    this.#latency.record(performance.now() - this.#sentMs)
    this.#done.n++
    this.#again()
  }

  fail = (): void => {
    this.#failed.n++
    this.#again()
  }

  #again(): void {
    this.#open = false
    this.#context.wake()
  }
}

class Relay implements Task<string, string> {
  onNext = (value: string, context: TaskContext<string>): void => {
    context.output(value)
  }
}

class Sink implements Task<string> {
  #count!: Cell

  onStart = (): void => {
    this.#count = cell('sink')
  }

  onNext = (): void => {
    this.#count.n++
  }
}

export function loneApp(input: LoneInput): Application {
  const lone = source('lone', () => new Lone(input.everyMs))
  const relay = processor('relay', () => new Relay())
  const sink = processor('sink', () => new Sink())
  return application('lone', graph(lone.to(relay, shuffle()).to(sink, shuffle())), {
    profile: 'latency',
    code: { module: import.meta.url, export: 'loneApp', input },
  })
}
