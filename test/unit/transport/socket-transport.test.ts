// Both kinds of sockets must behave as the Link contract says: whole frames in order, ends told once, errors named.

import { stat } from 'node:fs/promises'
import { createServer, connect as openSocket } from 'node:net'
import { dirname } from 'node:path'
import test from 'ava'
import type { EngineError } from '../../../src/base/errors.ts'
import { encodeGap, FrameKind } from '../../../src/transport/frame.ts'
import { FramePool } from '../../../src/transport/frame-pool.ts'
import type { Address, Link, LinkHandler } from '../../../src/transport/link.ts'
import { SocketTransport } from '../../../src/transport/socket-transport.ts'

function frameOf(bytes: number, fill: number): Buffer {
  const frame = Buffer.alloc(5 + bytes, fill)
  frame.writeUInt32LE(1 + bytes)
  frame[4] = FrameKind.DATA
  return frame
}

/** A handler that gathers what happens, and tells when enough has. */
class Gathered implements LinkHandler {
  readonly bodies: { length: number; first: number | undefined }[] = []
  readonly closed: Promise<Error | undefined>
  closes = 0
  drains = 0
  private readonly waits: { count: number; resolve: () => void }[] = []
  private tellClosed: (reason: Error | undefined) => void = () => undefined

  constructor() {
    this.closed = new Promise(resolve => {
      this.tellClosed = resolve
    })
  }

  onFrame(_kind: number, body: Buffer): void {
    this.bodies.push({ length: body.length, first: body[0] })
    for (const wait of this.waits) if (this.bodies.length >= wait.count) wait.resolve()
  }

  onClose(reason: Error | undefined): void {
    this.closes++
    this.tellClosed(reason)
  }

  onDrain(): void {
    this.drains++
  }

  async until(count: number): Promise<void> {
    if (this.bodies.length >= count) return
    await new Promise<void>(resolve => this.waits.push({ count, resolve }))
  }
}

interface Pair {
  address: Address
  near: Link
  far: Link
  nearSide: Gathered
  farSide: Gathered
  close(): Promise<void>
}

async function pairOf(kind: 'unix' | 'tcp'): Promise<Pair> {
  const server = new SocketTransport({ kind })
  const client = new SocketTransport({ kind, pool: new FramePool() })
  const nearSide = new Gathered()
  const farSide = new Gathered()
  let far: Link | undefined
  const address = await server.listen(link => {
    far = link
    return farSide
  })
  const near = await client.connect(address, () => nearSide)
  near.send(encodeGap({ session: { executor: 1, counter: 1 } }))
  await farSide.until(1)
  farSide.bodies.length = 0
  return {
    address,
    near,
    far: far!,
    nearSide,
    farSide,
    close: async () => {
      await client.close()
      await server.close()
    },
  }
}

for (const kind of ['unix', 'tcp'] as const) {
  test(`frames of all sizes arrive whole and in order, both ways (${kind})`, async t => {
    const pair = await pairOf(kind)
    const sizes = [1, 10, 7000, 9000, 65_531, 65_536, 400_000, 3, 3_000_000, 0, 20]
    for (const [i, size] of sizes.entries()) {
      pair.near.send(frameOf(size, i))
      pair.far.send(frameOf(size, 100 + i))
    }
    await Promise.all([pair.farSide.until(sizes.length), pair.nearSide.until(sizes.length)])
    const expected = (base: number) =>
      sizes.map((length, i) => ({ length, first: length === 0 ? undefined : base + i }))
    t.deepEqual(pair.farSide.bodies, expected(0))
    t.deepEqual(pair.nearSide.bodies, expected(100))
    t.true(pair.near.bufferedBytes >= 0)
    await pair.close()
  })

  test(`what was sent before a close arrives, and both sides hear of the end once (${kind})`, async t => {
    const pair = await pairOf(kind)
    pair.near.send(frameOf(500_000, 1))
    pair.near.send(frameOf(5, 2))
    pair.near.close()
    pair.near.close()
    pair.near.send(frameOf(5, 3))
    t.is(pair.nearSide.closes, 0)
    t.is(await pair.farSide.closed, undefined)
    t.is(await pair.nearSide.closed, undefined)
    t.deepEqual(
      pair.farSide.bodies.map(body => body.first),
      [1, 2],
    )
    await pair.close()
    t.is(pair.nearSide.closes + pair.farSide.closes, 2)
  })

  test(`a handler that throws ends its link with the error as the reason (${kind})`, async t => {
    const pair = await pairOf(kind)
    const failure = new Error('cannot read this')
    for (const [side, other, send] of [[pair.farSide, pair.nearSide, pair.near]] as const) {
      side.onFrame = () => {
        throw failure
      }
      send.send(frameOf(5, 1))
      t.is(await side.closed, failure)
      await other.closed
    }
    await pair.close()
  })

  test(`a listener that is not there is named (${kind})`, async t => {
    const gone = new SocketTransport({ kind })
    const address = await gone.listen(() => new Gathered())
    await gone.close()
    const client = new SocketTransport({ kind })
    const error = await t.throwsAsync<EngineError>(client.connect(address, () => new Gathered()))
    t.is(error?.code, 'LINK_LOST')
    t.regex(error?.message ?? '', /cannot connect to (unix|tcp):/)
    await client.close()
    await t.throwsAsync(
      client.connect(address, () => new Gathered()),
      { code: 'LINK_LOST' },
    )
  })
}

test('a link drains after much was sent', async t => {
  const pair = await pairOf('unix')
  const drained = new Promise<void>(resolve => {
    pair.nearSide.onDrain = resolve
  })
  for (let i = 0; i < 20; i++) pair.near.send(frameOf(500_000, i))
  t.true(pair.near.bufferedBytes > 128 * 1024)
  await drained
  t.is(pair.near.bufferedBytes, 0)
  await pair.close()
})

test('the Unix socket and its directory are closed to other users, and gone afterwards', async t => {
  const pair = await pairOf('unix')
  const { path } = pair.address as { path: string }
  t.is((await stat(path)).mode & 0o777, 0o600)
  t.is((await stat(dirname(path))).mode & 0o777, 0o700)
  await pair.close()
  await t.throwsAsync(stat(dirname(path)), { code: 'ENOENT' })
})

test('TCP listens on the loopback address unless told otherwise', async t => {
  const plain = new SocketTransport({ kind: 'tcp' })
  t.like(await plain.listen(() => new Gathered()), { kind: 'tcp', host: '127.0.0.1' })
  const told = new SocketTransport({ kind: 'tcp', host: '0.0.0.0', advertisedHost: 'node-1' })
  t.like(await told.listen(() => new Gathered()), { kind: 'tcp', host: 'node-1' })
  await plain.close()
  await told.close()
})

test('bytes that are no frame end the link with FRAME_INVALID', async t => {
  const server = new SocketTransport({ kind: 'tcp' })
  const side = new Gathered()
  const address = (await server.listen(() => side)) as { host: string; port: number }
  const socket = openSocket(address.port, address.host)
  socket.on('error', () => t.pass())
  socket.write('GET / HTTP/1.1\r\n\r\n')
  t.like(await side.closed, { code: 'FRAME_INVALID' })
  socket.destroy()
  await server.close()
})

test('a peer that is reset or vanishes ends the link with LINK_LOST', async t => {
  const server = createServer(socket => {
    socket.once('data', () => socket.resetAndDestroy())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const client = new SocketTransport({ kind: 'tcp' })
  const side = new Gathered()
  const link = await client.connect({ kind: 'tcp', host: '127.0.0.1', port }, () => side)
  link.send(frameOf(5, 1))
  t.like(await side.closed, { code: 'LINK_LOST' })
  await client.close()
  server.close()
})

test('closing a transport closes its links', async t => {
  const pair = await pairOf('tcp')
  await pair.close()
  t.is(await pair.nearSide.closed, undefined)
  t.is(await pair.farSide.closed, undefined)
})
