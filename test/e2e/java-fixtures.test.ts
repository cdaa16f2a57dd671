// The committed bytes of Java components against bytes that the real jars of each Storm line write now.

import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { readJavaStream } from '../../storm-compat/jvm/java-stream.ts'
import { readJavaComponent } from '../../storm-compat/jvm/shell-classes.ts'
import { realTest } from '../real/parts.ts'

const FIXTURES = 'test/fixtures/java'
const MAKING_MS = 600_000

realTest(
  test,
  ['storm-lines'],
  'what is read of freshly made Java components is what is read of the committed ones',
  async (t, [lines]) => {
    // Twice as many compilers and virtual machines as there are fixtures' programs.
    t.timeout(MAKING_MS)
    const folder = await mkdtemp(join(tmpdir(), 'gearpump-java-'))
    t.teardown(() => rm(folder, { recursive: true, force: true }))
    const make = join(FIXTURES, 'make.sh')
    await promisify(execFile)(make, [lines.dir, folder], { timeout: MAKING_MS })
    const names = await bins(folder)
    t.deepEqual(names, await bins(FIXTURES))
    for (const name of names) {
      const [made, kept] = await Promise.all([
        readFile(join(folder, name)),
        readFile(join(FIXTURES, name)),
      ])
      t.deepEqual(read(name, made), read(name, kept), name)
    }
  },
)

async function bins(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true })
  return found.filter(name => name.endsWith('.bin')).sort()
}

// A stream without a component is compared as a whole; the one whose writer failed, by the reason.
function read(name: string, bytes: Buffer): unknown {
  if (!/^jdk\/|guava/.test(name)) return readJavaComponent(bytes)
  try {
    return readJavaStream(bytes)
  } catch (error) {
    return String(error)
  }
}
