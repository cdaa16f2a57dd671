// A Nimbus of the build for tests with other people's clients: on a free port, with an engine in this process, and a folder for
// the jar and what the topologies write.
import { execFile } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { ExecutionContext } from 'ava'
import { type AppInfo, connect } from 'gearpump'
import { always, gearHost, type NimbusOptions, startNimbus, startUi } from 'gearpump/storm'
import { zip } from '../../unit/storm-compat/nimbus/_zip.ts'

const HERE = fileURLToPath(new URL('.', import.meta.url))
/** A client that takes longer hangs. */
const HANGS_MS = 170_000

export interface NimbusRun {
  readonly port: number
  /** Of the API of the UI. */
  readonly uiPort: number
  readonly dir: string
  /** What the Nimbus and the components said, so far. */
  readonly lines: readonly string[]
  /** What is known of a topology, as `gear info` shows it. */
  info(name: string): Promise<AppInfo>
  kill(name: string): Promise<void>
  /** A jar with our components on `storm.py`, if that is given. */
  readonly jar: string
  /** Where the components write words, and the words in it. */
  readonly collected: string
  words(): readonly string[]
  /** Runs a client to its end; resolves with what it printed. Children of the engine find its folder on PATH as well. */
  client(program: string, args: readonly string[], cwd?: string): Promise<string>
}

export async function runNimbus(
  t: ExecutionContext,
  stormPy?: string,
  more: Pick<NimbusOptions, 'tls' | 'passwordOf' | 'java' | 'readJava' | 'conf'> = {},
): Promise<NimbusRun> {
  const dir = mkdtempSync(join(tmpdir(), 'gearpump-e2e-'))
  const lines: string[] = []
  const log = {
    write: (line: { text: string; where: string }) => lines.push(`${line.where} ${line.text}`),
  }
  const gear = await connect({ log })
  const nimbus = await startNimbus({ host: gearHost({ gear }), port: 0, log, ...more })
  const ui = await startUi({ nimbus: always(nimbus.calls), port: 0, log })
  t.teardown(async () => {
    await ui.close()
    await nimbus.close()
    await gear.close()
    rmSync(dir, { recursive: true, force: true })
    if (!t.passed) t.log(lines.slice(-50).join('\n'))
  })
  const jar = join(dir, 'topology.jar')
  const collected = join(dir, 'words.txt')
  if (stormPy !== undefined) writeFileSync(jar, jarOf(join(HERE, 'resources'), stormPy))
  cpSync(join(HERE, 'project'), join(dir, 'project'), { recursive: true })
  return {
    port: nimbus.port,
    uiPort: ui.port,
    dir,
    lines,
    info: name => gear.info(name),
    kill: name => gear.kill(name),
    jar,
    collected,
    words: () =>
      existsSync(collected) ? readFileSync(collected, 'utf8').split('\n').slice(0, -1) : [],
    client: async (program, args, cwd = dir) => {
      const PATH = `${dirname(program)}:${process.env.PATH}`
      const { stdout } = await promisify(execFile)(program, args, {
        cwd,
        timeout: HANGS_MS,
        // streamparse asks for it when it runs as root.
        env: { ...process.env, PATH, LEIN_ROOT: '1' },
      })
      return stdout
    },
  }
}

/** A jar whose resources are the files of a folder and others. */
export function jarOf(folder: string, ...others: readonly string[]): Buffer {
  const files = [...readdirSync(folder).map(name => join(folder, name)), ...others]
  return zip(
    { name: 'META-INF/MANIFEST.MF', content: 'Manifest-Version: 1.0\n' },
    ...files.map(file => ({
      name: `resources/${file.replace(/^.*\//, '')}`,
      content: readFileSync(file),
    })),
  )
}

/** How often each word is there. */
export function counted(words: readonly string[]): [string, number][] {
  const map = new Map<string, number>()
  for (const word of words) map.set(word, (map.get(word) ?? 0) + 1)
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1))
}

/** The words that the spouts of these tests emit. */
export function expectedWords(sentences: number): [string, number][] {
  const numbers = Array.from({ length: sentences }, (_, i) => `the cow ${i} jumped over the moon`)
  return counted(numbers.flatMap(sentence => sentence.split(' ')))
}
