import test from 'ava'
import { EngineError } from 'gearpump/spi'
import { Double } from '../../../../storm-compat/component/values.ts'
import { HELD_MAX, OVERRUN_EMITS_MAX } from '../../../../storm-compat/multilang/bolt-protocol.ts'
import {
  type FakeChild,
  type FakeScript,
  type ManualClock,
  sayPid,
} from '../../../../storm-compat/multilang/fake-child.ts'
import { msgpackSerializer } from '../../../../storm-compat/multilang/msgpack-framing.ts'
import { UNREAD_BYTES_MAX } from '../../../../storm-compat/multilang/shell-host.ts'
import {
  boltRig,
  contextFrom,
  isSettled,
  SPLIT_CONTEXT,
  settle,
  tupleOf,
} from '../multilang/support.ts'

type Message = Record<string, unknown>

const ids = (received: readonly unknown[]): string[] =>
  received.map(message => (message as Message).id as string).filter(id => id !== undefined)

test('a tuple goes out with the five keys, and is acked by the id it got', async t => {
  const { shell, bolt, collector } = await boltRig()
  const tuple = tupleOf(['the cow'])
  t.is(bolt.execute(tuple), undefined)
  await settle()
  const sent = shell.child.received[1] as Message
  t.deepEqual(sent, { id: sent.id, comp: 'sp', stream: 'default', task: 2, tuple: ['the cow'] })
  t.is(typeof sent.id, 'string')
  shell.child.send({ command: 'ack', id: sent.id })
  t.deepEqual(collector.acked, [tuple])
})

test('all tuples of one turn leave in one write', async t => {
  const { shell, bolt } = await boltRig()
  for (let i = 0; i < 10; i++) void bolt.execute(tupleOf([i]))
  await settle()
  t.is(shell.child.writes.length, 2)
  t.is(shell.child.received.length, 11)
})

test('P1: what we send is one line of JSON and a line `end`', async t => {
  const { shell, bolt } = await boltRig()
  void bolt.execute(tupleOf(['line1\nend\nline3\r\u2028\u0007']))
  await settle()
  for (const write of shell.child.writes) t.regex(write as string, /^[^\n\r\u2028]*\nend\n$/)
  t.deepEqual((shell.child.received[1] as Message).tuple, ['line1\nend\nline3\r\u2028\u0007'])
})

test('P2: 1.0 stays apart from 1, and integers beyond 2^53 keep their digits, out and in', async t => {
  const { shell, bolt, collector } = await boltRig()
  void bolt.execute(tupleOf([new Double(1), 1, 9007199254740993n]))
  await settle()
  t.true((shell.child.writes[1] as string).includes('"tuple":[1.0,1,9007199254740993]'))
  shell.child.sendRaw('{"command":"emit","tuple":[2.0,2,123456789012345678901234567890]}\nend\n')
  t.deepEqual(collector.emits[0]!.values, [new Double(2), 2, 123456789012345678901234567890n])
})

test('P3: bytes in JSON fail their tuple and name component and field; the child lives on', async t => {
  const { shell, bolt, collector } = await boltRig()
  const tuple = tupleOf(['x', Buffer.from([0, 255])], { fields: ['word', 'picture'] })
  void bolt.execute(tuple)
  void bolt.execute(tupleOf(['next']))
  await settle()
  t.deepEqual(collector.failed, [tuple])
  const error = collector.errors[0] as EngineError
  t.is(error.code, 'VALUE_NOT_SERIALISABLE')
  t.regex(error.message, /component "split" task 3: field "picture" .* cannot write bytes as JSON/)
  t.regex(error.hint!, /msgpack/)
  t.is(shell.children.length, 1)
  t.deepEqual((shell.child.received[1] as Message).tuple, ['next'])
})

test('P3: bytes survive in MessagePack, both ways', async t => {
  const { shell, bolt, collector } = await boltRig({
    serializer: msgpackSerializer,
    command: ['streamparse_run', '-s msgpack bolts.X'],
  })
  void bolt.execute(tupleOf([Buffer.from([0, 255])]))
  await settle()
  const sent = shell.child.received[1] as Message
  t.deepEqual(sent.tuple, [Buffer.from([0, 255])])
  shell.child.send({ command: 'emit', tuple: [Buffer.from([1, 254])], anchors: [sent.id] })
  t.deepEqual(collector.emits[0]!.values, [Buffer.from([1, 254])])
  t.deepEqual(shell.child.received[2], [4])
})

test('P5: the argv reaches the process as it is, one argument staying one', async t => {
  const { shell } = await boltRig({ command: ['streamparse_run', '-s json bolts.X'] })
  t.deepEqual(shell.child.options.command, ['streamparse_run', '-s json bolts.X'])
  t.is(shell.child.options.resources, '/nowhere')
  t.is(shell.child.options.pidDir, '/pids/split-3')
})

test('P10: the pid may come late and without a file; the others begin after a while, the child has no time-out', async t => {
  const { shell, clock, prepared, bolt, collector } = await boltRig({ script: () => undefined })
  clock.advance(29_000)
  t.false(await isSettled(prepared))
  clock.advance(571_000)
  t.true(await isSettled(prepared))
  t.deepEqual(collector.errors, [])
  const execution = bolt.execute(tupleOf(['early']))
  t.is(shell.child.received.length, 1, 'no tuple before the pid')
  t.false(await isSettled(execution!))
  shell.child.send({ pid: 5 })
  t.true(await isSettled(execution!))
  t.is(shell.child.received.length, 2)
})

test('a process that dies before its pid keeps nobody else from beginning, and its successor takes the tuples', async t => {
  const { shell, prepared, bolt, collector } = await boltRig({ script: () => undefined })
  shell.child.exit(1)
  t.true(await isSettled(prepared))
  t.regex(collector.errors[0]!.message, /exited with code 1 before it had said its pid/)
  const execution = bolt.execute(tupleOf(['early']))
  t.is(shell.children.length, 2)
  shell.child.send({ pid: 5 })
  t.true(await isSettled(execution!))
  t.is(shell.child.received.length, 2)
})

test('P11: a log, an error and an emit before the pid are taken', async t => {
  const { shell, logged, collector, prepared } = await boltRig({ script: () => undefined })
  shell.child.send({ command: 'log', msg: 'loading', level: 3 }, { command: 'error', msg: 'odd' })
  shell.child.send({ command: 'emit', tuple: ['x'], need_task_ids: false }, { pid: 77 })
  t.true(await isSettled(prepared))
  t.deepEqual(logged, ['warn: ShellLog pid:1001, name:split loading'])
  t.is(collector.emits.length, 1)
  t.is(collector.errors[0]!.message, 'Shell Process Exception: odd')
})

test('a child that never says its pid gets tuples after its first word, which Storm takes for the pid', async t => {
  const { shell, clock, bolt, collector, prepared } = await boltRig({ script: () => undefined })
  shell.child.send({ command: 'log', msg: 'started' })
  t.true(await isSettled(prepared))
  const tuple = tupleOf(['a'])
  t.is(bolt.execute(tuple), undefined)
  await settle()
  clock.advance(50_000)
  t.is(shell.children.length, 1, 'who has only talked may be loading still')
  shell.child.send({ command: 'ack', id: ids(shell.child.received)[0] })
  t.deepEqual(collector.acked, [tuple])
  t.deepEqual(collector.errors, [])
  clock.advance(32_000)
  await settle()
  t.regex(collector.errors[0]!.message, /gave no sign of life for 30 s/, 'now it has begun')
})

test('a pid that comes after talk counts, and with it the time begins', async t => {
  const { shell, clock, collector, logged } = await boltRig({ script: () => undefined })
  shell.child.send({ command: 'log', msg: 'loading' })
  clock.advance(100_000)
  shell.child.send({ pid: 77 }, { command: 'log', msg: 'there' })
  t.deepEqual(collector.errors, [])
  t.is(logged.at(-1), 'info: ShellLog pid:77, name:split there')
  clock.advance(32_000)
  await settle()
  t.regex(collector.errors[0]!.message, /gave no sign of life for 30 s/)
})

test('P12: a heartbeat each second, with comp null, and before the tuples', async t => {
  const { shell, clock, bolt } = await boltRig()
  void bolt.execute(tupleOf(['a']))
  clock.advance(1_000)
  await settle()
  const [, first, second] = shell.child.received as Message[]
  t.deepEqual(first, { id: first!.id, comp: null, stream: '__heartbeat', task: -1, tuple: [] })
  t.deepEqual(second!.tuple, ['a'])
})

test('without heartbeats a child gets none and may be silent, as before Storm 0.9.3', async t => {
  const { shell, clock, collector } = await boltRig({ conf: { 'wire.heartbeats': false } })
  clock.advance(100_000)
  await settle()
  t.is(shell.child.received.length, 1, 'the handshake only')
  t.deepEqual(collector.errors, [])
})

test('P12: task ids come before tuples in the same write', async t => {
  const { shell, bolt } = await boltRig()
  void bolt.execute(tupleOf(['a']))
  shell.child.send({ command: 'emit', tuple: ['x'] })
  await settle()
  t.is(shell.child.writes.length, 2)
  t.deepEqual(shell.child.received[1], [4])
  t.deepEqual((shell.child.received[2] as Message).tuple, ['a'])
})

test('P12: any output counts as alive, and so does a mere log', async t => {
  const { shell, clock, collector } = await boltRig()
  for (let i = 0; i < 10; i++) {
    clock.advance(29_000)
    shell.child.send({ command: 'log', msg: 'still busy' })
  }
  t.deepEqual(collector.errors, [])
  t.is(shell.children.length, 1)
})

test('P12: one heartbeat at most lies in a pipe that is not read', async t => {
  const { shell, clock } = await boltRig()
  shell.child.hold()
  clock.advance(20_000)
  t.is(shell.child.writes.length, 2)
})

const heartbeatsOf = (received: readonly unknown[]): number =>
  received.filter(message => (message as Message).stream === '__heartbeat').length

/** A child that answers heartbeats, and nothing else. */
const answerBeats: FakeScript = (child, message) => {
  sayPid(child, message)
  if ('stream' in message && message.stream === '__heartbeat') child.send({ command: 'sync' })
}

/** Children answer between the seconds. */
async function pass(clock: ManualClock, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    clock.advance(1_000)
    await settle()
  }
}

test('P12: a child that answers and has no work gets a heartbeat each fourth second; with work each second', async t => {
  const { shell, clock, bolt } = await boltRig({ script: answerBeats })
  await pass(clock, 8)
  t.is(heartbeatsOf(shell.child.received), 8)
  await pass(clock, 40)
  t.is(heartbeatsOf(shell.child.received), 18)
  void bolt.execute(tupleOf(['work']))
  await settle()
  await pass(clock, 20)
  t.is(heartbeatsOf(shell.child.received), 38)
  const [id] = ids(shell.child.received.filter(m => 'tuple' in m && String(m.tuple) === 'work'))
  shell.child.send({ command: 'ack', id })
  await pass(clock, 48)
  t.is(heartbeatsOf(shell.child.received), 38 + 8 + 10)
})

test('P12: a child that was asked seldom and hangs is found by the time that the user gave it', async t => {
  const answers: { child?: FakeChild } = {}
  const { shell, clock, collector } = await boltRig({
    script: (child, message) => {
      if (answers.child === undefined) answerBeats(child, message)
    },
  })
  await pass(clock, 60)
  t.deepEqual(collector.errors, [])
  answers.child = shell.child
  // The next heartbeat comes within four seconds, and from then on it owes an answer.
  await pass(clock, 29)
  t.deepEqual(collector.errors, [])
  await pass(clock, 7)
  t.regex(collector.errors[0]!.message, /gave no sign of life for 30 s/)
})

test('P12: where a hanging child is to be found in seconds it gets its heartbeat each second', async t => {
  const { shell, clock } = await boltRig({
    script: answerBeats,
    conf: { 'topology.subprocess.timeout.secs': 3 },
  })
  await pass(clock, 60)
  t.is(heartbeatsOf(shell.child.received), 60)
})

test('P13: execute waits when the tuple queue is full; task ids still pass', async t => {
  const { shell, bolt } = await boltRig({ conf: { 'topology.shellbolt.max.pending': 3 } })
  shell.child.hold()
  shell.child.send({ command: 'emit', tuple: ['x'] })
  t.is(bolt.execute(tupleOf([1])), undefined)
  t.is(bolt.execute(tupleOf([2])), undefined)
  const third = bolt.execute(tupleOf([3]))!
  t.false(await isSettled(third))
  shell.child.send({ command: 'emit', tuple: ['y'] })
  t.deepEqual(shell.child.writes.slice(1), ['[4]\nend\n', '[4]\nend\n'])
  shell.child.readOn()
  t.true(await isSettled(third))
  t.deepEqual(
    shell.child.received.slice(3).map(m => (m as Message).tuple),
    [[1], [2], [3]],
  )
})

test('a child may hold thousands of tuples: only what it has not read is bounded', async t => {
  const { bolt, collector, shell } = await boltRig()
  for (let i = 0; i < 5_000; i++) {
    const wait = bolt.execute(tupleOf([i]))
    if (wait !== undefined) await wait
  }
  await settle()
  const held = ids(shell.child.received).slice(0)
  t.is(held.length, 5_000)
  shell.child.send(...held.map(id => ({ command: 'ack', id })))
  t.is(collector.acked.length, 5_000)
  t.true(HELD_MAX > 5_000)
})

test('P14: a tick is an input like any other: __system, __tick, -1, and it can be acked', async t => {
  const { shell, bolt, collector } = await boltRig()
  const tick = tupleOf([2], { sourceComponent: '__system', sourceStream: '__tick', sourceTask: -1 })
  void bolt.execute(tick)
  await settle()
  const { id, ...rest } = shell.child.received[1] as Message
  t.deepEqual(rest, { comp: '__system', stream: '__tick', task: -1, tuple: [2] })
  shell.child.send({ command: 'emit', tuple: ['x'], anchors: id }, { command: 'ack', id })
  t.deepEqual(collector.emits[0]!.anchors, [tick])
  t.deepEqual(collector.acked, [tick])
})

test('P15: stderr lines go to the log of the component', async t => {
  const { shell, logged } = await boltRig()
  shell.child.stderr('warming up')
  t.deepEqual(logged, ['info: warming up'])
})

test('P17: a direct emit gets no task ids, asked for or not; task 0 is no direct emit', async t => {
  const { shell, collector } = await boltRig()
  shell.child.send({ command: 'emit', tuple: ['x'], task: 4, need_task_ids: true })
  shell.child.send({ command: 'emit', tuple: ['y'], task: 0, stream: 'side' })
  t.deepEqual(collector.emits, [
    { values: ['x'], anchors: [], stream: 'default', task: 4 },
    { values: ['y'], anchors: [], stream: 'side' },
  ])
  t.deepEqual(shell.child.received.slice(1), [[4]])
})

test('P18: need_task_ids is true when missing or null, and an empty list answers an emit without receivers', async t => {
  const { shell, collector } = await boltRig()
  collector.ids = []
  shell.child.send(
    { command: 'emit', tuple: ['a'] },
    { command: 'emit', tuple: ['b'], need_task_ids: null },
  )
  shell.child.send({ command: 'emit', tuple: ['c'], need_task_ids: false })
  t.deepEqual(shell.child.received.slice(1), [[], []])
  t.is(shell.child.writes.length, 2, 'both answers in one write, in the turn of the chunk')
})

test('P18: task ids never wait for consumers; only the feeding of tuples does', async t => {
  const { shell, bolt, collector } = await boltRig()
  let goOn: () => void = () => undefined
  collector.full = new Promise(resolve => {
    goOn = resolve
  })
  void bolt.execute(tupleOf(['a']))
  await settle()
  shell.child.send({ command: 'emit', tuple: ['x'] })
  t.deepEqual(shell.child.received.slice(1), [[4]])
  collector.full = undefined
  goOn()
  await settle()
  t.deepEqual((shell.child.received[2] as Message).tuple, ['a'])
})

test('a child that emits on and on while consumers are full is not read any more, and not held for dead', async t => {
  const { shell, bolt, collector, clock } = await boltRig()
  let goOn: () => void = () => undefined
  collector.full = new Promise(resolve => {
    goOn = resolve
  })
  void bolt.execute(tupleOf(['a']))
  await settle()
  const emit = { command: 'emit', tuple: ['x'], need_task_ids: false }
  shell.child.send(...Array.from({ length: OVERRUN_EMITS_MAX }, () => emit))
  t.deepEqual(shell.child.pauses, [true])
  clock.advance(100_000)
  t.is(shell.children.length, 1)
  collector.full = undefined
  goOn()
  await settle()
  t.deepEqual(shell.child.pauses, [true, false])
})

for (const command of ['ack', 'fail']) {
  test(`P19: a second ${command} is a component error; the child is ended and started again`, async t => {
    const { shell, bolt, collector } = await boltRig()
    const other = tupleOf(['held'])
    void bolt.execute(tupleOf(['a']))
    void bolt.execute(other)
    await settle()
    const id = (shell.child.received[1] as Message).id
    shell.child.send({ command: 'ack', id }, { command, id }, { command: 'emit', tuple: ['never'] })
    t.deepEqual(collector.failed, [other], 'at once')
    await settle()
    const error = collector.errors[0] as EngineError
    t.is(error.code, 'SHELL_PROTOCOL')
    t.regex(
      error.message,
      new RegExp(`component "split" task 3: .*pid 1001\\) sent ${command} for the tuple ${id}`),
    )
    t.is(shell.children.length, 2)
    t.is(collector.emits.length, 0, 'what follows in the chunk does not count')
  })
}

test('P19: an anchor that was acked before is a component error', async t => {
  const { shell, bolt, collector } = await boltRig()
  void bolt.execute(tupleOf(['a']))
  await settle()
  const id = (shell.child.received[1] as Message).id as string
  shell.child.send({ command: 'ack', id }, { command: 'emit', tuple: ['x'], anchors: [id] })
  await settle()
  t.regex(collector.errors[0]!.message, new RegExp(`anchored an emit to the tuple ${id}`))
})

test('P20: an error is reported and not fatal; metrics register themselves', async t => {
  const { shell, collector, metrics } = await boltRig()
  shell.child.send(
    { command: 'error', msg: 'Traceback' },
    { command: 'metrics', name: 'words', params: [1] },
  )
  t.is(collector.errors[0]!.message, 'Shell Process Exception: Traceback')
  t.deepEqual(metrics, [['words', [1]]])
  t.is(shell.children.length, 1)
})

test('an unknown command is ignored in a bolt; a message without a command is a component error', async t => {
  const { shell, collector } = await boltRig()
  shell.child.send({ command: 'dance' }, { command: 'sync' })
  t.is(collector.errors.length, 0)
  shell.child.send({ tuple: ['x'] })
  await settle()
  t.regex(collector.errors[0]!.message, /sent a message without a command: \{"tuple":\["x"\]\}/)
})

test('types are taken leniently: numbers as text, a lone anchor, levels out of range, a tuple that is no array', async t => {
  const { shell, bolt, collector, logged } = await boltRig()
  const tuple = tupleOf(['a'])
  void bolt.execute(tuple)
  await settle()
  const id = (shell.child.received[1] as Message).id as string
  shell.child.send(
    { command: 'log', msg: { a: 1 }, level: 9 },
    { command: 'log', msg: 5, level: 'high' },
    { command: 'log', msg: 'bad', level: 4 },
    { command: 'emit', tuple: 'alone', anchors: id, need_task_ids: 'false' },
    { command: 'ack', id: Number(id) },
  )
  t.deepEqual(
    logged.map(line => line.replace(/ShellLog pid:1001, name:split /, '')),
    ['info: {"a":1}', 'info: 5', 'error: bad'],
  )
  t.deepEqual(collector.emits[0]!.values, ['alone'])
  t.deepEqual(collector.emits[0]!.anchors, [tuple])
  t.deepEqual(collector.acked, [tuple])
  t.is(shell.child.received.length, 2)
})

test('a print is logged with component and pid, and the messages around it count', async t => {
  const { shell, bolt, collector, logged } = await boltRig()
  void bolt.execute(tupleOf(['a']))
  await settle()
  const id = (shell.child.received[1] as Message).id as string
  shell.child.sendRaw(
    `hello\n{"command":"emit","tuple":[1],"need_task_ids":false}\nend\n12%{"command":"ack","id":"${id}"}\nend\n`,
  )
  t.deepEqual(logged, [
    'info: ShellLog pid:1001, name:split stdout: hello',
    'info: ShellLog pid:1001, name:split stdout: 12%',
  ])
  t.is(collector.emits.length, 1)
  t.is(collector.acked.length, 1)
})

test('P23: a silent bolt is ended after topology.subprocess.timeout.secs, and told why', async t => {
  const { shell, clock, collector, bolt } = await boltRig({
    conf: { 'topology.subprocess.timeout.secs': 5, 'supervisor.worker.timeout.secs': 60 },
  })
  const tuple = tupleOf(['a'])
  void bolt.execute(tuple)
  clock.advance(5_000)
  t.is(collector.failed.length, 0)
  clock.advance(1_000)
  t.deepEqual(collector.failed, [tuple])
  await settle()
  const error = collector.errors[0] as EngineError
  t.is(error.code, 'SHELL_TIMED_OUT')
  t.regex(
    error.message,
    /pid 1001\) gave no sign of life for 5 s; it was ended \(was killed by SIGTERM\)/,
  )
  t.is(shell.children.length, 2)
})

test('P23: time in which we ourselves stood still is not held against the child', async t => {
  const { clock, shell, collector } = await boltRig()
  clock.skip(120_000)
  clock.advance(0)
  t.is(collector.errors.length, 0)
  shell.child.send({ command: 'sync' })
  clock.advance(29_000)
  t.is(shell.children.length, 1)
})

test('P24: an exit with code 0 is a death like any other: held tuples fail, the error says all that is known', async t => {
  const { shell, bolt, collector } = await boltRig()
  const tuple = tupleOf(['a'])
  void bolt.execute(tuple)
  await settle()
  shell.child.stderr('something odd')
  shell.child.send({ command: 'error', msg: 'Traceback: ValueError' })
  shell.child.sendRaw('{"command":"ac')
  shell.child.exit(0)
  t.deepEqual(collector.failed, [tuple])
  const error = collector.errors[1] as EngineError
  t.is(error.code, 'SHELL_DIED')
  t.regex(
    error.message,
    /component "split" task 3: its process \(python3 split.py, pid 1001\) exited with code 0/,
  )
  t.regex(error.message, /its last error was: Traceback: ValueError/)
  t.regex(error.message, /its last stderr lines were:\n {2}something odd/)
  t.regex(error.message, /its output ended within a message: \{"command":"ac/)
  t.like(error.details, { component: 'split', task: 3, pid: 1001, exitCode: 0, signal: null })
  await settle()
  t.is(shell.children.length, 2, 'the first time at once')
})

test('while the child is away execute parks, and what was not written goes to the next one', async t => {
  const { shell, bolt, collector, clock } = await boltRig()
  shell.child.exit(1)
  await settle()
  shell.child.exit(1)
  await settle()
  t.is(shell.children.length, 2, 'the second time it waits')
  const parked = bolt.execute(tupleOf(['kept']))!
  t.false(await isSettled(parked))
  clock.advance(250)
  t.true(await isSettled(parked))
  t.is(shell.children.length, 3)
  t.deepEqual((shell.child.received[1] as Message).tuple, ['kept'])
  t.deepEqual(collector.failed, [])
})

test('ids go on counting over restarts, so that an answer to the dead child finds nothing', async t => {
  const { shell, bolt } = await boltRig()
  void bolt.execute(tupleOf(['a']))
  await settle()
  const before = (shell.child.received[1] as Message).id
  shell.child.exit(1)
  await settle()
  void bolt.execute(tupleOf(['b']))
  await settle()
  t.not((shell.child.received[1] as Message).id, before)
})

test('a program that is not there fails prepare, naming command, component and what to look at', async t => {
  const { FakeShell, ManualClock } = await import(
    '../../../../storm-compat/multilang/fake-child.ts'
  )
  const { ShellBolt } = await import('../../../../storm-compat/component/shell-bolt.ts')
  const { startError } = await import('../../../../storm-compat/multilang/death-report.ts')
  const { BoltRecorder, COMMAND } = await import('../multilang/support.ts')
  const shell = new FakeShell()
  shell.startError = Object.assign(new Error('spawn python3 ENOENT'), { code: 'ENOENT' })
  const bolt = new ShellBolt(COMMAND, { spawn: shell.spawn, clock: new ManualClock() })
  const { context } = contextFrom(SPLIT_CONTEXT)
  const error = await t.throwsAsync<EngineError>(bolt.prepare({}, context, new BoltRecorder()))
  t.is(error.code, 'SHELL_START_FAILED')
  t.regex(
    error.message,
    /component "split" task 3: cannot start \["python3","split.py"\] in \/nowhere/,
  )
  t.regex(error.hint!, /There is no directory \/nowhere: .*--resources DIR/)
  const here = { componentId: 'split', taskId: 3, command: ['python3'], directory: process.cwd() }
  t.regex(startError(here, shell.startError).hint!, /Is python3 installed/)
})

test('P26: a tuple that is never acked is given up after two message timeouts; late words of it are ignored', async t => {
  const { shell, bolt, collector, clock } = await boltRig({
    conf: { 'topology.message.timeout.secs': 10 },
  })
  clock.advance(1_000)
  const tuple = tupleOf(['a'])
  void bolt.execute(tuple)
  await settle()
  const id = (shell.child.received.at(-1) as Message).id as string
  for (let i = 0; i < 20; i++) {
    clock.advance(1_000)
    shell.child.send({ command: 'sync' })
  }
  t.deepEqual(collector.failed, [], 'not before the root can have failed')
  for (let i = 0; i < 5; i++) {
    clock.advance(1_000)
    shell.child.send({ command: 'sync' })
  }
  t.deepEqual(collector.failed, [tuple])
  shell.child.send(
    { command: 'ack', id },
    { command: 'emit', tuple: ['x'], anchors: [id], need_task_ids: false },
  )
  t.deepEqual(collector.acked, [])
  t.deepEqual(collector.emits[0]!.anchors, [])
  t.deepEqual(collector.errors, [])
})

test('an emit that the collector refuses is a component error with its reason', async t => {
  const { shell, collector } = await boltRig()
  collector.refuse = new EngineError('UNKNOWN_PORT', 'component "split" has no stream "nope"')
  shell.child.send({ command: 'emit', tuple: ['x'], stream: 'nope' })
  await settle()
  t.regex(
    collector.errors[0]!.message,
    /emitted on stream "nope" in vain: component "split" has no stream "nope"/,
  )
})

test('a child that does not read its answers is ended', async t => {
  const { shell, collector } = await boltRig()
  Object.defineProperty(shell.child, 'unwrittenBytes', { value: UNREAD_BYTES_MAX + 1 })
  shell.child.send({ command: 'emit', tuple: ['x'] })
  await settle()
  t.regex(collector.errors[0]!.message, /does not read its stdin/)
})

test('cleanup ends the child, lets waiting calls go, and starts no other', async t => {
  const { shell, bolt, collector } = await boltRig({
    conf: { 'topology.shellbolt.max.pending': 1 },
  })
  shell.child.hold()
  shell.child.send({ command: 'emit', tuple: ['x'] })
  const parked = bolt.execute(tupleOf(['a']))!
  await bolt.cleanup()
  await bolt.cleanup()
  t.true(await isSettled(parked))
  t.true(shell.child.ended)
  t.is(shell.children.length, 1)
  t.deepEqual(collector.errors, [])
})

test('a child that dies before its pid is started again while prepare waits', async t => {
  let starts = 0
  const { shell, prepared, collector } = await boltRig({
    script: (child, message) => {
      starts++
      if (starts === 1) child.exit(1)
      else sayPid(child, message)
    },
  })
  t.true(await isSettled(prepared))
  t.is(shell.children.length, 2)
  t.regex(collector.errors[0]!.message, /exited with code 1 before it had said its pid/)
})
