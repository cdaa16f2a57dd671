import { connect } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { accessOf } from '../../../../storm-compat/drpc/access.ts'
import type { DrpcOptions } from '../../../../storm-compat/drpc/server.ts'
import { ManualClock } from '../nimbus/_nimbus.ts'
import { drpcFor } from './_drpc.ts'

async function start(t: ExecutionContext, more: DrpcOptions = {}) {
  const { drpc, topology, pending } = await drpcFor(t, {
    httpPort: 0,
    messageBytesMax: 10_000,
    ...more,
  })
  const base = `http://127.0.0.1:${drpc.httpPort}`
  const next = async (functionName: string) => {
    await pending(1)
    const request = await topology.call('fetchRequest', { functionName })
    return { id: request.request_id, args: request.func_args }
  }
  /** Calls, and answers the request with its arguments in brackets. */
  const echoed = async (functionName: string, path: string, init: RequestInit = {}) => {
    const response = fetch(base + path, init)
    const { id, args } = await next(functionName)
    await topology.call('result', { id, result: `[${args}]` })
    return (await response).text()
  }
  return { drpc, topology, base, next, echoed, pending }
}

test('the body of a POST, or what stands behind the function, are the arguments', async t => {
  const { echoed } = await start(t)
  t.is(await echoed('up', '/drpc/up', { method: 'POST', body: 'a b/ü' }), '[a b/ü]')
  t.is(await echoed('up', '/drpc/up/a%20b%2Fc?x=1'), '[a b/c]')
  t.is(await echoed('reach', '/drpc/reach/foo.com/blog/1'), '[foo.com/blog/1]')
  t.is(await echoed('a b', '/drpc/a%20b'), '[]')
})

test('failures are told by status and reason', async t => {
  const clock = new ManualClock()
  const { base, next, topology, drpc, pending } = await start(t, { clock })
  const failed = fetch(`${base}/drpc/f`)
  await topology.call('failRequest', { id: (await next('f')).id })
  t.is((await failed).status, 400)
  t.deepEqual(await (await failed).json(), {
    error: 'FAILED_REQUEST',
    errorMessage: 'Request failed',
  })
  const late = fetch(`${base}/drpc/f`)
  await pending(1)
  clock.move(600_000)
  t.is((await late).status, 504)
  const broken = fetch(`${base}/drpc/f`)
  const e = { msg: 'sorry', type: 'INTERNAL_ERROR' } as const
  await topology.call('failRequestV2', { id: (await next('f')).id, e })
  t.is((await broken).status, 500)
  t.regex(await (await broken).text(), /sorry/)
  const shut = fetch(`${base}/drpc/f`)
  await pending(1)
  await drpc.close()
  t.is((await shut).status, 503)
})

test('what is no call is refused, and a caller that hangs up frees its request', async t => {
  const { base, drpc, pending } = await start(t)
  const status = async (path: string, init: RequestInit = {}) =>
    (await fetch(base + path, init)).status
  t.is(await status('/'), 404)
  t.is(await status('/drpc/%ff'), 400)
  t.is(await status('/drpc/f', { method: 'DELETE' }), 405)
  t.is(await status('/drpc/f', { method: 'POST', body: 'x'.repeat(10_001) }), 413)
  t.is(await status('/drpc/f', { headers: { origin: 'https://evil.example' } }), 403)
  // An image, a form, or a link of another site: browsers send no origin with them.
  t.is(await status('/drpc/f/x', { headers: { 'sec-fetch-site': 'cross-site' } }), 403)
  t.is(await status('/drpc/f/x', { headers: { referer: 'http://evil.example/page' } }), 403)
  t.is(drpc.pending, 0)
  const socket = connect(drpc.httpPort!, '127.0.0.1')
  socket.write('GET /drpc/f HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await pending(1)
  socket.destroy()
  await pending(0)
  t.is(drpc.pending, 0)
})

test('on loopback a name that was rebound to it is refused; on a network callers have any name', async t => {
  const asked = (port: number) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1')
      socket.write('GET /nowhere HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n')
      let text = ''
      socket.setEncoding('utf8').on('data', (some: string) => {
        text += some
      })
      socket.once('error', reject).once('close', () => resolve(text))
    })
  const { drpc } = await start(t)
  t.regex(await asked(drpc.httpPort!), /403.*name that is not known/s)
  // Loopback too, but not to whoever looks at its text.
  const open = await start(t, { address: '127.1' })
  t.regex(await asked(open.drpc.httpPort!), /404/)
})

test('a caller that hangs up frees all that it has asked, also what it asked before an answer came', async t => {
  const { drpc, pending } = await start(t)
  const socket = connect(drpc.httpPort!, '127.0.0.1')
  socket.write('GET /drpc/f HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(50))
  await pending(50)
  socket.destroy()
  await pending(0)
  t.is(drpc.pending, 0)
})

test('with passwords a caller says who it is, and the access list looks at it', async t => {
  const access = accessOf({
    'drpc.authorizer': 'DRPCSimpleACLAuthorizer',
    'drpc.authorizer.acl': { f: { 'client.users': ['ada'] } },
  })
  const passwordOf = (user: string) => (user === 'ada' || user === 'bob' ? 'secret' : undefined)
  const clock = new ManualClock()
  const { drpc, pending } = await start(t, { access, passwordOf, clock })
  const as = (login: string) => ({
    headers: { authorization: `Basic ${Buffer.from(login).toString('base64')}` },
  })
  const call = (init: RequestInit) => fetch(`http://127.0.0.1:${drpc.httpPort}/drpc/f`, init)
  t.is((await call({})).status, 401)
  t.is((await call(as('ada:guess'))).status, 401)
  t.is((await call(as('bob:secret'))).status, 403)
  const waiting = call(as('ada:secret'))
  await pending(1)
  clock.move(600_000)
  t.is((await waiting).status, 504)
})
