import { readFileSync } from 'node:fs'
import test from 'ava'
import { EngineError } from 'gearpump'
import { refusedMethods } from '../../../../storm-compat/nimbus/refused-methods.ts'
import { nimbusMethods } from '../../../../storm-compat/thrift/storm-nimbus.ts'
import { nimbusFor } from './_nimbus.ts'

const page = readFileSync(new URL('../../../../docs/storm-nimbus.md', import.meta.url), 'utf8')
const rows = [...page.matchAll(/^\| `(\w+)` \| ([\d.x]+) \| (answered|refused) \|/gm)]

test('docs/storm-nimbus.md names every method, and which are refused', t => {
  t.deepEqual(rows.map(([, name]) => name).sort(), Object.keys(nimbusMethods).sort())
  const refused = rows.filter(([, , , how]) => how === 'refused').map(([, name]) => name)
  t.deepEqual(refused.sort(), Object.keys(refusedMethods).sort())
})

test('a refused method says what to use instead', async t => {
  const { client } = await nimbusFor(t)
  const args = { name: 'a', component: 'b', enable: true, samplingPercentage: 10 }
  await t.throwsAsync(client.call('debug', args), {
    instanceOf: EngineError,
    code: 'THRIFT_CALL_FAILED',
    message: `debug: ${refusedMethods.debug}`,
  })
  await t.throwsAsync(client.call('getSupervisorAssignments', { node: 'n' }), {
    message: /no supervisors/,
  })
})
