// Every port of Storm's front door against every kind of client that is none: who sends what cannot be read is cut off, who says
// nothing may stay, and in any case the next client is served.
import { connect, type Socket } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { connectThrift } from '../../../storm-compat/thrift/client.ts'
import { writeCall } from '../../../storm-compat/thrift/service.ts'
import { drpcInvocationsMethods, drpcMethods } from '../../../storm-compat/thrift/storm-drpc.ts'
import { nimbusMethods } from '../../../storm-compat/thrift/storm-nimbus.ts'
import { until } from '../../e2e/until.ts'
import { asked, uiFor } from '../ui/_ui.ts'
import { drpcFor } from './drpc/_drpc.ts'
import { nimbusFor } from './nimbus/_nimbus.ts'

const HOST = '127.0.0.1'
/** A client that is to be cut off and is not; far, for the machine may be busy. */
const HANGS_MS = 30_000

interface Port {
  readonly port: number
  /** A whole request, as bytes. */
  readonly request: Buffer
  /** Asks as a right client does; throws if there is no answer. */
  ask(): Promise<unknown>
  /** Nothing of any client is left. */
  readonly rests?: () => boolean
}

const http = (path: string, ...headers: string[]) =>
  Buffer.from([`GET ${path} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n'))

const PORTS: Readonly<Record<string, (t: ExecutionContext) => Promise<Port>>> = {
  Nimbus: async t => {
    const { nimbus } = await nimbusFor(t)
    return {
      port: nimbus.port,
      request: writeCall('getClusterInfo', 1, nimbusMethods.getClusterInfo, {}),
      ask: () => once(nimbus.port, nimbusMethods, 'getClusterInfo', {}),
    }
  },
  'DRPC for callers': async t => {
    const { drpc, topology } = await drpcFor(t)
    const functionName = 'f'
    const methods = drpcMethods
    return {
      rests: () => drpc.pending === 0,
      port: drpc.port,
      // Of a function that nobody answers.
      request: writeCall('execute', 1, methods.execute, { functionName: 'none', funcArgs: '' }),
      ask: async () => {
        const answer = once(drpc.port, methods, 'execute', { functionName, funcArgs: 'x' })
        const id = await until('the request is there', async () => {
          const { request_id } = await topology.call('fetchRequest', { functionName })
          return request_id === '' ? undefined : request_id
        })
        await topology.call('result', { id, result: 'y' })
        return answer
      },
    }
  },
  'DRPC for topologies': async t => {
    const { drpc } = await drpcFor(t)
    const args = { functionName: 'f' }
    return {
      port: drpc.invocationsPort,
      request: writeCall('fetchRequest', 1, drpcInvocationsMethods.fetchRequest, args),
      ask: () => once(drpc.invocationsPort, drpcInvocationsMethods, 'fetchRequest', args),
    }
  },
  'DRPC over HTTP': async t => {
    const { drpc } = await drpcFor(t, { httpPort: 0 })
    const port = drpc.httpPort!
    const rests = () => drpc.pending === 0
    return { port, request: http('/drpc/none'), rests, ask: () => asked(port, '/', {}) }
  },
  UI: async t => {
    const { ui } = await uiFor(t)
    const path = '/api/v1/cluster/summary'
    return { port: ui.port, request: http(path), ask: () => asked(ui.port, path, {}) }
  },
}

async function once<S extends Parameters<typeof connectThrift>[0]['methods']>(
  port: number,
  methods: S,
  name: keyof S & string,
  args: object,
): Promise<unknown> {
  const client = await connectThrift({ methods, host: HOST, port, timeoutMs: HANGS_MS })
  try {
    return await client.call(name, args as never)
  } finally {
    client.close()
  }
}

interface Client {
  readonly name: string
  readonly act: (socket: Socket, request: Buffer) => void
  /** Ended by the server; otherwise it may stay. */
  readonly cut?: true
}

const TLS_HELLO = Buffer.concat([Buffer.from('1603010200010001fc0303', 'hex'), Buffer.alloc(60)])

const CLIENTS: readonly Client[] = [
  { name: 'says nothing', act: () => undefined },
  { name: 'sends half a request', act: (s, request) => s.write(request.subarray(0, 9)) },
  { name: 'asks and hangs up', act: (s, request) => s.end(request) },
  {
    name: 'asks and resets',
    act: (s, request) => s.write(request, () => s.resetAndDestroy()),
  },
  {
    name: 'asks a thousand times and reads no answer',
    act: (s, request) => {
      s.pause()
      s.write(Buffer.concat(Array.from({ length: 1000 }, () => request)))
    },
  },
  { name: 'sends noise', act: s => s.write(Buffer.alloc(100, 0xa7)), cut: true },
  { name: 'speaks TLS', act: s => s.write(TLS_HELLO), cut: true },
  { name: 'says QUIT', act: s => s.write('QUIT\r\n\r\n'), cut: true },
]

/** Only where it is too much: elsewhere it is another protocol. */
const OF_THRIFT: readonly Client[] = [
  { name: 'begins a frame of 2 GB', act: s => s.write(Buffer.from('7fffffff', 'hex')), cut: true },
  { name: 'speaks HTTP', act: s => s.write(http('/')), cut: true },
]
const OF_HTTP: readonly Client[] = [
  {
    name: 'announces a body of 2 GB',
    act: s => s.write(http('/drpc/f', 'Content-Length: 2147483647').toString('latin1')),
  },
  {
    name: 'sends headers of a megabyte',
    act: s => s.write(http('/', `X: ${'x'.repeat(1_000_000)}`)),
    cut: true,
  },
  {
    name: 'speaks Thrift',
    act: s => s.write(writeCall('getLeader', 1, nimbusMethods.getLeader, {})),
    cut: true,
  },
]

for (const [name, start] of Object.entries(PORTS)) {
  const others = /HTTP|UI/.test(name) ? OF_HTTP : OF_THRIFT
  test(`the port of ${name} serves right clients whatever others do`, async t => {
    const { port, request, ask, rests = () => true } = await start(t)
    for (const client of [...CLIENTS, ...others]) {
      const socket = connect(port, HOST)
      socket.on('error', () => socket.destroy())
      const ended = new Promise<boolean>(resolve => {
        const timer = setTimeout(() => resolve(false), HANGS_MS)
        socket.once('close', () => {
          clearTimeout(timer)
          resolve(true)
        })
      })
      await new Promise(resolve => socket.once('connect', resolve))
      if (client.name !== 'asks a thousand times and reads no answer') socket.resume()
      client.act(socket, request)
      if (client.cut) t.true(await ended, `who ${client.name} is cut off`)
      await t.notThrowsAsync(ask(), `after one who ${client.name}`)
      socket.destroy()
      await ended
    }
    await until('nothing is left of them', rests)
  })
}
