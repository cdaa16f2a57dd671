// The loader of `.ts` files, as processes of users and of tests start it.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
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

test('a cache that is taken away meanwhile, as that of a run that is over, is not made again', t => {
  const dir = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const cache = join(dir, 'cache')
  writeFileSync(join(dir, 'part.ts'), 'export const two: number = 2')
  writeFileSync(
    join(dir, 'main.ts'),
    `import { rmSync } from 'node:fs'
    rmSync(${JSON.stringify(cache)}, { recursive: true })
    const part: { two: number } = await import('./part.ts')
    console.log(part.two)`,
  )
  const env = { PATH: process.env.PATH, GEARPUMP_TYPESCRIPT_CACHE: cache }
  const args = [`--import=${LOADER}`, join(dir, 'main.ts')]
  t.is(execFileSync(process.execPath, args, { env, encoding: 'utf8' }), '2\n')
  t.deepEqual(readdirSync(dir).sort(), ['main.ts', 'part.ts'])
})

/** Runs `main` of these files as a process of a user. */
function runFiles(files: Readonly<Record<string, string>>, main: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(dir, name)), { recursive: true })
      writeFileSync(join(dir, name), text)
    }
    const options = { encoding: 'utf8', stdio: 'pipe' } as const
    return execFileSync(process.execPath, [`--import=${LOADER}`, join(dir, main)], options).trim()
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

const ONE = 'export const one: number = 1'

test('an import may name what the compiler would make of a source, or leave its ending out', t => {
  const files = {
    'main.mts': `import { one } from './part.js'
      import { two } from './part.mjs'
      import { three } from './part'
      import { four } from './folder'
      console.log(one, two, three, four)`,
    'part.ts': `${ONE}; export const three = 3`,
    'part.mts': ONE.replace('one', 'two'),
    'folder/index.ts': ONE.replace('one', 'four'),
  }
  t.is(runFiles(files, 'main.mts'), '1 1 3 1')
})

test('what is there by its own name is taken, and what is nowhere is missed by that name', t => {
  const main = "import { one } from './part.js'; console.log(one)"
  t.is(
    runFiles(
      { 'main.mts': main, 'part.mjs': '', 'part.ts': ONE, 'part.js': 'exports.one = 2' },
      'main.mts',
    ),
    '2',
  )
  const error = t.throws(() => runFiles({ 'main.mts': main }, 'main.mts'))
  t.regex(error!.message, /Cannot find module '.*part\.js'/)
})

test('a .cts file is CommonJS that can require ES modules, with its own lines in errors', t => {
  const files = {
    'main.mts': "import all, { app } from './app.cts'; console.log(all.app === app, app)",
    'app.cts': `const { one } = require('./part.mjs') as { one: number }
exports.app = [one, typeof __filename, typeof __dirname, this === exports]`,
    'part.mjs': 'export const one = 1',
  }
  t.is(runFiles(files, 'main.mts'), "true [ 1, 'string', 'string', true ]")
  const wrong = t.throws(() => runFiles({ 'a.cts': "\n\nthrow new Error('line 3')" }, 'a.cts'))
  t.regex(wrong!.message, /a\.cts:3/)
  const modern = t.throws(() => runFiles({ 'a.cts': "import { join } from 'node:path'" }, 'a.cts'))
  t.regex(modern!.message, /a\.cts is CommonJS by its name: write require\(\), or call it \.mts/)
})

test('what a .cts file exports can be imported by its name', t => {
  const files = {
    'main.mts': `import { one, two } from './single.cts'
import { three, four } from './whole.cts'
console.log(one, two, three(), four)`,
    'single.cts': 'const n: number = 1; exports.one = n; module.exports.two = 2',
    'whole.cts': 'const four: number = 4; module.exports = { three() { return 3 }, four }',
  }
  t.is(runFiles(files, 'main.mts'), '1 2 3 4')
})
