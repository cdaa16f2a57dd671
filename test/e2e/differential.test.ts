// One finite topology, once on Storm's own LocalCluster and once here, in one process and over two: what each task saw,
// what was acked and failed, and which task got which key must be the same. `differential/topology.yaml` and the scripts
// beside it are read unchanged by both.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { realTest } from '../real/parts.ts'
import { until } from './until.ts'

const HERE = fileURLToPath(new URL('./differential', import.meta.url))
const GEAR = fileURLToPath(new URL('../../bin/gear', import.meta.url))
/** LocalCluster alone takes ten seconds to come up on an idle machine. */
const STORM_MS = 180_000
const run = promisify(execFile)

let top = ''

test.before(async () => {
  top = await mkdtemp(join(tmpdir(), 'gear-differential-'))
})

test.after.always(() => rm(top, { recursive: true, force: true }))

realTest(
  test,
  ['storm-local', 'multilang'],
  'results, acks, fails and routes are those of Storm',
  async (t, [storm, multilang]) => {
    const resources = join(top, 'jar/resources')
    await cp(join(HERE, 'resources'), resources, { recursive: true })
    await cp(join(multilang.dir, 'storm.py'), join(resources, 'storm.py'))
    const storms = await onStorm(join(top, 'storm'), storm.program!, join(storm.dir, 'lib/*'))
    // The topology does what it is there for: keys are spread, some inputs failed, all came in the end.
    t.is(Object.keys(storms).filter(task => task.startsWith('count')).length, 4)
    t.is(of(storms, 'numbers').filter(line => line.startsWith('["fail"')).length, 20)
    for (const executors of [1, 2]) {
      const ours = await here(join(top, `here-${executors}`), resources, executors)
      t.deepEqual(Object.keys(ours), Object.keys(storms), 'tasks have Storm’s numbers')
      for (const component of ['numbers', 'odd'])
        t.deepEqual(of(ours, component), of(storms, component), `${component}, ${executors}`)
      for (const task of Object.keys(storms))
        if (!task.startsWith('odd')) t.deepEqual(ours[task], storms[task], `${task}, ${executors}`)
    }
  },
)

/** What each task saw, sorted: its order is nobody's promise. Storm shuffles `odd` as it likes: compared as a whole. */
type Seen = Record<string, string[]>

const of = (seen: Seen, component: string): string[] =>
  Object.keys(seen)
    .filter(task => task.startsWith(`${component}-`))
    .flatMap(task => seen[task]!)
    .sort()

async function witnessed(dir: string): Promise<Seen> {
  const files = (await readdir(dir)).filter(name => name.endsWith('.jsonl')).sort()
  const seen: Seen = {}
  for (const name of files) {
    const lines = (await readFile(join(dir, name), 'utf8')).split('\n').filter(line => line !== '')
    seen[name.slice(0, -'.jsonl'.length)] = lines.sort()
  }
  return seen
}

async function onStorm(dir: string, java: string, lib: string): Promise<Seen> {
  await mkdir(dir, { recursive: true })
  const jar = `${dir}.jar`
  await run('jar', ['--create', '--file', jar, '-C', join(top, 'jar'), 'resources'])
  const args = ['-Xmx512m', `-Dstorm.jar=${jar}`, `-Dstorm.local.sleeptime=${STORM_MS / 1000}`]
  const main = ['org.apache.storm.LocalCluster', 'org.apache.storm.flux.Flux']
  const child = spawn(
    java,
    [...args, '-cp', `${jar}:${lib}`, ...main, '--env-filter', join(HERE, 'topology.yaml')],
    { cwd: dir, env: { ...process.env, WITNESS_DIR: dir }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const log = createWriteStream(`${dir}.log`)
  child.stdout.pipe(log)
  child.stderr.pipe(log)
  try {
    await until('Storm has acked all', () => ended(dir, child), STORM_MS)
  } finally {
    await end(child)
  }
  return witnessed(dir)
}

async function ended(dir: string, child: ChildProcess): Promise<boolean> {
  if (child.exitCode !== null) throw new Error(`LocalCluster ended by itself, see ${dir}.log`)
  return of(await witnessed(dir), 'numbers').includes('["end"]')
}

/** In order, so that its children go with it. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 20_000)
  await exit
  clearTimeout(late)
}

async function here(dir: string, resources: string, executors: number): Promise<Seen> {
  await mkdir(dir)
  const options = ['--resources', resources, '--env-filter', '--executors', String(executors)]
  await run(
    process.execPath,
    [GEAR, 'run', join(HERE, 'topology.yaml'), ...options, '--until-drained'],
    { env: { ...process.env, WITNESS_DIR: dir } },
  )
  return witnessed(dir)
}
