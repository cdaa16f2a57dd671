// Who may ask: programs and pages of the same address, nobody else's pages; and JSONP.
import test from 'ava'
import { type Approach, isOwnName, refusalOf } from '../../../storm-compat/ui/guard.ts'
import { wordTopology } from '../storm-compat/nimbus/_nimbus.ts'
import { uiFor } from './_ui.ts'

const options = { hosts: ['storm.example'], origins: ['https://board.example'] }
const host = 'localhost:8080'
const refused = (headers: Approach['headers'], method = 'POST', asScript = false) =>
  refusalOf({ method, headers: { host, ...headers }, asScript }, options) !== undefined

test('programs, which send no origin, may do everything', t => {
  t.false(refused({}))
  t.false(refused({}, 'GET', true))
})

test('a page of the same address may act, and one whose origin is named', t => {
  t.false(refused({ origin: 'http://localhost:8080' }))
  t.false(refused({ referer: 'http://localhost:8080/topology.html?id=x' }))
  t.false(refused({ origin: 'https://board.example' }))
  t.false(refused({ origin: 'http://localhost', host: 'localhost:80' }))
})

test('a page of another site may neither act nor load an answer as a script', t => {
  for (const headers of [
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: 'http://localhost:9090' },
    { referer: 'http://evil.example/page' },
    { referer: 'rubbish' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ]) {
    t.true(refused(headers), JSON.stringify(headers))
    t.true(refused(headers, 'GET', true), JSON.stringify(headers))
    // Its browser will not show it the answer: no header allows that.
    t.false(refused(headers, 'GET'), JSON.stringify(headers))
  }
})

test('a name that could be rebound is refused, an address or a name of ours is not', t => {
  for (const own of ['localhost', 'LOCALHOST:1', '127.0.0.1:8080', '[::1]:8080', 'storm.example'])
    t.true(isOwnName(own, options.hosts), own)
  for (const foreign of ['evil.example', 'localhost.evil.example', '1.2.3.4.evil.example', ''])
    t.false(isOwnName(foreign, options.hosts), foreign)
  t.true(refused({ host: 'evil.example:8080' }, 'GET'))
  t.true(refused({ host: undefined }, 'GET'))
})

test('the server holds to it', async t => {
  const { ask, client, host: noting } = await uiFor(t, { origins: ['https://board.example'] })
  await client.call('submitTopology', { name: 'wc', topology: wordTopology() })
  const kill = '/api/v1/topology/wc-1-1700000000/kill/0'
  const from = (origin: string) => ask(kill, { method: 'POST', headers: { Origin: origin } })
  t.is((await from('http://evil.example')).status, 403)
  const rebound = await ask('/api/v1/cluster/summary', { headers: { Host: 'evil.example' } })
  t.is(rebound.status, 403)
  t.regex(rebound.json.errorMessage, /name that is not known/)
  t.false(noting.notes.includes('deactivate'), 'nothing was killed')
  const read = await ask('/api/v1/cluster/summary', { headers: { Origin: 'http://evil.example' } })
  t.is(read.headers['access-control-allow-origin'], undefined)
  const board = await ask('/api/v1/cluster/summary', {
    headers: { Origin: 'https://board.example' },
  })
  t.is(board.headers['access-control-allow-origin'], 'https://board.example')
})

test('an answer is wrapped in a callback that is a name, and in nothing else', async t => {
  const { ask } = await uiFor(t)
  const wrapped = await ask('/api/v1/history/summary?callback=app.show')
  t.is(wrapped.text, 'app.show({"topo-history":[]});')
  t.is(wrapped.type, 'application/javascript;charset=utf-8')
  t.is(wrapped.headers['x-content-type-options'], 'nosniff')
  for (const callback of ['alert(1)', 'a;b', '', 'x'.repeat(200), 'a..b'])
    t.deepEqual((await ask(`/api/v1/history/summary?callback=${callback}`)).json, {
      'topo-history': [],
    })
  const wrong = await ask('/api/v1/topology/x?callback=f')
  t.regex(wrong.text, /^f\(\{"error":"404 Not Found"/)
})
