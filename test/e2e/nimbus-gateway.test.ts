// `storm nimbus` before a cluster of real processes: what was submitted outlives the gateway, several gateways show the same,
// and one that is killed at any moment leaves nothing half.

import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { type ClusterGear, connect } from 'gearpump'
import { connectThrift } from '../../storm-compat/thrift/client.ts'
import { nimbusMethods } from '../../storm-compat/thrift/storm-nimbus.ts'
import type { StormTopology } from '../../storm-compat/thrift/storm-topology.ts'
import { realTest } from '../real/parts.ts'
import { GearProcess, localCluster, STORM } from './cluster/processes.ts'
import { counted, expectedWords, jarOf } from './nimbus/nimbus-run.ts'
import { until } from './until.ts'

const NIMBUS = fileURLToPath(new URL('./nimbus', import.meta.url))
const SENTENCES = 200

interface Gateway {
  readonly process: GearProcess
  readonly port: number
  call: Awaited<ReturnType<typeof client>>['call']
}

async function client(t: ExecutionContext, port: number) {
  const made = await connectThrift({ methods: nimbusMethods, host: '127.0.0.1', port })
  t.teardown(() => made.close())
  return made
}

async function gateway(t: ExecutionContext, master: string, port = 0): Promise<Gateway> {
  const args = ['nimbus', '--masters', master, '--thrift-port', String(port)]
  const run = new GearProcess(args, {}, [], STORM)
  t.teardown(() => run.end())
  const [, given] = await run.says(/Storm's clients at \S+:(\d+)/)
  const made = await client(t, Number(given))
  return { process: run, port: Number(given), call: made.call.bind(made) }
}

async function killed({ process: run }: Gateway): Promise<void> {
  run.child.kill('SIGKILL')
  await run.exited
}

async function clusterOf(t: ExecutionContext): Promise<{ master: string; gear: ClusterGear }> {
  const { master } = await localCluster(t, ['--workers', '2'])
  const gear = await connect({ masters: [master] })
  t.teardown(() => gear.close())
  return { master, gear }
}

/** The topology of the tours. */
function words(): StormTopology {
  const shell = (script: string) =>
    ({ kind: 'shell', value: { execution_command: 'python3', script } }) as const
  const streams = (field: string) =>
    new Map([['default', { output_fields: [field], direct: false }]])
  const from = (componentId: string) => ({ componentId, streamId: 'default' })
  return {
    spouts: new Map([
      [
        'sentences',
        {
          spout_object: shell('sentences.py'),
          common: { inputs: [], streams: streams('sentence') },
        },
      ],
    ]),
    bolts: new Map([
      [
        'split',
        {
          bolt_object: shell('split.py'),
          common: {
            inputs: [[from('sentences'), { kind: 'shuffle', value: {} }]],
            streams: streams('word'),
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

function filesOf(t: ExecutionContext, stormPy: string) {
  const dir = mkdtempSync(join(tmpdir(), 'gearpump-e2e-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const jar = join(dir, 'topology.jar')
  const collected = join(dir, 'words.txt')
  writeFileSync(jar, jarOf(join(NIMBUS, 'resources'), stormPy))
  const found = () =>
    existsSync(collected) ? readFileSync(collected, 'utf8').split('\n').slice(0, -1) : []
  return { dir, jar, collected, found }
}

async function uploaded({ call }: Gateway, jar: string): Promise<string> {
  const location = await call('beginFileUpload', {})
  await call('uploadChunk', { location, chunk: readFileSync(jar) })
  await call('finishFileUpload', { location })
  return location
}

realTest(
  test,
  ['multilang'],
  'a topology outlives the kill -9 of its gateway, and the next one activates, lists and kills it; a second gateway shows the same',
  async (t, [multilang]) => {
    const { master, gear } = await clusterOf(t)
    const files = filesOf(t, join(multilang.dir, 'storm.py'))
    const first = await gateway(t, master)
    const topology = words()
    const jsonConf = JSON.stringify({ 'collect.file': files.collected, 'topology.workers': 2 })
    await first.call('submitTopologyWithOpts', {
      ...{ name: 'words', jsonConf, topology, options: { initial_status: 'INACTIVE' } },
      uploadedJarLocation: await uploaded(first, files.jar),
    })
    const [before] = await first.call('getTopologySummaries', {})
    const pids = async () => (await gear.info('words')).executors.map(e => e.pid)
    // A submission may be answered before its executors are there.
    const pidsBefore = await until('its executors run', async () => {
      const found = await pids()
      return found.length === 2 && !found.includes(undefined) ? found : undefined
    })
    const meta = { acl: [], replication_factor: 1 }
    const session = await first.call('beginCreateBlob', { key: 'a blob', meta })
    await first.call('uploadBlobChunk', { session, chunk: Buffer.from('content') })
    await first.call('finishBlobUpload', { session })
    await killed(first)

    const second = await gateway(t, master, first.port)
    const other = await gateway(t, master)
    const { id } = before!
    for (const { call } of [second, other]) {
      const [summary] = await call('getTopologySummaries', {})
      t.like(summary, { id, status: 'INACTIVE', owner: before!.owner, num_workers: 2 })
      t.deepEqual(await call('getUserTopology', { id }), topology)
      t.deepEqual((await call('listBlobs', {})).keys, ['a blob'])
      const download = await call('beginBlobDownload', { key: 'a blob' })
      const { session: reading } = download
      t.is((await call('downloadBlobChunk', { session: reading })).toString(), 'content')
      t.is(JSON.parse(await call('getTopologyConf', { id }))['collect.file'], files.collected)
    }
    t.deepEqual(await pids(), pidsBefore, 'its executors have not been touched')
    await t.throwsAsync(other.call('submitTopology', { name: 'words', topology }), {
      name: 'AlreadyAliveException',
    })

    await other.call('activate', { name: 'words' })
    await until('all words are there', () => files.found().length === SENTENCES * 7)
    t.deepEqual(counted(files.found()), expectedWords(SENTENCES))
    t.is((await second.call('getTopologySummaryByName', { name: 'words' })).status, 'ACTIVE')

    // The gateway that was asked to kill dies during the wait; another one does it.
    await second.call('killTopologyWithOpts', { name: 'words', options: { wait_secs: 1 } })
    t.is((await other.call('getTopologySummaryByName', { name: 'words' })).status, 'KILLED')
    await killed(second)
    await until(
      'it is gone',
      async () => (await other.call('getTopologySummaries', {})).length === 0,
    )
    t.is((await gear.info('words')).status, 'stopped')
    await until(
      'its note is gone',
      async () => (await gear.notes.list('storm/topologies/')).length === 0,
    )
  },
)

realTest(
  test,
  ['multilang'],
  'a gateway that is killed amid an upload or a submission leaves a whole topology or none',
  async (t, [multilang]) => {
    const { master, gear } = await clusterOf(t)
    const files = filesOf(t, join(multilang.dir, 'storm.py'))
    const ours = () => readdirSync(tmpdir()).filter(name => /^gearpump-nimbus-\d+-/.test(name))
    let next = await gateway(t, master)
    const { port } = next
    const listed = async (name: string) => (await gear.list()).some(app => app.name === name)
    const moments: Record<string, (name: string, answer: Promise<unknown>) => unknown> = {
      sent: () => undefined,
      noted: () =>
        until(
          'it is noted',
          async () => (await gear.notes.list('storm/topologies/')).length > topologies.length,
        ),
      known: name => until('the cluster knows it', () => listed(name)),
      answered: (_name, answer) => answer,
    }
    let topologies: readonly { readonly name: string }[] = []
    for (const [moment, reached] of Object.entries(moments)) {
      const current = next
      const location = await current.call('beginFileUpload', {})
      await current.call('uploadChunk', {
        location,
        chunk: readFileSync(files.jar).subarray(0, 99),
      })
      const uploadedJarLocation = await uploaded(current, files.jar)
      const name = `words-${moment}`
      const submission = current.call('submitTopology', {
        ...{ name, uploadedJarLocation, topology: words() },
        jsonConf: JSON.stringify({ 'collect.file': files.collected }),
      })
      submission.catch(() => undefined)
      await reached(name, submission)
      await killed(current)
      next = await gateway(t, master, port)
      topologies = await next.call('getTopologySummaries', {})
      if (moment === 'answered') t.true(topologies.some(topology => topology.name === name))
      t.false(ours().some(dir => dir.startsWith(`gearpump-nimbus-${current.process.pid}-`)))
    }
    const running = (await gear.list()).filter(({ status }) => status !== 'stopped')
    const summaries = await next.call('getTopologySummaries', {})
    t.deepEqual(summaries.map(({ name }) => name).sort(), running.map(({ name }) => name).sort())
    t.log(`came to be: ${summaries.map(({ name }) => name).join(', ')}`)
    for (const { name, id } of summaries) {
      t.deepEqual(await next.call('getUserTopology', { id }), words())
      await next.call('killTopologyWithOpts', { name, options: { wait_secs: 0 } })
    }
    await until(
      'all are gone',
      async () => (await next.call('getTopologySummaries', {})).length === 0,
    )
    // A name of which nothing came is free.
    await next.call('submitTopology', {
      ...{ name: 'words-0', topology: words() },
      uploadedJarLocation: await uploaded(next, files.jar),
      jsonConf: JSON.stringify({ 'collect.file': files.collected }),
    })
    t.is((await next.call('getTopologySummaryByName', { name: 'words-0' })).status, 'ACTIVE')
  },
)

realTest(
  test,
  ['multilang', 'streamparse', 'storm-client'],
  "Storm's client 2.8.1 and streamparse's submit through a gateway",
  async (t, [multilang, streamparse, storm]) => {
    const { master } = await clusterOf(t)
    const { port } = await gateway(t, master)
    const run = (program: string, args: readonly string[]) =>
      promisify(execFile)(program, args, {
        timeout: 150_000,
        env: { ...process.env, PATH: `${dirname(program)}:${process.env.PATH}` },
      })
    const python = filesOf(t, join(multilang.dir, 'storm.py'))
    const tour = await run(streamparse.program!, [
      ...[join(NIMBUS, 'tour.py'), String(port), python.jar, python.collected],
    ])
    t.like(JSON.parse(tour.stdout), { submitted: 'INACTIVE', rebalanced: [5, 4], waited: true })
    t.deepEqual(counted(python.found()), expectedWords(SENTENCES))
    const java = filesOf(t, join(multilang.dir, 'storm.py'))
    const classpath = `${join(storm.dir, 'lib')}/*:${join(storm.dir, 'classes')}`
    const { stdout } = await run(storm.program!, [
      ...['-Xmx256m', '-cp', classpath, 'NimbusTour', String(port), java.jar, java.collected],
    ])
    t.regex(stdout, /submitted: ACTIVE 5[\s\S]*dead: tour is not alive/)
    t.deepEqual(counted(java.found()), expectedWords(SENTENCES))
  },
)

test('a gateway listens beyond loopback only for clients who show who they are, or if that is meant', async t => {
  const refused = new GearProcess(
    ['nimbus', '--masters', '127.0.0.1:9', '--thrift-port', '0', '--gateway.bind', '0.0.0.0'],
    {},
    [],
    STORM,
  )
  t.is(await refused.exited, 2)
  t.regex(refused.output, /SECURITY_REQUIRED|listening for clients on 0\.0\.0\.0/)
  const local = new GearProcess(['local', '--thrift-port', '0', '--gateway.bind', '0.0.0.0'])
  t.is(await local.exited, 2)
  t.regex(local.output, /gateway\.usersFile/)
})
