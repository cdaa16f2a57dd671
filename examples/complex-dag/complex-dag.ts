// A graph of many ways, after Gearpump's example of this name: two sources, five nodes, five sinks. A message is the
// way it has come: each processor adds its own name. The sinks count the ways, so that after a run every way through
// the graph has been gone by every message of its source, exactly (more often by those that failed and were replayed).
// Run it: gear run examples/complex-dag/complex-dag.ts --until-drained -- --messages 1000
import {
  application,
  graph,
  processor,
  program,
  type Source,
  type SourceContext,
  source,
  type Task,
  type TaskContext,
} from 'gearpump'

/** Names of the processors that a message has passed. */
export type Way = readonly string[]

/** Emits a number of messages, and one more for each that failed. */
export class Start implements Source<Way> {
  #left: number
  #open = 0

  constructor(messages: number) {
    this.#left = messages
  }

  next = (out: SourceContext<Way>): boolean | 'end' => {
    if (this.#left === 0) return this.#open === 0 ? 'end' : false
    this.#open++
    out.output([out.processor], this.#left--)
    return true
  }

  done = (): void => {
    this.#open--
  }

  fail = (): void => {
    this.#open--
    this.#left++
  }
}

export class Node implements Task<Way, Way> {
  onNext = (way: Way, context: TaskContext<Way>): void => {
    context.output([...way, context.processor])
  }
}

/** Counts the ways by which messages have come, and tells them at the end. */
export class Sink implements Task<Way> {
  readonly #ways = new Map<string, number>()
  readonly #show: (text: string) => void

  constructor(show: (text: string) => void = text => process.stdout.write(text)) {
    this.#show = show
  }

  onNext = (way: Way, context: TaskContext<never>): void => {
    const name = [...way, context.processor].join(' → ')
    this.#ways.set(name, (this.#ways.get(name) ?? 0) + 1)
  }

  onStop = (): void => {
    for (const [way, count] of [...this.#ways].sort()) this.#show(`${count}\t${way}\n`)
  }
}

/** The graph alone. `show` gets the lines of the sinks. */
export function complexGraph(messages: number, show?: (text: string) => void) {
  const start = (name: string) => source(name, () => new Start(messages))
  const node = (name: string) => processor(name, () => new Node())
  const sink = (name: string) => processor(name, () => new Sink(show))
  const [source0, source1] = [start('source-0'), start('source-1')]
  const [node0, node1, node2] = [node('node-0'), node('node-1'), node('node-2')]
  const [node3, node4] = [node('node-3'), node('node-4')]
  const [sink0, sink1, sink2] = [sink('sink-0'), sink('sink-1'), sink('sink-2')]
  const [sink3, sink4] = [sink('sink-3'), sink('sink-4')]
  return graph(
    source0.to(sink0),
    source0.to(sink1),
    source0.to(sink2),
    source0.to(node1).to(node4).to(sink3),
    source0.to(node2).to(node3).to(sink3),
    source0.to(node3),
    node1.to(node3),
    node1.to(sink3),
    node1.to(sink4),
    source1.to(node0).to(sink3),
    source1.to(sink4),
  )
}

/** The application. Also how the other executors of a run get it. */
export function complexDag(input: { readonly messages: number }) {
  return application('complex-dag', complexGraph(input.messages), {
    code: { module: import.meta.url, export: 'complexDag', input },
  })
}

export default program({
  args: { messages: { type: 'number', default: 1000, description: 'messages of each source' } },
  build: complexDag,
})
