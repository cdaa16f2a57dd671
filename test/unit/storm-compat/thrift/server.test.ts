import { type AddressInfo, connect, createServer } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { EngineError } from 'gearpump'
import { connectThrift } from '../../../../storm-compat/thrift/client.ts'
import { exception, ThriftException } from '../../../../storm-compat/thrift/codec.ts'
import { type ServerOptions, serve } from '../../../../storm-compat/thrift/server.ts'
import { method, nothing, Refusal, writeCall } from '../../../../storm-compat/thrift/service.ts'
import { binary, i32, string } from '../../../../storm-compat/thrift/wire-types.ts'
import { until } from '../../../e2e/until.ts'

const Full = exception('Full', { msg: [1, string] })
const methods = {
  double: method({ number: [1, i32] }, i32, {}),
  blob: method({ bytes: [1, i32] }, binary, {}),
  fail: method({ how: [1, string] }, nothing, { full: [1, Full] }),
}

async function start(t: ExecutionContext, more: Partial<ServerOptions<typeof methods>> = {}) {
  const lines: string[] = []
  const server = await serve({
    methods,
    handlers: {
      double: ({ number }) => 2 * number,
      blob: ({ bytes }) => Buffer.alloc(bytes, 7),
      fail: ({ how }) => {
        if (how === 'declared') throw new ThriftException(Full, { msg: 'no room' })
        if (how === 'refused') throw new Refusal('use another door')
        throw new Error('out of order')
      },
    },
    port: 0,
    log: { write: line => lines.push(line.text) },
    ...more,
  })
  const client = await connectThrift({ methods, host: '127.0.0.1', port: server.port })
  t.teardown(async () => {
    client.close()
    await server.close()
  })
  return { server, client, lines }
}

/** Sends bytes and resolves with what came back when the server has ended the connection. */
function speak(port: number, bytes: Buffer): Promise<Buffer> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    const chunks: Buffer[] = []
    socket.on('data', chunk => chunks.push(chunk))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => resolve(Buffer.concat(chunks)))
    socket.write(bytes)
  })
}

test('calls are answered in their order, over one connection', async t => {
  const { client } = await start(t)
  const answers = await Promise.all([1, 2, 3].map(number => client.call('double', { number })))
  t.deepEqual(answers, [2, 4, 6])
})

test('a large answer arrives whole', async t => {
  const { client } = await start(t)
  const bytes = await client.call('blob', { bytes: 5_000_000 })
  t.is(bytes.length, 5_000_000)
})

test('declared exceptions arrive as they are, others as words', async t => {
  const { client } = await start(t)
  const full = await t.throwsAsync(client.call('fail', { how: 'declared' }), {
    instanceOf: ThriftException,
  })
  t.is(full?.name, 'Full')
  t.is(full?.message, 'no room')
  await t.throwsAsync(client.call('fail', { how: 'refused' }), {
    instanceOf: EngineError,
    message: 'fail: use another door',
  })
  await t.throwsAsync(client.call('fail', { how: '' }), { message: 'fail: out of order' })
})

test('an unknown method is answered, and the connection goes on', async t => {
  const { server } = await start(t)
  const both = { ...methods, other: method({}, i32, {}) }
  const client = await connectThrift({ methods: both, host: '127.0.0.1', port: server.port })
  t.teardown(() => client.close())
  await t.throwsAsync(client.call('other', {}), { message: /no method "other"/ })
  t.is(await client.call('double', { number: 4 }), 8)
})

test('a peer that sends no frames is cut off, and nobody else', async t => {
  const { server, client, lines } = await start(t)
  await speak(server.port, Buffer.from('GET / HTTP/1.1\r\n\r\n'))
  await speak(server.port, Buffer.from('7fffffff00', 'hex'))
  await speak(server.port, Buffer.from('0000000401020304', 'hex'))
  t.is(await client.call('double', { number: 4 }), 8)
  t.is(lines.length, 3)
  t.regex(lines[0]!, /HTTP/)
  t.regex(lines[1]!, /declares 2147483647 bytes/)
})

test('arguments that cannot be read are answered with the reason', async t => {
  const { server } = await start(t)
  const wrong = { ...methods, double: method({ number: [1, string] }, i32, {}) }
  const client = await connectThrift({ methods: wrong, host: '127.0.0.1', port: server.port })
  t.teardown(() => client.close())
  await t.throwsAsync(client.call('double', { number: 'x' }), {
    message: 'double: arguments.number is missing',
  })
})

test('a client learns that nobody listens, and that a server ended', async t => {
  const { server, client } = await start(t)
  await server.close()
  await server.close()
  await t.throwsAsync(client.call('double', { number: 1 }), { code: 'NIMBUS_UNREACHABLE' })
  await t.throwsAsync(connectThrift({ methods, host: '127.0.0.1', port: server.port }), {
    code: 'NIMBUS_UNREACHABLE',
  })
})

test('an answer that takes long is told of, once, before its time is over', async t => {
  const { server } = await start(t)
  const silent = createServer(socket => socket.resume())
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  t.teardown(() => silent.close())
  const { port } = silent.address() as AddressInfo
  const told: string[] = []
  const patient = {
    methods,
    host: '127.0.0.1',
    slowMs: 1,
    onSlow: (text: string) => told.push(text),
  }
  const client = await connectThrift({
    ...patient,
    port,
    timeoutMs: name => (name === 'double' ? 50 : 1),
  })
  await t.throwsAsync(client.call('double', { number: 1 }), {
    code: 'NIMBUS_UNREACHABLE',
    message: `127.0.0.1:${port}: no answer to double within 50 ms`,
  })
  const answers = () => told.filter(text => text.includes('has not answered'))
  t.deepEqual(answers(), [`127.0.0.1:${port} has not answered double yet; for up to 50 ms`])
  const quick = await connectThrift({ ...patient, port: server.port, slowMs: 60_000 })
  t.teardown(() => quick.close())
  t.is(await quick.call('double', { number: 1 }), 2)
  t.is(answers().length, 1)
})

/** A peer that connects and then does nothing but keep what it got. */
async function holding(t: ExecutionContext, port: number, bytes?: Buffer) {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  const ended = new Promise<void>(resolve => socket.once('close', () => resolve()))
  socket.on('error', () => socket.destroy())
  await new Promise<void>(resolve => socket.once('connect', resolve))
  if (bytes !== undefined) socket.write(bytes)
  return { socket, ended }
}

test('clients that hold all connections and do nothing keep no other client out', async t => {
  const { server, client, lines } = await start(t)
  t.is(await client.call('double', { number: 1 }), 2)
  const idle = await holding(t, server.port)
  await Promise.all(Array.from({ length: 254 }, () => holding(t, server.port)))
  // Every place is taken; who has just used his own keeps it.
  t.is(await client.call('double', { number: 2 }), 4)
  const late = await connectThrift({ methods, host: '127.0.0.1', port: server.port })
  t.teardown(() => late.close())
  t.is(await late.call('double', { number: 3 }), 6)
  await idle.ended
  t.is(await client.call('double', { number: 4 }), 8)
  t.true(lines.some(line => /idle for longest/.test(line)))
})

test('a client that does not read its answer is given up, with what it was to get', async t => {
  const { server, lines } = await start(t, { frameTimeoutMs: 200 })
  const call = writeCall('blob', 1, methods.blob, { bytes: 16_000_000 })
  const { socket, ended } = await holding(t, server.port, call)
  socket.pause()
  await until('it is told', () => lines.some(line => /does not read its answer/.test(line)))
  socket.resume()
  await ended
  t.pass()
})

test('when too much is being sent, whoever holds most goes, and not a client with a small call', async t => {
  const { server, client, lines } = await start(t)
  const part = Buffer.alloc(16_000_000)
  part.writeInt32BE(16_300_000)
  const large = await Promise.all(Array.from({ length: 5 }, () => holding(t, server.port, part)))
  await Promise.race(large.map(({ ended }) => ended))
  t.is(await client.call('double', { number: 1 }), 2)
  t.regex(lines.join('\n'), /too much is being sent at once, most of it by this one/)
})
