// `storm ui`: the API of Storm's UI over HTTP, of the Nimbus that the configuration names. It asks anew for each request, so
// that a Nimbus may be restarted, and runs until it is told to end.
import { streamLog } from 'gearpump'
import { startUi } from '../ui/ui-server.ts'
import { one, readCommandLine, words } from './command-line.ts'
import { withNimbus } from './nimbus-door.ts'
import { type StormConf, stormConf } from './storm-conf.ts'
import { refuseUnkeptGuards } from './unkept-guards.ts'
import { StormUsageError } from './usage-error.ts'
import { EXIT_OK, type Verb } from './verb.ts'

const LOOPBACK = '127.0.0.1'
/** What Storm's defaults say: not a choice of the user's, and too open for one. */
const EVERYWHERE = '0.0.0.0'
const PORT_MAX = 65_535

export const uiVerb: Verb = {
  usage: 'storm ui [--host ADDRESS] [--port PORT] [--allow-host NAME]',
  summary: "the API of Storm's UI over HTTP, until Ctrl-C",
  async run(argv, around) {
    const line = readCommandLine(argv, {
      host: { flags: ['--host'], takes: 'one' },
      port: { flags: ['--port'], takes: 'one' },
      hosts: { flags: ['--allow-host'], takes: 'list' },
    })
    words(line, [])
    const conf = await stormConf(line, around)
    refuseUnkeptGuards('ui', conf)
    const ui = await startUi({
      nimbus: body => withNimbus(line, around, ({ client }) => body(client)),
      address: one(line, 'host') ?? addressOf(conf),
      port: portOf(one(line, 'port') ?? conf['ui.port']),
      hosts: line.values.get('hosts') ?? [],
      conf,
      log: streamLog({ write: text => around.note(text.trimEnd()) }, 'info', 'text'),
    })
    around.out(`The API of the UI is at http://${ui.address}:${ui.port}/api/v1/\n`)
    await around.interrupted()
    await ui.close()
    return EXIT_OK
  },
}

function addressOf(conf: StormConf): string {
  const host = conf['ui.host']
  return typeof host === 'string' && host !== '' && host !== EVERYWHERE ? host : LOOPBACK
}

function portOf(value: unknown): number {
  const port = Number(value)
  if (Number.isInteger(port) && port >= 0 && port <= PORT_MAX) return port
  throw new StormUsageError(`the port ${value} is not from 0 to ${PORT_MAX}`)
}
