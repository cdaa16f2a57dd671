// `storm nimbus`: Storm's front door before a running cluster, put into the words of `gear gateway`. What Storm's own daemon
// reads from storm.yaml is read here where it means something: the port, and the masters of the cluster.
import { readCommandLine, words } from './command-line.ts'
import { type StormConf, stormConf } from './storm-conf.ts'
import { refuseUnkeptGuards, unkeptTransport } from './unkept-guards.ts'
import { StormUsageError } from './usage-error.ts'
import type { Verb } from './verb.ts'

const help = `Usage: storm nimbus [--masters HOST:PORT,…] [--thrift-port PORT] [--settings GEAR.YAML] [--gateway.… VALUE]

Takes topologies from Storm's clients, and runs them on a cluster of "gear master" and "gear worker". It keeps nothing
itself: it may be killed and started again, and several may run.

  --masters LIST     the masters; else gearpump.masters of storm.yaml, else cluster.masters of GEAR.YAML
  --thrift-port N    where Storm's clients come in; else nimbus.thrift.port of storm.yaml; 0 = any
  --settings FILE    gear.yaml with cluster.masters, security.* and gateway.*; else gearpump.settings of storm.yaml
  --gateway.bind A   the address to listen on; any but loopback needs gateway.tls.ca or gateway.usersFile,
                     or --security.insecure; see docs/settings.md
  -c KEY=VALUE       a setting of storm.yaml; may be repeated
`

export const nimbusVerb: Verb = {
  usage: 'storm nimbus [--masters HOST:PORT,…] [--thrift-port PORT] [--settings GEAR.YAML]',
  summary: "Storm's front door before a running cluster of gearpump",
  help,
  async run(argv, around) {
    const { own, settings } = withoutSettings(argv)
    const line = readCommandLine(own, {
      masters: { flags: ['--masters', '--master'], takes: 'one' },
      port: { flags: ['--thrift-port'], takes: 'one' },
      settings: { flags: ['--settings'], takes: 'one' },
    })
    words(line, [])
    const conf = await stormConf(line, around, 'cluster')
    refuseUnkeptGuards('nimbus', conf)
    const transport = unkeptTransport(conf)
    if (transport !== undefined) around.note(`storm: ${transport}`)
    const option = (name: string) => line.values.get(name)?.at(-1)
    const masters = option('masters') ?? mastersOf(conf)
    const file = option('settings') ?? textOf(conf, 'gearpump.settings')
    const port = option('port') ?? String(conf['nimbus.thrift.port'])
    const args = ['gateway', '--thrift-port', port]
    if (masters !== undefined) args.push('--master', masters)
    if (file !== undefined) args.push('--config', file)
    return around.gear([...args, ...settings], { doors: ['gearpump/storm'], command: 'storm' })
  },
}

/** `--gateway.bind 0.0.0.0` and the like are for `gear`. */
function withoutSettings(argv: readonly string[]): { own: string[]; settings: string[] } {
  const own: string[] = []
  const settings: string[] = []
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!
    if (!/^--[a-z]+\.[\w.]+(=|$)/i.test(word)) {
      own.push(word)
      continue
    }
    settings.push(word)
    const next = argv[at + 1]
    if (!word.includes('=') && next !== undefined && !next.startsWith('-')) {
      settings.push(next)
      at++
    }
  }
  return { own, settings }
}

function mastersOf(conf: StormConf): string | undefined {
  const masters = conf['gearpump.masters']
  return Array.isArray(masters) ? masters.join(',') : textOf(conf, 'gearpump.masters')
}

function textOf(conf: StormConf, key: string): string | undefined {
  const value = conf[key]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string' && value !== '') return value
  throw new StormUsageError(`${key} of storm.yaml must be a text`)
}
