// Everything at once: thousands of tasks that each get every message, over two executors, from sources that never wait.
import { broadcastApp } from '../apps/native.ts'
import { stormBroadcastApp } from '../apps/storm.ts'
import { Findings } from '../findings.ts'
import {
  growthMb,
  longestStallMs,
  rateOf,
  receivedBy,
  type Sample,
  underLoad,
} from '../load-run.ts'

export interface OverloadSize {
  readonly door: 'native' | 'storm'
  readonly acked: boolean
  readonly tasks: number
  readonly watchMs: number
  /** With `watchMs` 0: until each task got so many. */
  readonly messages: number
}

const EXECUTORS = 2
const SOURCES = 4
const WARM_MS = 20_000
const GROWTH_MAX_MB = 50
/** All processes together: millions of messages may wait within the windows of 8,000 pairs. */
const RSS_MAX_MB = 1200
const STALL_MAX_MS = 3000
/** What may wait before one task: inbox or window, beyond it what each source puts out at once. */
const WAITING_PER_TASK_MAX = 8192 * SOURCES

export async function overload(size: OverloadSize): Promise<Findings> {
  const findings = new Findings()
  const { door, acked, tasks } = size
  const base = {
    ratePerSec: 0,
    acked,
    payloadChars: 0,
    measureFrom: 0,
    sources: SOURCES,
    tasks,
  }
  const make = (dir: string) =>
    door === 'native' ? broadcastApp({ ...base, dir }) : stormBroadcastApp({ ...base, dir })
  await underLoad(make, { executors: EXECUTORS }, async run => {
    const through = receivedBy('end')
    let samples: Sample[]
    if (size.watchMs > 0) {
      samples = await run.watch(WARM_MS + size.watchMs)
      findings.note('deliveries_per_s', rateOf(samples, through))
      findings.atMost('rss_mb', Math.max(...samples.map(({ rssMb }) => rssMb)), RSS_MAX_MB)
      findings.atMost('rss_growth_mb', growthMb(samples, WARM_MS), GROWTH_MAX_MB)
      findings.atMost('stall_ms', longestStallMs(samples, through), STALL_MAX_MS)
    } else {
      const enough = size.messages * tasks
      samples = await run.until(`${enough} deliveries`, sample => through(sample.figures) >= enough)
    }
    const waiting = Math.max(...samples.map(sample => sample.figures.components.end!.inFlight))
    findings.note('waiting_max', waiting)
    findings.expect(waiting <= tasks * WAITING_PER_TASK_MAX, `${waiting} messages waited`)
    const figures = await run.finish(findings)
    const emitted = figures.components.numbers!.emitted
    const received = through(figures)
    findings.expect(figures.failed === 0, `${figures.failed} roots failed`)
    findings.expect(
      received === emitted * tasks,
      `${emitted} broadcast to ${tasks}: ${received} arrived`,
    )
  })
  return findings
}
