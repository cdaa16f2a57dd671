// `storm kill`: ends topologies, one after the other. With -i the others are ended even if Nimbus refuses one.
import { EngineError } from 'gearpump/spi'
import { ThriftException } from '../thrift/codec.ts'
import { given, readCommandLine, wholeNumber } from './command-line.ts'
import { errorLine } from './error-line.ts'
import { withNimbus } from './nimbus-door.ts'
import { checkTopologyName } from './storm-conf.ts'
import { StormUsageError } from './usage-error.ts'
import { EXIT_FAILED, EXIT_OK, type Verb } from './verb.ts'

export const killVerb: Verb = {
  usage: 'storm kill TOPOLOGY… [-w SECS] [-i]',
  summary: 'stops the spouts, waits (-w, default the message timeout), and ends the topology',
  async run(argv, around) {
    const line = readCommandLine(argv, {
      wait: { flags: ['-w', '--wait-time-secs', '--wait'], takes: 'one' },
      goOn: { flags: ['-i', '--ignore-errors'], takes: 'nothing' },
    })
    if (line.words.length === 0) throw new StormUsageError('topology-name is missing')
    const names = line.words.map(checkTopologyName)
    const wait_secs = wholeNumber(line, 'wait', 0)
    const options = wait_secs === undefined ? {} : { wait_secs }
    return withNimbus(line, around, async ({ client }) => {
      let failed = 0
      for (const name of names) {
        try {
          await client.call('killTopologyWithOpts', { name, options })
          around.out(`Killed topology: ${name}\n`)
        } catch (error) {
          if (!given(line, 'goOn') || !isRefusal(error)) throw error
          failed++
          around.note(`storm: ${name}: ${errorLine(error)}; going on, for -i was given`)
        }
      }
      if (failed > 0) around.note(`storm: failed to kill ${failed} of ${names.length} topologies`)
      return failed === 0 ? EXIT_OK : EXIT_FAILED
    })
  },
}

/** Nimbus has answered, and may answer for the next one; a connection that is lost is lost for all. */
function isRefusal(error: unknown): boolean {
  if (error instanceof ThriftException) return true
  return error instanceof EngineError && error.code === 'THRIFT_CALL_FAILED'
}
