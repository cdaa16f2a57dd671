// What POSTs do, and the answers to requests that are wrong.
import test from 'ava'
import { defaults } from '../../../storm-compat/topology/settings.ts'
import { wordTopology } from '../storm-compat/nimbus/_nimbus.ts'
import { uiFor } from './_ui.ts'

const ID = 'wc-1-1700000000'

test('a topology is deactivated, activated, rebalanced and killed', async t => {
  const { client, clock, host, post, get } = await uiFor(t)
  await client.call('submitTopology', { name: 'wc', topology: wordTopology() })
  const statusNow = async () => (await get('/topology/summary')).topologies[0]?.status
  const done = (topologyOperation: string) => ({
    topologyOperation,
    topologyId: ID,
    status: 'success',
  })
  t.deepEqual((await post(`/topology/${ID}/deactivate`)).json, done('deactivate'))
  t.is(await statusNow(), 'INACTIVE')
  t.deepEqual((await post(`/topology/${ID}/activate`)).json, done('activate'))
  t.is(await statusNow(), 'ACTIVE')
  const options = { rebalanceOptions: { numWorkers: 2, executors: { split: 1 } } }
  t.deepEqual((await post(`/topology/${ID}/rebalance/5`, options)).json, done('rebalance'))
  t.is(await statusNow(), 'REBALANCING')
  clock.move(5000)
  await new Promise(resolve => setImmediate(resolve))
  t.true(host.notes.includes('rebalance'))
  t.is((await get(`/topology/${ID}/component/split`)).executors, 1)
  t.deepEqual((await post(`/topology/${ID}/kill/0`)).json, done('kill'))
  t.is(await statusNow(), 'KILLED')
})

test('a UI whose actions are turned off shows everything and changes nothing', async t => {
  const conf = { ...defaults, 'ui.actions.enabled': false }
  for (const options of [{ conf }, { actions: false }]) {
    const { client, post, get } = await uiFor(t, options)
    await client.call('submitTopology', { name: 'wc', topology: wordTopology() })
    for (const path of [`/topology/${ID}/deactivate`, `/topology/${ID}/kill/0`]) {
      const { status, json } = await post(path)
      t.is(status, 403)
      t.regex(json.errorMessage, /nothing can be changed over this UI/)
    }
    t.is((await get('/topology/summary')).topologies[0]?.status, 'ACTIVE')
  }
})

test('levels of loggers are set, shown and removed', async t => {
  const { client, post, get } = await uiFor(t)
  await client.call('submitTopology', { name: 'wc', topology: wordTopology() })
  const path = `/topology/${ID}/logconfig`
  const wanted = { target_level: 'debug', reset_level: 'INFO', timeout: 30 }
  const set = await post(path, { namedLoggerLevels: { root: wanted } })
  t.like(set.json.namedLoggerLevels.root, { target_level: 'DEBUG', timeout: 30 })
  t.is((await get(path)).namedLoggerLevels.root.timeout_epoch, 1_700_000_030)
  const removed = await post(path, { namedLoggerLevels: { root: { target_level: null } } })
  t.deepEqual(removed.json, { namedLoggerLevels: {} })
})

test('what is refused is refused in Storm’s shape, with a status that says whose fault it is', async t => {
  const { client, post, ask } = await uiFor(t)
  await client.call('submitTopology', { name: 'wc', topology: wordTopology() })
  const wrong = [
    [ask('/api/v1/topology/nobody-1-1'), 404, /nobody-1-1 is not alive/],
    [ask(`/api/v1/topology/${ID}/component/nobody`), 404, /no component "nobody"/],
    [post('/topology/nobody-1-1/kill/0'), 404, /not alive/],
    [ask('/api/v1/nothing'), 404, /there is no \/api\/v1\/nothing/],
    [ask('/index.html'), 404, /under \/api\/v1/],
    [ask(`/api/v1/topology/${ID}/kill/0`), 405, /POST/],
    [post('/topology/summary'), 405, /GET/],
    [post(`/topology/${ID}/kill/soon`), 400, /the wait in seconds: "soon"/],
    [post(`/topology/${ID}/kill/99999999999`), 400, /no whole number/],
    [ask(`/api/v1/topology/${ID}?window=soon`), 400, /window is one of 600/],
    [ask('/api/v1/topology/%'), 400, /not encoded/],
    [post(`/topology/${ID}/logconfig`, [1]), 400, /no JSON object/],
    [post(`/topology/${ID}/logconfig`), 400, /no JSON object/],
    [
      post(`/topology/${ID}/logconfig`, { namedLoggerLevels: { a: { target_level: 'LOUD' } } }),
      400,
      /LOUD is no level/,
    ],
    [
      post(`/topology/${ID}/rebalance/0`, { rebalanceOptions: { executors: { x: 2 } } }),
      400,
      /no component "x"/,
    ],
    [post(`/topology/${ID}/debug/enable/10`), 501, /event logger/],
    [post(`/topology/${ID}/component/split/debug/disable/0`), 501, /event logger/],
    [post(`/topology/${ID}/debug/explode/10`), 404, /explode/],
  ] as const
  for (const [reply, status, words] of wrong) {
    const { json, status: was } = await reply
    t.is(was, status, json.errorMessage)
    t.regex(json.error, new RegExp(`^${status} \\w`))
    t.regex(json.errorMessage, words)
    t.deepEqual(Object.keys(json), ['error', 'errorMessage'])
  }
})

test('profilers are disabled, as Storm says it', async t => {
  const { post } = await uiFor(t)
  const { json, status } = await post(`/topology/${ID}/profiling/start/h:6700/10`)
  t.is(status, 200)
  t.is(json.status, 'disabled')
})

test('bodies are JSON and bounded', async t => {
  const { ask } = await uiFor(t)
  const path = `/api/v1/topology/${ID}/logconfig`
  const type = { 'Content-Type': 'application/json' }
  const big = await ask(path, { method: 'POST', headers: type, body: ' '.repeat(70_000) })
  t.is(big.status, 413)
  t.is(big.headers.connection, 'close')
  t.is((await ask(path, { method: 'POST', headers: type, body: '{' })).status, 400)
  const form = { 'Content-Type': 'text/plain' }
  t.is((await ask(path, { method: 'POST', headers: form, body: '{}' })).status, 415)
})

test('what a Nimbus answers that JSON cannot say is an error of the page, and not the end of the process', async t => {
  const answer = { topo_ids: [1n] }
  const { ask } = await uiFor(t, {
    nimbus: body => body({ call: async () => answer as never }),
  })
  const { status, json } = await ask('/api/v1/history/summary')
  t.is(status, 500)
  t.regex(json.errorMessage, /BigInt/)
})
