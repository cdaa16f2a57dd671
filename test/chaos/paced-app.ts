// A source that emits at a set pace, a relay and a sink that writes down, twenty times a second, how many messages have come.
// With three executors each has its own, so that the figures show what the death of one process does to the flow.
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import {
  application,
  graph,
  processor,
  type Source,
  type SourceContext,
  source,
  type Task,
  type TaskContext,
} from 'gearpump'
import { until } from '../e2e/until.ts'

const NOTE_MS = 50
/** Whatever the machine is busy with, what flows comes within this time. */
const FLOW_MS_MAX = 120_000
/** Emitted at once at most: after a standstill the pace goes on, what was missed is not made up. */
const BURST_MAX = 500
const OPEN_MAX = 50_000

export interface PacedInput {
  readonly perSecond: number
  /** Where the sink writes. */
  readonly notes: string
}

class Paced implements Source<number> {
  readonly #perSecond: number
  #dueMs = performance.now()
  #next = 0
  #open = 0

  constructor(perSecond: number) {
    this.#perSecond = perSecond
  }

  next = (out: SourceContext<number>): boolean => {
    const nowMs = performance.now()
    const due = Math.floor(((nowMs - this.#dueMs) * this.#perSecond) / 1000)
    const count = Math.min(due, BURST_MAX, OPEN_MAX - this.#open)
    if (due > BURST_MAX * 10) this.#dueMs = nowMs
    else if (count > 0) this.#dueMs += (count * 1000) / this.#perSecond
    for (let i = 0; i < count; i++) {
      this.#open++
      out.output(this.#next, this.#next++)
    }
    return count > 0
  }

  done = (): void => {
    this.#open--
  }

  fail = (): void => {
    this.#open--
  }
}

class Relay implements Task<number, number> {
  onNext = (value: number, context: TaskContext<number>): void => context.output(value)
}

class NotingSink implements Task<number> {
  readonly #notes: string
  #count = 0

  constructor(notes: string) {
    this.#notes = notes
  }

  onNext = (_value: number, context: TaskContext<never>): void => {
    if (this.#count++ === 0) context.scheduleOnce(NOTE_MS, () => this.#note())
  }

  #note(): void {
    appendFileSync(this.#notes, `${Date.now()} ${this.#count}\n`)
    this.#count = 0
  }
}

export function pacedApp(input: PacedInput) {
  const numbers = source('numbers', () => new Paced(input.perSecond))
  const relay = processor<number, number>('relay', () => new Relay())
  const sink = processor<number, never>('sink', () => new NotingSink(input.notes))
  return application('paced', graph(numbers.to(relay).to(sink)), {
    profile: { timeoutMs: 10_000 },
    code: { module: import.meta.url, export: 'pacedApp', input },
  })
}

/** Has nothing to do. */
export function emptyApp(input: { readonly name: string; readonly tasks: number }) {
  const nothing = source<number>('nothing', () => ({ next: () => false }))
  const end = processor<number, never>('end', () => ({ onNext: () => undefined }), {
    parallelism: input.tasks - 1,
  })
  return application(input.name, graph(nothing.to(end)), {
    code: { module: import.meta.url, export: 'emptyApp', input },
  })
}

export interface Flow {
  readonly perSecond: number
  /** The longest time without a note. */
  readonly gapMs: number
}

/** How many messages the sink has noted so far. */
export function arrivedOf(notes: string): number {
  if (!existsSync(notes)) return 0
  const counts = readFileSync(notes, 'utf8')
    .split('\n')
    .map(line => Number(line.split(' ')[1] ?? 0))
  return counts.reduce((sum, count) => sum + count, 0)
}

/** Waits until `count` more messages have come than now. */
export async function flowed(notes: string, count: number): Promise<void> {
  const before = arrivedOf(notes)
  await until(`${count} messages have come`, () => arrivedOf(notes) - before >= count, FLOW_MS_MAX)
}

/** What came between two moments, ms since 1970, as the sink has noted it. */
export function flowOf(notes: string, fromMs: number, toMs: number): Flow {
  let count = 0
  let gapMs = 0
  let beforeMs = fromMs
  for (const line of readFileSync(notes, 'utf8').split('\n')) {
    const [atMs, messages] = line.split(' ').map(Number)
    if (messages === undefined || atMs! < fromMs || atMs! > toMs) continue
    count += messages
    gapMs = Math.max(gapMs, atMs! - beforeMs)
    beforeMs = atMs!
  }
  gapMs = Math.max(gapMs, toMs - beforeMs)
  return { perSecond: Math.round((count * 1000) / (toMs - fromMs)), gapMs }
}
