// The command behind `npm run soak`: picks the cases, runs one after the other, prints a line each, keeps the record.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { CaseLine } from './case-process.ts'
import { CASES, type SoakCase } from './catalogue.ts'
import { type RecordedRow, record } from './record.ts'

/** Beyond it a case hangs: the longest one copies two million records, on a busy machine at 1,000 a second. */
const CASE_MAX_MS = 50 * 60_000
const COMPLAINT_CHARS = 4000
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Runs the cases whose names begin with one of `args`, or all. Returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      list: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
      seconds: { type: 'string' },
    },
  })
  const chosen = CASES.filter(
    ({ name }) => positionals.length === 0 || positionals.some(p => name.startsWith(p)),
  )
  const unknown = positionals.filter(p => !CASES.some(({ name }) => name.startsWith(p)))
  if (unknown.length > 0 || Number.isNaN(Number(values.seconds ?? 1))) {
    process.stderr.write(`no such case: ${unknown.join(' ')}; there are:\n${names(CASES)}`)
    return 2
  }
  if (values.list) {
    process.stdout.write(names(chosen))
    return 0
  }
  const rows: RecordedRow[] = []
  for (const { name } of chosen) {
    const line = await runCase(name, values.seconds)
    const row = { name, ok: line.failures.length === 0, measured: shown(line.measured) }
    rows.push(row)
    process.stdout.write(`${name.padEnd(32)} ${row.ok ? 'ok    ' : 'FAILED'} ${row.measured}\n`)
    for (const failure of line.failures) process.stdout.write(`    ${failure}\n`)
    if (values.record) record(rows)
  }
  const failed = rows.filter(row => !row.ok).length
  process.stdout.write(`${rows.length - failed} ok, ${failed} failed\n`)
  return failed === 0 ? 0 : 1
}

const names = (cases: readonly SoakCase[]) => cases.map(({ name }) => `${name}\n`).join('')

function shown(measured: CaseLine['measured']): string {
  return Object.entries(measured)
    .map(([name, figure]) => `${name}=${figure}`)
    .join(' ')
}

async function runCase(name: string, seconds: string | undefined): Promise<CaseLine> {
  const hooks = new URL('../../bin/typescript.mjs', import.meta.url).href
  const entry = fileURLToPath(new URL('./case-process.ts', import.meta.url))
  // --conditions=source, if this process was started with it.
  const node = process.execArgv.filter(arg => arg.startsWith('--conditions'))
  const child = spawn(
    process.execPath,
    [...node, `--import=${hooks}`, entry, name, ...(seconds === undefined ? [] : [seconds])],
    { stdio: ['ignore', 'pipe', 'pipe'], timeout: CASE_MAX_MS, killSignal: 'SIGKILL' },
  )
  // Whoever ends this process ends the case, and not only its report.
  const leave = () => {
    child.kill('SIGTERM')
    process.exit(1)
  }
  for (const signal of SIGNALS) process.once(signal, leave)
  let output = ''
  let complaint = ''
  child.stdout.on('data', (text: Buffer) => {
    output += text.toString()
  })
  child.stderr.on('data', (text: Buffer) => {
    complaint = (complaint + text.toString()).slice(-COMPLAINT_CHARS)
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  for (const signal of SIGNALS) process.off(signal, leave)
  const line = output.split('\n').find(text => text.startsWith('{'))
  if (code === 0 && line !== undefined) return JSON.parse(line) as CaseLine
  const end = signal ?? `exit code ${code}`
  return { measured: {}, failures: [`its process ended by ${end}: ${complaint.trim()}`] }
}
