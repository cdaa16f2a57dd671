// TLS under socket links: the same contract as without, and who is at the other end is known.
import { once } from 'node:events'
import { connect as openSocket } from 'node:net'
import { connect as openTls } from 'node:tls'
import test from 'ava'
import type { EngineError } from '../../../src/base/errors.ts'
import { FrameKind } from '../../../src/transport/frame.ts'
import type { Link, LinkHandler } from '../../../src/transport/link.ts'
import { SocketTransport } from '../../../src/transport/socket-transport.ts'
import type { TlsOptions } from '../../../src/transport/tls.ts'
import { tlsTest } from './certificates.ts'

function frameOf(bytes: number, fill: number): Buffer {
  const frame = Buffer.alloc(5 + bytes, fill)
  frame.writeUInt32LE(1 + bytes)
  frame[4] = FrameKind.DATA
  return frame
}

/** Gathers what comes over a link. */
class Side implements LinkHandler {
  readonly sizes: number[] = []
  readonly fills: (number | undefined)[] = []
  readonly closed: Promise<Error | undefined>
  #tell: (reason: Error | undefined) => void = () => undefined
  #more: () => void = () => undefined

  constructor() {
    this.closed = new Promise(resolve => {
      this.#tell = resolve
    })
  }

  onFrame(_kind: number, body: Buffer): void {
    this.sizes.push(body.length)
    this.fills.push(body[0])
    this.#more()
  }

  onClose(reason: Error | undefined): void {
    this.#tell(reason)
  }

  onDrain(): void {
    this.#more()
  }

  async until(count: number): Promise<void> {
    while (this.sizes.length < count) {
      await new Promise<void>(resolve => {
        this.#more = resolve
      })
    }
  }
}

interface Server {
  transport: SocketTransport
  port: number
  side: Side
  /** The link that comes in next. */
  accepted: Promise<Link>
}

async function serverOf(tls: TlsOptions): Promise<Server> {
  const transport = new SocketTransport({ kind: 'tcp', tls })
  const side = new Side()
  let tell: (link: Link) => void = () => undefined
  const accepted = new Promise<Link>(resolve => {
    tell = resolve
  })
  const address = await transport.listen(link => {
    tell(link)
    return side
  })
  return { transport, side, accepted, port: (address as { port: number }).port }
}

const at = (port: number) => ({ kind: 'tcp', host: '127.0.0.1', port }) as const

tlsTest(test, 'frames of all sizes arrive whole and in order, both ways', async (t, given) => {
  const server = await serverOf(given.role)
  const client = new SocketTransport({ kind: 'tcp', tls: given.role })
  const side = new Side()
  const link = await client.connect(at(server.port), () => side)
  const far = await server.accepted
  const sizes = [1, 10, 7000, 9000, 65_531, 400_000, 3, 3_000_000, 20]
  for (const [i, size] of sizes.entries()) {
    link.send(frameOf(size, i))
    far.send(frameOf(size, 100 + i))
  }
  await Promise.all([side.until(sizes.length), server.side.until(sizes.length)])
  t.deepEqual(side.sizes, sizes)
  t.deepEqual(server.side.sizes, sizes)
  t.deepEqual(
    side.fills,
    sizes.map((_, i) => 100 + i),
  )
  link.send(frameOf(100, 1))
  link.close()
  t.is(await server.side.closed, undefined)
  t.is(await side.closed, undefined)
  t.is(server.side.sizes.length, sizes.length + 1)
  await client.close()
  await server.transport.close()
})

tlsTest(test, 'both ends know that the other is of the cluster', async (t, given) => {
  const server = await serverOf(given.role)
  const client = new SocketTransport({ kind: 'tcp', tls: given.role })
  const link = await client.connect(at(server.port), () => new Side())
  t.deepEqual(link.security, { peerVerified: true, detail: 'is verified' })
  t.true((await server.accepted).security?.peerVerified)
  await client.close()
  await server.transport.close()
})

tlsTest(
  test,
  'a client without a certificate connects, and is not taken for a role',
  async (t, given) => {
    for (const [tls, detail] of [
      [given.client, /is missing/],
      [given.stranger, /cannot be verified \(/],
    ] as const) {
      const server = await serverOf(given.role)
      const client = new SocketTransport({ kind: 'tcp', tls })
      const link = await client.connect(at(server.port), () => new Side())
      t.true(link.security?.peerVerified)
      const { security } = await server.accepted
      t.false(security?.peerVerified)
      t.regex(security?.detail ?? '', detail)
      await client.close()
      await server.transport.close()
    }
  },
)

tlsTest(
  test,
  'a session that is resumed without a certificate is not taken for a role',
  async (t, given) => {
    const verified: (boolean | undefined)[] = []
    let more: () => void = () => undefined
    const server = new SocketTransport({ kind: 'tcp', tls: given.role })
    const address = await server.listen(link => {
      verified.push(link.security?.peerVerified)
      more()
      return new Side()
    })
    const accepted = async (count: number) => {
      while (verified.length < count) {
        await new Promise<void>(resolve => {
          more = resolve
        })
      }
    }
    const options = { host: '127.0.0.1', port: (address as { port: number }).port, ca: given.ca }
    const first = openTls(options)
    const ticket: Promise<Buffer[]> = once(first, 'session') as Promise<Buffer[]>
    first.resume()
    const [session] = await ticket
    const resumed = openTls({ ...options, session: session! })
    await once(resumed, 'secureConnect')
    t.true(resumed.isSessionReused())
    await accepted(2)
    first.destroy()
    resumed.destroy()
    await server.close()
    t.deepEqual(verified, [false, false])
  },
)

tlsTest(
  test,
  'a server that is not of the cluster, or for another host, is not connected to',
  async (t, given) => {
    for (const [tls, reason] of [
      [given.stranger, /unable to|self.signed|verify/i],
      [given.elsewhere, /127\.0\.0\.1 is not in the cert's list/],
    ] as const) {
      const server = await serverOf(tls)
      const client = new SocketTransport({ kind: 'tcp', tls: given.role })
      const error = await t.throwsAsync<EngineError>(
        client.connect(at(server.port), () => new Side()),
        { code: 'LINK_LOST', message: reason },
      )
      t.regex(error?.hint ?? '', /of our authority/)
      await client.close()
      await server.transport.close()
    }
  },
)

tlsTest(test, 'one name can stand for all nodes', async (t, given) => {
  const server = await serverOf(given.role)
  const right = new SocketTransport({
    kind: 'tcp',
    tls: { ...given.role, serverName: 'node.gearpump' },
  })
  const link = await right.connect(at(server.port), () => new Side())
  t.true(link.security?.peerVerified)
  const wrong = new SocketTransport({
    kind: 'tcp',
    tls: { ...given.role, serverName: 'other.gearpump' },
  })
  await t.throwsAsync(
    wrong.connect(at(server.port), () => new Side()),
    { code: 'LINK_LOST', message: /other\.gearpump/ },
  )
  await right.close()
  await wrong.close()
  await server.transport.close()
})

tlsTest(test, 'a peer without TLS gets nothing, and does not disturb others', async (t, given) => {
  const server = await serverOf(given.role)
  const plain = openSocket(server.port, '127.0.0.1')
  let got = 0
  plain.on('data', chunk => {
    // An alert of TLS, if anything.
    got += chunk.length
  })
  plain.on('error', error => t.log(error.message))
  plain.write('GET / HTTP/1.1\r\n\r\n')
  await once(plain, 'close')
  t.true(got < 10)
  const client = new SocketTransport({ kind: 'tcp', tls: given.role })
  const link = await client.connect(at(server.port), () => new Side())
  link.send(frameOf(5, 1))
  await server.side.until(1)
  await client.close()
  await server.transport.close()
})

tlsTest(
  test,
  'handshakes that do not end are few, and others get through when they have gone',
  async (t, given) => {
    const server = await serverOf(given.role)
    const idle = Array.from({ length: 64 }, () => openSocket(server.port, '127.0.0.1'))
    await Promise.all(idle.map(socket => once(socket, 'connect')))
    const client = new SocketTransport({ kind: 'tcp', tls: given.role })
    await t.throwsAsync(
      client.connect(at(server.port), () => new Side()),
      { code: 'LINK_LOST' },
    )
    for (const socket of idle) socket.destroy()
    let link: Link | undefined
    for (let tries = 0; tries < 100 && link === undefined; tries++) {
      link = await client.connect(at(server.port), () => new Side()).catch(() => undefined)
    }
    t.true(link?.security?.peerVerified)
    await client.close()
    await server.transport.close()
  },
)

tlsTest(test, 'links that are up do not count as handshakes', async (t, given) => {
  const server = await serverOf(given.role)
  const client = new SocketTransport({ kind: 'tcp', tls: given.role })
  for (let i = 0; i < 70; i++) await client.connect(at(server.port), () => new Side())
  await client.close()
  await server.transport.close()
  t.pass()
})

tlsTest(test, 'listening needs a certificate', async (t, given) => {
  const server = new SocketTransport({ kind: 'tcp', tls: given.client })
  await t.throwsAsync(
    server.listen(() => new Side()),
    { code: 'BAD_INPUT', message: /needs a certificate/ },
  )
  await server.close()
})

tlsTest(test, 'a frame above its limit ends the link', async (t, given) => {
  for (const tls of [given.role, undefined]) {
    const transport = new SocketTransport({ kind: 'tcp', ...(tls === undefined ? {} : { tls }) })
    const side = new Side()
    const address = await transport.listen(link => {
      link.limitFrames?.(100)
      return side
    })
    const client = new SocketTransport({ kind: 'tcp', ...(tls === undefined ? {} : { tls }) })
    const link = await client.connect(address, () => new Side())
    link.send(frameOf(50, 1))
    link.send(frameOf(500, 1))
    t.like(await side.closed, { code: 'FRAME_INVALID' })
    t.deepEqual(side.sizes, [50])
    await client.close()
    await transport.close()
  }
})
