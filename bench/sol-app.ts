// The speed-of-light application: 100-byte strings from sources to sinks that only count. Native DAG.
import {
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

/** Messages per `next`: as a source that reads a batch at a time does. */
const BATCH = 32

export function randomStrings(count: number, length: number): string[] {
  let seed = 42
  const digit = () => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
    return String((seed >> 16) % 10)
  }
  return Array.from({ length: count }, () => Array.from({ length }, digit).join(''))
}

class Strings implements Source<string> {
  readonly #data = randomStrings(100, 100)
  readonly #acked: boolean
  #i = 0
  #id = 0
  constructor(acked: boolean) {
    this.#acked = acked
  }
  next = (out: SourceContext<string>): boolean => {
    for (let k = 0; k < BATCH; k++) {
      const value = this.#data[this.#i]!
      if (++this.#i === this.#data.length) this.#i = 0
      if (this.#acked) out.output(value, this.#id++)
      else out.output(value)
    }
    return true
  }
}

class Sink implements Task<string> {
  chars = 0
  onNext = (value: string): void => {
    this.chars += value.length
  }
}

export default program({
  args: {
    acked: { type: 'boolean', default: false },
    tasks: { type: 'number', default: 1, description: 'sources, and as many sinks' },
  },
  build: ({ acked, tasks }) => solApp({ acked, tasks }),
})

export function solApp(input: { acked: boolean; tasks: number }) {
  const strings = source('strings', () => new Strings(input.acked), { parallelism: input.tasks })
  const sink = processor('sink', () => new Sink(), { parallelism: input.tasks })
  return application('sol', graph(strings.to(sink, shuffle())), {
    profile: 'throughput',
    code: { module: import.meta.url, export: 'solApp', input },
  })
}
