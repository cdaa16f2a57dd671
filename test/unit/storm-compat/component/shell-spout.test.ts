import test from 'ava'
import type { EngineError } from 'gearpump/spi'
import { Double } from '../../../../storm-compat/component/values.ts'
import { type FakeScript, sayPid } from '../../../../storm-compat/multilang/fake-child.ts'
import { isSettled, settle, spoutRig } from '../multilang/support.ts'

type Message = Record<string, unknown>

/** Answers every turn with `sync` at once. */
const obedient: FakeScript = (child, message) => {
  if ('pidDir' in message) sayPid(child, message)
  else if ('command' in message) child.send({ command: 'sync' })
}

const commands = (received: readonly unknown[]): unknown[] =>
  received.map(message => (message as Message).command).filter(command => command !== undefined)

test('a turn ends with sync, and only then the promise of nextTuple resolves', async t => {
  const { shell, spout } = await spoutRig()
  const next = spout.nextTuple()
  t.false(await isSettled(next))
  t.deepEqual(shell.child.received[1], { command: 'next', id: '' })
  shell.child.send({ command: 'sync' })
  t.true(await isSettled(next))
})

test('P16: ids may be 0, false, empty or any JSON value, and go back as they came', async t => {
  const { shell, spout, collector } = await spoutRig()
  void spout.nextTuple()
  await settle()
  shell.child.sendRaw(
    ['0', '""', '3', '{"k":2}', '1.0', '9007199254740993']
      .map(id => `{"command":"emit","tuple":["x"],"id":${id},"need_task_ids":false}\nend\n`)
      .join(''),
  )
  shell.child.send(
    { command: 'emit', tuple: ['u'], id: null },
    { command: 'emit', tuple: ['v'] },
    { command: 'sync' },
  )
  const ids = collector.emits.map(emit => emit.id)
  t.deepEqual(ids, [0, '', 3, { k: 2 }, new Double(1), 9007199254740993n, undefined, undefined])
  await settle()
  for (const id of ids.slice(0, 6)) {
    const acked = spout.ack(id)
    await settle()
    shell.child.send({ command: 'sync' })
    await acked
  }
  t.deepEqual(
    shell.child.writes.slice(-6).map(write => /"id":(.*)\}\nend/.exec(write as string)![1]),
    ['0', '""', '3', '{"k":2}', '1.0', '9007199254740993'],
  )
})

test('P16: an id may be emitted again while the first one is in flight', async t => {
  const { shell, spout, collector } = await spoutRig()
  void spout.nextTuple()
  await settle()
  shell.child.send(
    { command: 'emit', tuple: ['x'], id: 1 },
    { command: 'emit', tuple: ['x'], id: 1 },
    { command: 'sync' },
  )
  t.is(collector.emits.length, 2)
  t.deepEqual(collector.errors, [])
})

test('P17: a direct emit of a spout gets no task ids', async t => {
  const { shell, spout, collector } = await spoutRig()
  void spout.nextTuple()
  await settle()
  shell.child.send({ command: 'emit', tuple: ['x'], id: 1, task: 4 }, { command: 'sync' })
  t.deepEqual(collector.emits, [{ values: ['x'], id: 1, stream: 'default', task: 4 }])
  t.is(shell.child.received.length, 2)
})

test('P21, P22: inside an open turn nothing is sent but task ids; acks and fails wait for their own turns', async t => {
  const { shell, spout } = await spoutRig()
  const calls = [spout.nextTuple(), spout.ack(1), spout.fail(2), spout.deactivate()]
  await settle()
  shell.child.send({ command: 'emit', tuple: ['x'], id: 1 })
  t.deepEqual(shell.child.received.slice(1), [{ command: 'next', id: '' }, [4]])
  const expected = ['next', 'ack', 'fail', 'deactivate']
  for (let i = 0; i < calls.length; i++) {
    await settle()
    t.deepEqual(commands(shell.child.received), expected.slice(0, i + 1))
    shell.child.send({ command: 'sync' })
    t.true(await isSettled(calls[i]!))
  }
})

test('P22: activate comes before the first next, deactivate as often as it is called', async t => {
  const { shell, spout } = await spoutRig({ script: obedient })
  await spout.activate()
  await spout.nextTuple()
  await spout.deactivate()
  await spout.deactivate()
  t.deepEqual(commands(shell.child.received), ['activate', 'next', 'deactivate', 'deactivate'])
})

test('P22: a library from before activate and deactivate never answers them: the spout goes on all the same', async t => {
  const { shell, spout, clock, collector } = await spoutRig()
  const activated = spout.activate()
  t.false(await isSettled(activated))
  clock.advance(2_000)
  t.true(await isSettled(activated))
  const next = spout.nextTuple()
  await settle()
  clock.advance(2_000)
  t.false(await isSettled(next), 'other turns are waited for')
  shell.child.send({ command: 'sync' })
  t.true(await isSettled(next))
  const deactivated = spout.deactivate()
  await settle()
  clock.advance(2_000)
  t.true(await isSettled(deactivated))
  t.deepEqual(commands(shell.child.received), ['activate', 'next', 'deactivate'])
  t.deepEqual(collector.errors, [])
})

test('deactivate does not wait for a child that hangs in its turn', async t => {
  const { spout, clock } = await spoutRig()
  void spout.nextTuple()
  await settle()
  const deactivated = spout.deactivate()
  clock.advance(2_000)
  t.false(await isSettled(deactivated))
  clock.advance(1_000)
  t.true(await isSettled(deactivated))
})

test('P23: a spout may be silent for ever between turns, but not in one', async t => {
  const { shell, spout, clock, collector } = await spoutRig({
    conf: { 'supervisor.worker.timeout.secs': 7 },
  })
  clock.advance(3_600_000)
  t.deepEqual(collector.errors, [])
  const next = spout.nextTuple()
  await settle()
  clock.advance(6_000)
  t.is(collector.orphaned, 0)
  clock.advance(2_000)
  t.is(collector.orphaned, 1)
  t.true(await isSettled(next))
  t.is((collector.errors[0] as EngineError).code, 'SHELL_TIMED_OUT')
  t.is(shell.children.length, 2)
})

test('P23: emits and logs within a long turn count as life', async t => {
  const { shell, spout, clock, collector } = await spoutRig()
  void spout.nextTuple()
  await settle()
  for (let i = 0; i < 5; i++) {
    clock.advance(29_000)
    shell.child.send({ command: 'log', msg: 'busy' })
  }
  t.deepEqual(collector.errors, [])
})

test('an unknown command is fatal in a spout', async t => {
  const { shell, collector } = await spoutRig()
  shell.child.send({ command: 'ack', id: 1 })
  await settle()
  t.regex(
    collector.errors[0]!.message,
    /component "sp" task 2: .* sent the command "ack", which a spout does not have/,
  )
})

test('P24: when the process dies its roots are forgotten, and the next one is activated before anything else', async t => {
  const { shell, spout, collector } = await spoutRig({
    script: (child, message) => {
      if ((message as Message).command === 'next') child.exit(0)
      else obedient(child, message)
    },
  })
  await spout.activate()
  const next = spout.nextTuple()
  const ack = spout.ack('old')
  await Promise.all([next, ack])
  t.is(collector.orphaned, 1)
  t.is((collector.errors[0] as EngineError).code, 'SHELL_DIED')
  await settle()
  t.is(shell.children.length, 2)
  t.deepEqual(commands(shell.child.received), ['activate'])
})

test('while no process is up nextTuple waits a second at most, and deactivate not at all', async t => {
  const { shell, spout, clock } = await spoutRig({ script: obedient })
  await spout.activate()
  shell.child.exit(1)
  await settle()
  shell.child.exit(1)
  const next = spout.nextTuple()
  t.false(await isSettled(next))
  await spout.deactivate()
  clock.advance(250)
  await settle()
  t.is(shell.children.length, 3)
  await next
  t.deepEqual(
    commands(shell.child.received),
    ['next'],
    'not activated: it was deactivated meanwhile',
  )
})

test('nextTuple returns with nothing when the next process takes long', async t => {
  const { shell, spout, clock } = await spoutRig({
    script: (child, message) => {
      if (child.pid === 1001) obedient(child, message)
    },
  })
  shell.child.exit(1)
  const next = spout.nextTuple()
  t.false(await isSettled(next))
  clock.advance(1_000)
  t.true(await isSettled(next))
})

test('close ends the process and every open turn', async t => {
  const { shell, spout, collector } = await spoutRig()
  const next = spout.nextTuple()
  await spout.close()
  await next
  t.true(shell.child.ended)
  await spout.nextTuple()
  t.is(shell.children.length, 1)
  t.deepEqual(collector.errors, [])
})
