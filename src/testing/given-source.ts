// A source that emits given values, each with its index as id, and then ends. What it knows of each value outlives its
// tasks: when one starts again in another executor, it goes on with what is not done.
import type { Source, SourceContext } from '../task/task.ts'

type State = 'new' | 'open' | 'done' | 'failed'

/** The values of one source, and what became of each. */
export class Given {
  /** In the order in which it was told. */
  readonly done: number[] = []
  readonly failed: number[] = []
  readonly #values: readonly unknown[]
  readonly #states: State[]
  readonly #replay: boolean

  constructor(values: readonly unknown[], replay: boolean) {
    this.#values = values
    this.#states = values.map(() => 'new')
    this.#replay = replay
  }

  /** A task of the source. Values are dealt out to the tasks in turn. */
  source(): Source<unknown> {
    let queue: number[] = []
    let unfinished = 0
    return {
      open: context => {
        queue = this.#left(context)
        unfinished = queue.length
      },
      next: out => {
        const id = queue.shift()
        if (id === undefined) return unfinished === 0 || !this.#replay ? 'end' : false
        this.#states[id] = 'open'
        out.output(this.#values[id], id)
        return true
      },
      done: id => {
        unfinished--
        this.#states[id as number] = 'done'
        this.done.push(id as number)
      },
      fail: id => {
        this.#states[id as number] = 'failed'
        this.failed.push(id as number)
        if (this.#replay) queue.push(id as number)
      },
    }
  }

  #left({ index, parallelism }: SourceContext): number[] {
    return [...this.#states.keys()].filter(id => {
      const state = this.#states[id]!
      return id % parallelism === index && (state === 'new' || (this.#replay && state !== 'done'))
    })
  }
}
