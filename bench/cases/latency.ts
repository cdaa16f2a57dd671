// Latency: a lone message, and a source at half of what the engine can do.
import { halfLoadApp } from '../half-load-app.ts'
import type { Case } from '../harness/case.ts'
import { latencies, measure, type Row, type Timing } from '../harness/measure.ts'
import { loneApp } from '../lone-app.ts'
import { median } from '../peers/demands.ts'

/** Between two lone messages when they do not follow at once: the engine and the CPU have gone to sleep by then. */
const PACE_MS = 5

async function lone(name: string, executors: number, timing: Timing): Promise<readonly Row[]> {
  const busy = await measure(loneApp({ everyMs: 0 }), timing, { executors })
  const paced = await measure(loneApp({ everyMs: PACE_MS }), timing, { executors })
  const { cpu_cores } = paced.figures
  return [
    {
      case: name,
      ...busy.figures,
      ...latencies(paced.from, paced.to, 'paced_lat'),
      paced_every_ms: PACE_MS,
      paced_cpu_cores: cpu_cores,
      executors,
    },
  ]
}

async function halfLoad(timing: Timing): Promise<readonly Row[]> {
  const fullPerMs: number[] = []
  const { figures } = await measure(halfLoadApp(fullPerMs), timing)
  const measured = fullPerMs.slice(-timing.secs).sort((a, b) => a - b)
  const full_per_sec = Math.round(median(measured) * 1000)
  return [{ case: 'half-load', ...figures, full_per_sec }]
}

export const latencyCases: readonly Case[] = [
  {
    name: 'lone-message',
    about: 'one message at a time through 3 tasks, output to done, one executor',
    run: timing => lone('lone-message', 1, timing),
  },
  {
    name: 'lone-message-2x',
    about: 'the same, the middle task in a second executor process',
    run: timing => lone('lone-message-2x', 2, timing),
  },
  {
    name: 'half-load',
    about:
      'sol at its full rate and at half of it in turns; latency at half, from when a message was due',
    run: halfLoad,
  },
]
