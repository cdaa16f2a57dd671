// Runs one application and measures it: submit, wait for the first message at the sink, warm up, then count for
// some seconds what reaches the sink. The engine runs in this process (or in executors below it), so nothing is done in
// between but one snapshot a second; /proc is read at both ends only.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Application, connect, type Gear, streamLog } from 'gearpump'
import { cost, rounded, type Usage, usage } from './machine.ts'
import { METER_DIR, percentileMs, resetMeter, type Snapshot, snapshot } from './meter.ts'

export interface Timing {
  /** Seconds measured. */
  readonly secs: number
  /** Seconds before that. */
  readonly warm: number
}

/** One JSON line of output. */
export type Row = { case: string } & Record<string, unknown>

export interface Measured {
  readonly from: Snapshot
  readonly to: Snapshot
  readonly usageFrom: Usage
  readonly usageTo: Usage
  /** At the sink. */
  readonly perSec: number
  readonly figures: Record<string, unknown>
}

const FIRST_MESSAGE_MS = 60_000
const LOOK_MS = 20
/** Within the measured time for one figure per second; executor processes report five times as often. */
const SLICE_MS = 1000

export async function measure(
  application: Application,
  timing: Timing,
  options: { executors?: number; per?: number } = {},
): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'gearpump-bench-'))
  process.env[METER_DIR] = folder
  resetMeter()
  const gear = await connect({ log: streamLog(process.stderr, 'warn', 'text') })
  try {
    return await watch(gear, application, folder, { ...timing, executors: 1, per: 1, ...options })
  } finally {
    await gear.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Watch extends Timing {
  executors: number
  /** Sink messages per counted message: 10 words to a sentence. */
  per: number
}

async function watch(
  gear: Gear,
  application: Application,
  folder: string,
  { secs, warm, executors, per }: Watch,
): Promise<Measured> {
  const submittedMs = performance.now()
  const app = await gear.submit(application, { executors })
  const work = async () => {
    while (snapshot(folder).count.sink === 0) {
      if (performance.now() - submittedMs > FIRST_MESSAGE_MS)
        throw new Error(`no message at the sink after ${FIRST_MESSAGE_MS / 1000} s`)
      await delay(LOOK_MS)
    }
    await delay(warm * 1000)
    const usageFrom = usage()
    const taken = [snapshot(folder)]
    for (let i = 0; i < secs; i++) {
      await delay(SLICE_MS)
      taken.push(snapshot(folder))
    }
    return result(taken, usageFrom, usage(), per)
  }
  return Promise.race([work(), app.failure])
}

function result(
  taken: readonly Snapshot[],
  usageFrom: Usage,
  usageTo: Usage,
  per: number,
): Measured {
  const from = taken[0]!
  const to = taken.at(-1)!
  const perSec = rate(from, to, per)
  const slices = taken.slice(1).map((snap, i) => rate(taken[i]!, snap, per))
  slices.sort((a, b) => a - b)
  const spent = cost(usageFrom, usageTo)
  const figures = {
    msgs_per_sec: Math.round(perSec),
    ...spent,
    ...latencies(from, to),
    per_s_min: Math.round(slices[0] ?? perSec),
    per_s_median: Math.round(slices[slices.length >> 1] ?? perSec),
    per_s_max: Math.round(slices.at(-1) ?? perSec),
    msgs_per_cpu_s: spent.cpu_cores === 0 ? 0 : Math.round(perSec / spent.cpu_cores),
    acks_per_sec: Math.round(((to.count.done - from.count.done) * 1000) / (to.atMs - from.atMs)),
    failed: to.count.fail - from.count.fail,
    measured_s: rounded((to.atMs - from.atMs) / 1000),
  }
  return { from, to, usageFrom, usageTo, perSec, figures }
}

function rate(from: Snapshot, to: Snapshot, per: number): number {
  if (to.atMs <= from.atMs) return 0
  return ((to.count.sink - from.count.sink) * 1000) / (to.atMs - from.atMs) / per
}

export function latencies(from: Snapshot, to: Snapshot, prefix = 'lat'): Record<string, number> {
  const found: Record<string, number> = {}
  for (const [name, share] of [
    ['p50', 0.5],
    ['p99', 0.99],
    ['p999', 0.999],
  ] as const) {
    const ms = percentileMs(from, to, share)
    if (ms !== undefined) found[`${prefix}_${name}_ms`] = rounded(ms, 4)
  }
  return found
}
