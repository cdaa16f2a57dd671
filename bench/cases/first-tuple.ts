// How long a user waits: from starting `gear run` of a Python word count to the first tuple at its sink. The sink writes
// the time to a file; the run is then ended. Median of five.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { MARK_FILE } from '../first-tuple/mark-bolt.ts'
import { type Case, skipped } from '../harness/case.ts'
import { cost, rounded, usage } from '../harness/machine.ts'
import type { Row } from '../harness/measure.ts'

const NAME = 'first-tuple'
const RUNS = 5
const LOOK_MS = 10
const RUN_MS_MAX = 60_000
const END_MS_MAX = 10_000

const gear = fileURLToPath(new URL('../../bin/gear', import.meta.url))
const topology = fileURLToPath(new URL('../first-tuple/topology.yaml', import.meta.url))

async function run(): Promise<readonly Row[]> {
  if (!existsSync(gear)) return skipped(NAME, 'bin/gear is missing')
  const folder = mkdtempSync(join(tmpdir(), 'gearpump-bench-'))
  try {
    const from = usage()
    const taken: number[] = []
    for (let i = 0; i < RUNS; i++) taken.push(await oneRun(join(folder, String(i))))
    taken.sort((a, b) => a - b)
    const { foreign_cpu_cores, noisy } = cost(from, usage())
    return [
      {
        case: NAME,
        first_tuple_s: rounded(taken[taken.length >> 1]!, 3),
        min_s: rounded(taken[0]!, 3),
        max_s: rounded(taken.at(-1)!, 3),
        runs: RUNS,
        foreign_cpu_cores,
        noisy,
      },
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function oneRun(mark: string): Promise<number> {
  const startedMs = Date.now()
  const child = spawn(gear, ['run', topology], {
    env: { ...process.env, [MARK_FILE]: mark },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let complaint = ''
  child.stderr.on('data', (text: Buffer) => {
    complaint = (complaint + text).slice(-2000)
  })
  try {
    while (!existsSync(mark)) {
      if (child.exitCode !== null) throw new Error(`gear run ended early: ${complaint}`)
      if (Date.now() - startedMs > RUN_MS_MAX) throw new Error(`no tuple: ${complaint}`)
      await delay(LOOK_MS)
    }
    return (Number(readFileSync(mark, 'utf8')) - startedMs) / 1000
  } finally {
    await end(child)
  }
}

// As by Ctrl-C twice: drain, then end.
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGINT')
  const late = setTimeout(() => child.kill('SIGINT'), END_MS_MAX / 10)
  const last = setTimeout(() => child.kill('SIGKILL'), END_MS_MAX)
  await exited
  clearTimeout(late)
  clearTimeout(last)
}

export const firstTupleCase: Case = {
  name: NAME,
  about: '`gear run` of a Python word count: process start to first tuple at the sink, s',
  run,
}
