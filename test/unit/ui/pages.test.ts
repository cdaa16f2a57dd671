// Every field of every page, against the lists of Storm 2.8's UI, and what stands in those that somebody computes with.
import test, { type ExecutionContext } from 'ava'
import type { AskLag, LagQuestion } from '../../../storm-compat/ui/spout-lag.ts'
import { topologyMetricsJson } from '../../../storm-compat/ui/topology-pages.ts'
import { wordTopology } from '../storm-compat/nimbus/_nimbus.ts'
import { uiFor } from './_ui.ts'

const ID = 'wc-1-1700000000'

/** Fields by page, as Storm names them; nested rows by their path. */
const FIELDS: Readonly<Record<string, readonly [path: string, fields: string][]>> = {
  '/cluster/summary': [
    [
      '',
      `user stormVersion stormVersionInfo supervisors topologies slotsUsed slotsTotal slotsFree tasksTotal executorsTotal
      totalMem totalCpu availMem availCpu fragmentedMem fragmentedCpu schedulerDisplayResource memAssignedPercentUtil
      cpuAssignedPercentUtil bugtracker-url central-log-url availGenerics totalGenerics nimbusUptime nimbusUptimeSeconds`,
    ],
    ['stormVersionInfo', 'version revision branch date srcChecksum'],
  ],
  '/token': [['', 'antiForgeryToken']],
  '/nimbus/summary': [
    ['', 'nimbuses'],
    ['nimbuses.0', 'host port status version nimbusUpTimeSeconds nimbusUpTime nimbusLogLink'],
  ],
  '/owner-resources': [
    ['', 'owners schedulerDisplayResource'],
    [
      'owners.0',
      `owner totalTopologies totalExecutors totalWorkers totalTasks totalMemoryUsage totalCpuUsage memoryGuarantee
      cpuGuarantee isolatedNodes memoryGuaranteeRemaining cpuGuaranteeRemaining totalReqOnHeapMem totalReqOffHeapMem
      totalReqMem totalReqCpu totalAssignedOnHeapMem totalAssignedOffHeapMem`,
    ],
  ],
  '/history/summary': [['', 'topo-history']],
  '/supervisor/summary': [
    ['', 'logviewerPort logviewerScheme supervisors schedulerDisplayResource'],
    [
      'supervisors.0',
      `id host uptime blacklisted uptimeSeconds slotsTotal slotsUsed slotsFree totalMem totalCpu usedMem usedCpu logLink
      availMem availCpu version totalGenericResources usedGenericResources availGenericResources`,
    ],
  ],
  '/supervisor?id=gearpump': [
    ['', 'workers schedulerDisplayResource supervisors logviewerPort logviewerScheme'],
    [
      'workers.0',
      `supervisorId host port topologyId topologyName executorsTotal assignedMemOnHeap assignedMemOffHeap assignedCpu
      componentNumTasks uptime uptimeSeconds workerLogLink owner`,
    ],
  ],
  '/topology/summary': [
    ['', 'topologies schedulerDisplayResource'],
    [
      'topologies.0',
      `id encodedId owner name status uptime uptimeSeconds tasksTotal workersTotal executorsTotal replicationCount
      schedulerInfo requestedMemOnHeap requestedMemOffHeap requestedTotalMem requestedCpu requestedGenericResources
      assignedMemOnHeap assignedMemOffHeap assignedTotalMem assignedCpu assignedGenericResources topologyVersion
      stormVersion`,
    ],
  ],
  [`/topology-workers/${ID}`]: [
    ['', 'hostPortList logviewerPort logviewerScheme'],
    ['hostPortList.0', 'host port'],
  ],
  [`/topology/${ID}`]: [
    [
      '',
      `id encodedId owner name status uptime uptimeSeconds tasksTotal workersTotal executorsTotal schedulerInfo
      requestedMemOnHeap requestedMemOffHeap requestedCpu requestedTotalMem assignedMemOnHeap assignedMemOffHeap
      assignedTotalMem assignedCpu requestedRegularOnHeapMem requestedSharedOnHeapMem requestedRegularOffHeapMem
      requestedSharedOffHeapMem requestedGenericResources assignedRegularOnHeapMem assignedSharedOnHeapMem
      assignedRegularOffHeapMem assignedSharedOffHeapMem assignedGenericResources topologyStats workers spouts bolts
      configuration debug samplingPct replicationCount topologyVersion stormVersion user window windowHint msgTimeout
      visualizationTable schedulerDisplayResource bugtracker-url central-log-url`,
    ],
    ['topologyStats.0', 'windowPretty window emitted transferred completeLatency acked failed'],
    [
      'spouts.0',
      `executors tasks emitted transferred acked failed spoutId encodedSpoutId completeLatency lastError errorHost
      errorPort errorWorkerLogLink errorTime errorLapsedSecs requestedMemOnHeap requestedMemOffHeap requestedCpu
      requestedGenericResourcesComp`,
    ],
    [
      'bolts.0',
      `executors tasks emitted transferred acked failed boltId encodedBoltId capacity executeLatency executed
      processLatency lastError errorHost errorPort errorWorkerLogLink errorTime errorLapsedSecs requestedMemOnHeap
      requestedMemOffHeap requestedCpu requestedGenericResourcesComp`,
    ],
  ],
  [`/topology/${ID}/metrics`]: [
    ['', 'window windowHint window-hint spouts bolts'],
    ['spouts.0', 'id emitted transferred acked failed complete_ms_avg'],
    ['bolts.0', 'id emitted transferred acked failed process_ms_avg executed executed_ms_avg'],
    ['bolts.0.executed.0', 'component_id stream_id value'],
    ['spouts.0.complete_ms_avg.0', 'stream_id value'],
  ],
  [`/topology/${ID}/visualization`]: [
    ['', 'words split'],
    ['split', ':type :capacity :latency :transferred :stats :link :inputs'],
    ['split.:inputs.0', ':component :stream :sani-stream :grouping'],
    ['words.:stats.0', ':host :port :uptime_secs :transferred'],
  ],
  [`/topology/${ID}/visualization-init`]: [
    ['', 'visualizationTable'],
    ['visualizationTable.0', ':row'],
    ['visualizationTable.0.:row.0', ':stream :sani-stream :checked'],
  ],
  [`/topology/${ID}/component/words`]: [
    [
      '',
      `spoutSummary outputStats executorStats componentErrors user id encodedId name executors tasks requestedMemOnHeap
      requestedMemOffHeap requestedCpu requestedGenericResources schedulerDisplayResource topologyId topologyStatus
      encodedTopologyId window componentType windowHint debug samplingPct profilingAndDebuggingCapable
      profileActionEnabled profilerActive`,
    ],
    [
      'spoutSummary.0',
      'window windowPretty emitted transferred acked failed completeLatency lastError',
    ],
    ['outputStats.0', 'stream emitted transferred completeLatency acked failed'],
    [
      'executorStats.0',
      `id encodedId uptime uptimeSeconds host port emitted transferred completeLatency acked failed workerLogLink`,
    ],
  ],
  [`/topology/${ID}/component/split`]: [
    [
      '',
      `boltStats inputStats outputStats executorStats componentErrors user id encodedId name executors tasks
      requestedMemOnHeap requestedMemOffHeap requestedCpu requestedGenericResources schedulerDisplayResource topologyId
      topologyStatus encodedTopologyId window componentType windowHint debug samplingPct profilingAndDebuggingCapable
      profileActionEnabled profilerActive`,
    ],
    [
      'boltStats.0',
      `window windowPretty emitted transferred acked failed executeLatency executed processLatency capacity`,
    ],
    [
      'inputStats.0',
      'component encodedComponentId stream executeLatency processLatency executed acked failed',
    ],
    ['outputStats.0', 'stream emitted transferred'],
    [
      'executorStats.0',
      `id encodedId uptime uptimeSeconds host port emitted transferred capacity executeLatency executed processLatency
      acked failed workerLogLink`,
    ],
    ['componentErrors.0', 'error errorTime errorHost errorPort errorWorkerLogLink errorLapsedSecs'],
  ],
  [`/topology/${ID}/logconfig`]: [['', 'namedLoggerLevels']],
}

for (const [page, rows] of Object.entries(FIELDS)) {
  test(`${page} has Storm’s fields, all of them and no other`, async t => {
    const { client, get } = await uiFor(t)
    await client.call('submitTopology', { name: 'wc', topology: wordTopology() })
    const value = await get(page)
    for (const [path, fields] of rows) {
      const row = path === '' ? value : path.split('.').reduce((of, key) => of[key], value)
      t.deepEqual(Object.keys(row).sort(), fields.split(/\s+/).sort(), `at "${path}"`)
    }
  })
}

test('the configuration of the cluster is a plain map of settings', async t => {
  const { get } = await uiFor(t)
  t.like(await get('/cluster/configuration'), { 'ui.port': 8080, 'nimbus.host': 'localhost' })
})

test('times, latencies, windows and links are written as Storm writes them', async t => {
  const { client, clock, get } = await uiFor(t)
  await client.call('submitTopology', { name: 'wc', topology: wordTopology() })
  clock.move(93_784_000)
  const page = await get(`/topology/${ID}?window=600`)
  t.like(page, {
    uptime: '1d 2h 3m 4s',
    uptimeSeconds: 93_784,
    windowHint: '10m 0s',
    window: '600',
    msgTimeout: 30,
  })
  t.deepEqual(
    page.topologyStats.map((row: Record<string, unknown>) => [row.window, row.windowPretty]),
    [
      ['600', '10m 0s'],
      ['10800', '3h 0m 0s'],
      ['86400', '1d 0h 0m 0s'],
      [':all-time', 'All time'],
    ],
  )
  t.like(page.topologyStats[3], { emitted: 101, acked: 20, failed: 1, completeLatency: '150.000' })
  t.like(page.bolts[0], {
    executeLatency: '2.000',
    processLatency: '3.000',
    executed: 20,
    lastError: 'second',
    errorHost: 'far',
    errorPort: 6701,
    errorTime: 1_700_000_002,
    errorLapsedSecs: 93_782,
    errorWorkerLogLink: `http://far:8000/api/v1/log?file=${ID}%2F6701%2Fworker.log`,
  })
  t.like(page.spouts[0], { lastError: '', errorHost: '', errorPort: null, errorTime: null })
})

test('executors of a component show what each did, where and since when', async t => {
  const { client, clock, get } = await uiFor(t)
  await client.call('submitTopology', { name: 'wc', topology: wordTopology() })
  clock.move(120_000)
  const { executorStats, componentErrors } = await get(`/topology/${ID}/component/split`)
  const rows = executorStats as Record<string, unknown>[]
  t.deepEqual(
    rows.map(row => [row.id, row.host, row.port, row.executed, row.executeLatency, row.uptime]),
    [
      ['[2-2]', 'localhost', 6700, 15, '3.000', '1m 40s'],
      ['[3-3]', 'far', 6701, 5, '1.000', '5s'],
      ['[4-4]', 'localhost', 6700, 0, '0.000', '1m 40s'],
    ],
  )
  // 15 tuples of 3 ms in 100 s.
  t.is(rows[0]!.capacity, '0.000')
  t.is(rows[0]!.encodedId, '%5B2-2%5D')
  t.deepEqual(
    componentErrors.map((error: { error: string }) => error.error),
    ['first', 'second'],
  )
})

test('metrics are per stream: counts summed, latencies weighted, over the executors', async t => {
  const { client, get } = await uiFor(t)
  await client.call('submitTopology', { name: 'wc', topology: wordTopology() })
  const { bolts, spouts } = await get(`/topology/${ID}/metrics`)
  t.deepEqual(bolts[0].executed, [{ component_id: 'words', stream_id: 'default', value: 20 }])
  // 15 of 3 ms and 5 of 1 ms.
  t.is(bolts[0].executed_ms_avg[0].value, '2.500')
  t.deepEqual(spouts[0].complete_ms_avg, [{ stream_id: 'default', value: '150.000' }])
  t.deepEqual(topologyMetricsJson({ executors: [] } as never, { id: 'x' }, '600').spouts, [])
})

test('a window that Storm does not keep is answered, with nothing counted in it', async t => {
  const { client, get } = await uiFor(t)
  await client.call('submitTopology', { name: 'wc', topology: wordTopology() })
  const page = await get(`/topology/${ID}?window=60`)
  t.like(page, { window: '60', windowHint: '1m 0s' })
  t.like(page.spouts[0], { spoutId: 'words', emitted: 0, acked: 0, completeLatency: '0.000' })
  t.like(page.bolts[0], { boltId: 'split', executed: 0, executeLatency: '0.000' })
  t.is(page.topologyStats.find((row: { window: string }) => row.window === ':all-time').acked, 20)
  t.deepEqual((await get(`/topology/${ID}/metrics?window=60`)).bolts[0].executed, [])
  t.is((await get(`/topology/${ID}/component/split?window=60`)).boltStats.length, 4)
})

test('passwords of a topology are not shown', async t => {
  const { client, get } = await uiFor(t)
  const jsonConf = JSON.stringify({ 'db.password': 'hunter2', 'api.token': 't', 'a.b': 'seen' })
  await client.call('submitTopology', { name: 'wc', jsonConf, topology: wordTopology() })
  const { configuration } = await get(`/topology/${ID}`)
  t.like(configuration, { 'db.password': '*****', 'api.token': '*****', 'a.b': 'seen' })
})

const LAG_CONF = {
  'config.topics': 'x,y',
  'config.groupid': 'g',
  'config.bootstrap.servers': 'k:9092',
}

async function lagOf(t: ExecutionContext, askLag: AskLag, more: Record<string, unknown> = {}) {
  const { client, get } = await uiFor(t, { askLag })
  const topology = wordTopology()
  const [, spout] = [...topology.spouts][0]!
  const common = { ...spout.common, json_conf: JSON.stringify({ ...LAG_CONF, ...more }) }
  const spouts = new Map([...topology.spouts, ['kafka', { ...spout, common }]])
  await client.call('submitTopology', { name: 'wc', topology: { ...topology, spouts } })
  const lag = await get(`/topology/${ID}/lag`)
  t.deepEqual(Object.keys(lag), ['kafka'])
  return lag.kafka
}

test('the lag of a spout on Kafka is asked by its settings, and answered as in Storm', async t => {
  const asked: LagQuestion[] = []
  const result = { x: { 0: { consumerCommittedOffset: 5, logHeadOffset: 9, lag: 4 } } }
  const lag = await lagOf(t, async question => {
    asked.push(question)
    return result
  })
  t.deepEqual(lag, { spoutId: 'kafka', spoutType: 'KAFKA', spoutLagResult: result })
  t.deepEqual(asked, [{ connection: { brokers: ['k:9092'] }, groupId: 'g', topics: ['x', 'y'] }])
})

test('where Kafka cannot be asked for a lag, it is said why, and what tells it', async t => {
  const never = async () => ({})
  const away = async () => {
    throw new Error('no broker')
  }
  const secured = { 'config.security.protocol': 'SASL_SSL', 'config.sasl.mechanism': 'PLAIN' }
  const command = /--bootstrap-server k:9092 --describe --group g/
  for (const [ask, conf, why] of [
    [never, {}, /no topic of x, y is there/],
    [away, {}, /^no broker;/],
    [never, secured, /sasl.jaas.config has no user and password/],
  ] as const) {
    const { errorInfo } = await lagOf(t, ask, conf)
    t.regex(errorInfo, why)
    t.regex(errorInfo, command)
  }
})
