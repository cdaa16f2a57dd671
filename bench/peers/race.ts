// Runs the rounds: in each one every case that a demand needs, once, ours and the peer's in turn. Rows are appended to a
// file as they come, so that a run that is cut short has not been for nothing.
import { appendFileSync } from 'node:fs'
import type { Row, Timing } from '../harness/measure.ts'
import { runCase } from '../harness/run-case.ts'
import type { Demand, Round } from './demands.ts'
import type { Storm } from './storm.ts'

export interface Race {
  readonly demands: readonly Demand[]
  readonly rounds: number
  readonly timing: Timing
  /** Undefined: the peer is missing, and so are its rows. */
  readonly storm: Storm | undefined
  /** Where rows are kept, one JSON line each, with the number of their round. */
  readonly file: string
  readonly onRow: (row: Row) => void
}

const PEER = 'peer:'
const IN_CLUSTER = `${PEER}c-`

export async function race(options: Race): Promise<Round[]> {
  const order = inOrder(options.demands)
  const rounds: Round[] = []
  try {
    for (let number = 0; number < options.rounds; number++) {
      const round = new Map<string, Row>()
      for (const name of order) {
        const row = await once(name, options)
        if (row === undefined) continue
        round.set(name, row)
        appendFileSync(options.file, `${JSON.stringify({ round: number, ...row })}\n`)
        options.onRow({ ...row, round: number })
      }
      rounds.push(round)
    }
  } finally {
    await options.storm?.rest()
  }
  return rounds
}

async function once(name: string, { timing, storm }: Race): Promise<Row | undefined> {
  if (name.startsWith(PEER)) return await storm?.run(name.slice(PEER.length))
  await storm?.rest()
  return (await runCase(name, { ...timing, node: [] }))[0]
}

/**
 * Each case once, as near as can be to what it is compared with. Those that need the peer's cluster stand together, for the
 * cluster takes half a minute to come up.
 */
export function inOrder(demands: readonly Demand[]): string[] {
  const all = [...new Set(demands.flatMap(({ cases }) => cases))]
  const clustered = all.filter(name => name.startsWith(IN_CLUSTER))
  if (clustered.length === 0) return all
  const rest = all.filter(name => !name.startsWith(IN_CLUSTER))
  const partners = demands
    .filter(({ cases }) => cases.some(name => name.startsWith(IN_CLUSTER)))
    .map(({ cases }) => rest.findIndex(name => cases.includes(name)))
  rest.splice(Math.max(...partners) + 1, 0, ...clustered)
  return rest
}

/** Rows of a file that a race has written. */
export function roundsOf(text: string): Round[] {
  const rounds: Map<string, Row>[] = []
  for (const line of text.split('\n').filter(Boolean)) {
    const { round, ...row } = JSON.parse(line) as Row & { round: number }
    while (rounds.length <= round) rounds.push(new Map())
    rounds[round]!.set(row.case as string, row as Row)
  }
  return rounds
}
