// `storm set_log_level`: levels of loggers of a running topology, for a time or for good.
import type { LogLevel } from '../thrift/storm-requests.ts'
import { list, readCommandLine, words } from './command-line.ts'
import { summaries } from './list.ts'
import { withNimbus } from './nimbus-door.ts'
import { checkTopologyName } from './storm-conf.ts'
import { StormUsageError } from './usage-error.ts'
import { EXIT_FAILED, EXIT_OK, type Verb } from './verb.ts'

const LEVELS = ['ALL', 'TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL', 'OFF']

export const setLogLevelVerb: Verb = {
  usage: 'storm set_log_level TOPOLOGY [-l LOGGER=LEVEL[:SECS]]… [-r LOGGER]…',
  summary: 'sets (-l) or takes back (-r) levels of loggers',
  async run(argv, around) {
    const line = readCommandLine(argv, {
      set: { flags: ['-l', '--log-setting'], takes: 'list' },
      remove: { flags: ['-r', '--remove-log-setting'], takes: 'list' },
    })
    const name = checkTopologyName(words(line, ['topology-name'])[0]!)
    const levels = new Map<string, LogLevel>([
      ...list(line, 'set').map(levelOf),
      ...list(line, 'remove').map((logger): [string, LogLevel] => [logger, { action: 'REMOVE' }]),
    ])
    return withNimbus(line, around, async ({ client }) => {
      const found = (await summaries(client)).find(topology => topology.name === name)
      if (found === undefined) {
        around.note(`storm: ${name} is not a running topology`)
        return EXIT_FAILED
      }
      const config = { named_logger_level: levels }
      // Storm calls the argument a name, and means the id.
      await client.call('setLogConfig', { name: found.id, config })
      around.out(`Log config is sent for topology ${name}\n`)
      return EXIT_OK
    })
  },
}

function levelOf(text: string): [string, LogLevel] {
  const match = /^([^=]+)=([A-Za-z]+)(?::(\d{1,9}))?$/.exec(text)
  const level = match?.[2]?.toUpperCase() ?? ''
  if (match === null || !LEVELS.includes(level)) {
    throw new StormUsageError(
      `-l ${text}: write LOGGER=LEVEL or LOGGER=LEVEL:SECS, with one of ${LEVELS.join(', ')}`,
    )
  }
  const reset_log_level_timeout_secs = Number(match[3] ?? 0)
  const action = 'UPDATE' as const
  return [match[1]!, { action, target_log_level: level, reset_log_level_timeout_secs }]
}
