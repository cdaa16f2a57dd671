// What the benchmark applications count with: cells that each one task writes, a latency histogram, and snapshots of
// their sum. Applications are loaded by name in executor processes, so the registry belongs to the module: it is the
// one thing that a task there and a reader here have in common. Executor processes write their snapshots to a
// folder every 200 ms; the case's own process reads itself and the newest line of each of the others.
import { closeSync, fstatSync, openSync, readdirSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'

export type Kind = 'sink' | 'emit' | 'done' | 'fail'

/** A counter of one task. A plain field: adding to it is all that the hot path does. */
export interface Cell {
  n: number
}

/** Folder for the snapshots of executor processes; inherited by them. */
export const METER_DIR = 'GEARPUMP_BENCH_METER'

const REPORT_MS = 200
/** The newest line of a file is looked for in so many last bytes; a line has 2 kB. */
const TAIL_BYTES = 65_536

const cells: Record<Kind, Cell[]> = { sink: [], emit: [], done: [], fail: [] }
const histograms: Histogram[] = []
let reporting = false

export function cell(kind: Kind): Cell {
  const made = { n: 0 }
  cells[kind].push(made)
  report()
  return made
}

export function histogram(): Histogram {
  const made = new Histogram()
  histograms.push(made)
  report()
  return made
}

/** Forgets all cells: the next application of this process counts from 0. */
export function resetMeter(): void {
  for (const list of Object.values(cells)) list.length = 0
  histograms.length = 0
}

// 32 buckets per power of two: 3 % wide. Unit 100 ns, so that Int32 arithmetic reaches 214 s.
const SUB_BITS = 5
const SUB = 1 << SUB_BITS
const UNITS_PER_MS = 10_000
const UNITS_MAX = 0x7fff_ffff
const BUCKETS = (32 - SUB_BITS) << SUB_BITS

/** Log-linear buckets of milliseconds. */
export class Histogram {
  readonly counts = new Float64Array(BUCKETS)

  record(ms: number): void {
    const units = ms <= 0 ? 0 : Math.min(UNITS_MAX, Math.floor(ms * UNITS_PER_MS))
    this.counts[bucketOf(units)]!++
  }
}

function bucketOf(units: number): number {
  if (units < SUB) return units
  const exponent = 31 - Math.clz32(units)
  return ((exponent - SUB_BITS + 1) << SUB_BITS) + ((units >>> (exponent - SUB_BITS)) & (SUB - 1))
}

/** The upper end of a bucket in ms: a percentile is never told too low. */
function upperMs(bucket: number): number {
  const exponent = bucket >> SUB_BITS
  const low = exponent === 0 ? bucket : (SUB + (bucket & (SUB - 1))) * 2 ** (exponent - 1)
  const width = exponent === 0 ? 1 : 2 ** (exponent - 1)
  return (low + width) / UNITS_PER_MS
}

export interface Snapshot {
  /** When the sink's count was read, ms since 1970, to the µs. */
  atMs: number
  readonly count: Record<Kind, number>
  readonly latency: Float64Array
}

function ownSnapshot(): Snapshot {
  const count = { sink: 0, emit: 0, done: 0, fail: 0 }
  for (const kind of Object.keys(cells) as Kind[]) {
    for (const { n } of cells[kind]) count[kind] += n
  }
  const latency = new Float64Array(BUCKETS)
  for (const one of histograms) addInto(latency, one.counts)
  return { atMs: performance.timeOrigin + performance.now(), count, latency }
}

function addInto(sum: Float64Array, counts: Float64Array): void {
  for (let i = 0; i < BUCKETS; i++) sum[i]! += counts[i]!
}

/** The sum over this process and all that report into `folder`. The time is that of the one with the sink. */
export function snapshot(folder: string): Snapshot {
  const total = ownSnapshot()
  for (const name of readdirSync(folder)) {
    const other = newest(join(folder, name))
    if (other === undefined) continue
    if (other.count.sink > 0) total.atMs = other.atMs
    for (const kind of Object.keys(cells) as Kind[]) total.count[kind] += other.count[kind]
    addInto(total.latency, other.latency)
  }
  return total
}

/** Percentile of what was recorded between two snapshots; undefined when nothing was. */
export function percentileMs(from: Snapshot, to: Snapshot, share: number): number | undefined {
  let total = 0
  for (let i = 0; i < BUCKETS; i++) total += to.latency[i]! - from.latency[i]!
  if (total === 0) return undefined
  let seen = 0
  for (let i = 0; i < BUCKETS; i++) {
    seen += to.latency[i]! - from.latency[i]!
    if (seen >= total * share) return upperMs(i)
  }
  return undefined
}

// In an executor process only: its parent set the folder before it was started, its own pid names the file.
function report(): void {
  const folder = process.env[METER_DIR]
  if (reporting || folder === undefined || process.send === undefined) return
  reporting = true
  const file = openSync(join(folder, `${process.pid}.jsonl`), 'a')
  setInterval(() => writeSync(file, `${JSON.stringify(plain(ownSnapshot()))}\n`), REPORT_MS).unref()
}

interface Plain {
  atMs: number
  count: Record<Kind, number>
  latency: [bucket: number, count: number][]
}

function plain({ atMs, count, latency }: Snapshot): Plain {
  const pairs: [number, number][] = []
  latency.forEach((n, bucket) => {
    if (n > 0) pairs.push([bucket, n])
  })
  return { atMs, count, latency: pairs }
}

function newest(path: string): Snapshot | undefined {
  const file = openSync(path, 'r')
  try {
    const size = fstatSync(file).size
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES))
    readSync(file, tail, 0, tail.length, size - tail.length)
    // The last piece is empty, or a line that is still being written.
    const line = tail.toString('utf8').split('\n').at(-2)
    if (line === undefined || line === '') return undefined
    const { atMs, count, latency } = JSON.parse(line) as Plain
    const full = new Float64Array(BUCKETS)
    for (const [bucket, n] of latency) full[bucket] = n
    return { atMs, count, latency: full }
  } finally {
    closeSync(file)
  }
}
