// `npm run bench:peers -- [--rounds N] [--only TEXT]… [--secs N] [--warm N] [--peer-secs N] [--peer-warm N] [--from FILE]
// [--write]`: races, prints one JSON line per run and one per demand, and writes docs/benchmarks.md if asked to.
// Exit code 0 when every demand that was measured holds, 1 when one does not, 2 for bad usage.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { machine } from '../harness/machine.ts'
import type { Row } from '../harness/measure.ts'
import { runCase } from '../harness/run-case.ts'
import { type Demand, demands, judge, type Round } from './demands.ts'
import { rewritten } from './page.ts'
import { race, roundsOf } from './race.ts'
import { missingForStorm, Storm } from './storm.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const page = join(root, 'docs/benchmarks.md')

const options = {
  rounds: { type: 'string', default: '3' },
  /** Part of a demand's name: only those that contain it. */
  only: { type: 'string', multiple: true, default: [] as string[] },
  secs: { type: 'string', default: '8' },
  warm: { type: 'string', default: '4' },
  'peer-secs': { type: 'string', default: '12' },
  'peer-warm': { type: 'string', default: '10' },
  /** Rows of an earlier race instead of a new one. */
  from: { type: 'string' },
  write: { type: 'boolean', default: false },
} as const

export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options })
  const wanted = demands.filter(
    ({ name }) => values.only.length === 0 || values.only.some(part => name.includes(part)),
  )
  if (wanted.length === 0) {
    process.stderr.write(`no demand has ${values.only.join(' or ')} in its name:\n`)
    for (const { name } of demands) process.stderr.write(`  ${name}\n`)
    return 2
  }
  const rounds =
    values.from === undefined
      ? await raceNow(wanted, values)
      : roundsOf(readFileSync(values.from, 'utf8'))
  const code = tell(wanted, rounds)
  if (values.write) {
    // On its own, after the race: it is a cost by itself and compared with nothing.
    const progress = await runCase('progress', { secs: 1, warm: 1, node: [] })
    const command = `npm run bench:peers -- ${args.join(' ')}`
    const date = new Date().toISOString().slice(0, 10)
    const input = { demands: wanted, rounds, progress, machine: machine(), date, command }
    writeFileSync(page, rewritten(readFileSync(page, 'utf8'), input))
  }
  return code
}

interface Values {
  readonly rounds: string
  readonly secs: string
  readonly warm: string
  readonly 'peer-secs': string
  readonly 'peer-warm': string
}

async function raceNow(wanted: readonly Demand[], values: Values): Promise<Round[]> {
  const folder = join(root, '.cache/bench')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `race-${new Date().toISOString().replace(/[:.]/g, '-')}.jsonl`)
  const missing = missingForStorm()
  const peerTiming = { secs: Number(values['peer-secs']), warm: Number(values['peer-warm']) }
  if (missing !== undefined) print({ case: 'peer', skipped: missing })
  process.stderr.write(`rows go to ${file}\n`)
  return race({
    demands: wanted,
    rounds: Number(values.rounds),
    timing: { secs: Number(values.secs), warm: Number(values.warm) },
    storm: missing === undefined ? new Storm(peerTiming) : undefined,
    file,
    onRow: print,
  })
}

function print(row: Row | object): void {
  process.stdout.write(`${JSON.stringify(row)}\n`)
}

function tell(wanted: readonly Demand[], rounds: readonly Round[]): number {
  let code = 0
  for (const demand of wanted) {
    const verdict = judge(demand, rounds)
    if (verdict === undefined) {
      print({ demand: demand.name, skipped: 'not measured: a case is missing or failed' })
      continue
    }
    print(verdict)
    if (!verdict.holds) code = 1
  }
  return code
}
