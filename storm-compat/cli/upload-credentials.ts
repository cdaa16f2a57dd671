// `storm upload-credentials`: names and values for a running topology, from a properties file (-f) and from the command
// line. They travel to Nimbus only, and are never shown.
import { readFile } from 'node:fs/promises'
import { EngineError } from 'gearpump/spi'
import { parseProperties } from '../flux/substitution.ts'
import { given, one, readCommandLine } from './command-line.ts'
import { withNimbus } from './nimbus-door.ts'
import { checkTopologyName } from './storm-conf.ts'
import { StormUsageError } from './usage-error.ts'
import { EXIT_FAILED, EXIT_OK, type Verb } from './verb.ts'

export const uploadCredentialsVerb: Verb = {
  usage: 'storm upload-credentials TOPOLOGY [-f FILE] [-u OWNER] [-e] [NAME VALUE]…',
  summary: 'new credentials for a running topology',
  async run(argv, around) {
    const line = readCommandLine(argv, {
      file: { flags: ['-f', '--file'], takes: 'one' },
      user: { flags: ['-u', '--user'], takes: 'one' },
      notEmpty: { flags: ['-e', '--exception-when-empty'], takes: 'nothing' },
    })
    const [first, ...pairs] = line.words
    if (first === undefined) throw new StormUsageError('topology-name is missing')
    const name = checkTopologyName(first)
    if (pairs.length % 2 !== 0) {
      throw new StormUsageError('a credential has no value: give names and values in turn')
    }
    const file = one(line, 'file')
    const creds = new Map(file === undefined ? [] : await fromFile(file))
    for (let i = 0; i < pairs.length; i += 2) creds.set(pairs[i]!, pairs[i + 1]!)
    if (creds.size === 0 && given(line, 'notEmpty')) {
      around.note(`storm: no credentials were uploaded for ${name}, for there are none`)
      return EXIT_FAILED
    }
    const owner = one(line, 'user')
    const message = { creds, ...(owner === undefined ? {} : { topoOwner: owner }) }
    await withNimbus(line, around, ({ client }) =>
      client.call('uploadNewCredentials', { name, creds: message }),
    )
    around.out(`Uploaded new creds to topology: ${name}\n`)
    return EXIT_OK
  },
}

async function fromFile(file: string): Promise<ReadonlyMap<string, string>> {
  try {
    return parseProperties(await readFile(file, 'utf8'))
  } catch (cause) {
    throw new EngineError('FILE_NOT_FOUND', `the credentials file ${file} cannot be read`, {
      hint: 'give a Java properties file: name=value, one a line',
      cause,
    })
  }
}
