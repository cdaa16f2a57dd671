import test from 'ava'
import { RemoteInvocations } from '../../../../storm-compat/drpc/remote-invocations.ts'
import { drpcFor } from './_drpc.ts'

test('what is told of a request after the close opens no connection that nobody would close', async t => {
  const { drpc } = await drpcFor(t)
  const invocations = new RemoteInvocations({ host: '127.0.0.1', port: drpc.invocationsPort })
  t.is(await invocations.fetchRequest('f'), undefined)
  await invocations.close()
  t.is(await invocations.fetchRequest('f'), undefined)
  await t.throwsAsync(invocations.result('1', 'x'), { code: 'DRPC_UNREACHABLE' })
  await t.throwsAsync(invocations.failRequest('1', 'why'), { code: 'DRPC_UNREACHABLE' })
})
