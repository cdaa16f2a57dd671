// A reliable spout in TypeScript: emits the lines of a text, each with its number as message id, keeps a line until it
// is acked, and emits it again when it failed. `topology.max.spout.pending` bounds what it keeps. When all is acked
// and the text has ended it says so, and a run with --until-drained ends.
//
// The text is the argument of the constructor, a path from this file's folder; the setting `word-count.text`
// (`-c word-count.text='"my.txt"'`), a path from where the command is given, wins over it.
import { resolve } from 'node:path'
import type {
  Conf,
  OutputFieldsDeclarer,
  Spout,
  SpoutOutputCollector,
  TopologyContext,
} from 'gearpump/storm'
import { TextLines } from '../text/text-lines.ts'

export const TEXT_SETTING = 'word-count.text'

export class LineSpout implements Spout {
  readonly #path: string
  readonly #linesMax: number
  readonly #pending = new Map<number, string>()
  readonly #failed: number[] = []
  #text!: TextLines
  #collector!: SpoutOutputCollector
  #number = 0

  /** @param linesMax stop after so many lines */
  constructor(path: string, linesMax = Number.POSITIVE_INFINITY) {
    this.#path = resolve(import.meta.dirname, path)
    this.#linesMax = linesMax
  }

  async open(conf: Conf, _context: TopologyContext, collector: SpoutOutputCollector) {
    this.#collector = collector
    const chosen = conf[TEXT_SETTING]
    this.#text = await TextLines.open(typeof chosen === 'string' ? chosen : this.#path)
  }

  nextTuple(): void | Promise<void> {
    const failed = this.#failed.pop()
    if (failed !== undefined) {
      this.#collector.emit([this.#pending.get(failed)!], failed)
      return
    }
    const line = this.#nextLine()
    if (line !== undefined) {
      this.#pending.set(this.#number, line)
      this.#collector.emit([line], this.#number++)
    } else if (!this.#ended) {
      return this.#text.more()
    } else if (this.#pending.size === 0) {
      this.#collector.exhausted()
    }
  }

  get #ended(): boolean {
    return this.#text.ended || this.#number >= this.#linesMax
  }

  // Empty lines have no words: they need not travel.
  #nextLine(): string | undefined {
    if (this.#ended) return undefined
    let line = this.#text.take()
    while (line?.trim() === '') line = this.#text.take()
    return line
  }

  ack(messageId: unknown): void {
    this.#pending.delete(messageId as number)
  }

  fail(messageId: unknown): void {
    if (this.#pending.has(messageId as number)) this.#failed.push(messageId as number)
  }

  async close(): Promise<void> {
    await this.#text.close()
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declare(['line'])
  }
}
