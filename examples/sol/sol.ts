// The speed of light: how fast messages pass when nothing is done with them. Options as in Gearpump's example of this
// name: tasks that produce, tasks per processing stage, size of a message, stages. Without `messages` it never ends.
// Run it: gear run examples/sol/sol.ts --for 10s --stats -- --stages 3
import {
  application,
  graph,
  type Path,
  processor,
  program,
  type Source,
  type SourceContext,
  shuffle,
  source,
  type Task,
  type TaskContext,
  UserError,
} from 'gearpump'

/** Messages per `next`, as from a source that reads a batch at a time. */
const BATCH = 32

/** Different messages that are sent in turn. */
const VARIETY = 100

/** More stages than anybody measures; each is a processor. */
const STAGES_MAX = 100

export class Producer implements Source<string> {
  readonly #data: readonly string[]
  readonly #messages: number
  readonly #acked: boolean
  #sent = 0

  constructor(options: { bytesPerMessage: number; messages: number; acked: boolean }) {
    this.#data = randomTexts(VARIETY, options.bytesPerMessage)
    this.#messages = options.messages || Number.POSITIVE_INFINITY
    this.#acked = options.acked
  }

  next = (out: SourceContext<string>): boolean | 'end' => {
    for (let k = 0; k < BATCH; k++) {
      if (this.#sent === this.#messages) return k > 0 || 'end'
      const value = this.#data[this.#sent % VARIETY]!
      out.output(value, this.#acked ? this.#sent : undefined)
      this.#sent++
    }
    return true
  }
}

/** Hands on what it gets. */
export class Relay implements Task<string, string> {
  onNext = (value: string, context: TaskContext<string>): void => context.output(value)
}

/** The last stage. */
export class Sink implements Task<string> {
  received = 0
  onNext = (): void => {
    this.received++
  }
}

// Digits, so that a character is a byte. Always the same ones, so that runs can be compared.
function randomTexts(count: number, length: number): string[] {
  let seed = 42
  const digit = () => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
    return String((seed >> 16) % 10)
  }
  return Array.from({ length: count }, () => Array.from({ length }, digit).join(''))
}

interface Options {
  readonly streamProducer: number
  readonly streamProcessor: number
  readonly bytesPerMessage: number
  readonly stages: number
  readonly messages: number
  readonly acked: boolean
}

/** The application. Also how the other executors of a run get it. */
export function sol(input: Options) {
  const { streamProducer, streamProcessor: parallelism, stages } = input
  if (!Number.isInteger(stages) || stages < 2 || stages > STAGES_MAX) {
    const message = `there are ${stages} stages`
    const hint = `2 (a producer and a sink) to ${STAGES_MAX}`
    throw new UserError('BAD_INPUT', 'application "sol"', [{ place: '--stages', message, hint }])
  }
  let path: Path<never, string> = source('producer', () => new Producer(input), {
    parallelism: streamProducer,
  })
  for (let stage = 2; stage < stages; stage++) {
    path = path.to(
      processor(`relay-${stage}`, () => new Relay(), { parallelism }),
      shuffle(),
    )
  }
  const whole = path.to(
    processor('sink', () => new Sink(), { parallelism }),
    shuffle(),
  )
  return application('sol', graph(whole), {
    profile: 'throughput',
    code: { module: import.meta.url, export: 'sol', input },
  })
}

export default program({
  args: {
    streamProducer: { type: 'number', default: 1, description: 'tasks that produce' },
    streamProcessor: { type: 'number', default: 1, description: 'tasks of each later stage' },
    bytesPerMessage: { type: 'number', default: 100, description: 'size of a message' },
    stages: { type: 'number', default: 2, description: 'processors in a row, with the producer' },
    messages: { type: 'number', default: 0, description: 'per producing task; 0 = without end' },
    acked: { type: 'boolean', default: false, description: 'track every message to its end' },
  },
  build: sol,
})
