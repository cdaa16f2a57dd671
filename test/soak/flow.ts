// The numbers that the applications of this folder emit, whatever engine door they come in by: paced or as fast as they
// go, with or without ids, until a file tells to stop. Case and application may live in different processes, and
// an executor's source in a third: they meet in files of one directory.
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What the case tells (stop, release) and what the application tells (stuck, report), as files in `dir`. */
export const FLAGS = { stop: 'stop', release: 'release', stuck: 'stuck', report: 'report.json' }

export interface FlowInput {
  readonly dir: string
  /** Messages per second of each source task; 0 = as fast as it goes. */
  readonly ratePerSec: number
  /** With ids. */
  readonly acked: boolean
  /** 0: values are numbers; else strings of so many characters, made anew for each message. */
  readonly payloadChars: number
  /** Latency is kept of messages from this number on; paced ones only. */
  readonly measureFrom: number
}

export interface FlowReport {
  readonly sent: number
  readonly done: number
  readonly failed: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** Messages per call at most, as a source that reads in batches. */
const BATCH = 32
/** How often files are looked for. */
const LOOK_MS = 25

export class Numbers {
  readonly #input: FlowInput
  readonly #latencies = new Latencies()
  readonly #look: FileLook
  readonly #stopAt: string
  #startMs = 0
  #sent = 0
  #done = 0
  #failed = 0
  #reported = false

  constructor(input: FlowInput) {
    this.#input = input
    this.#stopAt = join(input.dir, FLAGS.stop)
    this.#look = new FileLook(this.#stopAt)
  }

  /** How many messages are due now, at most a batch. */
  due(): number {
    const nowMs = performance.now()
    if (this.#look.exists(nowMs)) return 0
    const { ratePerSec } = this.#input
    if (ratePerSec === 0) return BATCH
    if (this.#startMs === 0) this.#startMs = nowMs
    const due = Math.floor(((nowMs - this.#startMs) * ratePerSec) / 1000) - this.#sent
    return Math.min(due, BATCH)
  }

  take(): number {
    return this.#sent++
  }

  valueOf(n: number): number | string {
    const { payloadChars } = this.#input
    return payloadChars === 0 ? n : String(n).padStart(payloadChars, 'x')
  }

  done(n: number): void {
    this.#done++
    const { ratePerSec, measureFrom } = this.#input
    if (ratePerSec === 0 || n < measureFrom) return
    // From when it was due: a source that falls behind is charged for it.
    this.#latencies.add(performance.now() - this.#startMs - (n * 1000) / ratePerSec)
  }

  fail(): void {
    this.#failed++
  }

  /** Stopped, and every root has ended. Writes the report, once. */
  finished(): boolean {
    if (!this.#look.exists(performance.now())) return false
    if (this.#input.acked && this.#done + this.#failed < this.#sent) return false
    if (!this.#reported) this.#report()
    return true
  }

  #report(): void {
    this.#reported = true
    const report: FlowReport = {
      sent: this.#sent,
      done: this.#done,
      failed: this.#failed,
      p50Ms: this.#latencies.quantile(0.5),
      p99Ms: this.#latencies.quantile(0.99),
      maxMs: this.#latencies.quantile(1),
    }
    writeFileSync(join(this.#input.dir, FLAGS.report), JSON.stringify(report))
  }
}

/** Counts in steps of 0.1 ms up to 10 s. */
class Latencies {
  static readonly #perMs = 10
  readonly #counts = new Uint32Array(10_000 * Latencies.#perMs)
  #total = 0

  add(ms: number): void {
    const step = Math.floor(Math.max(0, ms) * Latencies.#perMs)
    this.#counts[Math.min(step, this.#counts.length - 1)]!++
    this.#total++
  }

  quantile(part: number): number {
    let left = Math.ceil(this.#total * part)
    for (let step = 0; step < this.#counts.length; step++) {
      left -= this.#counts[step]!
      if (left <= 0) return (step + 1) / Latencies.#perMs
    }
    return 0
  }
}

/** Whether a file is there, asked of the disk now and then. Once there it stays. */
export class FileLook {
  readonly #file: string
  #nextMs = 0
  #there = false

  constructor(file: string) {
    this.#file = file
  }

  exists(nowMs: number): boolean {
    if (this.#there || nowMs < this.#nextMs) return this.#there
    this.#nextMs = nowMs + LOOK_MS
    this.#there = existsSync(this.#file)
    return this.#there
  }
}

/** Resolves when the file is there. */
export function appears(file: string): Promise<void> {
  return new Promise(resolve => {
    const timer = setInterval(() => {
      if (!existsSync(file)) return
      clearInterval(timer)
      resolve()
    }, LOOK_MS)
  })
}

export function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
