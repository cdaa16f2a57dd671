// The loader of `.ts` files, as processes of users and of tests start it.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const LOADER = fileURLToPath(new URL('../../../bin/typescript.mjs', import.meta.url))

test('what came of a file is kept where it is asked for, until the file changes', t => {
  const dir = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const [file, cache] = [join(dir, 'mine.ts'), join(dir, 'cache')]
  const run = (source: string, env: NodeJS.ProcessEnv) => {
    writeFileSync(file, source)
    const options = { env: { PATH: process.env.PATH, ...env }, encoding: 'utf8' } as const
    return execFileSync(process.execPath, [`--import=${LOADER}`, file], options).trim()
  }
  const kept = () =>
    readdirSync(cache, { recursive: true, encoding: 'utf8' })
      .map(name => join(cache, name))
      .filter(name => statSync(name).isFile())
  const asked = { GEARPUMP_TYPESCRIPT_CACHE: cache }
  const one = 'const n: number = 1\nconsole.log(n)'
  t.is(run(one, asked), '1')
  const [place, ...others] = kept()
  t.deepEqual(others, [])
  writeFileSync(place!, "console.log('kept')")
  t.is(run(one, asked), 'kept')
  t.is(run(one, {}), '1')
  t.is(run(one.replace('1', '2'), asked), '2')
  t.is(kept().length, 2)
})
