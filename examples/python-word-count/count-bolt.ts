// Counts words. At the end each task shows its most frequent words and, when the setting `word-count.counts` names a
// folder, writes all its counts there, one file per task (a word is always counted by one task: fields grouping).
// Memory grows with the vocabulary, not with the text. A line that was replayed is counted twice.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BasicBolt, Conf, OutputFieldsDeclarer, TopologyContext, Tuple } from 'gearpump/storm'
import { countsText, topWords } from '../text/words.ts'

export const COUNTS_SETTING = 'word-count.counts'

export class CountBolt implements BasicBolt {
  readonly basic = true
  readonly #top: number
  readonly #counts = new Map<string, number>()
  #folder: string | undefined
  #task = 0

  /** @param top how many of the most frequent words each task shows */
  constructor(top: number) {
    this.#top = top
  }

  prepare(conf: Conf, context: TopologyContext): void {
    const folder = conf[COUNTS_SETTING]
    if (typeof folder === 'string') this.#folder = folder
    this.#task = context.taskIndex
  }

  execute(tuple: Tuple): void {
    const word = tuple.values[0] as string
    this.#counts.set(word, (this.#counts.get(word) ?? 0) + 1)
  }

  cleanup(): void {
    if (this.#folder !== undefined) {
      mkdirSync(this.#folder, { recursive: true })
      writeFileSync(join(this.#folder, `counts-${this.#task}.tsv`), countsText(this.#counts))
    } else {
      process.stdout.write(countsText(topWords(this.#counts, this.#top)))
    }
  }

  declareOutputFields(_declarer: OutputFieldsDeclarer): void {
    return
  }
}
