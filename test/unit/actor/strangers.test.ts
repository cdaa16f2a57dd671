// What a node does with those who have not shown who they are: little, not for long, and telling them why.
import { once } from 'node:events'
import { connect as openSocket, type Socket } from 'node:net'
import test from 'ava'
import type { ActorContext } from '../../../src/actor/actor.ts'
import { ActorSystem, type ActorSystemOptions } from '../../../src/actor/actor-system.ts'
import { ACTOR_PROTOCOL_VERSION, GREETING_BYTES_MAX } from '../../../src/actor/greeting.ts'
import { NodeFrameKind, NodeFrames } from '../../../src/actor/node-frames.ts'
import { STRANGERS_MAX } from '../../../src/actor/remote-nodes.ts'
import { WATCHES_MAX } from '../../../src/actor/served-node.ts'
import { realEnvironment } from '../../../src/base/environment.ts'
import type { EngineError } from '../../../src/base/errors.ts'
import { noLog } from '../../../src/base/log.ts'
import type { Link } from '../../../src/transport/link.ts'
import { Serialisers } from '../../../src/transport/serialisers.ts'
import { SocketTransport } from '../../../src/transport/socket-transport.ts'
import type { TlsOptions } from '../../../src/transport/tls.ts'
import { tlsTest } from '../transport/certificates.ts'
import { Nodes } from './nodes.ts'

const frames = new NodeFrames(new Serialisers(), 1024 * 1024)
const identity = { name: 'stranger', incarnation: 'x', listens: undefined, cluster: '' }

interface Opened {
  link: Link
  frames: { kind: number; text: string }[]
  closed: boolean
}

async function open(nodes: Nodes, name: string): Promise<Opened> {
  const opened: Partial<Opened> & Pick<Opened, 'frames'> = { frames: [], closed: false }
  const connecting = nodes.network.transport(name).connect({ kind: 'memory', name: 'far' }, () => ({
    onFrame: (kind, body) => {
      opened.frames.push({ kind, text: body.toString('latin1') })
    },
    onClose: () => {
      opened.closed = true
    },
    onDrain: () => undefined,
  }))
  opened.link = await nodes.environment.awaiting(connecting)
  return opened as Opened
}

test('who does not greet is closed after five seconds', async t => {
  const nodes = new Nodes()
  await nodes.start('far')
  const stranger = await open(nodes, 'stranger')
  await nodes.environment.advance(4900)
  t.false(stranger.closed)
  await nodes.environment.advance(200)
  t.true(stranger.closed)
  t.deepEqual(stranger.frames, [])
})

test('who says anything else than a greeting is closed, and it is not looked at', async t => {
  for (const frame of [
    frames.ping(),
    frames.call({ id: 1, name: 'open', incarnation: undefined, method: 'note', args: [] }),
    frames.watch(1, 'open', undefined),
  ]) {
    const nodes = new Nodes()
    const far = await nodes.start('far', { credentials: { clientTokens: ['secret'] } })
    let notes = 0
    far.spawn('open', () => ({ note: () => void notes++ }), { open: true })
    const stranger = await open(nodes, 'stranger')
    stranger.link.send(frame)
    await nodes.environment.advance(100)
    t.true(stranger.closed)
    t.deepEqual(stranger.frames, [])
    t.is(notes, 0)
  }
})

test('who is refused is told why, and what comes after is not looked at', async t => {
  const nodes = new Nodes()
  const far = await nodes.start('far', { credentials: { clientTokens: ['secret'] } })
  let notes = 0
  far.spawn('open', () => ({ note: () => void notes++ }), { open: true })
  const stranger = await open(nodes, 'stranger')
  stranger.link.send(frames.hello(identity, 'guess'))
  const call = frames.call({
    id: 1,
    name: 'open',
    incarnation: undefined,
    method: 'note',
    args: [],
  })
  call.writeUInt32LE(1, 5)
  stranger.link.send(call)
  await nodes.environment.advance(100)
  t.true(stranger.closed)
  t.is(stranger.frames.length, 1)
  t.is(stranger.frames[0]!.kind, NodeFrameKind.REFUSED)
  t.regex(stranger.frames[0]!.text, /token is not accepted here/)
  t.is(notes, 0)
})

test('a node of another version is refused by it', async t => {
  const nodes = new Nodes()
  await nodes.start('far')
  const stranger = await open(nodes, 'stranger')
  const hello = frames.hello(identity, '')
  hello.writeUInt32LE(ACTOR_PROTOCOL_VERSION + 1, 9)
  stranger.link.send(hello)
  await nodes.environment.advance(100)
  t.regex(stranger.frames[0]!.text, /speaks version 3 of the protocol, this node 2/)
})

test('strangers are few at a time', async t => {
  const nodes = new Nodes()
  const far = await nodes.start('far')
  const { address } = far.spawn('echo', () => ({ echo: (n: number) => n }))
  const strangers: Opened[] = []
  for (let i = 0; i < STRANGERS_MAX; i++) strangers.push(await open(nodes, `s${i}`))
  const late = await open(nodes, 'late')
  await nodes.environment.advance(10)
  t.true(late.closed)
  t.false(strangers.some(({ closed }) => closed))
  // A node that comes then tries again, and gets in when the strangers' time is over.
  const near = await nodes.start('near')
  const ref = near.ref<{ echo(n: number): number }>(address)
  t.is((await nodes.outcome(ref.ask('echo', 1))).error?.code, 'NODE_UNREACHABLE')
  await nodes.environment.advance(5000)
  t.is((await nodes.outcome(ref.ask('echo', 1))).value, 1)
})

test('a greeting that is too long is not gathered (TCP)', async t => {
  const far = node('far', {})
  const { port } = (await far.listen()) as { port: number }
  const socket = openSocket(port, '127.0.0.1')
  socket.on('error', error => t.log(error.message))
  const head = Buffer.alloc(5)
  head.writeUInt32LE(GREETING_BYTES_MAX * 2)
  head[4] = NodeFrameKind.HELLO
  socket.write(head)
  await ended(socket)
  await far.close()
  t.pass()
})

async function ended(socket: Socket): Promise<void> {
  socket.resume()
  if (!socket.destroyed) await once(socket, 'close')
}

function node(name: string, options: Partial<ActorSystemOptions>, tls?: TlsOptions): ActorSystem {
  return new ActorSystem({
    environment: realEnvironment,
    log: noLog,
    name,
    transport: new SocketTransport({ kind: 'tcp', ...(tls === undefined ? {} : { tls }) }),
    ...options,
  })
}

interface Who {
  who(): string
}

const who = (context: ActorContext): Who => ({ who: () => context.sender.principal })

tlsTest(
  test,
  'with TLS, nodes with certificates are roles, clients need a token',
  async (t, given) => {
    const far = node('far', { credentials: { clientTokens: ['secret'] } }, given.role)
    await far.listen()
    const open = far.spawn<Who>('open', who, { open: true }).address
    const closed = far.spawn<Who>('closed', who).address
    const role = node('role', {}, given.role)
    t.is(await role.ref<Who>(open).ask('who'), 'role')
    t.is(await role.ref<Who>(closed).ask('who'), 'role')
    const client = node('client', { credentials: { token: 'secret' } }, given.client)
    t.is(await client.ref<Who>(open).ask('who'), 'client')
    await t.throwsAsync(client.ref<Who>(closed).ask('who'), { code: 'UNAUTHORIZED' })
    for (const [name, token, tls, reason] of [
      ['bare', undefined, given.client, /shown no token and its certificate is missing/],
      ['guess', 'guess', given.client, /token is not accepted here/],
      ['stranger', undefined, given.stranger, /its certificate cannot be verified/],
    ] as const) {
      const refused = node(name, token === undefined ? {} : { credentials: { token } }, tls)
      await t.throwsAsync(refused.ref<Who>(open).ask('who'), {
        code: 'UNAUTHORIZED',
        message: reason,
      })
      await refused.close()
    }
    await Promise.all([role.close(), client.close()])
    await far.close()
  },
)

tlsTest(test, 'with TLS and no tokens only nodes with certificates get in', async (t, given) => {
  const far = node('far', {}, given.role)
  await far.listen()
  const open = far.spawn<Who>('open', who, { open: true }).address
  const client = node('client', { credentials: { token: 'secret' } }, given.client)
  await t.throwsAsync(client.ref<Who>(open).ask('who'), { code: 'UNAUTHORIZED' })
  await client.close()
  await far.close()
})

tlsTest(test, 'a node with TLS and one without do not talk, and say so', async (t, given) => {
  for (const [ours, theirs] of [
    [given.role, undefined],
    [undefined, given.role],
  ] as const) {
    const far = node('far', {}, theirs)
    await far.listen()
    const { address } = far.spawn<Who>('open', who, { open: true })
    const near = node('near', {}, ours)
    const error = await t.throwsAsync<EngineError>(near.ref<Who>(address).ask('who'), {
      code: 'NODE_UNREACHABLE',
    })
    t.log(error?.message)
    await near.close()
    await far.close()
  }
})

tlsTest(test, 'a token does not show up in errors', async (t, given) => {
  const far = node('far', { credentials: { clientTokens: ['s3cr3t'] } }, given.role)
  await far.listen()
  const { address } = far.spawn<Who>('open', who, { open: true })
  const near = node('near', { credentials: { token: 's3cr3t-wrong' } }, given.client)
  const error = await t.throwsAsync<EngineError>(near.ref<Who>(address).ask('who'))
  t.false(JSON.stringify([error?.message, error?.hint, error?.details]).includes('s3cr3t'))
  await near.close()
  await far.close()
})

test('the watches of one peer are bounded', async t => {
  const nodes = new Nodes()
  const far = await nodes.start('far')
  far.spawn('echo', () => ({}))
  const peer = await open(nodes, 'peer')
  peer.link.send(frames.hello(identity, ''))
  for (let i = 1; i <= WATCHES_MAX + 1; i++) {
    const watch = frames.watch(i, 'echo', undefined)
    watch.writeUInt32LE(i, 5)
    peer.link.send(watch)
  }
  await nodes.environment.advance(100)
  const downs = peer.frames.filter(({ kind }) => kind === NodeFrameKind.DOWN)
  t.is(downs.length, 1)
  t.regex(downs[0]!.text, /too many watches/)
  t.is(peer.frames.filter(({ kind }) => kind === NodeFrameKind.WATCHED).length, WATCHES_MAX)
})

test('a node of another cluster is refused, and told so; a client names none', async t => {
  const nodes = new Nodes()
  const far = await nodes.start('far', { cluster: 'north' })
  const { address } = far.spawn<Who>('open', who, { open: true })
  const asked = (name: string, cluster?: string) => {
    const near = nodes.silent(name, cluster === undefined ? {} : { cluster })
    return nodes.outcome(near.ref<Who>(address).ask('who'))
  }
  const { error } = await asked('stray', 'south')
  t.is(error?.code, 'UNAUTHORIZED')
  t.regex(error!.message, /the peer is of cluster "south", and this node of "north"/)
  t.regex(String(error!.hint), /cluster\.name/)
  t.is((await asked('own', 'north')).value, 'role')
  t.is((await asked('client')).value, 'role')
})
