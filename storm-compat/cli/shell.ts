// `storm shell RESOURCES COMMAND ARGS…`: puts a folder into a jar, uploads it, and runs a program that submits by itself; it is
// told the Nimbus and the jar's place by three arguments more: host, port, location. Topologies of other languages use it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readCommandLine } from './command-line.ts'
import { writeJar } from './jar-writer.ts'
import { withNimbus } from './nimbus-door.ts'
import { uploadFile } from './upload.ts'
import { StormUsageError } from './usage-error.ts'
import type { Verb } from './verb.ts'

export const shellVerb: Verb = {
  usage: 'storm shell RESOURCES COMMAND [ARGS…]',
  summary: 'uploads a folder, then runs COMMAND ARGS HOST PORT JAR, which submits',
  async run(argv, around) {
    const line = readCommandLine(argv, {}, 'keep')
    const [resources, command, ...args] = line.words
    if (resources === undefined) throw new StormUsageError('resourcesdir is missing')
    if (command === undefined) throw new StormUsageError('command is missing')
    const folder = await mkdtemp(join(tmpdir(), 'gearpump-shell-'))
    try {
      const jar = join(folder, 'stormshell.jar')
      await writeJar(jar, resources, around.cwd)
      const { host, port, location } = await withNimbus(
        line,
        around,
        async ({ client, host, port }) => ({
          host,
          port,
          location: await uploadFile(client, jar),
        }),
      )
      return await around.runProgram({ command, args: [...args, host, String(port), location] })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
}
