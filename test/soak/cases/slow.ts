// A fast source before a slow task, with ids and without: what waits stays within its bounds, and memory where it was.
import type { Application } from 'gearpump'
import { slowApp } from '../apps/native.ts'
import { stormSlowApp } from '../apps/storm.ts'
import { Findings } from '../findings.ts'
import {
  growthMb,
  type LoadRun,
  longestStallMs,
  rateOf,
  receivedBy,
  type Sample,
  underLoad,
} from '../load-run.ts'

export interface SlowSize {
  readonly door: 'native' | 'storm' | 'python'
  readonly acked: boolean
  readonly executors: number
  /** How long it is watched after the warm-up; 0: until so many messages came through. */
  readonly watchMs: number
  readonly messages: number
}

const GROWTH_MAX_MB = 50
const WARM_MS = 10_000
const STALL_MAX_MS = 2000
/** Inbox and window, what is written for a child and lies in its pipe, each with room to spare. */
const WAITING_MAX = 20_000
/** 2,000 messages a second at most. */
const PACE = { every: 20, pauseMs: 10 }
const PAYLOAD_CHARS = 100

export async function slow(size: SlowSize): Promise<Findings> {
  const findings = new Findings()
  await underLoad(
    dir => makeApp(size, dir),
    { executors: size.executors },
    async run => {
      const samples =
        size.watchMs > 0 ? await watched(run, size, findings) : await counted(run, size)
      const waiting = Math.max(...samples.map(sample => sample.figures.components.slow!.inFlight))
      findings.atMost('waiting_max', waiting, WAITING_MAX)
      const open = Math.max(...samples.map(sample => sample.figures.pending))
      findings.note('open_max', open)
      const figures = await run.finish(findings)
      const { numbers, end } = figures.components
      findings.expect(figures.failed === 0, `${figures.failed} roots failed`)
      findings.expect(
        end!.received === numbers!.emitted,
        `${numbers!.emitted} emitted, ${end!.received} arrived`,
      )
      findings.expect(!size.acked || figures.acked > 0, 'nothing was acked')
    },
  )
  return findings
}

function makeApp({ door, acked }: SlowSize, dir: string): Application {
  const input = { dir, ratePerSec: 0, acked, payloadChars: PAYLOAD_CHARS, measureFrom: 0, ...PACE }
  if (door === 'native') return slowApp(input)
  return stormSlowApp({ ...input, python: door === 'python' })
}

function counted(run: LoadRun, { messages }: SlowSize): Promise<Sample[]> {
  const through = receivedBy('end')
  return run.until(`${messages} came through`, sample => through(sample.figures) >= messages)
}

async function watched(run: LoadRun, size: SlowSize, findings: Findings): Promise<Sample[]> {
  const samples = await run.watch(WARM_MS + size.watchMs)
  const through = receivedBy('end')
  findings.note('per_s', rateOf(samples, through))
  findings.note('rss_mb', samples[samples.length - 1]!.rssMb)
  findings.atMost('rss_growth_mb', growthMb(samples, WARM_MS), GROWTH_MAX_MB)
  findings.atMost('stall_ms', longestStallMs(samples, through), STALL_MAX_MS)
  return samples
}
