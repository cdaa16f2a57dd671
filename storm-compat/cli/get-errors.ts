// `storm get-errors`: the latest error of each component, as one JSON object. A topology that is not there is no failure
// of the command, as in Storm.

import { ThriftException } from '../thrift/codec.ts'
import type { TopologyInfo } from '../thrift/storm-summaries.ts'
import { readCommandLine, words } from './command-line.ts'
import { withNimbus } from './nimbus-door.ts'
import { EXIT_OK, type Verb } from './verb.ts'

export const getErrorsVerb: Verb = {
  usage: 'storm get-errors TOPOLOGY',
  summary: 'the latest error of each component, as JSON',
  async run(argv, around) {
    const line = readCommandLine(argv, {})
    const name = words(line, ['topology-name'])[0]!
    const answer = await withNimbus(line, around, async ({ client }) => {
      try {
        const options = { num_err_choice: 'ONE' } as const
        return told(await client.call('getTopologyInfoByNameWithOpts', { name, options }))
      } catch (error) {
        const gone = error instanceof ThriftException && error.type.name === 'NotAliveException'
        if (!gone) throw error
        return { Failure: `No topologies running with name ${name}` }
      }
    })
    around.out(`${JSON.stringify(answer)}\n`)
    return EXIT_OK
  },
}

function told({ name, errors }: TopologyInfo): Record<string, unknown> {
  const latest = [...errors].flatMap(([component, [first]]) =>
    first === undefined ? [] : [[component, first.error] as const],
  )
  return { 'Comp-Errors': Object.fromEntries(latest), 'Topology Name': name }
}
