// `storm ui` against a Nimbus that answers by a table.
import test from 'ava'
import { asked } from '../../ui/_ui.ts'
import { world } from './_surroundings.ts'

const getClusterInfo = { supervisors: [], topologies: [], nimbuses: [] }

test('it shows the Nimbus of the configuration, on loopback, until it is told to end', async t => {
  let end!: () => void
  const interrupted = new Promise<void>(resolve => {
    end = resolve
  })
  const { run, printed, connections } = await world(t, {
    answers: { getClusterInfo },
    interrupted: () => interrupted,
  })
  const names = ['--allow-host', 'storm-ui', '-c', 'storm.local.hostname=node-1.example']
  const running = run('ui', '--port', '0', '-c', 'nimbus.seeds=["far"]', ...names)
  while (!printed().includes('/api/v1/')) await new Promise(resolve => setImmediate(resolve))
  const [, port] = /http:\/\/127\.0\.0\.1:(\d+)\/api/.exec(printed())!
  const reply = await asked(Number(port), '/api/v1/cluster/summary', {})
  t.like(reply.json, { supervisors: 0, slotsTotal: 0 })
  t.deepEqual(connections, ['far:6627'])
  const path = '/api/v1/cluster/configuration'
  const by = async (host: string) => (await asked(Number(port), path, { headers: { host } })).status
  t.not(await by(`storm-ui:${port}`), 403)
  t.not(await by(`node-1.example:${port}`), 403)
  t.is(await by(`evil.example:${port}`), 403)
  end()
  t.is(await running, 0)
  await t.throwsAsync(asked(Number(port), '/', {}), { code: 'ECONNREFUSED' })
})

test('a Nimbus that is not there is told to who asks, and the UI stays', async t => {
  let end!: () => void
  const interrupted = new Promise<void>(resolve => {
    end = resolve
  })
  const { run, printed, notes } = await world(t, {
    deadHosts: ['localhost'],
    interrupted: () => interrupted,
  })
  const running = run('ui', '--port=0')
  while (!printed().includes('/api/v1/')) await new Promise(resolve => setImmediate(resolve))
  const [, port] = /:(\d+)\/api/.exec(printed())!
  const reply = await asked(Number(port), '/api/v1/topology/summary', {})
  t.is(reply.status, 503)
  t.regex(reply.json.errorMessage, /no leading Nimbus found/)
  t.regex(notes(), /GET \/api\/v1\/topology\/summary/)
  end()
  t.is(await running, 0)
})

test('a port that is none is a mistake of the command line', async t => {
  const { run, notes } = await world(t)
  t.is(await run('ui', '--port', 'eighty'), 2)
  t.regex(notes(), /eighty/)
})
