// Word count as a native DAG: lines of a text → split → count. The source keeps each line until all its words are
// counted, and emits it again when it failed: at-least-once, so a count may only ever be too high.
// Run it: gear run examples/word-count/word-count.ts --until-drained -- --text FILE
import {
  application,
  graph,
  groupBy,
  processor,
  program,
  type Source,
  type SourceContext,
  shuffle,
  source,
  type Task,
  type TaskContext,
} from 'gearpump'
import { TextLines } from '../text/text-lines.ts'
import { countsText, topWords, wordsOf } from '../text/words.ts'

/** Lines per `next`: enough to pay for the call, few enough to let others have their turn. */
const BATCH = 32

/** Lines that may be under way, and are kept for a replay. */
const OPEN_LINES_MAX = 4096

/** Emits the lines of a text, each with its number as id. */
export class Lines implements Source<string> {
  readonly #path: string
  readonly #open = new Map<number, string>()
  readonly #again: number[] = []
  #text: TextLines | undefined
  #number = 0

  constructor(path: string) {
    this.#path = path
  }

  open = async (): Promise<void> => {
    this.#text = await TextLines.open(this.#path)
  }

  next = (out: SourceContext<string>): boolean | 'end' | Promise<boolean> => {
    for (let k = 0; k < BATCH; k++) {
      const replayed = this.#again.pop()
      const line = replayed === undefined ? this.#text!.take() : this.#open.get(replayed)
      if (line === undefined) return k > 0 || this.#nothing()
      const number = replayed ?? this.#number++
      this.#open.set(number, line)
      out.output(line, number)
    }
    return true
  }

  #nothing(): boolean | 'end' | Promise<boolean> {
    if (!this.#text!.ended) return this.#text!.more().then(() => true)
    // What is still under way may fail, so the end is not before its end.
    return this.#open.size === 0 ? 'end' : false
  }

  done = (id: unknown): void => {
    this.#open.delete(id as number)
  }

  fail = (id: unknown): void => {
    this.#again.push(id as number)
  }

  close = async (): Promise<void> => {
    await this.#text?.close()
  }
}

export class Split implements Task<string, string> {
  onNext = (line: string, context: TaskContext<string>): void => {
    for (const word of wordsOf(line)) context.output(word)
  }
}

/** Counts the words that come to this task and tells the most frequent ones at the end. */
export class Count implements Task<string> {
  readonly counts = new Map<string, number>()
  readonly #top: number
  readonly #show: (text: string) => void

  constructor(top: number, show: (text: string) => void = text => process.stdout.write(text)) {
    this.#top = top
    this.#show = show
  }

  onNext = (word: string): void => {
    this.counts.set(word, (this.counts.get(word) ?? 0) + 1)
  }

  onStop = (): void => {
    this.#show(countsText(topWords(this.counts, this.#top)))
  }
}

interface Options {
  readonly text: string
  readonly split: number
  readonly top: number
}

/** The application. Also how the other executors of a run get it. */
export function wordCount(input: Options) {
  const lines = source('lines', () => new Lines(input.text))
  const split = processor('split', () => new Split(), { parallelism: input.split })
  const count = processor('count', () => new Count(input.top))
  const byWord = groupBy((word: string) => word)
  return application('word-count', graph(lines.to(split, shuffle()).to(count, byWord)), {
    profile: { maxOpenRoots: OPEN_LINES_MAX },
    code: { module: import.meta.url, export: 'wordCount', input },
  })
}

export default program({
  args: {
    text: { required: true, description: 'the text to count, .gz or plain' },
    split: { type: 'number', default: 2, description: 'tasks that split lines' },
    top: {
      type: 'number',
      default: 10,
      description: 'how many of the most frequent words to show',
    },
  },
  build: wordCount,
})
