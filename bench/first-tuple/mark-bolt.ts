// Counts words, and writes the time of the first one to the file that the environment names.
import { renameSync, writeFileSync } from 'node:fs'
import type { BasicBolt, Tuple } from 'gearpump/storm'

export const MARK_FILE = 'GEARPUMP_BENCH_MARK'

export class MarkBolt implements BasicBolt {
  readonly basic = true
  readonly #counts = new Map<unknown, number>()

  execute(tuple: Tuple): void {
    const word = tuple.values[0]
    if (this.#counts.size === 0) mark()
    this.#counts.set(word, (this.#counts.get(word) ?? 0) + 1)
  }

  declareOutputFields(): void {
    // It emits nothing.
  }
}

function mark(): void {
  const nowMs = Date.now()
  const file = process.env[MARK_FILE]
  if (file === undefined) return
  // The reader sees the whole time or no file.
  writeFileSync(`${file}.new`, String(nowMs))
  renameSync(`${file}.new`, file)
}
