// The archive of `npm run dist`, unpacked where there is nothing but Node: no npm, no other program, no packages around.
import { execFile } from 'node:child_process'
import {
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { type Dist, makeDist } from '../../scripts/dist.mjs'
import { ensureBuilt, root } from '../../scripts/setup.mjs'

const execute = promisify(execFile)

let folder = ''
let home = ''
let dist: Dist

test.before(async () => {
  await ensureBuilt()
  folder = await mkdtemp(join(tmpdir(), 'gear-dist-'))
  dist = await makeDist({ directory: join(folder, 'made') })
  home = join(folder, 'home')
  await mkdir(join(home, 'bin'), { recursive: true })
  await symlink(process.execPath, join(home, 'bin/node'))
  await execute('tar', ['-xzf', dist.archive, '-C', home])
})

test.after.always(() => rm(folder, { recursive: true, force: true }))

/** Runs a command of the archive where only `node` can be found. */
async function run(command: string, ...args: string[]) {
  const env = { PATH: join(home, 'bin'), HOME: home, TMPDIR: folder }
  return execute(join(home, dist.top, 'bin', command), args, { cwd: home, env, timeout: 60_000 })
}

test('the archive has all that runs, and nothing that only develops', async t => {
  const files = new Set(dist.files)
  for (const file of [
    'LICENSE',
    'README.md',
    'package.json',
    'bin/gear',
    'bin/storm',
    'bin/typescript-hooks.mjs',
    'dist/src/cli/main.js',
    'dist/storm-compat/cli/storm.js',
    'storm-compat/multilang/resources/storm.py',
    'examples/word-count/word-count.ts',
    'docs/cli.md',
  ])
    t.true(files.has(file), file)
  const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const packages = new Set(
    dist.files.flatMap(f => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(f)?.[1] ?? []),
  )
  for (const name of Object.keys(dependencies)) t.true(packages.has(name), name)
  for (const name of ['typescript', 'ava', 'fast-check', '@types'])
    t.false(packages.has(name), name)
  for (const file of files)
    t.notRegex(file, /^(src|test|bench|scripts|\.cache|\.git)\/|\.built-from|\.tgz$/)
})

test('tar lists the same files, with modes and without owners and times', async t => {
  const { stdout } = await execute('tar', ['-tvzf', dist.archive, '--utc', '--numeric-owner'], {
    maxBuffer: 1 << 26,
  })
  const lines = stdout.trimEnd().split('\n')
  t.deepEqual(
    lines.map(line => line.slice(line.indexOf(`${dist.top}/`) + dist.top.length + 1)),
    dist.files.slice(),
  )
  for (const line of lines) t.regex(line, /^-rw(-r--r--|xr-xr-x) 0\/0 +\d+ 1970-01-01 00:00 /)
  t.is((await stat(join(home, dist.top, 'bin/gear'))).mode & 0o111, 0o111)
})

test('the same tree gives the same bytes, whatever its times and modes', async t => {
  const file = join(root, 'dist/src/index.js')
  const { mode, mtime } = await stat(file)
  await chmod(file, 0o600)
  await utimes(file, 1, 1)
  try {
    const again = await makeDist({ directory: join(folder, 'again') })
    t.is(again.sha256, dist.sha256)
    t.true((await readFile(again.archive)).equals(await readFile(dist.archive)))
  } finally {
    await chmod(file, mode)
    await utimes(file, mtime, mtime)
  }
})

test('gear tells its version where there is only Node', async t => {
  const { stdout } = await run('gear', '--version')
  t.is(`gear-${stdout.trim()}`, dist.top)
})

test('storm tells the same version', async t => {
  const [, version] = /gearpump (\S+)/.exec((await run('storm', 'version')).stdout) ?? []
  t.is(`gear-${version}`, dist.top)
})

test('an example runs where there is only Node', async t => {
  const text = join(home, 'text')
  await writeFile(text, 'one two two\nthree three three\n')
  const example = join(dist.top, 'examples/word-count/word-count.ts')
  const until = ['--until-drained', '--stats', '--', '--text', text]
  const { stdout } = await run('gear', 'run', example, ...until)
  const stats = JSON.parse(stdout.trimEnd().split('\n').at(-1)!)
  t.like(stats, { emitted: 2, acked: 2, failed: 0, pending: 0 })
})

test('a file of a user who has no packages finds the engine', async t => {
  const file = join(home, 'mine.ts')
  const words = "import { application } from 'gearpump'\n"
  await writeFile(
    file,
    `${words}const name: string = 'mine'\nexport default () => application(name)\n`,
  )
  // It is read and run, and what it gives is no application: that is told by the engine that it found.
  const error = await t.throwsAsync(run('gear', 'check', file))
  t.regex(
    (error as unknown as { stderr: string }).stderr,
    /application "mine": 1 problem\n.*its second argument is no graph/,
  )
})

test('whoever compiles against its types needs none but those of Node', async t => {
  const user = join(home, 'user')
  await mkdir(join(user, 'node_modules'), { recursive: true })
  await symlink(join(home, dist.top), join(user, 'node_modules/gearpump'))
  const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const doors = Object.keys(exports).filter(door => !door.endsWith('.json'))
  const imports = doors.map((door, i) => `import * as door${i} from 'gearpump${door.slice(1)}'`)
  const used = `export default [${doors.map((_, i) => `door${i}`).join(', ')}]`
  await writeFile(join(user, 'package.json'), '{ "type": "module" }')
  await writeFile(join(user, 'doors.ts'), `${imports.join('\n')}\n${used}\n`)
  const compilerOptions = {
    ...{ strict: true, module: 'nodenext', target: 'es2022', noEmit: true, skipLibCheck: false },
    ...{ types: ['node'], typeRoots: [join(root, 'node_modules/@types')] },
  }
  await writeFile(join(user, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const compiled = await execute(process.execPath, [tsc, '-p', user], { cwd: user }).catch(
    (error: { stdout: string }) => error,
  )
  t.is(compiled.stdout, '')
})
