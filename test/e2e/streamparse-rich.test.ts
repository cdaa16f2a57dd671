// A streamparse project that uses most of its API, submitted by its own command, unmodified: several environments, options at every
// level, all groupings, streams by name, direct emits, replays, batching bolts with and without ticks, a script as a bolt.
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { realTest } from '../real/parts.ts'
import { jarOf, type NimbusRun, runNimbus } from './nimbus/nimbus-run.ts'
import { until } from './until.ts'

const COUNT = 30
const NUMBERS = Array.from({ length: COUNT }, (_, n) => n)
const ODD = NUMBERS.filter(n => n % 2 === 1)

/** A project with two environments, of which one has a cluster. */
function project(t: ExecutionContext, run: NimbusRun, program: string) {
  const bin = dirname(program)
  const path = process.env.PATH
  process.env.PATH = `${bin}:${path}`
  t.teardown(() => {
    process.env.PATH = path
  })
  const folder = join(run.dir, 'project')
  const environment = (nimbus: string, options: object) => ({
    ...{ user: '', nimbus, workers: ['localhost'], virtualenv_root: '', options },
    ...{ use_ssh_for_nimbus: false, use_virtualenv: false },
    log: { path: '', file: '', max_bytes: 1000000, backup_count: 10, level: 'info' },
  })
  const options = { 'collect.file': run.collected, 'rich.environment': 'of the environment' }
  const envs = {
    dev: environment('localhost:1', {}),
    test: environment(`localhost:${run.port}`, { ...options, 'rich.count': 1 }),
  }
  // A serializer would be put before the script of a ShellBolt, by streamparse itself.
  const config = { topology_specs: 'topologies/', envs }
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({ ...config, virtualenv_specs: 'virtualenvs/' }),
  )
  writeFileSync(run.jar, jarOf(join(folder, 'src')))
  return (...args: string[]) => run.client(join(bin, 'sparse'), args, folder)
}

realTest(
  test,
  ['streamparse'],
  'a rich streamparse project: environments, options, groupings, streams, replays, batches and scripts',
  async (t, [streamparse]) => {
    const run = await runNimbus(t)
    const sparse = project(t, run, streamparse.program!)
    const submit = [
      'submit',
      '-e',
      'test',
      '-j',
      run.jar,
      '-w',
      '2',
      '-a',
      '1',
      '--timeout',
      '60000',
    ]
    await sparse(...submit, '-n', 'rich', '-N', 'renamed', '-o', `rich.count=${COUNT}`)
    t.regex(await sparse('list', '-e', 'test'), /\| renam \|.*\| ACTI \|/)

    /** What a component noted, by its tasks. */
    const noted = (component: string) => {
      const words = run.words().map(line => line.split(' '))
      const tasks = new Map<string, string[]>()
      for (const [name, task, ...rest] of words) {
        if (name === component) tasks.set(task!, [...(tasks.get(task!) ?? []), rest.join(' ')])
      }
      return tasks
    }
    const all = (component: string) => [...noted(component).values()].flat()
    const sorted = (list: readonly string[]) => list.map(Number).sort((a, b) => a - b)
    const batched = (component: string) => all(component).flatMap(line => line.split(' ').slice(1))

    const ends = 3 * COUNT + ODD.length
    const acked = () => all('numbers').filter(line => line.startsWith('acked'))
    await until('all is acked', () => acked().length === ends, 60_000)
    await until(
      'batches are done',
      () => batched('tickless').length + batched('batch').length === 2 * COUNT,
    )

    const failed = all('numbers').filter(line => line.startsWith('failed'))
    t.deepEqual(
      failed.sort(),
      NUMBERS.filter(n => n % 5 === 3)
        .map(n => `failed retried-${n}`)
        .sort(),
    )
    t.is(new Set(acked()).size, ends)
    for (const lines of noted('parity').values()) {
      const [conf, ...tuples] = lines
      t.is(conf, 'conf of the spec of the topology 2 of the environment')
      t.true(new Set(tuples.map(line => line.split(' ')[0])).size <= 1)
    }
    t.is(all('parity').length, COUNT + 2)
    t.deepEqual([...noted('everywhere').values()].map(sorted), [ODD, ODD])
    t.deepEqual([...noted('first').values()].map(sorted), [ODD])
    for (const component of ['near', 'anywhere']) t.deepEqual(sorted(all(component)), ODD)
    const straight = [...noted('straight')].sort(([a], [b]) => Number(a) - Number(b))
    t.deepEqual(
      straight.map(([, lines]) => sorted(lines)),
      [0, 1, 2].map(rest => NUMBERS.filter(n => n % 3 === rest)),
    )
    for (const component of ['batch', 'tickless']) {
      t.deepEqual(sorted(batched(component)), NUMBERS)
      for (const line of all(component)) {
        const [key, ...ns] = line.split(' ')
        t.true(ns.every(n => Number(n) % 2 === (key === 'odd' ? 1 : 0)))
      }
    }
    const echoed = () => all('echo').reduce((sum, line) => sum + Number(line.split(' ')[1]), 0)
    await until('the script has all batches', () => echoed() === 2 * COUNT)

    await sparse('kill', '-e', 'test', '-n', 'renamed', '--wait', '0')
    const foreign = await t.throwsAsync(sparse(...submit, '-n', 'foreign'))
    t.regex(`${foreign!.message}${(foreign as { stdout?: string }).stdout}`, /com\.example\.Spout/)
  },
)
