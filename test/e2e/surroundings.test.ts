// What surrounds `gear run` and may go away: the reader of its stdout (`gear run … | head`), its working directory, the last thing that
// a promise of the user's could be settled by. The run ends, at once, and says why.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'

const GEAR = fileURLToPath(new URL('../../bin/gear', import.meta.url))
const ROOT = fileURLToPath(new URL('../../', import.meta.url))

const LOUD = `import { graph, processor, source } from 'gearpump'
const numbers = () => { let n = 0; return { next: out => (out.output(n, n++), true) } }
const loud = processor('loud', () => ({ onNext: n => console.log('line', n) }), { parallelism: 2 })
export default graph(source('numbers', numbers).to(loud))
`

for (const executors of [1, 3]) {
  test(`with ${executors} executors the run ends when the reader of stdout has gone`, async t => {
    const dir = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
    t.teardown(() => rmSync(dir, { recursive: true, force: true }))
    symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'))
    writeFileSync(join(dir, 'loud.mjs'), LOUD)
    const args = [GEAR, 'run', join(dir, 'loud.mjs'), '--executors', `${executors}`]
    const temporary = join(dir, 'tmp')
    mkdirSync(temporary)
    const env = { ...process.env, TMPDIR: temporary }
    const gear = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    t.teardown(() => gear.kill('SIGKILL'))
    let stderr = ''
    gear.stderr.on('data', data => {
      stderr += data
    })
    await once(gear.stdout, 'data')
    gear.stdout.destroy()
    const [code] = await once(gear, 'exit')
    t.is(code, 1)
    t.regex(stderr, /the reader of stdout has gone: ended/)
    t.notRegex(stderr, /EPIPE|died/)
    t.deepEqual(readdirSync(temporary), [])
  })
}

interface Ended {
  readonly code: number
  readonly stderr: string
}

/** Runs a shell line in a new directory with these files; killed when it hangs. */
async function shell(line: string, files: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const dir = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
  try {
    symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'))
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
    const command = line.replace('gear', `exec "${process.execPath}" "${GEAR}"`)
    const options = { cwd: dir, timeout: 40_000, killSignal: 'SIGKILL' } as const
    return await promisify(execFile)('sh', ['-c', command], options).then(
      ({ stderr }) => ({ code: 0, stderr }),
      ({ code, stderr }) => ({ code, stderr }),
    )
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

test('without a working directory nothing is run, and that is said', async t => {
  const { code, stderr } = await shell('mkdir gone; cd gone; rmdir ../gone; gear run /x/y.ts')
  t.is(code, 2)
  t.regex(stderr, /the working directory is gone/)
})

test('a file that can never be loaded, and tasks that can never start, end the run', async t => {
  const loading = { 'never.mjs': 'await new Promise(() => undefined)' }
  for (const command of ['check', 'run']) {
    const { code, stderr } = await shell(`gear ${command} never.mjs`, loading)
    t.is(code, 2, stderr)
    t.regex(stderr, /never\.mjs awaits something that cannot happen any more/)
  }
  const starting = LOUD.replace('{ onNext', '{ onStart: () => new Promise(() => undefined), onNext')
  const { code, stderr } = await shell('gear run start.mjs', { 'start.mjs': starting })
  t.is(code, 1, stderr)
  t.regex(stderr, /loud\[task 2\] onStart has not ended after 5 s/)
  t.regex(stderr, /a task awaits something that cannot happen any more/)
})

const LEAVING = `import { graph, processor, source } from 'gearpump'
let n = 0
const numbers = source('numbers', () => ({ next: out => (n === 9 ? 'end' : (out.output(n, n++), true)) }))
function giveUp() { process.exit(3) }
export default graph(numbers.to(processor('sink', () => ({ onNext: n => n === 5 && giveUp() }))))
`

for (const executors of [1, 2]) {
  test(`code of a task that calls process.exit() in one of ${executors} executors is named`, async t => {
    const line = `gear run leaving.mjs --until-drained --executors ${executors}`
    const { code, stderr } = await shell(line, { 'leaving.mjs': LEAVING })
    t.is(code, 1)
    t.regex(
      stderr,
      /process\.exit\(3\) was called, which ends all tasks of this process:\n +at giveUp .*leaving\.mjs:4/,
    )
  })
}

test('directories that cannot be made are told before anything is started', async t => {
  const files = { 'loud.mjs': LOUD, file: '' }
  const logs = await shell('gear run loud.mjs --log-dir file/logs', files)
  t.is(logs.code, 2)
  t.regex(logs.stderr, /the directory for log files cannot be made: ENOTDIR/)
  const temporary = await shell('export TMPDIR=/dev/null/x; gear run loud.mjs', files)
  t.is(temporary.code, 2)
  t.regex(temporary.stderr, /the private directory of the run cannot be made: ENOTDIR/)
})

// At its first load the file marks what is kept of it: whoever runs that says so.
const MARKING = `import { appendFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { graph, processor, source } from 'gearpump'
const cache: string = process.env.GEARPUMP_TYPESCRIPT_CACHE!
if (process.env.MARKED === undefined) {
  process.env.MARKED = 'yes'
  for (const name of readdirSync(cache)) appendFileSync(join(cache, name), ';console.error("as it was kept")')
}
let n = 0
const numbers = source('numbers', () => ({ next: out => (n === 9 ? 'end' : (out.output(n, n++), true)) }))
export default graph(numbers.to(processor('sink', () => ({ onNext: () => undefined }), { parallelism: 2 })))
`

test('executors need no transpiler: they run what the command has made of the TypeScript, which goes with the run', async t => {
  const line =
    'unset GEARPUMP_TYPESCRIPT_CACHE; mkdir tmp; TMPDIR=$PWD/tmp gear run marking.ts --executors 2 --until-drained'
  const { code, stderr } = await shell(`${line} && ls tmp >&2`, { 'marking.ts': MARKING })
  t.is(code, 0)
  t.is(stderr.match(/as it was kept/g)?.length, 2, stderr)
  t.notRegex(stderr, /gearpump-run/)
})
