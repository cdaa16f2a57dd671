// `storm list`: every topology and its figures, in Storm's columns. A Nimbus before 2.0 has no short list and is asked for
// its whole cluster.
import { EngineError } from 'gearpump/spi'
import type { TopologySummary } from '../thrift/storm-summaries.ts'
import { readCommandLine, words } from './command-line.ts'
import { withNimbus } from './nimbus-door.ts'
import { EXIT_OK, type NimbusClient, type Verb } from './verb.ts'

const WIDTHS = [20, 10, 10, 12, 12, 20, 20]
const HEAD = [
  'Topology_name',
  'Status',
  'Num_tasks',
  'Num_workers',
  'Uptime_secs',
  'Topology_Id',
  'Owner',
]
const RULE = '-'.repeat(88)

export const listVerb: Verb = {
  usage: 'storm list',
  summary: 'topologies and their status',
  async run(argv, around) {
    const line = readCommandLine(argv, {})
    words(line, [])
    const topologies = await withNimbus(line, around, ({ client }) => summaries(client))
    if (topologies.length === 0) {
      around.out('No topologies running.\n')
      return EXIT_OK
    }
    around.out([row(HEAD), RULE, ...topologies.map(rowOf)].map(text => `${text}\n`).join(''))
    return EXIT_OK
  },
}

/** Topologies of any Nimbus since 0.9. */
export async function summaries(client: NimbusClient): Promise<readonly TopologySummary[]> {
  try {
    return await client.call('getTopologySummaries', {})
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'THRIFT_CALL_FAILED') throw error
    return (await client.call('getClusterInfo', {})).topologies
  }
}

function rowOf(of: TopologySummary): string {
  const { name, status, num_tasks, num_workers, uptime_secs, id, owner } = of
  // A Nimbus without security knows no owner, and Java writes that so.
  return row([name, status, num_tasks, num_workers, uptime_secs, id, owner ?? 'null'])
}

function row(cells: readonly (string | number)[]): string {
  return cells.map((cell, i) => String(cell).padEnd(WIDTHS[i]!)).join(' ')
}
