import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { nimbusFor, wordTopology } from './_nimbus.ts'
import { zip } from './_zip.ts'

const topology = wordTopology()
const conf = '{"topology.message.timeout.secs":7}'

test('P30: the leader is the address under which the client came, unless another is advertised', async t => {
  const { client, nimbus } = await nimbusFor(t)
  const leader = await client.call('getLeader', {})
  t.like(leader, { host: 'localhost', port: nimbus.port, isLeader: true })
  const other = await nimbusFor(t, { advertise: 'storm.example' })
  t.is((await other.client.call('getLeader', {})).host, 'storm.example')
  t.deepEqual(JSON.parse(await other.client.call('getNimbusConf', {}))['nimbus.seeds'], [
    'storm.example',
  ])
})

test('P31: the version of the cluster is a version, and old clients find their uptime', async t => {
  const { client, clock } = await nimbusFor(t)
  clock.move(5000)
  const { nimbuses, nimbus_uptime_secs, supervisors } = await client.call('getClusterInfo', {})
  t.regex(nimbuses[0]!.version, /^\d+\.\d+\.\d+$/)
  t.is(nimbus_uptime_secs, 5)
  t.true(supervisors[0]!.num_workers > supervisors[0]!.num_used_workers)
})

test('a jar is uploaded in chunks, submitted with its resources, and gone after the kill', async t => {
  const { client, host, clock } = await nimbusFor(t)
  const jar = zip({ name: 'resources/words.py', content: 'print()' }, { name: 'a.class' })
  const uploadedJarLocation = await client.call('beginFileUpload', {})
  const location = uploadedJarLocation
  await client.call('uploadChunk', { location, chunk: jar.subarray(0, 10) })
  await client.call('uploadChunk', { location, chunk: jar.subarray(10) })
  await client.call('finishFileUpload', { location })

  t.true(await client.call('isTopologyNameAllowed', { name: 'wc' }))
  await client.call('submitTopology', { name: 'wc', uploadedJarLocation, jsonConf: conf, topology })
  t.false(await client.call('isTopologyNameAllowed', { name: 'wc' }))
  const [request] = host.requests
  t.is(request!.id, 'wc-1-1700000000')
  t.is(readFileSync(join(request!.resources, 'words.py'), 'utf8'), 'print()')
  t.true(existsSync(request!.pidDir))

  const id = await client.call('beginFileDownload', { file: location })
  t.deepEqual(Buffer.from(await client.call('downloadChunk', { id })), jar)
  t.is((await client.call('downloadChunk', { id })).length, 0)

  await client.call('killTopologyWithOpts', { name: 'wc', options: { wait_secs: 0 } })
  clock.move(0)
  const gone = async () => (await client.call('getTopologySummaries', {})).length === 0
  while (!(await gone())) await client.call('getLeader', {})
  t.false(existsSync(request!.resources))
  t.deepEqual(host.notes, ['submit wc true', 'deactivate', 'kill'])
})

test('a kill waits for the message timeout if nothing is said, and the topology is seen meanwhile', async t => {
  const { client, clock, host } = await nimbusFor(t)
  await client.call('submitTopology', { name: 'wc', jsonConf: conf, topology })
  await client.call('killTopology', { name: 'wc' })
  const status = async () => (await client.call('getClusterInfo', {})).topologies[0]?.status
  t.is(await status(), 'KILLED')
  await t.throwsAsync(client.call('submitTopology', { name: 'wc', topology }), {
    name: 'AlreadyAliveException',
  })
  await t.throwsAsync(client.call('activate', { name: 'wc' }), { name: 'NotAliveException' })
  clock.move(6999)
  t.is(await status(), 'KILLED')
  t.false(host.notes.includes('kill'))
  clock.move(1)
  while ((await status()) !== undefined) await client.call('getLeader', {})
  t.true(host.notes.includes('kill'))
})

test('a topology is submitted inactive, activated, deactivated and rebalanced', async t => {
  const { client, clock, host } = await nimbusFor(t)
  await client.call('submitTopologyWithOpts', {
    name: 'wc',
    topology,
    options: { initial_status: 'INACTIVE' },
  })
  const summary = () => client.call('getTopologySummaryByName', { name: 'wc' })
  t.is((await summary()).status, 'INACTIVE')
  await client.call('activate', { name: 'wc' })
  t.is((await summary()).status, 'ACTIVE')
  t.like(await summary(), { num_tasks: 4, num_executors: 4, num_workers: 1 })
  const num_executors = new Map([['split', 2]])
  const options = { wait_secs: 3, num_workers: 5, num_executors }
  await client.call('rebalance', { name: 'wc', options })
  t.is((await summary()).status, 'REBALANCING')
  clock.move(3000)
  while ((await summary()).status !== 'ACTIVE') await client.call('getLeader', {})
  t.like(await summary(), { num_tasks: 4, num_executors: 3, num_workers: 5 })
  await client.call('deactivate', { name: 'wc' })
  t.is((await summary()).status, 'INACTIVE')
  t.deepEqual(host.notes, [
    'submit wc false',
    'activate',
    'deactivate',
    'rebalance',
    'activate',
    'deactivate',
  ])
})

test('a rebalance of what is not there, to nothing, or of settings is refused', async t => {
  const { client } = await nimbusFor(t)
  await client.call('submitTopology', { name: 'wc', topology })
  const rebalance = (options: Parameters<typeof client.call<'rebalance'>>[1]['options']) =>
    t.throwsAsync(client.call('rebalance', { name: 'wc', options }), {
      name: 'InvalidTopologyException',
    })
  await rebalance({ num_executors: new Map([['splitter', 2]]) })
  await rebalance({ num_executors: new Map([['split', 0]]) })
  await rebalance({ num_workers: 0 })
  await rebalance({ topology_conf_overrides: '{"topology.debug":true}' })
})

test('every mistake of a topology is told at once', async t => {
  const { client, host } = await nimbusFor(t)
  const bolt = topology.bolts.get('split')!
  const [input] = bolt.common.inputs
  const inputs = [[{ componentId: 'word', streamId: 'default' }, input![1]] as const]
  const wrong = {
    ...topology,
    bolts: new Map([
      ['split', { ...bolt, common: { ...bolt.common, inputs, json_conf: '{' } }],
      [
        '__sys',
        { ...bolt, bolt_object: { kind: 'serialized_java', value: Buffer.of(1) } as const },
      ],
    ]),
  }
  const error = await t.throwsAsync(
    client.call('submitTopology', { name: 'w.c', topology: wrong }),
    {
      name: 'InvalidTopologyException',
    },
  )
  for (const told of [
    /"w\.c" is not a valid topology name/,
    /component split, its conf: is no JSON/,
    /component "word", which does not exist \(did you mean "words"\?\)/,
    /"__sys" is not a valid id/,
    /component __sys: is the Java class/,
  ]) {
    t.regex(error!.message, told)
  }
  t.deepEqual(host.notes, [])
})

test('a topology that cannot start is refused with the reason, and its name is free again', async t => {
  const { client, host } = await nimbusFor(t)
  host.starting = () => Promise.reject(new Error('words: python3 is not there'))
  await t.throwsAsync(client.call('submitTopology', { name: 'wc', topology }), {
    name: 'InvalidTopologyException',
    message: 'words: python3 is not there',
  })
  t.true(await client.call('isTopologyNameAllowed', { name: 'wc' }))
  t.false(existsSync(join(host.requests[0]!.resources, '..')))
})

test('a topology that starts slowly is answered in time; what fails later is its failure', async t => {
  const { client, host, clock } = await nimbusFor(t)
  let fail: (error: Error) => void = () => undefined
  host.starting = () =>
    new Promise((_, reject) => {
      fail = reject
      // The answer's patience is over at once.
      setImmediate(() => clock.move(4_000))
    })
  await client.call('submitTopology', { name: 'wc', topology })
  t.is((await client.call('getTopologySummaryByName', { name: 'wc' })).status, 'ACTIVE')
  fail(new Error('no module named numpy'))
  const summary = () => client.call('getTopologySummaryByName', { name: 'wc' })
  while ((await summary()).status !== 'FAILED') await client.call('getLeader', {})
  t.is((await summary()).sched_status, 'no module named numpy')
})

test('a jar that was never uploaded, or is none, is refused', async t => {
  const { client } = await nimbusFor(t)
  const submit = (uploadedJarLocation: string) =>
    t.throwsAsync(client.call('submitTopology', { name: 'wc', uploadedJarLocation, topology }), {
      name: 'InvalidTopologyException',
    })
  t.regex((await submit('/etc/passwd'))!.message, /jar of wc is not here/)
  const location = await client.call('beginFileUpload', {})
  t.regex((await submit(location))!.message, /not uploaded to its end/)
  await client.call('uploadChunk', { location, chunk: Buffer.from('no zip') })
  await client.call('finishFileUpload', { location })
  t.regex((await submit(location))!.message, /no jar or zip file/)
  await t.throwsAsync(
    client.call('uploadChunk', { location: '/etc/passwd', chunk: Buffer.of(1) }),
    {
      message: /there is no such upload/,
    },
  )
  await t.throwsAsync(client.call('beginFileDownload', { file: '/etc/passwd' }), {
    message: /no uploaded file/,
  })
})

test('figures fill every window, errors come newest first, sums are right over the executors', async t => {
  const { client } = await nimbusFor(t)
  await client.call('submitTopology', { name: 'wc', topology })
  const id = 'wc-1-1700000000'
  const info = await client.call('getTopologyInfo', { id })
  t.deepEqual(
    info.executors.map(({ component_id, executor_info: e }) => [
      component_id,
      e.task_start,
      e.task_end,
    ]),
    [
      ['words', 5, 5],
      ['split', 2, 2],
      ['split', 3, 3],
      ['split', 4, 4],
    ],
  )
  const executed = info.executors.flatMap(({ stats }) => {
    if (stats?.specific.kind !== 'bolt') return []
    return [stats.specific.value.executed.get('600')![0]![1]]
  })
  t.deepEqual(executed, [15n, 5n, 0n])
  t.deepEqual(
    info.executors.map(({ host, port }) => `${host}:${port}`),
    ['far:6701', 'localhost:6700', 'far:6701', 'localhost:6700'],
  )
  t.deepEqual(
    info.errors.get('split')?.map(({ error }) => error),
    ['second', 'first'],
  )
  const one = await client.call('getTopologyInfoByNameWithOpts', {
    name: 'wc',
    options: { num_err_choice: 'ONE' },
  })
  t.is(one.errors.get('split')?.length, 1)

  const page = await client.call('getTopologyPageInfo', {
    id,
    window: '600',
    is_include_sys: false,
  })
  t.is(page.topology_stats?.window_to_acked?.get(':all-time'), 20n)
  t.is(page.topology_stats?.window_to_failed?.get('86400'), 1n)
  const bolt = page.id_to_bolt_agg_stats?.get('split')
  t.like(bolt?.common_stats, { num_tasks: 3, emitted: 80n, acked: 20n })
  t.like(bolt?.specific_stats?.value, {
    executed: 20n,
    execute_latency_ms: 2,
    process_latency_ms: 3,
  })
  t.like(bolt?.last_error, { error: 'second', host: 'far', port: 6701 })
  t.is(page.topology_stats?.window_to_complete_latencies_ms?.get('600'), 150)

  const component = await client.call('getComponentPageInfo', {
    topology_id: id,
    component_id: 'words',
    is_include_sys: false,
  })
  t.is(component.component_type, 'SPOUT')
  t.deepEqual([...component.window_to_stats!.keys()], ['600', '10800', '86400', ':all-time'])
  t.like(component.sid_to_output_stats?.get('default')?.specific_stats?.value, {
    complete_latency_ms: 150,
  })
  await t.throwsAsync(
    client.call('getComponentPageInfo', {
      topology_id: id,
      component_id: 'word',
      is_include_sys: false,
    }),
    { name: 'NotAliveException' },
  )
})

test('confs and topologies are given back, also what is not known here', async t => {
  const { client } = await nimbusFor(t)
  await client.call('submitTopology', { name: 'wc', jsonConf: conf, topology })
  const id = 'wc-1-1700000000'
  const told = JSON.parse(await client.call('getTopologyConf', { id }))
  t.like(told, { 'storm.id': id, 'topology.name': 'wc', 'topology.message.timeout.secs': 7 })
  t.deepEqual(await client.call('getUserTopology', { id }), topology)
  t.deepEqual(await client.call('getTopology', { id }), topology)
  t.deepEqual((await client.call('getTopologyHistory', {})).topo_ids, [id])
  const [owner] = await client.call('getOwnerResourceSummaries', {})
  t.like(owner, { total_topologies: 1, total_tasks: 4 })
  const supervisor = await client.call('getSupervisorPageInfo', {
    host: 'localhost',
    is_include_sys: false,
  })
  t.deepEqual(
    supervisor.worker_summaries?.map(worker => [...worker.component_to_num_tasks!]),
    [
      [['split', 2n]],
      [
        ['words', 1n],
        ['split', 1n],
      ],
    ],
  )
})

test('what is not there is not alive', async t => {
  const { client } = await nimbusFor(t)
  const name = 'nobody'
  const dead = { name: 'NotAliveException', message: 'nobody is not alive' }
  await t.throwsAsync(client.call('killTopology', { name }), dead)
  await t.throwsAsync(client.call('activate', { name }), dead)
  await t.throwsAsync(client.call('rebalance', { name }), dead)
  await t.throwsAsync(client.call('getTopologyInfo', { id: name }), dead)
  await t.throwsAsync(client.call('getTopologyConf', { id: name }), dead)
  // These declare no exception, so the words come as an application exception.
  await t.throwsAsync(client.call('getLogConfig', { name }), { message: /nobody is not alive/ })
})

test('levels of loggers are kept for their time', async t => {
  const { client, clock } = await nimbusFor(t)
  await client.call('submitTopology', { name: 'wc', topology })
  const name = 'wc-1-1700000000'
  const level = (action: 'UPDATE' | 'REMOVE', reset_log_level_timeout_secs?: number) => ({
    action,
    target_log_level: 'DEBUG',
    reset_log_level_timeout_secs,
  })
  const config = {
    named_logger_level: new Map([
      ['a', level('UPDATE', 10)],
      ['b', level('UPDATE')],
    ]),
  }
  await client.call('setLogConfig', { name, config })
  const levels = async () => {
    const { named_logger_level } = await client.call('getLogConfig', { name })
    return [...named_logger_level!.keys()]
  }
  t.deepEqual(await levels(), ['a', 'b'])
  clock.move(10_000)
  t.deepEqual(await levels(), ['b'])
  const remove = { named_logger_level: new Map([['b', level('REMOVE')]]) }
  await client.call('setLogConfig', { name, config: remove })
  t.deepEqual(await levels(), [])
})

test('a topology that ended by itself is FAILED, and can be killed', async t => {
  const { client, host, clock } = await nimbusFor(t)
  await client.call('submitTopology', { name: 'wc', topology })
  host.info_ = { ...host.info_, status: 'failed' }
  t.is((await client.call('getClusterInfo', {})).topologies[0]?.status, 'FAILED')
  await client.call('killTopologyWithOpts', { name: 'wc', options: { wait_secs: 0 } })
  clock.move(0)
  while ((await client.call('getTopologySummaries', {})).length > 0)
    await client.call('getLeader', {})
  t.true(host.notes.includes('kill'))
})

test('a topology whose host does not answer is listed without figures', async t => {
  const { client, host } = await nimbusFor(t)
  await client.call('submitTopology', { name: 'wc', topology })
  host.info = () => Promise.reject(new Error('its executor is gone'))
  t.is((await client.call('getClusterInfo', {})).topologies[0]?.status, 'ACTIVE')
  const info = await client.call('getTopologyInfoByName', { name: 'wc' })
  t.is(info.executors[0]?.stats?.emitted.get('600')?.get('default'), 0n)
})

test('a topology that is absurdly large is refused at once', async t => {
  const { client } = await nimbusFor(t)
  const bolt = topology.bolts.get('split')!
  const [input] = bolt.common.inputs
  const inputs = Array.from(
    { length: 5000 },
    (_, i) => [{ componentId: `nobody${i}`, streamId: 'default' }, input![1]] as const,
  )
  const bolts = Array.from(
    { length: 20 },
    (_, i) => [`bolt${i}`, { ...bolt, common: { ...bolt.common, inputs } }] as const,
  )
  const startMs = performance.now()
  await t.throwsAsync(
    client.call('submitTopology', { name: 'wc', topology: { ...topology, bolts: new Map(bolts) } }),
    { message: /100000 inputs lead to no stream, the first to "default" of "nobody0"/ },
  )
  t.true(performance.now() - startMs < 10_000)
})

test('names that no file can have are refused or taken, never an accident', async t => {
  const { client, host } = await nimbusFor(t)
  await client.call('submitTopology', { name: 'n'.repeat(300), topology })
  await client.call('submitTopology', { name: 'größe 🐄\0', topology })
  t.is(host.requests.length, 2)
  t.not(host.requests[0]!.resources, host.requests[1]!.resources)
})

test('credentials go to the host, with the submission and later, and are seen nowhere', async t => {
  const { client, host } = await nimbusFor(t)
  const creds = new Map([['db', 'pass-word-1']])
  await client.call('submitTopologyWithOpts', {
    ...{ name: 'wc', jsonConf: conf, topology },
    options: { initial_status: 'ACTIVE', creds: { creds } },
  })
  t.deepEqual(host.requests[0]!.credentials, { db: 'pass-word-1' })
  await client.call('uploadNewCredentials', {
    ...{ name: 'wc', creds: { creds: new Map([['db', 'pass-word-2']]) } },
  })
  t.deepEqual(host.notes.slice(1), ['credentials db'])
  const { id } = await client.call('getTopologySummaryByName', { name: 'wc' })
  t.notRegex(await client.call('getTopologyConf', { id }), /pass-word/)
  await t.throwsAsync(
    client.call('uploadNewCredentials', {
      ...{ name: 'wc', creds: { creds, topoOwner: 'somebody else' } },
    }),
    { message: /belongs to/ },
  )
  await t.throwsAsync(client.call('uploadNewCredentials', { name: 'no', creds: { creds } }), {
    name: 'NotAliveException',
  })
})

test('uploads that are cut in half, or come in another order, are refused and leave the others alone', async t => {
  const { client } = await nimbusFor(t)
  const jar = zip({ name: 'resources/words.py', content: 'print()'.repeat(100) })
  const half = await client.call('beginFileUpload', {})
  await client.call('uploadChunk', { location: half, chunk: jar.subarray(0, jar.length / 2) })
  const submitted = (uploadedJarLocation: string) =>
    client.call('submitTopology', { name: 'wc', uploadedJarLocation, jsonConf: conf, topology })
  await t.throwsAsync(submitted(half), {
    name: 'InvalidTopologyException',
    message: /not uploaded/,
  })
  await client.call('finishFileUpload', { location: half })
  await t.throwsAsync(submitted(half), { name: 'InvalidTopologyException' })
  // What follows the end has nowhere to go.
  await t.throwsAsync(client.call('uploadChunk', { location: half, chunk: jar }), {
    message: /no such upload/,
  })
  await t.throwsAsync(client.call('finishFileUpload', { location: half }), {
    message: /no such upload/,
  })
  await t.throwsAsync(client.call('uploadChunk', { location: '/etc/passwd', chunk: jar }), {
    message: /no such upload/,
  })
  const whole = await client.call('beginFileUpload', {})
  await client.call('uploadChunk', { location: whole, chunk: jar })
  await client.call('finishFileUpload', { location: whole })
  await submitted(whole)
  t.is((await client.call('getTopologySummaryByName', { name: 'wc' })).status, 'ACTIVE')
})
