// One application under load: started in a directory of its own, watched (figures, memory), told to stop, drained, closed;
// at the end nothing may be left, neither messages nor processes.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Application,
  connect,
  type Gear,
  noLog,
  type RunFigures,
  type RunningApp,
} from 'gearpump'
import type { Findings } from './findings.ts'
import { FLAGS, type FlowReport, pause } from './flow.ts'
import { family, residentMbOf } from './machine.ts'

export interface Sample {
  readonly atMs: number
  readonly rssMb: number
  readonly figures: RunFigures
}

/** How often a run is looked at. */
const SAMPLE_MS = 500
/** Longest wait for messages under way when the sources have stopped. */
const DRAIN_MAX_MS = 120_000
/** Longest wait for processes to go. */
const GONE_MAX_MS = 10_000

export class LoadRun {
  readonly dir: string
  readonly gear: Gear
  readonly app: RunningApp
  readonly #startedMs = performance.now()

  private constructor(dir: string, gear: Gear, app: RunningApp) {
    this.dir = dir
    this.gear = gear
    this.app = app
  }

  static async start(
    make: (dir: string) => Application,
    { executors }: { executors: number },
  ): Promise<LoadRun> {
    const dir = mkdtempSync(join(tmpdir(), 'gearpump-soak-'))
    mkdirSync(join(dir, 'pids'))
    const gear = await connect({ log: noLog })
    try {
      return new LoadRun(dir, gear, await gear.submit(make(dir), { executors }))
    } catch (error) {
      rmSync(dir, { recursive: true, force: true })
      throw error
    }
  }

  file(name: string): string {
    return join(this.dir, name)
  }

  tell(flag: string): void {
    writeFileSync(this.file(flag), '')
  }

  has(flag: string): boolean {
    return existsSync(this.file(flag))
  }

  async sample(): Promise<Sample> {
    const figures = await this.app.figures()
    return { atMs: performance.now() - this.#startedMs, rssMb: residentMbOf(family()), figures }
  }

  /** Looks at it for `forMs`. */
  async watch(forMs: number): Promise<Sample[]> {
    const endMs = performance.now() + forMs
    const samples = [await this.sample()]
    while (performance.now() < endMs) {
      await Promise.race([pause(Math.min(SAMPLE_MS, endMs - performance.now())), this.app.failure])
      samples.push(await this.sample())
    }
    return samples
  }

  /** Looks until `enough` says so. Throws when that takes longer than `timeoutMs`: nothing moves. */
  async until(
    what: string,
    enough: (sample: Sample) => boolean,
    timeoutMs = 120_000,
  ): Promise<Sample[]> {
    const deadlineMs = performance.now() + timeoutMs
    const samples: Sample[] = []
    for (;;) {
      const sample = await this.sample()
      samples.push(sample)
      if (enough(sample)) return samples
      if (performance.now() > deadlineMs)
        throw new Error(`waited ${timeoutMs} ms in vain until ${what}: ${summary(sample.figures)}`)
      await Promise.race([pause(20), this.app.failure])
    }
  }

  /** Stops the sources, waits until nothing is under way, closes. Gives the last figures. */
  async finish(findings: Findings): Promise<RunFigures> {
    this.tell(FLAGS.stop)
    this.tell(FLAGS.release)
    const drained = await this.#drained()
    const figures = await this.app.figures()
    findings.expect(
      drained,
      `not drained ${DRAIN_MAX_MS} ms after the sources were stopped: ${summary(figures)}`,
    )
    const { emitted, acked, failed, pending, lost } = figures
    findings.expect(
      emitted === acked + failed + pending + lost,
      `roots do not add up: ${summary(figures)}`,
    )
    findings.expect(!drained || pending === 0, `${pending} roots are left`)
    const { errors } = await this.app.info()
    for (const [name, { total, last }] of Object.entries(errors))
      findings.expect(total === 0, `${total} errors of ${name}, one: ${last[0]?.message}`)
    await this.#close(findings)
    return figures
  }

  report(): FlowReport {
    return JSON.parse(readFileSync(this.file(FLAGS.report), 'utf8')) as FlowReport
  }

  async #drained(): Promise<boolean> {
    const timer = new AbortController()
    const late = new Promise<boolean>(resolve => {
      const timeout = setTimeout(() => resolve(false), DRAIN_MAX_MS)
      timer.signal.addEventListener('abort', () => clearTimeout(timeout))
    })
    try {
      return await Promise.race([this.app.drained({ idleMs: 300 }).then(() => true), late])
    } finally {
      timer.abort()
    }
  }

  async #close(findings: Findings): Promise<void> {
    await this.gear.close()
    const deadlineMs = performance.now() + GONE_MAX_MS
    const others = () => family().filter(member => member.pid !== process.pid)
    while (others().length > 0 && performance.now() < deadlineMs) await pause(50)
    const left = others().map(({ pid, name }) => `${name} ${pid}`)
    findings.expect(left.length === 0, `processes outlived the application: ${left.join(', ')}`)
  }

  /** Removes what lies in its directory. After `finish`, or instead of it. */
  async dispose(): Promise<void> {
    await this.gear.close()
    rmSync(this.dir, { recursive: true, force: true })
  }
}

export function summary(figures: RunFigures): string {
  const { emitted, acked, failed, pending, components } = figures
  const each = Object.entries(components).map(
    ([name, c]) => `${name} in ${c.received} out ${c.emitted} under way ${c.inFlight}`,
  )
  return `roots ${emitted} acked ${acked} failed ${failed} pending ${pending}; ${each.join('; ')}`
}

/** Runs a case on an application, and leaves nothing behind. */
export async function underLoad<T>(
  make: (dir: string) => Application,
  options: { executors: number },
  use: (run: LoadRun) => Promise<T>,
): Promise<T> {
  const run = await LoadRun.start(make, options)
  try {
    return await use(run)
  } finally {
    await run.dispose()
  }
}

/** Longest time, in ms, in which what `count` counts did not grow. */
export function longestStallMs(
  samples: readonly Sample[],
  count: (figures: RunFigures) => number,
): number {
  let longest = 0
  let last = samples[0]
  for (const sample of samples) {
    if (last === undefined || count(sample.figures) <= count(last.figures)) continue
    longest = Math.max(longest, sample.atMs - last.atMs)
    last = sample
  }
  const end = samples[samples.length - 1]
  return end === undefined || last === undefined ? longest : Math.max(longest, end.atMs - last.atMs)
}

/**
 * How far memory rose above the peak of the second half of the warm-up: peak against peak, for a heap swings between
 * collections. Without a warm-up above the first sample.
 */
export function growthMb(samples: readonly Sample[], warmMs: number): number {
  const startMs = samples[0]!.atMs
  const isWarm = (sample: Sample) => sample.atMs - startMs >= warmMs
  const before = samples.filter(s => !isWarm(s) && s.atMs - startMs >= warmMs / 2)
  const from = Math.max(...(before.length > 0 ? before : samples.slice(0, 1)).map(s => s.rssMb))
  return Math.max(0, ...samples.filter(isWarm).map(sample => sample.rssMb - from))
}

/** Messages per second of what `count` counts. */
export function rateOf(samples: readonly Sample[], count: (figures: RunFigures) => number): number {
  const first = samples[0]!
  const last = samples[samples.length - 1]!
  return ((count(last.figures) - count(first.figures)) * 1000) / Math.max(1, last.atMs - first.atMs)
}

export function receivedBy(component: string): (figures: RunFigures) => number {
  return figures => figures.components[component]?.received ?? 0
}
