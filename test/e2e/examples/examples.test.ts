// Runs every example by the command that its README line gives, in one executor and in two.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import type { LevelCount } from '../../../examples/log-lines/log-lines.ts'
import { ensureBuilt, root } from '../../../scripts/setup.mjs'

interface Run {
  readonly exitCode: number | null
  readonly lines: readonly string[]
  readonly stats: Readonly<Record<'emitted' | 'acked' | 'failed' | 'pending' | 'lost', number>>
  readonly stderr: string
}

test.before(async () => {
  await ensureBuilt()
})

async function gearRun(file: string, ...args: readonly string[]): Promise<Run> {
  const gear = [join(root, 'bin/gear'), 'run', join('examples', file), '--stats', ...args]
  const child = spawn(process.execPath, gear, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  const lines = stdout.trimEnd().split('\n')
  const last = lines.pop() ?? ''
  return { exitCode, lines, stats: last.startsWith('{') ? JSON.parse(last) : {}, stderr }
}

const TOP_WORDS = ['24832\tthe', '23622\tand', '19917\ti', '17921\tto', '15409\tof']

for (const executors of [1, 2]) {
  const drained = ['--until-drained', '--executors', String(executors)]
  const title = (example: string) =>
    `${example} runs in ${executors} executor${'s'.repeat(executors - 1)}`

  test.serial(title('word-count'), async t => {
    const text = ['--text', 'examples/data/first-folio.txt.gz', '--top', '5']
    const run = await gearRun('word-count/word-count.ts', ...drained, '--', ...text)
    t.is(run.exitCode, 0, run.stderr)
    t.deepEqual(run.lines, TOP_WORDS)
    t.is(run.stats.acked, 134_543)
  })

  test.serial(title('sol'), async t => {
    const options = ['--stages', '3', '--messages', '100000', '--acked']
    const run = await gearRun('sol/sol.ts', ...drained, '--', ...options)
    t.is(run.exitCode, 0, run.stderr)
    t.is(run.stats.acked, 100_000)
  })

  test.serial(title('complex-dag'), async t => {
    const run = await gearRun('complex-dag/complex-dag.ts', ...drained, '--', '--messages', '500')
    t.is(run.exitCode, 0, run.stderr)
    t.is(run.lines.length, 11)
    t.true(run.lines.every(line => line.startsWith('500\tsource-')))
    t.is(run.stats.acked, 1000)
  })

  test.serial(title('log-lines'), async t => {
    const out = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
    t.teardown(() => rmSync(out, { recursive: true }))
    const run = await gearRun('log-lines/log-lines.ts', ...drained, '--', '--out', out)
    t.is(run.exitCode, 0, run.stderr)
    t.is(run.stats.acked, 132)
    const sums: Record<string, number> = {}
    for (const name of readdirSync(out)) {
      t.regex(name, /^counts-0-\d{6}\.jsonl$/)
      for (const line of readFileSync(join(out, name), 'utf8').trimEnd().split('\n')) {
        const { level, lines } = JSON.parse(line) as LevelCount
        sums[level] = (sums[level] ?? 0) + lines
      }
    }
    t.deepEqual(sums, { DEBUG: 34, ERROR: 12, INFO: 66, OTHER: 12, WARN: 8 })
  })

  for (const counter of ['node', 'ruby']) {
    const isThere = spawnSync(counter, ['--version']).status === 0
    const run = isThere ? test.serial : test.serial.skip
    run(title(`mixed with ${counter}`), async t => {
      const args = ['--counter', counter, '--lines', '1000', '--top', '3']
      const ran = await gearRun('mixed/topology.ts', ...drained, '--', ...args)
      t.is(ran.exitCode, 0, ran.stderr)
      t.deepEqual(ran.lines, ['201\tthe', '174\tand', '155\ti'])
      t.is(ran.stats.acked, 1000)
    })
  }

  test.serial(title('join'), async t => {
    const args = ['--orders', '2000', '--refuse', '100']
    const run = await gearRun('join/topology.ts', ...drained, '--', ...args)
    t.is(run.exitCode, 0, run.stderr)
    t.deepEqual(run.lines, ['2000 orders booked, 25995 paid, 20 refused at first'])
    // Each refused order fails at both spouts, and is emitted again by both.
    t.is(run.stats.acked, 4000)
    t.is(run.stats.failed, 40)
  })

  test.serial(title('python-word-count'), async t => {
    const run = await gearRun('python-word-count/topology.yaml', ...drained)
    t.is(run.exitCode, 0, run.stderr)
    const byCount = [...run.lines].sort((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10))
    t.deepEqual(byCount.slice(0, TOP_WORDS.length), TOP_WORDS)
    t.is(run.stats.acked, 107_039)
    t.is(run.stats.failed, 0)
  })
}
