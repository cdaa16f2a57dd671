// What a real engine behind the Nimbus refuses, as a client of ours sees it.
import test from 'ava'
import { connectThrift } from '../../storm-compat/thrift/client.ts'
import { nimbusMethods } from '../../storm-compat/thrift/storm-nimbus.ts'
import type { StormTopology } from '../../storm-compat/thrift/storm-topology.ts'
import { runNimbus } from './nimbus/nimbus-run.ts'
import { until } from './until.ts'

function spoutOnly(execution_command: string, script: string): StormTopology {
  const streams = new Map([['default', { output_fields: ['x'], direct: false }]])
  const spout_object = { kind: 'shell', value: { execution_command, script } } as const
  return {
    spouts: new Map([['words', { spout_object, common: { inputs: [], streams } }]]),
    bolts: new Map(),
    state_spouts: new Map(),
  }
}

test('a command that is not there refuses the submission; a script that dies shows in the errors', async t => {
  const { port } = await runNimbus(t)
  const client = await connectThrift({ methods: nimbusMethods, host: '127.0.0.1', port })
  t.teardown(() => client.close())
  await t.throwsAsync(
    client.call('submitTopology', { name: 'a', topology: spoutOnly('no-such-command', 'x') }),
    { name: 'InvalidTopologyException', message: /no-such-command/ },
  )
  t.true(await client.call('isTopologyNameAllowed', { name: 'a' }))

  await client.call('submitTopology', { name: 'a', topology: spoutOnly('python3', 'nofile.py') })
  const errors = await until('an error is told', async () => {
    const info = await client.call('getTopologyInfoByName', { name: 'a' })
    return (info.errors.get('words') ?? []).length > 0 && info.errors.get('words')
  })
  t.regex(errors[0]!.error, /exited with code 2[\s\S]*nofile\.py/)
  await client.call('killTopologyWithOpts', { name: 'a', options: { wait_secs: 0 } })
  await until(
    'it is gone',
    async () => (await client.call('getTopologySummaries', {})).length === 0,
  )
})
