// Chains and cycles whose hops cross between executors, under all the load that fits: there is progress all the time, and
// when the source stops everything comes to its end.
import type { Application } from 'gearpump'
import { type CycleInput, chainApp, cycleApp, type SlowInput } from '../apps/native.ts'
import { stormCycleApp } from '../apps/storm.ts'
import { Findings } from '../findings.ts'
import {
  growthMb,
  type LoadRun,
  longestStallMs,
  rateOf,
  receivedBy,
  underLoad,
} from '../load-run.ts'

interface LoadSize {
  readonly acked: boolean
  readonly watchMs: number
  /** With `watchMs` 0: until so many came out. */
  readonly messages: number
}

export interface ChainSize extends LoadSize {
  readonly slow: 'b1' | 'a2' | 'b2'
}

export interface CycleSize extends LoadSize {
  readonly door: 'native' | 'storm' | 'python'
  readonly executors: number
  readonly slowTask: boolean
}

const EXECUTORS = 2
const STALL_MAX_MS = 2000
const WARM_MS = 10_000
const GROWTH_MAX_MB = 50
const ROUNDS = 5
const SLOW = { every: 50, pauseMs: 5 }

export async function chain(size: ChainSize): Promise<Findings> {
  const input = (dir: string) => ({ ...inputOf(size, dir), slow: size.slow })
  return load(dir => chainApp(input(dir)), { ...size, executors: EXECUTORS, out: 'end' })
}

export async function cycle(size: CycleSize): Promise<Findings> {
  const make = (dir: string): Application => {
    const input: CycleInput = { ...inputOf(size, dir), rounds: ROUNDS, slowTask: size.slowTask }
    if (size.door === 'native') return cycleApp(input)
    return stormCycleApp({ ...input, python: size.door === 'python' })
  }
  return load(make, { ...size, out: 'leave' })
}

function inputOf({ acked }: LoadSize, dir: string): SlowInput {
  return { dir, ratePerSec: 0, acked, payloadChars: 0, measureFrom: 0, ...SLOW }
}

async function load(
  make: (dir: string) => Application,
  size: LoadSize & { executors: number; out: string },
): Promise<Findings> {
  const findings = new Findings()
  await underLoad(make, size, async run => {
    if (size.watchMs > 0) await watched(run, size, findings)
    else await counted(run, size)
    const figures = await run.finish(findings)
    const emitted = figures.components.numbers!.emitted
    const out = figures.components[size.out]!.received
    findings.expect(figures.failed === 0, `${figures.failed} roots failed`)
    findings.expect(out === emitted, `${emitted} went in, ${out} came out`)
    findings.note('messages', out)
  })
  return findings
}

async function counted(run: LoadRun, size: LoadSize & { out: string }): Promise<void> {
  const through = receivedBy(size.out)
  await run.until(`${size.messages} came out`, sample => through(sample.figures) >= size.messages)
}

async function watched(
  run: LoadRun,
  size: LoadSize & { out: string },
  findings: Findings,
): Promise<void> {
  const samples = await run.watch(size.watchMs)
  const through = receivedBy(size.out)
  findings.note('per_s', rateOf(samples, through))
  findings.atMost('stall_ms', longestStallMs(samples, through), STALL_MAX_MS)
  if (size.watchMs > 2 * WARM_MS)
    findings.atMost('rss_growth_mb', growthMb(samples, WARM_MS), GROWTH_MAX_MB)
}
