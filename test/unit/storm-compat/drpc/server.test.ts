import { connect } from 'node:net'
import test from 'ava'
import { accessOf } from '../../../../storm-compat/drpc/access.ts'
import { ThriftException } from '../../../../storm-compat/thrift/codec.ts'
import { ManualClock } from '../nimbus/_nimbus.ts'
import { drpcFor } from './_drpc.ts'

test('a call waits until its request was fetched and answered; an empty poll is answered at once', async t => {
  const { drpc, caller, topology, pending } = await drpcFor(t)
  const empty = await topology.call('fetchRequest', { functionName: 'up' })
  t.like(empty, { func_args: '', request_id: '' })
  const client = await caller()
  const answer = client.call('execute', { functionName: 'up', funcArgs: 'héllo\n' })
  await pending(1)
  const request = await topology.call('fetchRequest', { functionName: 'up' })
  t.is(request.func_args, 'héllo\n')
  await topology.call('result', { id: request.request_id, result: 'HÉLLO\n' })
  t.is(await answer, 'HÉLLO\n')
  t.is(drpc.pending, 0)
})

test('failed requests arrive as exceptions with type and reason', async t => {
  const { caller, topology, pending } = await drpcFor(t)
  const client = await caller()
  const failing = async (fail: (id: string) => Promise<unknown>) => {
    const call = client.call('execute', { functionName: 'f' })
    await pending(1)
    const { request_id } = await topology.call('fetchRequest', { functionName: 'f' })
    await fail(request_id)
    const error = await t.throwsAsync(call, { instanceOf: ThriftException })
    return error?.value
  }
  t.like(await failing(id => topology.call('failRequest', { id })), {
    msg: 'Request failed',
    type: 'FAILED_REQUEST',
  })
  const e = { msg: 'broken', type: 'INTERNAL_ERROR' } as const
  t.like(await failing(id => topology.call('failRequestV2', { id, e })), e)
  t.like(await failing(id => topology.call('failRequestV2', { id })), { type: 'FAILED_REQUEST' })
  t.like(await failing(id => topology.call('result', { id })), {
    msg: 'the topology returned null',
    type: 'INTERNAL_ERROR',
  })
})

test('a request times out as SERVER_TIMEOUT', async t => {
  const clock = new ManualClock()
  const { caller, pending } = await drpcFor(t, { clock, requestTimeoutMs: 5000 })
  const call = (await caller()).call('execute', { functionName: 'f' })
  await pending(1)
  clock.move(5000)
  const error = await t.throwsAsync(call, { instanceOf: ThriftException })
  t.like(error?.value, { type: 'SERVER_TIMEOUT' })
})

test('a client that goes away frees its request, though it waits for an answer', async t => {
  const { caller, topology, pending } = await drpcFor(t)
  const client = await caller()
  const call = client.call('execute', { functionName: 'f', funcArgs: 'x' })
  await pending(1)
  client.close()
  await t.throwsAsync(call)
  await pending(0)
  t.like(await topology.call('fetchRequest', { functionName: 'f' }), { request_id: '' })
})

test('closing the server fails what waits with SERVER_SHUTDOWN', async t => {
  const { drpc, caller, pending } = await drpcFor(t)
  const call = (await caller()).call('execute', { functionName: 'f' })
  await pending(1)
  await drpc.close()
  const error = await t.throwsAsync(call, { instanceOf: ThriftException })
  t.like(error?.value, { type: 'SERVER_SHUTDOWN' })
})

test('each port speaks its own service, rubbish is cut off with a reason, and others go on', async t => {
  const { drpc, caller, topology, lines, pending } = await drpcFor(t)
  const spoken = (bytes: Buffer, port: number) =>
    new Promise<void>(resolve => {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => socket.destroy())
      socket.on('close', () => resolve())
      socket.resume()
      socket.write(bytes)
    })
  await spoken(Buffer.from('GET /drpc/f HTTP/1.1\r\n\r\n'), drpc.port)
  await spoken(Buffer.from('7fffffff00', 'hex'), drpc.invocationsPort)
  t.regex(lines.join('\n'), /HTTP[\s\S]*declares 2147483647 bytes; at most 1048576/)
  const client = await caller()
  const half = connect(drpc.port, '127.0.0.1')
  half.end(Buffer.from('000000ff8001', 'hex'))
  const call = client.call('execute', { functionName: 'f' })
  await pending(1)
  const { request_id } = await topology.call('fetchRequest', { functionName: 'f' })
  await topology.call('result', { id: request_id, result: 'fine' })
  t.is(await call, 'fine')
  half.destroy()
})

test('whom the access list does not name is refused with AuthorizationException', async t => {
  const access = accessOf({
    'drpc.authorizer': 'DRPCSimpleACLAuthorizer',
    'drpc.authorizer.acl': { f: { 'client.users': ['ada'], 'invocation.user': 'storm' } },
    'drpc.authorizer.acl.strict': false,
  })
  const { caller, topology, drpc } = await drpcFor(t, { access })
  const client = await caller()
  const refused = { name: 'AuthorizationException', message: /'f' for 'unknown' user/ }
  await t.throwsAsync(client.call('execute', { functionName: 'f' }), refused)
  await t.throwsAsync(topology.call('fetchRequest', { functionName: 'f' }), refused)
  t.is(drpc.pending, 0)
  t.like(await topology.call('fetchRequest', { functionName: 'g' }), { request_id: '' })
})
