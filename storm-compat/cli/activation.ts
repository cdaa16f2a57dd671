// `storm activate` and `storm deactivate`: lets the spouts of a topology run, or holds them.
import { readCommandLine, words } from './command-line.ts'
import { withNimbus } from './nimbus-door.ts'
import { EXIT_OK, type Verb } from './verb.ts'

export const activateVerb = verb('activate', 'Activated', 'lets the spouts of a topology run')
export const deactivateVerb = verb('deactivate', 'Deactivated', 'holds the spouts of a topology')

function verb(method: 'activate' | 'deactivate', done: string, summary: string): Verb {
  return {
    usage: `storm ${method} TOPOLOGY`,
    summary,
    async run(argv, around) {
      const line = readCommandLine(argv, {})
      const [name] = words(line, ['topology-name'])
      await withNimbus(line, around, ({ client }) => client.call(method, { name: name! }))
      around.out(`${done} topology: ${name}\n`)
      return EXIT_OK
    },
  }
}
