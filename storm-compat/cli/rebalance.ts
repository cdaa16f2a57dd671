// `storm rebalance`: spreads a running topology anew. -e changes executors of a component; tasks stay as many as they are.

import type { RebalanceOptions } from '../thrift/storm-requests.ts'
import { type CommandLine, list, readCommandLine, wholeNumber, words } from './command-line.ts'
import { withNimbus } from './nimbus-door.ts'
import { checkTopologyName, settingsOf } from './storm-conf.ts'
import { StormUsageError } from './usage-error.ts'
import { EXIT_OK, type Verb } from './verb.ts'

export const rebalanceVerb: Verb = {
  usage:
    'storm rebalance TOPOLOGY [-w SECS] [-n WORKERS] [-e COMPONENT=EXECUTORS]… [-r JSON] [-t JSON]',
  summary: 'spreads a topology anew, with other numbers of workers or executors',
  async run(argv, around) {
    const line = readCommandLine(argv, {
      wait: { flags: ['-w', '--wait-time-secs', '--wait'], takes: 'one' },
      workers: { flags: ['-n', '--num-workers'], takes: 'one' },
      executor: { flags: ['-e', '--executor'], takes: 'list' },
      resources: { flags: ['-r', '--resources'], takes: 'list' },
      conf: { flags: ['-t', '--topology-conf'], takes: 'list' },
    })
    const name = checkTopologyName(words(line, ['topology-name'])[0]!)
    const options = optionsOf(line)
    await withNimbus(line, around, ({ client }) => client.call('rebalance', { name, options }))
    around.out(`Topology ${name} is rebalancing\n`)
    return EXIT_OK
  },
}

function optionsOf(line: CommandLine): RebalanceOptions {
  const wait_secs = wholeNumber(line, 'wait', 0)
  const num_workers = wholeNumber(line, 'workers', 1)
  const executors = list(line, 'executor').map(executorOf)
  const resources = list(line, 'resources').flatMap(resourcesOf)
  const conf = confOf(line)
  return {
    ...(wait_secs === undefined ? {} : { wait_secs }),
    ...(num_workers === undefined ? {} : { num_workers }),
    ...(executors.length === 0 ? {} : { num_executors: new Map(executors) }),
    ...(resources.length === 0 ? {} : { topology_resources_overrides: new Map(resources) }),
    ...(conf === undefined ? {} : { topology_conf_overrides: JSON.stringify(conf) }),
  }
}

// The last equals sign: a component's name may have one.
function executorOf(text: string): [string, number] {
  const match = /^(.+)=(\d{1,9})$/.exec(text)
  if (match === null) {
    throw new StormUsageError(`-e ${text}: write COMPONENT=EXECUTORS, as in -e split=4`)
  }
  return [match[1]!, Number(match[2])]
}

function resourcesOf(text: string): [string, ReadonlyMap<string, number>][] {
  return Object.entries(jsonMap('-r', text)).map(([component, wanted]) => {
    const entries = Object.entries(wanted ?? {})
    if (typeof wanted !== 'object' || entries.some(([, amount]) => typeof amount !== 'number')) {
      throw new StormUsageError(`-r ${text}: write {"component": {"cpu.pcore.percent": 50}}`)
    }
    return [component, new Map(entries as [string, number][])]
  })
}

// Settings of -c win over those of -t, as in Storm.
function confOf(line: CommandLine): Record<string, unknown> | undefined {
  const maps = [...list(line, 'conf').map(text => jsonMap('-t', text)), settingsOf(line)]
  const conf = Object.assign({}, ...maps) as Record<string, unknown>
  return Object.keys(conf).length === 0 ? undefined : conf
}

function jsonMap(flag: string, text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>
    }
  } catch (cause) {
    throw new StormUsageError(`${flag} ${text}: this is no JSON (${(cause as Error).message})`)
  }
  throw new StormUsageError(`${flag} ${text}: this must be a JSON object`)
}
