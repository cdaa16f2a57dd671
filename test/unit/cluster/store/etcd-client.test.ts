// The client against servers that answer as etcd does, late, wrongly, or not at all: what a failure says of the
// outcome.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { createServer as createTcp } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import type { EngineError } from '../../../../src/base/errors.ts'
import { EtcdClient, EtcdRefusal } from '../../../../src/cluster/store/etcd-client.ts'

type Handle = (path: string, body: Record<string, unknown>, answer: ServerResponse) => void

async function served(
  t: ExecutionContext,
  handle: Handle,
  headers: string[] = [],
): Promise<string> {
  const server = createServer((incoming: IncomingMessage, outgoing) => {
    let text = ''
    headers.push(incoming.headers.authorization ?? '')
    incoming.on('data', chunk => {
      text += chunk
    })
    incoming.on('end', () => handle(incoming.url!, JSON.parse(text), outgoing))
  })
  await listen(t, server)
  return address(server)
}

async function listen(t: ExecutionContext, server: Server | ReturnType<typeof createTcp>) {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    if ('closeAllConnections' in server) server.closeAllConnections()
    server.close()
  })
}

const address = (server: { address(): unknown }) =>
  `http://127.0.0.1:${(server.address() as { port: number }).port}`

function client(t: ExecutionContext, endpoints: string[], more = {}): EtcdClient {
  const made = new EtcdClient({ endpoints, requestTimeoutMs: 300, ...more })
  t.teardown(() => made.close())
  return made
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: EngineError) => error,
  )

test('an endpoint that refuses the connection did nothing; the next one has its turn, and keeps it', async t => {
  const closed = createServer()
  await new Promise<void>(resolve => closed.listen(0, '127.0.0.1', resolve))
  const dead = address(closed)
  await new Promise(resolve => closed.close(resolve))
  const alive = await served(t, (_path, _body, answer) => answer.end('{"header":{}}'))
  const etcd = client(t, [dead, alive])
  const error = await failure(etcd.post('/v3/kv/range', {}))
  t.is(error?.code, 'STORE_UNAVAILABLE')
  t.is(error?.details.outcome, 'none')
  t.true(error!.message.startsWith(`etcd at ${dead} cannot be reached`), error!.message)
  t.deepEqual(await etcd.post('/v3/kv/range', {}), { header: {} })
  t.is(etcd.endpoint, alive)
})

test('a request that was sent and not answered may have been carried out', async t => {
  const hung = await served(t, () => undefined)
  const late = await failure(client(t, [hung]).post('/v3/kv/txn', {}))
  t.is(late?.details.outcome, 'unknown')
  t.regex(late!.message, /did not answer in time; the outcome is unknown$/)
  const cut = await served(t, (_path, _body, answer) => answer.socket!.destroy())
  t.is((await failure(client(t, [cut]).post('/v3/kv/txn', {})))?.details.outcome, 'unknown')
  const half = await served(t, (_path, _body, answer) => {
    answer.writeHead(200, { 'content-length': 100 })
    answer.write('{"succeeded":')
    setImmediate(() => answer.socket!.destroy())
  })
  t.is((await failure(client(t, [half]).post('/v3/kv/txn', {})))?.details.outcome, 'unknown')
})

test('requests that fail together move on by one endpoint, not by one each', async t => {
  const hung = await served(t, () => undefined)
  const first = await served(t, (_path, _body, answer) => answer.end('{}'))
  const second = await served(t, (_path, _body, answer) => answer.end('{}'))
  const etcd = client(t, [hung, first, second])
  await Promise.all([1, 2, 3].map(() => failure(etcd.post('/v3/kv/range', {}))))
  t.is(etcd.endpoint, first)
})

test('what etcd refuses is a refusal; what it could not do in time is open; a full database is told', async t => {
  const answers: [number, object][] = [
    [404, { error: 'etcdserver: requested lease not found', code: 5, message: 'lease not found' }],
    [504, { error: 'etcdserver: request timed out', code: 14, message: 'request timed out' }],
    [429, { code: 8, message: 'etcdserver: mvcc: database space exceeded' }],
  ]
  const etcd = client(t, [
    await served(t, (_path, _body, answer) => {
      const [status, body] = answers.shift()!
      answer.writeHead(status).end(JSON.stringify(body))
    }),
  ])
  const refusal = await failure(etcd.post('/v3/lease/keepalive', {}))
  t.true(
    (refusal as unknown) instanceof EtcdRefusal && (refusal as unknown as EtcdRefusal).notFound,
  )
  t.is((await failure(etcd.post('/v3/kv/txn', {})))?.details.outcome, 'unknown')
  const full = await failure(etcd.post('/v3/kv/txn', {}))
  t.is(full?.details.outcome, 'none')
  t.regex(full!.hint!, /compact and defragment/)
})

test('a server that is no etcd is named as such', async t => {
  const other = await served(t, (_path, _body, answer) => answer.writeHead(404).end('<html>no'))
  const error = await failure(client(t, [other]).post('/v3/kv/range', {}))
  t.true(error!.message.startsWith(`${other} does not speak as etcd does: 404 "<html>no"`))
  t.is(error?.details.outcome, 'none')
})

test('a token is fetched when there is a user, and again when it is stale', async t => {
  const headers: string[] = []
  let fetched = 0
  const endpoint = await served(
    t,
    (path, body, answer) => {
      if (path === '/v3/auth/authenticate') {
        t.deepEqual(body, { name: 'me', password: 'secret' })
        answer.end(JSON.stringify({ token: `token-${++fetched}` }))
      } else if (headers.at(-1) === 'token-1' && fetched === 1 && headers.length > 3) {
        answer.writeHead(401).end('{"code":16,"message":"etcdserver: invalid auth token"}')
      } else answer.end('{}')
    },
    headers,
  )
  const etcd = client(t, [endpoint], { user: { name: 'me', password: 'secret' } })
  for (let i = 0; i < 3; i++) await etcd.post('/v3/kv/range', {})
  t.deepEqual(headers, ['', 'token-1', 'token-1', 'token-1', '', 'token-2'])
})

test('a stream gives each object as it comes, and ends when the endpoint is given up or talks nonsense', async t => {
  const open: ServerResponse[] = []
  const endpoint = await served(t, (path, _body, answer) => {
    if (path === '/v3/watch') {
      open.push(answer)
      answer.write('{"result":{"created":true}}\n{"resu')
    }
  })
  const other = await served(t, (_path, _body, answer) => answer.end('{}'))
  const etcd = client(t, [endpoint, other])
  const lines: object[] = []
  const first = new Promise<void>(resolve => {
    const stream = etcd.stream('/v3/watch', {}, line => {
      lines.push(line)
      if (lines.length === 1) open[0]!.write('lt":{"events":[]}}\n')
      if (lines.length === 2) open[0]!.write('no json\n')
    })
    void stream.ended.then(resolve)
  })
  await first
  t.deepEqual(lines, [{ result: { created: true } }, { result: { events: [] } }])
  const second = etcd.stream('/v3/watch', {}, () => undefined)
  await failure(etcd.post('/v3/kv/range', {}))
  await second.ended
  t.is(etcd.endpoint, other)
})
