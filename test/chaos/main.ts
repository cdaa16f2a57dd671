// The command behind `npm run chaos`: reads what was asked for, runs, prints the schedule as it happens and the figures.
import { parseArgs } from 'node:util'
import { part } from '../real/parts.ts'
import { networkMissing } from './network.ts'
import { runChaos } from './run-chaos.ts'

const USAGE = 'npm run chaos -- [--seed N] [--minutes M] [--lines-per-second N] [--keep]\n'
const MINUTES = 10
const LINES_PER_SECOND = 500
/** As a shell tells of a program that SIGINT has ended. */
const INTERRUPTED = 130

/** Returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      minutes: { type: 'string', default: `${MINUTES}` },
      keep: { type: 'boolean', default: false },
      'lines-per-second': { type: 'string', default: `${LINES_PER_SECOND}` },
    },
  })
  const seed = values.seed === undefined ? Math.floor(Math.random() * 1e9) : Number(values.seed)
  const forMs = Number(values.minutes) * 60_000
  const linesPerSecond = Number(values['lines-per-second'])
  if (!Number.isInteger(seed) || !(forMs > 0) || !(linesPerSecond > 0)) {
    process.stderr.write(USAGE)
    return 2
  }
  const etcd = part('etcd')
  if ('missing' in etcd) {
    process.stderr.write(`${etcd.missing}\n`)
    return 2
  }
  const missing = networkMissing()
  if (missing !== undefined) process.stdout.write(`without partitions: ${missing}\n`)
  const interrupt = new AbortController()
  // A second Ctrl-C changes nothing: all is being removed.
  process.on('SIGINT', () => interrupt.abort())
  process.on('SIGTERM', () => interrupt.abort())
  const result = await runChaos({
    ...{ seed, forMs, linesPerSecond, etcd: etcd.program!, network: missing === undefined },
    keep: values.keep,
    say: line => process.stdout.write(`${line}\n`),
    signal: interrupt.signal,
  }).catch((error: unknown) => {
    if (!interrupt.signal.aborted) throw error
    return undefined
  })
  if (result === undefined) {
    process.stdout.write(`interrupted; seed ${seed}\n`)
    return INTERRUPTED
  }
  process.stdout.write(`${JSON.stringify(result, undefined, 1)}\n`)
  const { failures, faults } = result
  process.stdout.write(
    failures.length === 0
      ? `survived ${faults} faults; seed ${seed}\n`
      : `FAILED after ${faults} faults; again with: npm run chaos -- --seed ${seed} --minutes ${values.minutes}\n`,
  )
  return failures.length === 0 ? 0 : 1
}
