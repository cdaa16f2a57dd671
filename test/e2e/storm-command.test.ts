// The built `storm` command against the built Nimbus, over TCP: what Storm's users type from submission to kill.
import { execFile } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { connect } from 'gearpump'
import { gearHost, startNimbus } from 'gearpump/storm'
import { shellOrClass } from '../../storm-compat/jvm/shell-classes.ts'
import { realTest } from '../real/parts.ts'
import { zip } from '../unit/storm-compat/nimbus/_zip.ts'
import { counted, expectedWords } from './nimbus/nimbus-run.ts'
import { until } from './until.ts'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const STORM = resolve(HERE, '../../bin/storm')
const RESOURCES = join(HERE, 'nimbus', 'resources')
const SENTENCES = 200
const HANGS_MS = 120_000

interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

interface Cluster {
  readonly dir: string
  readonly port: number
  storm(...args: string[]): Promise<Outcome>
  words(): readonly string[]
}

async function cluster(t: ExecutionContext, env: Record<string, string> = {}): Promise<Cluster> {
  const dir = mkdtempSync(join(tmpdir(), 'gearpump-e2e-'))
  const gear = await connect()
  const nimbus = await startNimbus({ host: gearHost({ gear }), port: 0, readJava: shellOrClass })
  t.teardown(async () => {
    await nimbus.close()
    await gear.close()
    rmSync(dir, { recursive: true, force: true })
  })
  // As a user has it: the cluster is named in the home folder.
  mkdirSync(join(dir, '.storm'))
  const conf = `nimbus.seeds: ["localhost"]\nnimbus.thrift.port: ${nimbus.port}\n`
  writeFileSync(join(dir, '.storm', 'storm.yaml'), conf)
  const collected = join(dir, 'words.txt')
  return {
    dir,
    port: nimbus.port,
    storm: (...args) => run(process.execPath, [STORM, ...args], dir, env),
    words: () =>
      existsSync(collected) ? readFileSync(collected, 'utf8').split('\n').slice(0, -1) : [],
  }
}

async function run(
  program: string,
  args: readonly string[],
  dir: string,
  env: Record<string, string>,
): Promise<Outcome> {
  const options = { cwd: dir, timeout: HANGS_MS, env: { ...process.env, HOME: dir, ...env } }
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, options)
    return { code: 0, stdout, stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string }
    if (typeof code !== 'number') throw error
    return { code, stdout, stderr }
  }
}

function writeJar(file: string, classes?: string): void {
  const entries = (folder: string, prefix: string) =>
    readdirSync(folder).map(name => ({
      name: `${prefix}${name}`,
      content: readFileSync(join(folder, name)),
    }))
  const manifest = { name: 'META-INF/MANIFEST.MF', content: 'Manifest-Version: 1.0\n' }
  const compiled = classes === undefined ? [] : entries(classes, '')
  writeFileSync(file, zip(manifest, ...compiled, ...entries(RESOURCES, 'resources/')))
}

async function allWords(t: ExecutionContext, { words }: Cluster): Promise<void> {
  const expected = expectedWords(SENTENCES)
  const total = expected.reduce((sum, [, count]) => sum + count, 0)
  await until('all words are collected', () => words().length >= total)
  t.deepEqual(counted(words()), expected)
}

async function listed({ storm }: Cluster): Promise<string[][]> {
  const { code, stdout, stderr } = await storm('list')
  if (code !== 0) throw new Error(stderr)
  const rows = stdout.trim().split('\n').slice(2)
  return rows.map(row => row.split(/\s+/))
}

test.serial('Flux is submitted without a JVM, looked at, rebalanced and killed', async t => {
  const c = await cluster(t)
  writeJar(join(c.dir, 'words.jar'))
  const yaml = join(HERE, 'storm-command', 'words.yaml')
  writeFileSync(join(c.dir, 'p.properties'), `collect=${join(c.dir, 'words.txt')}\n`)
  const flux = ['jar', 'words.jar', 'org.apache.storm.flux.Flux', '--remote', yaml]
  const submitted = await c.storm(...flux, '--filter', 'p.properties')
  t.is(submitted.code, 0, submitted.stderr)
  t.regex(submitted.stdout, /Finished submitting topology: words\n$/)
  await allWords(t, c)
  t.deepEqual(
    (await listed(c)).map(([name, status, tasks]) => [name, status, tasks]),
    [['words', 'ACTIVE', '4']],
  )
  const again = await c.storm(...flux, '--filter', 'p.properties')
  t.is(again.code, 1)
  t.regex(again.stderr, /^storm: AlreadyAliveException: /)

  t.is((await c.storm('deactivate', 'words')).code, 0)
  t.is((await listed(c))[0]![1], 'INACTIVE')
  t.is((await c.storm('activate', 'words')).code, 0)
  t.is((await listed(c))[0]![1], 'ACTIVE')
  const rebalanced = await c.storm('rebalance', 'words', '-w', '0', '-n', '2', '-e', 'split=1')
  t.is(rebalanced.code, 0, rebalanced.stderr)
  await until('it is active again', async () => (await listed(c))[0]![1] === 'ACTIVE')
  const errors = await c.storm('get-errors', 'words')
  t.deepEqual(JSON.parse(errors.stdout), { 'Comp-Errors': {}, 'Topology Name': 'words' })
  const components = await c.storm('monitor', 'words')
  t.regex(components.stdout, /Available components for words :/)

  t.is((await c.storm('kill', 'words', '-w', '0')).code, 0)
  await until(
    'it is gone',
    async () => (await c.storm('list')).stdout === 'No topologies running.\n',
  )
  const gone = await c.storm('kill', 'words')
  t.is(gone.code, 1)
  t.regex(gone.stderr, /^storm: NotAliveException: words is not alive/)
})

test.serial('blobs go up and come back, whole', async t => {
  const c = await cluster(t)
  const content = Buffer.from(Array.from({ length: 700_000 }, (_, i) => i % 251))
  writeFileSync(join(c.dir, 'blob'), content)
  const created = await c.storm('blobstore', 'create', 'k', '-f', 'blob', '-a', 'o::rwa')
  t.is(created.code, 0, created.stderr)
  t.regex((await c.storm('blobstore', 'list')).stdout, /^k \d+ \[o::rwa\]\n$/)
  t.is((await c.storm('blobstore', 'cat', 'k', '-f', 'back')).code, 0)
  t.deepEqual(readFileSync(join(c.dir, 'back')), content)
  t.is((await c.storm('blobstore', 'delete', 'k')).code, 0)
  t.is((await c.storm('blobstore', 'cat', 'k')).code, 1)
})

test.serial('storm shell uploads a folder and tells a program where it is', async t => {
  const c = await cluster(t)
  writeFileSync(join(c.dir, 'tell.py'), 'import sys; print(sys.argv[1:]); sys.exit(4)')
  const { code, stdout, stderr } = await c.storm('shell', RESOURCES, 'python3', 'tell.py', 'mine')
  t.is(code, 4, stderr)
  t.regex(stdout, new RegExp(`^\\['mine', 'localhost', '${c.port}', '[^']+\\.jar'\\]`))
})

test.serial(
  'no Nimbus, no verb and no value: each has its exit code and says what to do',
  async t => {
    const c = await cluster(t)
    const nobody = await c.storm('list', '-c', 'nimbus.thrift.port=1')
    t.is(nobody.code, 1)
    t.regex(nobody.stderr, /no leading Nimbus found from the seeds localhost/)
    t.is((await c.storm('lsit')).code, 2)
    t.is((await c.storm('kill')).code, 2)
    t.is((await c.storm()).code, 1)
    const value = await c.storm('localconfvalue', 'nimbus.thrift.port')
    t.is(value.stdout, `nimbus.thrift.port: ${c.port}\n`)
    t.regex((await c.storm('version')).stdout, /^Storm \d+\.\d+\.\d+\n/)
  },
)

realTest(
  test,
  ['storm-client'],
  'a program in Java submits classes whose work is done in Python, and they run without a JVM',
  async (t, [client]) => {
    const lib = join(client.dir, 'lib')
    const c = await cluster(t, { GEARPUMP_STORM_JARS: lib })
    const source = join(HERE, 'storm-command', 'WordTopology.java')
    const classes = join(c.dir, 'classes')
    const javac = await run('javac', ['-cp', `${lib}/*`, '-d', classes, source], c.dir, {})
    t.is(javac.code, 0, javac.stderr)
    writeJar(join(c.dir, 'words.jar'), classes)
    const args = ['jar', 'words.jar', 'WordTopology', 'words', join(c.dir, 'words.txt')]
    const submitted = await c.storm(...args)
    t.is(submitted.code, 0, submitted.stdout + submitted.stderr)
    await allWords(t, c)
    t.deepEqual(
      (await listed(c)).map(([name, status, tasks]) => [name, status, tasks]),
      [['words', 'ACTIVE', '4']],
    )
    // The main class throws AlreadyAliveException, and Java ends with 1.
    t.is((await c.storm(...args)).code, 1)
    t.is((await c.storm('kill', 'words', '-w', '0')).code, 0)
  },
)
