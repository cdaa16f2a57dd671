// The speed-of-light application: 100-byte strings from sources to sinks that only count. Native DAG. Each message is
// one call of `output` and one of the sink's `onNext`; the source brings 32 of them per `next`, as one that
// reads in batches does. Acked, every message has a number for an id and the source counts what is done; of one in 512 it
// remembers when it was emitted (the Storm peer: of one in eight).
import {
  type Application,
  application,
  graph,
  processor,
  program,
  type Source,
  type SourceContext,
  shuffle,
  source,
  type Task,
} from 'gearpump'
import { type Cell, cell, type Histogram, histogram } from './harness/meter.ts'

/** Messages per `next`. */
export const BATCH = 32
/** One message in 512 is timed: reading the clock twice costs as much as three messages do. */
const TIMED_MASK = 511
const TIMED_BITS = 9
/** Ids are small integers, and go round. */
const IDS_MASK = 0x3fffffff
/** Timed messages that may be open at once: more than the engine lets be open. */
const TIMES = 4096

export interface SolInput {
  readonly acked: boolean
  /** Sources, and as many sinks. */
  readonly tasks: number
}

export function randomStrings(count: number, length: number): string[] {
  let seed = 42
  const digit = () => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
    return String((seed >> 16) % 10)
  }
  return Array.from({ length: count }, () => Array.from({ length }, digit).join(''))
}

export abstract class Strings implements Source<string> {
  // One list for all sources of a process: 5,000 of them must not have 5,000.
  protected readonly data: readonly string[]
  protected i = 0
  protected sent = 0

  constructor(data: readonly string[]) {
    this.data = data
  }

  abstract next: (out: SourceContext<string>) => boolean

  protected string(): string {
    const value = this.data[this.i]!
    if (++this.i === this.data.length) this.i = 0
    return value
  }
}

class UnackedStrings extends Strings {
  override next = (out: SourceContext<string>): boolean => {
    for (let k = 0; k < BATCH; k++) out.output(this.string())
    return true
  }
}

class AckedStrings extends Strings {
  #done!: Cell
  #failed!: Cell
  #latency!: Histogram
  readonly #times = new Float64Array(TIMES)

  open = (): void => {
    this.#done = cell('done')
    this.#failed = cell('fail')
    this.#latency = histogram()
  }

  override next = (out: SourceContext<string>): boolean => {
    for (let k = 0; k < BATCH; k++) {
      const id = this.sent++ & IDS_MASK
      if ((id & TIMED_MASK) === 0) this.#times[(id >> TIMED_BITS) % TIMES] = performance.now()
      out.output(this.string(), id)
    }
    return true
  }

  done = (id: unknown): void => {
    this.#done.n++
    const number = id as number
    if ((number & TIMED_MASK) !== 0) return
    this.#latency.record(performance.now() - this.#times[(number >> TIMED_BITS) % TIMES]!)
  }

  fail = (): void => {
    this.#failed.n++
  }
}

class Sink implements Task<string> {
  chars = 0
  #count!: Cell

  onStart = (): void => {
    this.#count = cell('sink')
  }

  onNext = (value: string): void => {
    this.#count.n++
    this.chars += value.length
  }
}

export function solApp(input: SolInput): Application {
  const parallelism = input.tasks
  const data = randomStrings(100, 100)
  const strings = source(
    'strings',
    () => (input.acked ? new AckedStrings(data) : new UnackedStrings(data)),
    { parallelism },
  )
  const sink = processor('sink', () => new Sink(), { parallelism })
  return application('sol', graph(strings.to(sink, shuffle())), {
    profile: 'throughput',
    code: { module: import.meta.url, export: 'solApp', input },
  })
}

export default program({
  args: {
    acked: { type: 'boolean', default: false },
    tasks: { type: 'number', default: 1, description: 'sources, and as many sinks' },
  },
  build: ({ acked, tasks }) => solApp({ acked, tasks }),
})
