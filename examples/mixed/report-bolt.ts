// The end of the mixed topology: keeps the last count of each word and shows the most frequent ones at the end. All
// counts of a word come from one task, in order, so the last one is the word's count.
import type { BasicBolt, OutputFieldsDeclarer, Tuple } from 'gearpump/storm'
import { countsText, topWords } from '../text/words.ts'

export class ReportBolt implements BasicBolt {
  readonly basic = true
  readonly #top: number
  readonly #show: (text: string) => void
  readonly #counts = new Map<string, number>()

  constructor(top: number, show: (text: string) => void = text => process.stdout.write(text)) {
    this.#top = top
    this.#show = show
  }

  execute(tuple: Tuple): void {
    this.#counts.set(tuple.get('word') as string, tuple.get('count') as number)
  }

  cleanup(): void {
    this.#show(countsText(topWords(this.#counts, this.#top)))
  }

  declareOutputFields(_declarer: OutputFieldsDeclarer): void {
    return
  }
}
