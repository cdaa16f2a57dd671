// What may be found at a port instead of the server that is meant: nobody, one that never answers, one that sends something
// else. Each counts its connections, so that a test sees that none is left.
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { ExecutionContext } from 'ava'
import { until } from '../../../e2e/until.ts'

export interface Counterpart {
  readonly name: string
  /** What the user is to read of it. */
  readonly cause: RegExp
  start(t: ExecutionContext): Promise<number>
}

const ADDRESS = '127.0.0.1'

function listen(t: ExecutionContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
  })
  t.teardown(async () => {
    try {
      await until('every connection has ended', () => sockets.size === 0)
    } finally {
      for (const socket of sockets) socket.destroy()
      server.close()
    }
  })
  return new Promise(resolve => {
    server.listen(0, ADDRESS, () => resolve((server.address() as AddressInfo).port))
  })
}

/** Takes connections, and does this with the first bytes of a request. */
function answering(t: ExecutionContext, act: (socket: Socket) => void): Promise<number> {
  const server = createServer(socket => {
    socket.once('data', () => act(socket))
    socket.resume()
  })
  return listen(t, server)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, ADDRESS, resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

const frame = (bytes: Buffer) => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** A reply to a call that nobody made. */
const STRANGE_REPLY = Buffer.from('80010002000000046c69737400bc614e00', 'hex')

export const COUNTERPARTS: readonly Counterpart[] = [
  { name: 'nobody listens', cause: /ECONNREFUSED/, start: freePort },
  {
    name: 'takes connections and never answers',
    cause: /no answer to \w+ within \d+ ms/,
    start: t => answering(t, () => undefined),
  },
  {
    name: 'answers lines of text',
    cause: /sent what is no answer: a frame declares 1397966893 bytes/,
    start: t => answering(t, socket => socket.write('SSH-2.0-OpenSSH_9.6\r\n')),
  },
  {
    name: 'answers a frame of noise',
    cause: /sent what is no answer/,
    start: t => answering(t, socket => socket.write(frame(Buffer.alloc(40, 0xa7)))),
  },
  {
    name: 'answers a call that nobody made',
    cause: /sent what is no answer: an answer to call \d+ instead of 1/,
    start: t => answering(t, socket => socket.write(frame(STRANGE_REPLY))),
  },
  {
    name: 'answers frame upon frame',
    cause: /sent what is no answer/,
    start: t => answering(t, socket => socket.write(Buffer.alloc(1_000_000))),
  },
  {
    name: 'closes after the request',
    cause: /it hung up without an answer/,
    start: t => answering(t, socket => socket.end()),
  },
  {
    name: 'resets after the request',
    cause: /ECONNRESET|it hung up without an answer/,
    start: t => answering(t, socket => socket.resetAndDestroy()),
  },
  {
    name: 'begins a frame of 2 GB',
    cause: /a frame declares 2147483647 bytes; at most 16384000 are taken/,
    start: t => answering(t, socket => socket.write(Buffer.from('7fffffff', 'hex'))),
  },
  {
    name: 'is a web server',
    cause: /a web server answers, and no Thrift server/,
    start: t => listen(t, createHttpServer()),
  },
  {
    name: 'answers by a TLS alert',
    cause: /the server speaks TLS only/,
    start: t => answering(t, socket => socket.end(Buffer.from('15030100020246', 'hex'))),
  },
]
