// The `storm` command as Storm's users type it. `storm local FILE` is put into the words of `gear run`, which is handed
// in; all verbs that need a cluster are named and refused.
import { nearestName } from 'gearpump/spi'
import { gearArguments, StormUsageError, usage } from './local.ts'

/** `gear`'s own entry. */
export type Gear = (
  argv: readonly string[],
  options: { doors: readonly string[]; command: string; runName: string },
) => Promise<number>

const OK = 0
const BAD_USAGE = 2

const VERBS = ['local', 'version', 'help']

/** Storm's verbs that speak to a cluster, or that only a JVM can do. */
const VERBS_NOT_HERE = [
  'activate',
  'admin',
  'blobstore',
  'classpath',
  'deactivate',
  'dev-zookeeper',
  'drpc',
  'drpc-client',
  'get-errors',
  'healthcheck',
  'heartbeats',
  'jar',
  'kill',
  'kill_workers',
  'list',
  'localconfvalue',
  'logviewer',
  'monitor',
  'nimbus',
  'node-health-check',
  'pacemaker',
  'rebalance',
  'remoteconfvalue',
  'repl',
  'server_classpath',
  'set_log_level',
  'shell',
  'sql',
  'supervisor',
  'ui',
  'upload-credentials',
]

/** Runs one command line (without node and script); resolves with the exit code. */
export async function storm(argv: readonly string[], gear: Gear): Promise<number> {
  const [verb, ...rest] = argv
  const options = { doors: ['gearpump/storm'], command: 'storm', runName: 'local' }
  switch (verb) {
    case 'local':
      return local(rest, gear, options)
    case 'version':
    case '--version':
      return gear(['--version'], options)
    case 'help':
    case '--help':
    case '-h':
      process.stdout.write(usage)
      return OK
    case undefined:
      process.stderr.write(usage)
      return BAD_USAGE
    default:
      process.stderr.write(`storm: ${refusal(verb)}\n`)
      return BAD_USAGE
  }
}

async function local(
  argv: readonly string[],
  gear: Gear,
  options: Parameters<Gear>[1],
): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(usage)
    return OK
  }
  try {
    const { args, notice } = gearArguments(argv)
    if (notice !== undefined) process.stderr.write(`storm: ${notice}\n`)
    return await gear(args, options)
  } catch (error) {
    if (!(error instanceof StormUsageError)) throw error
    process.stderr.write(`storm: ${error.message}\n`)
    return BAD_USAGE
  }
}

function refusal(verb: string): string {
  const hint = 'this version runs topologies on this machine only: storm local FILE'
  if (VERBS_NOT_HERE.includes(verb)) return `"storm ${verb}" is not in this version; ${hint}`
  const near = nearestName(verb, VERBS)
  return `there is no "storm ${verb}"; ${near === undefined ? hint : `did you mean "storm ${near}"?`}`
}
