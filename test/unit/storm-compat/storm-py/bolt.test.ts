// Bolts on our storm.py: what they send, what they print, how they end.

import test from 'ava'
import { basicBolt, component, Host, heartbeat, tuple } from './host.ts'

const split = basicBolt('for word in tup.values[0].split(" "):', '    storm.emit([word])')

test('a bolt answers the handshake with its pid and leaves a file of that name', async t => {
  const host = new Host(split)
  const pid = await host.shakeHands()
  t.is(pid, host.process.pid)
  t.true(host.files().includes(String(pid)))
  t.is((await host.close()).code, 0)
})

test('a BasicBolt anchors what it emits to its input and acks afterwards', async t => {
  const host = new Host(split)
  await host.shakeHands()
  host.send(tuple('-1', 'a b'), tuple('-2', 'ü 😀'))
  t.deepEqual(await host.take(3), [
    { command: 'emit', anchors: ['-1'], tuple: ['a'], need_task_ids: false },
    { command: 'emit', anchors: ['-1'], tuple: ['b'], need_task_ids: false },
    { command: 'ack', id: '-1' },
  ])
  t.deepEqual(
    (await host.take(3)).map(said => said.tuple?.[0] ?? said.id),
    ['ü', '😀', '-2'],
  )
  await host.close()
})

test('what follows from one burst of input leaves in a few writes', async t => {
  const host = new Host(split)
  await host.shakeHands()
  const before = host.chunks
  host.send(...Array.from({ length: 100 }, (_, i) => tuple(String(i), 'a b c')))
  t.is((await host.take(400)).at(-1)?.id, '99')
  t.true(host.chunks - before <= 5, `${host.chunks - before} writes`)
  await host.close()
})

test('values keep their types', async t => {
  const values = [1, -5, 1.5, true, null, 'x"\\\n', [1, { k: [] }], { a: 'b' }, '']
  const host = new Host(basicBolt('storm.emit(tup.values)', 'storm.emit(tuple(tup.values))'))
  await host.shakeHands()
  host.send(tuple('1', ...values))
  t.deepEqual((await host.next()).tuple, values)
  t.deepEqual((await host.next()).tuple, values)
  await host.close()
})

test('whole numbers beyond 64 bits pass unchanged', async t => {
  const host = new Host(basicBolt('storm.emit([str(tup.values[0] + 1)])'))
  await host.shakeHands()
  host.process.stdin?.write(
    '{"id":"1","comp":"s","stream":"d","task":1,"tuple":[36893488147419103232]}\nend\n',
  )
  t.deepEqual((await host.next()).tuple, ['36893488147419103233'])
  await host.close()
})

test('messages may come in pieces, on many lines and with CRLF', async t => {
  const host = new Host(basicBolt('storm.emit(tup.values)'))
  await host.shakeHands()
  const text = JSON.stringify(tuple('1', 'one\nend\n'), null, 1).replaceAll('\n', '\r\n')
  for (const byte of Buffer.from(`${text}\r\nend\r\n`)) host.process.stdin?.write(Buffer.of(byte))
  t.deepEqual((await host.next()).tuple, ['one\nend\n'])
  await host.close()
})

test('printing goes to stderr, as does the output of child processes', async t => {
  const host = new Host(
    `print('early')\nimport os, subprocess\n${basicBolt(
      'print("printed")',
      'subprocess.call(["echo", "by a child"])',
      'os.write(1, b"raw\\n")',
      'storm.emit(tup.values)',
    )}`,
  )
  await host.shakeHands()
  host.send(tuple('1', 'x'))
  t.deepEqual((await host.next()).tuple, ['x'])
  const { stderr } = await host.close()
  for (const line of ['early', 'printed', 'by a child', 'raw']) t.true(stderr.includes(line), line)
})

test('under a host that sets the serializer, even unbuffered printing before run is harmless', async t => {
  const host = new Host(`print('early')\n${split}`, {
    env: { PYTHONUNBUFFERED: '1', GEARPUMP_MULTILANG_SERIALIZER: 'json' },
  })
  t.is(await host.shakeHands(), host.process.pid)
  t.is((await host.close()).stderr, 'early\n')
})

test('child processes of a component do not eat its input', async t => {
  const host = new Host(
    `import subprocess\n${basicBolt('subprocess.call(["cat"])', 'storm.emit(tup.values)')}`,
  )
  await host.shakeHands()
  host.send(tuple('1', 'a'), tuple('2', 'b'))
  t.deepEqual(
    (await host.take(4)).map(said => said.id ?? said.tuple),
    [['a'], '1', ['b'], '2'],
  )
  t.is((await host.close()).stderr, '')
})

test('a BasicBolt that raises reports the traceback, fails the tuple and goes on', async t => {
  const host = new Host(basicBolt('storm.emit([1 // tup.values[0]])'))
  await host.shakeHands()
  host.send(tuple('1', 0), tuple('2', 1))
  const [error, failed, emitted, acked] = await host.take(4)
  t.is(error?.command, 'error')
  t.regex(error?.msg ?? '', /^Traceback[\s\S]*in process[\s\S]*ZeroDivisionError/)
  t.deepEqual(failed, { command: 'fail', id: '1' })
  t.deepEqual(emitted?.tuple, [1])
  t.deepEqual(acked, { command: 'ack', id: '2' })
  t.is((await host.close()).code, 0)
})

test('a Bolt that raises reports the traceback and ends', async t => {
  const host = new Host(
    component('Bolt', 'process(self, tup)', ['storm.ack(tup)', 'raise KeyError("lost")']),
  )
  await host.shakeHands()
  host.send(tuple('1', 0))
  t.deepEqual(await host.next(), { command: 'ack', id: '1' })
  t.regex((await host.next()).msg ?? '', /KeyError: 'lost'/)
  t.is((await host.close()).code, 0)
})

test('an exception in initialize is reported', async t => {
  const host = new Host(
    component('Bolt', 'initialize(self, conf, context)', ['raise ValueError(conf["k"])']),
  )
  await host.shakeHands({ k: 'from conf' })
  t.regex((await host.next()).msg ?? '', /ValueError: from conf/)
  await host.close()
})

test('a value that cannot be sent fails its tuple and leaves nothing half written', async t => {
  const host = new Host(basicBolt('storm.emit([object()])'))
  await host.shakeHands()
  host.send(tuple('1'), heartbeat)
  const [error, failed, sync] = await host.take(3)
  t.regex(error?.msg ?? '', /TypeError/)
  t.deepEqual([failed?.command, sync?.command], ['fail', 'sync'])
  await host.close()
})

test('a heartbeat is answered with sync', async t => {
  const host = new Host(split)
  await host.shakeHands()
  host.send(heartbeat)
  t.deepEqual(await host.next(), { command: 'sync' })
  await host.close()
})

test('the end of input ends a component without an error, after all that it had to say', async t => {
  const host = new Host(`${split}\nsys.stderr.write('after run')`)
  await host.shakeHands()
  host.send(tuple('1', 'a'))
  const { code, stderr, left } = await host.close()
  t.deepEqual([code, stderr, left.length], [0, 'after run', 2])
})

test('sys.exit in a component does not lose what it emitted', async t => {
  const host = new Host(basicBolt('storm.emit(tup.values)', 'sys.exit(3)'))
  await host.shakeHands()
  host.send(tuple('1', 'last words'))
  t.deepEqual((await host.next()).tuple, ['last words'])
  t.is((await host.close()).code, 3)
})

test('a host that is gone ends a component quietly', async t => {
  const host = new Host(split)
  await host.shakeHands()
  host.process.stdout?.destroy()
  host.send(tuple('1', 'a'))
  const { code, stderr } = await host.close()
  t.deepEqual([code, stderr], [0, ''])
})

test('log levels, metrics and errors have the fields that Storm reads', async t => {
  const host = new Host(
    basicBolt(
      'storm.log("plain")',
      'for f in (storm.logTrace, storm.logDebug, storm.logInfo, storm.logWarn, storm.logError):',
      '    f(tup.values[0])',
      'storm.rpcMetrics("count", {"n": 1})',
      'storm.reportError("bad")',
      'storm.sync()',
    ),
  )
  await host.shakeHands()
  host.send(tuple('1', 5))
  t.deepEqual(await host.take(9), [
    { command: 'log', msg: 'plain', level: 2 },
    ...[0, 1, 2, 3, 4].map(level => ({ command: 'log', msg: '5', level })),
    { command: 'metrics', name: 'count', params: { n: 1 } },
    { command: 'error', msg: 'bad' },
    { command: 'sync' },
  ])
  await host.close()
})

test('a Bolt chooses anchors, stream and what to ack by itself', async t => {
  const host = new Host(
    component('Bolt', 'process(self, tup)', [
      'storm.emit(tup.values, stream="side", anchors=[tup, tup])',
      'storm.emit(tup.values)',
      'storm.fail(tup)',
    ]),
  )
  await host.shakeHands()
  host.send(tuple('1', 'x'))
  t.deepEqual(await host.take(3), [
    { command: 'emit', stream: 'side', anchors: ['1', '1'], tuple: ['x'], need_task_ids: false },
    { command: 'emit', anchors: [], tuple: ['x'], need_task_ids: false },
    { command: 'fail', id: '1' },
  ])
  await host.close()
})

test('a received tuple has the attributes and the text that Storm gives it', async t => {
  const host = new Host(basicBolt('storm.log(repr(tup))'))
  await host.shakeHands()
  host.send(tuple('1', 'x'))
  t.is(
    (await host.next()).msg,
    "<Tuple component='source' id='1' stream='default' task=7 values=['x']>",
  )
  await host.close()
})

test('the module has every public name of the one it replaces', async t => {
  const names =
    'ANCHOR_TUPLE BasicBolt Bolt MODE Spout Tuple ack emit emitBolt emitDirect emitSpout fail ' +
    'initComponent json_decode json_encode log logDebug logError logInfo logTrace logWarn ' +
    'pending_commands pending_taskids readCommand readMsg readTaskIds readTuple reportError ' +
    'rpcMetrics sendMsgToParent sendpid sync'
  const host = new Host(
    `missing = [n for n in ${JSON.stringify(names)}.split() if not hasattr(storm, n)]\nsys.exit(repr(missing))`,
  )
  t.is((await host.close()).stderr.trim(), '[]')
})
