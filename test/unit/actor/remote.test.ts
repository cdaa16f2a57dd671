// Actors on several nodes, over memory links on manual time: the same calls and errors as in one process, and what is
// lost when links and nodes are.
import test from 'ava'
import type { ActorAddress, ActorContext } from '../../../src/actor/actor.ts'
import { WATCHES_MAX } from '../../../src/actor/served-node.ts'
import { EngineError, UserError } from '../../../src/base/errors.ts'
import { Nodes } from './nodes.ts'

interface Echo {
  echo(value: unknown): unknown
  never(): Promise<void>
  fail(kind: string): void
  seen(): unknown[]
  note(value: unknown): void
}

function echo(context: ActorContext): Echo {
  const notes: unknown[] = []
  return {
    echo: value => value,
    never: () => new Promise(() => undefined),
    fail: kind => {
      if (kind === 'user')
        throw new UserError('BAD_INPUT', 'it', [{ place: 'x', message: 'y', hint: 'z' }])
      if (kind === 'stop') context.stop('it was told to')
      else throw new RangeError('out of it')
    },
    note: value => {
      notes.push(value)
    },
    seen: () => [...notes],
  }
}

async function pair(options: ConstructorParameters<typeof Nodes>[0] = {}) {
  const nodes = new Nodes(options)
  const near = await nodes.start('near')
  const far = await nodes.start('far')
  const { address } = far.spawn<Echo>('echo', echo)
  return { nodes, near, far, address, ref: near.ref<Echo>(address) }
}

test('an ask to another node gives the answer; values arrive without loss', async t => {
  const { nodes, ref } = await pair()
  const value = {
    a: [1n, -0, new Date(5), undefined],
    b: Buffer.from('x'),
    c: new Map([[1, null]]),
  }
  t.deepEqual((await nodes.outcome(ref.ask('echo', value))).value, value)
})

test('tells and asks of one sender start in order, those before the link is up as well', async t => {
  const { nodes, ref } = await pair({ faults: { delayMsMin: 1, delayMsMax: 30 } })
  for (let i = 0; i < 100; i++) ref.tell('note', i)
  const first = ref.ask('seen')
  for (let i = 100; i < 200; i++) ref.tell('note', i)
  const second = ref.ask('seen')
  const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)
  t.deepEqual((await nodes.outcome(first)).value, upTo(100))
  t.deepEqual((await nodes.outcome(second)).value, upTo(200))
})

test('errors arrive with code, message, hint, details, problems and stack', async t => {
  const { nodes, near, ref, address } = await pair()
  const user = (await nodes.outcome(ref.ask('fail', 'user'))).error as unknown as UserError
  t.true(user instanceof UserError)
  t.like(user, { code: 'BAD_INPUT', problems: [{ place: 'x', message: 'y', hint: 'z' }] })
  t.regex(user.message, /^it: 1 problem\n {2}x: y \(z\)$/)
  const failed = (await nodes.outcome(ref.ask('fail', 'bug'))).error!
  t.like(failed, { code: 'ACTOR_FAILED', details: { actor: 'echo', method: 'fail' } })
  t.like(failed.cause, { name: 'RangeError', message: 'out of it' })
  t.regex((failed.cause as Error).stack ?? '', /remote\.test\.ts/)
  const missing = near.ref<Echo>({ ...address, name: 'ech' })
  const gone = (await nodes.outcome(missing.ask('echo', 1))).error!
  t.like(gone, { code: 'ACTOR_NOT_FOUND', message: 'no actor ech on far: did you mean echo?' })
  t.regex(gone.hint ?? '', /look its address up again/)
})

test('what cannot be sent is refused where it is given, with method and size', async t => {
  const { nodes, ref, near } = await pair()
  const huge = Buffer.alloc(2 * 1024 * 1024)
  const tooLarge = (await nodes.outcome(ref.ask('echo', huge))).error!
  t.is(tooLarge.code, 'CALL_TOO_LARGE')
  t.regex(
    tooLarge.message,
    /the arguments of echo of echo: 20971\d\d bytes are more than the 1048576/,
  )
  t.throws(() => ref.tell('note', huge), { code: 'CALL_TOO_LARGE' })
  t.throws(() => ref.tell('note', () => 1), { code: 'VALUE_NOT_SERIALISABLE' })
  const { address } = near.spawn('source', () => ({
    huge: () => huge,
    odd: () => ({ fn: () => 1 }),
  }))
  const back = (await nodes.start('third')).ref<{ huge(): Buffer; odd(): unknown }>(address)
  t.regex((await nodes.outcome(back.ask('huge'))).error!.message, /the answer of source to huge: 2/)
  t.is((await nodes.outcome(back.ask('odd'))).error!.code, 'VALUE_NOT_SERIALISABLE')
  t.deepEqual((await nodes.outcome(ref.ask('echo', 1))).value, 1)
})

test('two nodes that call each other at the same time both get their answers, again and again', async t => {
  for (let seed = 1; seed < 20; seed++) {
    const { nodes, far, near, ref } = await pair({ seed, faults: { delayMsMax: 20 } })
    const other = far.ref<Echo>(near.spawn<Echo>('echo', echo).address)
    const asks = [0, 1, 2].flatMap(i => [ref.ask('echo', i), other.ask('echo', i)])
    t.deepEqual((await nodes.outcome(Promise.all(asks))).value, [0, 0, 1, 1, 2, 2])
    await nodes.environment.awaiting(near.close())
    await nodes.environment.awaiting(far.close())
  }
})

test('a node that cannot be connected to is NODE_UNREACHABLE', async t => {
  const { nodes, near } = await pair()
  const nobody = near.ref<Echo>({ node: { kind: 'memory', name: 'nobody' }, name: 'echo' })
  const { error } = await nodes.outcome(nobody.ask('echo', 1), 1000)
  t.is(error?.code, 'NODE_UNREACHABLE')
  t.regex(error?.message ?? '', /cannot reach memory:nobody: .*nobody listens/)
})

test('a link that is lost while an ask is open says that the outcome is unknown', async t => {
  const { nodes, ref } = await pair()
  const asked = ref.ask('never')
  nodes.environment.after(500, () => nodes.network.sever('near', 'far'))
  const { error } = await nodes.outcome(asked)
  t.is(error?.code, 'NODE_UNREACHABLE')
  t.regex(error?.message ?? '', /the link to far .* was lost before echo answered never/)
  t.regex(error?.hint ?? '', /not known whether/)
  t.is((await nodes.outcome(ref.ask('echo', 5))).value, 5)
})

test('a node that comes back is connected to again', async t => {
  const { nodes, near, address } = await pair()
  const byName: ActorAddress = { node: address.node, name: 'echo' }
  t.is((await nodes.outcome(near.ref<Echo>(byName).ask('echo', 1))).value, 1)
  nodes.kill('far')
  t.is((await nodes.outcome(near.ref<Echo>(byName).ask('echo', 1))).error?.code, 'NODE_UNREACHABLE')
  await nodes.environment.advance(20_000)
  const again = await nodes.start('far')
  again.spawn<Echo>('echo', echo)
  t.is((await nodes.outcome(near.ref<Echo>(byName).ask('echo', 2))).value, 2)
  const old = await nodes.outcome(near.ref<Echo>(address).ask('echo', 3))
  t.like(old.error, { code: 'ACTOR_NOT_FOUND' })
})

test('a silent link is closed and its asks end', async t => {
  const { nodes, ref } = await pair()
  t.is((await nodes.outcome(ref.ask('echo', 1))).value, 1)
  nodes.network.cut('near', 'far')
  const began = nodes.environment.now()
  const { error } = await nodes.outcome(ref.within(60_000).ask('never'))
  t.regex(error?.message ?? '', /it has said nothing for \d+ ms/)
  t.true(nodes.environment.now() - began <= 6100)
})

test('an idle link costs nothing: no timers, no frames', async t => {
  const { nodes, ref } = await pair()
  await nodes.outcome(ref.ask('echo', 1))
  await nodes.environment.advance(10_000)
  t.is(nodes.environment.timers, 0)
  t.is(nodes.environment.deferred, 0)
})

test('a watch tells once that the actor has stopped, with the reason', async t => {
  const { nodes, near, ref, address } = await pair()
  const reasons: string[] = []
  near.watch(address, reason => reasons.push(reason))
  near.watch(address, () => t.fail()).cancel()
  await nodes.environment.advance(3000)
  t.deepEqual(reasons, [])
  ref.tell('fail', 'stop')
  await nodes.environment.advance(100)
  t.deepEqual(reasons, ['it was told to'])
  await nodes.environment.advance(60_000)
  t.is(reasons.length, 1)
  t.is(nodes.environment.timers, 0)
})

test('a watch on an actor that is not there fires soon', async t => {
  const { nodes, near, address } = await pair()
  const reasons: string[] = []
  near.watch({ ...address, name: 'other' }, reason => reasons.push(reason))
  await nodes.environment.advance(10)
  t.is(reasons.length, 1)
})

test('a watch tells of a node that is killed, cut off, started anew or closed', async t => {
  for (const end of ['kill', 'cut', 'anew', 'close'] as const) {
    const { nodes, near, far, address } = await pair()
    const reasons: string[] = []
    near.watch(address, reason => reasons.push(reason))
    await nodes.environment.advance(1000)
    if (end === 'cut') nodes.network.cut('near', 'far')
    else if (end === 'close') await nodes.environment.awaiting(far.close())
    else nodes.kill('far')
    if (end === 'anew') (await nodes.start('far')).spawn<Echo>('echo', echo)
    const limitMs = { kill: 5200, cut: 6200, anew: 500, close: 100 }[end]
    await nodes.environment.until(() => reasons.length > 0, { withinMs: limitMs })
    const reason = {
      kill: /its node cannot be reached: .*nobody listens/,
      cut: /it has said nothing for \d+ ms/,
      anew: /its node has been started anew/,
      close: /its node closes/,
    }[end]
    t.regex(reasons[0]!, reason)
    await nodes.environment.advance(30_000)
    t.is(reasons.length, 1, end)
  }
})

test('a link that breaks and comes back in time is not the end of a watch', async t => {
  const { nodes, near, ref, address } = await pair()
  const reasons: string[] = []
  near.watch(address, reason => reasons.push(reason))
  await nodes.environment.advance(100)
  nodes.network.sever('near', 'far')
  nodes.network.cut('near', 'far')
  await nodes.environment.advance(2000)
  nodes.network.heal('near', 'far')
  await nodes.environment.advance(20_000)
  t.deepEqual(reasons, [])
  ref.tell('fail', 'stop')
  await nodes.environment.advance(1000)
  t.deepEqual(reasons, ['it was told to'])
})

test('an actor that stops while the link is down is told of when it is back, even under its old name', async t => {
  const { nodes, near, far, address } = await pair()
  const reasons: string[] = []
  near.watch({ node: address.node, name: 'echo' }, reason => reasons.push(reason))
  await nodes.environment.advance(100)
  nodes.network.sever('near', 'far')
  nodes.network.cut('near', 'far')
  await nodes.environment.advance(100)
  await far.stop({ address })
  far.spawn<Echo>('echo', echo)
  nodes.network.heal('near', 'far')
  await nodes.environment.advance(3000)
  t.is(reasons.length, 1)
  t.regex(reasons[0]!, /it is another one since/)
})

test('a node that does not listen is called over the link it has made', async t => {
  const { nodes, far, address } = await pair()
  const client = nodes.silent('client')
  const mine = client.spawn<Echo>('echo', echo)
  t.is((await nodes.outcome(client.ref<Echo>(address).ask('echo', 1))).value, 1)
  t.is((await nodes.outcome(far.ref<Echo>(mine.address).ask('echo', 2))).value, 2)
  const reasons: string[] = []
  far.watch(mine.address, reason => reasons.push(reason))
  await nodes.environment.advance(1000)
  nodes.kill('client')
  await nodes.environment.advance(5500)
  t.is(reasons.length, 1)
})

test('what waits for a link is bounded', async t => {
  const { nodes, near } = await pair()
  nodes.network.cut('near', 'far')
  const far = near.ref<Echo>({ node: { kind: 'memory', name: 'far' }, name: 'echo' })
  const asks = Array.from({ length: 10 }, () => far.ask('echo', Buffer.alloc(500_000)))
  const errors = (await nodes.outcome(Promise.allSettled(asks))).value as PromiseRejectedResult[]
  const codes = errors.map(({ reason }) => (reason as EngineError).code)
  t.is(codes.filter(code => code === 'OVERLOADED').length, 2)
  t.is(codes.filter(code => code === 'NODE_UNREACHABLE').length, 8)
})

test('with tokens a client may call what is open, and nothing else', async t => {
  const nodes = new Nodes()
  const far = await nodes.start('far', { credentials: { clientTokens: ['old', 'secret'] } })
  const open = far.spawn('open', context => ({ who: () => context.sender }), { open: true })
  const closed = far.spawn<Echo>('closed', echo)
  const client = nodes.silent('client', { credentials: { token: 'secret' } })
  const who = await nodes.outcome(client.ref<{ who(): object }>(open.address).ask('who'))
  t.like(who.value, { principal: 'client', nodeName: 'client' })
  const ref = client.ref<Echo>(closed.address)
  const { error } = await nodes.outcome(ref.ask('echo', 1))
  t.like(error, { code: 'UNAUTHORIZED', message: 'clients may not call closed' })
  ref.tell('note', 1)
  const reasons: string[] = []
  client.watch(closed.address, reason => reasons.push(reason))
  await nodes.environment.advance(100)
  t.deepEqual(reasons, ['clients may not call closed'])
  t.deepEqual((await nodes.outcome(closed.ask('seen'))).value, [])
})

test('a peer without the right token is refused with the reason, and none of its calls is looked at', async t => {
  for (const [token, reason] of [
    [undefined, /shown no token/],
    ['wrong', /token is not accepted here/],
  ] as const) {
    const nodes = new Nodes()
    const far = await nodes.start('far', { credentials: { clientTokens: ['secret'] } })
    const noted = far.spawn<Echo>('echo', echo, { open: true })
    const client = nodes.silent('client', token === undefined ? {} : { credentials: { token } })
    const ref = client.ref<Echo>(noted.address)
    ref.tell('note', 1)
    const { error } = await nodes.outcome(ref.ask('echo', 1))
    t.is(error?.code, 'UNAUTHORIZED')
    t.regex(error?.message ?? '', reason)
    const reasons: string[] = []
    client.watch(noted.address, down => reasons.push(down))
    await nodes.environment.advance(1000)
    t.is(reasons.length, 1)
    t.deepEqual((await nodes.outcome(noted.ask('seen'))).value, [])
    t.false(nodes.lines.some(({ text }) => /secret|wrong/.test(text)))
  }
})

test('a client cannot take the place of a node of the cluster', async t => {
  const nodes = new Nodes()
  const far = await nodes.start('far', { credentials: { clientTokens: ['secret'] } })
  const open = far.spawn<Echo>('open', echo, { open: true })
  const thief = await nodes.start('worker', { credentials: { token: 'secret' } })
  thief.spawn<Echo>('echo', echo)
  await nodes.outcome(thief.ref<Echo>(open.address).ask('echo', 1))
  nodes.network.cut('far', 'worker')
  const worker = far.ref<Echo>({ node: { kind: 'memory', name: 'worker' }, name: 'echo' })
  const { error } = await nodes.outcome(worker.ask('echo', 1))
  // A connection of its own is tried; the link that claims the address is not used.
  t.regex(error?.message ?? '', /cannot connect to memory:worker/)
})

test('a link that loses frames is given up, so that no watch is forgotten', async t => {
  let told = 0
  for (let seed = 1; seed <= 50; seed++) {
    const { nodes, near, far, address } = await pair({ seed })
    nodes.network.faults.loss = 0.1
    for (let i = 0; i < 5; i++) near.watch(address, () => told++)
    await nodes.environment.advance(3000)
    await far.stop({ address })
    await nodes.environment.advance(20_000)
  }
  t.is(told, 250)
})

test('a frame that comes twice is taken once', async t => {
  const { nodes, ref } = await pair({ faults: { duplication: 1 } })
  ref.tell('note', 1)
  t.deepEqual((await nodes.outcome(ref.ask('seen'))).value, [1])
})

test('what a link holds for a peer that does not read is bounded', async t => {
  const { nodes, ref } = await pair()
  await nodes.outcome(ref.ask('echo', 1))
  const asks = Array.from({ length: 20 }, () => ref.ask('echo', Buffer.alloc(1_000_000)))
  const settled = (await nodes.outcome(Promise.allSettled(asks)))
    .value as PromiseSettledResult<unknown>[]
  const refused = settled.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[]
  t.is(refused.length, 4)
  t.true(refused.every(({ reason }) => (reason as EngineError).code === 'OVERLOADED'))
})

test('watches are bounded', async t => {
  const { near, address } = await pair()
  for (let i = 0; i < WATCHES_MAX; i++) near.watch(address, () => undefined)
  t.throws(() => near.watch(address, () => undefined), { code: 'OVERLOADED' })
})

test('an error whose details cannot be sent arrives without them', async t => {
  const { nodes, far, near } = await pair()
  const odd = far.spawn('odd', () => ({
    fail: (): void => {
      throw new EngineError('BAD_INPUT', 'odd', { hint: 'even', details: { fn: () => 1 } })
    },
  }))
  const { error } = await nodes.outcome(near.ref<{ fail(): void }>(odd.address).ask('fail'))
  t.like(error, { code: 'BAD_INPUT', message: 'odd', hint: 'even', details: {} })
})

test('an actor that stops tells others of it before its node is gone', async t => {
  const { nodes, near, ref, address } = await pair()
  near.spawn('leaver', context => {
    context.onStop(() => context.ref<Echo>(address).tell('note', 'bye'))
    return {}
  })
  await nodes.outcome(ref.ask('echo', 1))
  await nodes.environment.awaiting(near.close())
  const third = nodes.silent('third')
  t.deepEqual((await nodes.outcome(third.ref<Echo>(address).ask('seen'))).value, ['bye'])
})

test('the bytes of calls that an actor has not finished are bounded, and given back', async t => {
  const { nodes, near, far } = await pair()
  const open: (() => void)[] = []
  const { address } = far.spawn('slow', () => ({
    hold: (_bytes: Buffer) => new Promise<void>(resolve => open.push(resolve)),
  }))
  const ref = near.ref<{ hold(bytes: Buffer): Promise<void> }>(address).within(60_000)
  const bytes = Buffer.alloc(1_000_000)
  const refused: string[] = []
  let done = 0
  const hold = async () => {
    for (let i = 0; i < 70; i++) {
      ref.ask('hold', bytes).then(
        () => done++,
        error => refused.push((error as EngineError).code),
      )
      await nodes.environment.advance(1)
    }
  }
  await hold()
  t.is(open.length, 67)
  t.deepEqual(refused, ['OVERLOADED', 'OVERLOADED', 'OVERLOADED'])
  for (const end of open.splice(0)) end()
  await nodes.environment.advance(1)
  t.is(done, 67)
  await hold()
  t.is(open.length, 67)
})

test('a name that is too long to travel is refused where it is given', async t => {
  const { nodes, near, ref, address } = await pair()
  const name = 'x'.repeat(2000)
  t.throws(() => near.watch({ ...address, name }, () => undefined), { code: 'BAD_INPUT' })
  t.is(
    (await nodes.outcome(near.ref<Echo>({ ...address, name }).ask('seen'))).error?.code,
    'BAD_INPUT',
  )
  t.is((await nodes.outcome(ref.ask('echo', 1))).value, 1)
})
