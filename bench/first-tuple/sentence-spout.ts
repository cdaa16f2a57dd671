// Emits the benchmark's sentences, acked.
import type { Conf, OutputFieldsDeclarer, Spout, SpoutOutputCollector } from 'gearpump/storm'
import { sentences } from '../sentences.ts'

export class SentenceSpout implements Spout {
  readonly #data = sentences()
  #out!: SpoutOutputCollector
  #sent = 0

  open(_conf: Conf, _context: unknown, out: SpoutOutputCollector): void {
    this.#out = out
  }

  nextTuple(): void {
    this.#out.emit([this.#data[this.#sent % this.#data.length]], this.#sent)
    this.#sent++
  }

  declareOutputFields(declarer: OutputFieldsDeclarer): void {
    declarer.declare(['sentence'])
  }
}
