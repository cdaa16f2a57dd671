// What is done of one partition: everything below `low`, and runs above it, which are there because something slow lies before them.
// Offsets have holes (compaction, ends of transactions), so reading says what it passed over, and that counts as done. What is
// committed is `low`, with the runs in the metadata beside it: a slow record is not followed by a mass replay. Pure.
import { DoneRanges, type Run } from '../base/done-ranges.ts'

/** Our metadata begins with this; any other consumer's is not ours to read. */
const MARK = 'gearpump1'
const RADIX = 36
/** A run takes about this many characters: where the search for how many fit begins. */
const RUN_CHARS = 5
/** Runs in a position of the engine, which has no such limit as Kafka's metadata. */
export const RUNS_KEPT_MAX = 1000

/** Where a partition stands: what a position and a commit say. */
export interface Standing {
  readonly low: number
  readonly runs: readonly Run[]
}

export class OffsetLedger {
  readonly #done: DoneRanges
  /** Done in a former life, and not yet passed again by the reading. */
  #before: readonly Run[]
  #cursor: number

  constructor({ low, runs }: Standing) {
    this.#done = new DoneRanges(low)
    this.#before = [...runs].sort((a, b) => a[0] - b[0])
    this.#cursor = low
  }

  /** Everything below is done. */
  get low(): number {
    return this.#done.low
  }

  /** Everything below was read, and is done or open. */
  get cursor(): number {
    return this.#cursor
  }

  /** Whether the record at `offset`, the next one read, is to be emitted: it was not done before. */
  wants(offset: number): boolean {
    if (offset < this.#cursor) return false
    let [first] = this.#before
    while (first !== undefined && first[1] <= offset) {
      this.#before = this.#before.slice(1)
      first = this.#before[0]
    }
    return first === undefined || offset < first[0]
  }

  /** The record at `offset` is emitted: open until `finish`. What was passed over before it is done. */
  begin(offset: number): void {
    this.pass(offset)
    this.#cursor = offset + 1
  }

  /** There is nothing to emit below `offset` any more. */
  pass(offset: number): void {
    if (offset <= this.#cursor) return
    this.#done.add(this.#cursor, offset)
    this.#cursor = offset
  }

  finish(offset: number): void {
    this.#done.add(offset, offset + 1)
  }

  /** Where it stands, with so many runs at most. */
  standing(runsMax = RUNS_KEPT_MAX): Standing {
    const ahead = this.#before
      .filter(([, end]) => end > this.#cursor)
      .map(([start, end]): Run => [Math.max(start, this.#cursor), end])
    const runs = [...this.#done.runs(runsMax), ...ahead].slice(0, runsMax)
    return { low: this.low, runs }
  }
}

/** The runs as metadata of a commit, in at most `bytesMax` characters: of too many, those that save the most. */
export function writeMetadata(
  ledger: OffsetLedger,
  told: { startedS: number; topicId?: string | undefined; bytesMax: number },
): string {
  const { bytesMax } = told
  let runsMax = Math.ceil(bytesMax / RUN_CHARS)
  for (;;) {
    const text = metadataOf(ledger.standing(runsMax), told)
    if (text.length <= bytesMax) return text
    if (runsMax === 0) return ''
    runsMax = Math.min(runsMax - 1, Math.floor((runsMax * bytesMax) / text.length))
  }
}

function metadataOf(
  { low, runs }: Standing,
  { startedS, topicId }: { startedS: number; topicId?: string | undefined },
): string {
  let at = low
  const parts = runs.map(([start, end]) => {
    const part = `${(start - at).toString(RADIX)}.${(end - start).toString(RADIX)}`
    at = end
    return part
  })
  const id = topicId === undefined ? '' : `;${topicId}`
  return `${MARK};${startedS.toString(RADIX)};${parts.join(',')}${id}`
}

/** What a commit says; undefined = its metadata is not ours. A part that makes no sense is left out with all behind it. */
export function readMetadata(
  low: number,
  metadata: string,
): (Standing & { readonly startedS: number; readonly topicId: string | undefined }) | undefined {
  const [mark, started = '', list = '', id = ''] = metadata.split(';')
  if (mark !== MARK) return undefined
  const runs: Run[] = []
  let at = low
  for (const part of list === '' ? [] : list.split(',')) {
    const [gap = Number.NaN, length = Number.NaN] = part.split('.').map(n => parseInt(n, RADIX))
    if (!(gap > 0 && length > 0)) break
    runs.push([at + gap, at + gap + length])
    at += gap + length
  }
  const startedS = parseInt(started, RADIX)
  const topicId = id === '' ? undefined : id
  return { low, runs, startedS: Number.isNaN(startedS) ? 0 : startedS, topicId }
}

/** What two accounts of the same partition know together: both are true, so is their union. */
export function together(a: Standing, b: Standing): Standing {
  const low = Math.max(a.low, b.low)
  const runs: Run[] = []
  for (const [start, end] of [...a.runs, ...b.runs].sort((x, y) => x[0] - y[0])) {
    const last = runs.at(-1)
    if (last !== undefined && start <= last[1])
      runs[runs.length - 1] = [last[0], Math.max(last[1], end)]
    else runs.push([start, end])
  }
  const first = runs.find(([start, end]) => start <= low && low < end)
  const from = first === undefined ? low : first[1]
  return { low: from, runs: runs.filter(([start]) => start > from) }
}
