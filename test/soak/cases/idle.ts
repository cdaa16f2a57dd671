// An application in which nothing happens: its processes sleep.
import type { Application } from 'gearpump'
import { idleApp } from '../apps/native.ts'
import { stormIdleApp } from '../apps/storm.ts'
import { Findings } from '../findings.ts'
import { pause } from '../flow.ts'
import { underLoad } from '../load-run.ts'
import { cpuBetween, family } from '../machine.ts'

export interface IdleSize {
  readonly door: 'native' | 'storm'
  /** Python bolts among the tasks. */
  readonly children: number
  readonly executors: number
  /** Start, compilation in the background, until a silent source is asked only now and then, and V8's giving back of memory (by 35 s). */
  readonly settleMs: number
  readonly watchMs: number
  /** Part of a core that all processes together may use. */
  readonly coreMax: number
}

const TASKS = 100
const SOURCES = 20

export async function idle(size: IdleSize): Promise<Findings> {
  const findings = new Findings()
  await underLoad(
    dir => makeApp(size, dir),
    { executors: size.executors },
    async run => {
      await pause(size.settleMs)
      const from = family()
      const startMs = performance.now()
      await pause(size.watchMs)
      const spent = cpuBetween(from, family())
      const wallMs = performance.now() - startMs
      const total = [...spent.values()].reduce((sum, ms) => sum + ms, 0)
      for (const [name, ms] of spent) findings.note(`${name}_core_percent`, (100 * ms) / wallMs)
      findings.atMost('core_percent', (100 * total) / wallMs, 100 * size.coreMax)
      const figures = await run.finish(findings)
      findings.expect(figures.emitted === 0, 'something was emitted')
    },
  )
  return findings
}

function makeApp({ door, children }: IdleSize, dir: string): Application {
  const input = { dir, sources: SOURCES, tasks: TASKS - SOURCES }
  return door === 'native' ? idleApp(input) : stormIdleApp({ ...input, children })
}
