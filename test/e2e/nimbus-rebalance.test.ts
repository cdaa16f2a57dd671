// A rebalance of a running topology over Thrift and by `storm rebalance`: other processes take the same tasks, and each tuple
// is done once; also when the app master dies in the middle.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { connect } from 'gearpump'
import { connectThrift } from '../../storm-compat/thrift/client.ts'
import { nimbusMethods } from '../../storm-compat/thrift/storm-nimbus.ts'
import type { StormTopology } from '../../storm-compat/thrift/storm-topology.ts'
import { realTest } from '../real/parts.ts'
import { localCluster, STORM } from './cluster/processes.ts'
import { jarOf } from './nimbus/nimbus-run.ts'
import { until } from './until.ts'

const RESOURCES = fileURLToPath(new URL('./nimbus/resources', import.meta.url))
const COUNT = 3000

/** Numbers that are acked, through a bolt with two tasks, into a file. */
function numbers(): StormTopology {
  const shell = (script: string) =>
    ({ kind: 'shell', value: { execution_command: 'python3', script } }) as const
  const streams = new Map([['default', { output_fields: ['word'], direct: false }]])
  const from = (componentId: string) => ({ componentId, streamId: 'default' })
  const common = { inputs: [], streams }
  return {
    spouts: new Map([['numbers', { spout_object: shell('numbers.py'), common }]]),
    bolts: new Map([
      [
        'split',
        {
          bolt_object: shell('split.py'),
          common: {
            inputs: [[from('numbers'), { kind: 'shuffle', value: {} }]],
            streams,
            parallelism_hint: 2,
          },
        },
      ],
      [
        'collect',
        {
          bolt_object: shell('collect.py'),
          common: {
            inputs: [[from('split'), { kind: 'fields', value: ['word'] }]],
            streams: new Map(),
          },
        },
      ],
    ]),
    state_spouts: new Map(),
  }
}

async function running(t: ExecutionContext, stormPy: string, args: readonly string[]) {
  const { master, process: cluster } = await localCluster(t, [...args, '--thrift-port', '0'])
  const [, port] = await cluster.says(/Storm's clients at \S+:(\d+)/)
  const gear = await connect({ masters: [master] })
  const client = await connectThrift({
    ...{ methods: nimbusMethods, host: '127.0.0.1', port: Number(port) },
  })
  const dir = mkdtempSync(join(tmpdir(), 'gearpump-e2e-'))
  t.teardown(async () => {
    client.close()
    await gear.close()
    rmSync(dir, { recursive: true })
  })
  const jar = join(dir, 'topology.jar')
  writeFileSync(jar, jarOf(RESOURCES, stormPy))
  mkdirSync(join(dir, '.storm'))
  const conf = `nimbus.seeds: ["localhost"]\nnimbus.thrift.port: ${port}\n`
  writeFileSync(join(dir, '.storm', 'storm.yaml'), conf)
  const location = await client.call('beginFileUpload', {})
  await client.call('uploadChunk', { location, chunk: readFileSync(jar) })
  await client.call('finishFileUpload', { location })
  const jsonConf = JSON.stringify({
    ...{ 'collect.file': join(dir, 'words'), 'numbers.file': join(dir, 'done') },
    ...{ 'numbers.go': join(dir, 'go') },
    ...{ 'topology.workers': 2, 'topology.max.spout.pending': 100 },
  })
  await client.call('submitTopology', {
    ...{ name: 'numbers', uploadedJarLocation: location, jsonConf, topology: numbers() },
  })
  const lines = (name: string) =>
    existsSync(join(dir, name))
      ? readFileSync(join(dir, name), 'utf8').split('\n').slice(0, -1)
      : []
  return {
    gear,
    client,
    words: () => lines('words'),
    go: () => writeFileSync(join(dir, 'go'), ''),
    done: () => lines('done'),
    status: async () => (await client.call('getTopologySummaryByName', { name: 'numbers' })).status,
    storm: (...words: string[]) =>
      promisify(execFile)(process.execPath, [STORM, ...words], {
        env: { ...process.env, HOME: dir },
      }),
    tasks: async () => {
      const info = await client.call('getTopologyInfoByName', { name: 'numbers' })
      return info.executors
        .map(({ component_id, executor_info: { task_start, task_end } }) => [
          component_id,
          task_start,
          task_end,
        ])
        .sort((a, b) => Number(a[1]) - Number(b[1]))
    },
  }
}

for (const mode of ['--workers', '--same-process']) {
  const args = mode === '--workers' ? ['--workers', '2'] : ['--workers', '2', '--same-process']
  realTest(
    test,
    ['multilang'],
    `tasks move to other executors and each number comes once, ${args.join(' ')}`,
    async (t, [multilang]) => {
      const path = join(multilang.dir, 'storm.py')
      const run = await running(t, path, [...args, '--worker.slots', '3'])
      const ids = async () => (await run.gear.info('numbers')).executors.map(({ id }) => id)
      t.deepEqual(await ids(), [1, 2])
      const before = await run.tasks()
      await until('some are done', () => run.done().length > 500)
      const { stdout } = await run.storm(
        'rebalance',
        'numbers',
        '-w',
        '1',
        '-n',
        '3',
        '-e',
        'split=1',
      )
      t.regex(stdout, /numbers is rebalancing/)
      t.is(await run.status(), 'REBALANCING')
      await until('it is active', async () => (await run.status()) === 'ACTIVE')
      t.deepEqual(await ids(), [3, 4, 5])
      const summary = await run.client.call('getTopologySummaryByName', { name: 'numbers' })
      t.like(summary, { num_workers: 3, num_tasks: 4, num_executors: 3 })

      const sofar = run.done().length
      t.true(sofar < COUNT - 500, `${sofar} are done already`)
      run.go()
      await until('more are done', () => run.done().length > sofar + 200)
      await run.client.call('rebalance', {
        ...{
          name: 'numbers',
          options: { wait_secs: 0, num_workers: 1, num_executors: new Map([['split', 2]]) },
        },
      })
      await until('it is active', async () => (await run.status()) === 'ACTIVE')
      t.deepEqual(await ids(), [6])
      t.deepEqual(await run.tasks(), before)

      await until('all are done', () => run.done().length >= COUNT)
      const words = run
        .words()
        .map(Number)
        .sort((a, b) => a - b)
      t.deepEqual(
        words,
        Array.from({ length: COUNT }, (_, i) => i),
      )
      t.is((await run.gear.info('numbers')).deaths.length, 0)
    },
  )
}

realTest(
  test,
  ['multilang'],
  'an app master that is killed amid a rebalance ends in what was asked for, and no number is missing',
  async (t, [multilang]) => {
    const path = join(multilang.dir, 'storm.py')
    const run = await running(t, path, ['--workers', '2', '--worker.slots', '3'])
    await until('some are done', () => run.done().length > 300)
    run.go()
    await run.client.call('rebalance', {
      ...{ name: 'numbers', options: { wait_secs: 0, num_workers: 3 } },
    })
    const workers = await run.gear.workers()
    const { pid } = workers.flatMap(w => w.processes).find(p => p.executor === 0)!
    await until('it is wanted', async () =>
      (await run.gear.list()).some(({ executors }) => executors === 3),
    )
    process.kill(pid, 'SIGKILL')
    await until('it is active', async () => (await run.status()) === 'ACTIVE')
    const info = await run.gear.info('numbers')
    t.is(info.executors.length, 3)
    t.true(info.cluster!.incarnation >= 2)
    await until('all are done', () => run.done().length >= COUNT, 120_000)
    t.deepEqual(new Set(run.words().map(Number)).size, COUNT)
  },
)
