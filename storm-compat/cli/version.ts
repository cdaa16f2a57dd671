// `storm version`: which Storm's clients see here, and what it is. streamparse reads the first line.
import { STORM_VERSION } from '../nimbus/summaries.ts'
import { readCommandLine, words } from './command-line.ts'
import type { Verb } from './verb.ts'

export const versionVerb: Verb = {
  usage: 'storm version',
  summary: 'the version of Storm that is spoken here',
  run(argv, around) {
    words(readCommandLine(argv, {}), [])
    around.out(`Storm ${STORM_VERSION}\nServed by gearpump `)
    return around.gear(['--version'], {
      doors: ['gearpump/storm'],
      command: 'storm',
      runName: 'local',
    })
  },
}
