// One input that does not end for seconds: held while its bolt goes on with others, or parking one task of four. All others
// go on, quickly, and memory stays where it was.
import type { Application } from 'gearpump'
import { type StuckInput, stuckApp } from '../apps/native.ts'
import { stormStuckApp } from '../apps/storm.ts'
import { Findings } from '../findings.ts'
import { FLAGS } from '../flow.ts'
import { growthMb, type LoadRun, longestStallMs, rateOf, summary, underLoad } from '../load-run.ts'

export interface StuckSize {
  readonly door: 'native' | 'storm'
  readonly executors: number
  readonly how: 'hold' | 'park'
  /** For park: which of the four. */
  readonly index: number
  /** 0 = as fast as it goes. */
  readonly ratePerSec: number
  /** How long the input is kept; 0: until `others` more were acked. */
  readonly stuckMs: number
  readonly others: number
}

/** What else the full size is held to. */
const P99_MAX_MS = 100
const GROWTH_MAX_MB = 50
/** Longest time without another ack. Looked at each half second. */
const STALL_MAX_MS = 2000
const WARM_MS = 5000
/** Fewer than what flows meanwhile: were the others' acks held up by the one, the source would stop here. */
const OPEN_ROOTS_MAX = 20_000
const PARKED_OF = 4
/** What may wait before one task: its inbox or window, what each emitter puts out beyond, what lies in frames. */
const WAITING_PER_TASK_MAX = 8192

export async function stuck(size: StuckSize): Promise<Findings> {
  const findings = new Findings()
  await underLoad(
    dir => makeApp(size, dir),
    { executors: size.executors },
    async run => {
      if (size.stuckMs > 0) await watchStuck(run, size, findings)
      else await countOthers(run, size, findings)
      const figures = await run.finish(findings)
      findings.expect(figures.failed === 0, `${figures.failed} roots failed`)
      findings.note('acked', figures.acked)
      if (size.ratePerSec > 0) latencies(run, size, findings)
    },
  )
  return findings
}

function makeApp(size: StuckSize, dir: string): Application {
  const { ratePerSec, how, index } = size
  const input: StuckInput = {
    dir,
    ratePerSec,
    acked: true,
    payloadChars: 0,
    measureFrom: (ratePerSec * WARM_MS) / 1000,
    how,
    tasks: how === 'park' ? PARKED_OF : 1,
    index,
    from: ratePerSec === 0 ? OPEN_ROOTS_MAX : (ratePerSec * (WARM_MS + 1000)) / 1000,
    // Paced, the bound must not be what holds the source up: with it, latency would be charged for the wrong thing.
    maxOpenRoots: ratePerSec === 0 ? OPEN_ROOTS_MAX : 1 << 20,
  }
  return size.door === 'native' ? stuckApp(input) : stormStuckApp(input)
}

// Small form: no time is measured. More are acked while it is kept than could be under way at once.
async function countOthers(run: LoadRun, size: StuckSize, findings: Findings): Promise<void> {
  const [first] = (await run.until('an input is stuck', () => run.has(FLAGS.stuck))).slice(-1)
  const acked = first!.figures.acked
  const samples = await run.until(
    `${size.others} others are acked`,
    sample => sample.figures.acked - acked >= size.others,
  )
  waiting(samples, findings)
}

async function watchStuck(run: LoadRun, size: StuckSize, findings: Findings): Promise<void> {
  await run.until('an input is stuck', () => run.has(FLAGS.stuck))
  const samples = await run.watch(size.stuckMs)
  run.tell(FLAGS.release)
  await run.watch(2000)
  findings.note(
    'others_per_s',
    rateOf(samples, figures => figures.acked),
  )
  findings.atLeast('others_rate_part', rateOf(samples, f => f.acked) / size.ratePerSec, 0.9)
  findings.atMost(
    'stall_ms',
    longestStallMs(samples, figures => figures.acked),
    STALL_MAX_MS,
  )
  findings.atMost('rss_growth_mb', growthMb(samples, 0), GROWTH_MAX_MB)
  waiting(samples, findings)
}

function waiting(samples: Awaited<ReturnType<LoadRun['watch']>>, findings: Findings): void {
  const most = Math.max(...samples.map(sample => sample.figures.components.work!.inFlight))
  findings.note('waiting_max', most)
  const last = samples[samples.length - 1]!
  findings.expect(
    most <= WAITING_PER_TASK_MAX * PARKED_OF,
    `${most} inputs waited before the bolt: ${summary(last.figures)}`,
  )
}

function latencies(run: LoadRun, size: StuckSize, findings: Findings): void {
  const { p50Ms, p99Ms, maxMs } = run.report()
  findings.note('p50_ms', p50Ms)
  // Parked, its share waits as long as it does.
  if (size.how === 'hold') findings.atMost('p99_ms', p99Ms, P99_MAX_MS)
  else findings.note('p99_ms', p99Ms)
  findings.note('max_ms', maxMs)
}
