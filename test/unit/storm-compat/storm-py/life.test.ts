// Our storm.py over time: spout turns, output that must not wait, threads, forks, and MessagePack.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { basicBolt, component, Host, tuple } from './host.ts'

test('every command to a spout reaches its method and is answered with sync', async t => {
  const methods = [
    'ack(self, id): storm.log("ack %r" % (id,))',
    'fail(self, id): storm.log("fail %r" % id)',
  ]
    .concat(['activate(self): storm.log("on")', 'deactivate(self): storm.log("off")'])
    .map(method => `    def ${method}\n`)
  const host = new Host(
    component('Spout', 'nextTuple(self)', ['storm.emit(["x"], id=1)']).replace(
      '\n\nC()',
      `\n${methods.join('')}\nC()`,
    ),
  )
  await host.shakeHands()
  const turns: [string, unknown, string][] = [
    ['activate', '', 'on'],
    ['next', '', 'x'],
    ['ack', { k: [1] }, "ack {'k': [1]}"],
    ['fail', 3, 'fail 3'],
    ['deactivate', '', 'off'],
  ]
  for (const [command, id, expected] of turns) {
    host.send({ command, id })
    const [said, sync] = await host.take(2)
    t.is(said?.msg ?? said?.tuple?.[0], expected)
    t.deepEqual(sync, { command: 'sync' })
  }
  await host.close()
})

test('a spout without handlers answers acks and unknown commands with sync', async t => {
  const host = new Host(component('Spout', 'nextTuple(self)', ['pass']))
  await host.shakeHands()
  for (const command of ['activate', 'ack', 'fail', 'next', 'later-invention']) {
    host.send({ command, id: 1 })
    t.deepEqual(await host.next(), { command: 'sync' })
  }
  await host.close()
})

test('an exception in a spout is reported and ends it', async t => {
  const host = new Host(component('Spout', 'nextTuple(self)', ['raise IOError("dry")']))
  await host.shakeHands()
  host.send({ command: 'next', id: '' })
  t.regex((await host.next()).msg ?? '', /dry/)
  t.deepEqual((await host.close()).left, [])
})

test('what a busy component emitted leaves although it reads no input', async t => {
  const host = new Host(
    `import os, time\n${basicBolt(
      'storm.emit(["begun"])',
      'while not os.path.exists("go"): time.sleep(0.001)',
    )}`,
  )
  await host.shakeHands()
  host.send(tuple('1'))
  t.deepEqual((await host.next()).tuple, ['begun'])
  writeFileSync(join(host.folder, 'go'), '')
  t.deepEqual(await host.next(), { command: 'ack', id: '1' })
  await host.close()
})

test('what another thread emits leaves while the component waits for input', async t => {
  const source = basicBolt(
    'def later():',
    '    while not os.path.exists("go"): time.sleep(0.001)',
    '    kept.append(storm.emit(["from a thread"]))',
    '    storm.log(str(list(kept[0])))',
    'threading.Thread(target=later).start()',
  )
  const host = new Host(`import os, threading, time\nkept = []\n${source}`)
  await host.shakeHands()
  host.send(tuple('1'))
  t.deepEqual(await host.next(), { command: 'ack', id: '1' })
  writeFileSync(join(host.folder, 'go'), '')
  t.deepEqual((await host.next()).tuple, ['from a thread'])
  host.send([6])
  t.is((await host.next()).msg, '[6]')
  await host.close()
})

test('a thread that floods a host which does not read waits for it and loses nothing', async t => {
  const source = basicBolt(
    'def flood():',
    '    for i in range(5000): storm.emit([i, "x" * 100])',
    'threading.Thread(target=flood).start()',
  )
  const host = new Host(`import threading\n${source}`)
  await host.shakeHands()
  host.process.stdout?.pause()
  host.send(tuple('1'))
  host.process.stdout?.resume()
  const said = (await host.take(5001)).filter(m => m.command === 'emit')
  t.deepEqual(
    said.map(m => m.tuple?.[0]),
    Array.from({ length: 5000 }, (_, i) => i),
  )
  await host.close()
})

test('a forked process does not send the messages of its parent again', async t => {
  const host = new Host(
    `import os\n${basicBolt(
      'storm.emit(["once"])',
      'pid = os.fork()',
      'if pid == 0:',
      '    storm.log("from the fork")',
      '    sys.exit(0)',
      'os.waitpid(pid, 0)',
    )}`,
  )
  await host.shakeHands()
  host.send(tuple('1'))
  const said = (await host.take(3)).map(m => m.msg ?? m.tuple?.[0] ?? m.command).sort()
  t.deepEqual(said, ['ack', 'from the fork', 'once'])
  t.deepEqual((await host.close()).left, [])
})

test('a large tuple and a large burst arrive whole', async t => {
  const host = new Host(
    basicBolt(
      'for i in range(3000): storm.emit([i, tup.values[0][:50]])',
      'storm.emit(tup.values)',
    ),
  )
  await host.shakeHands()
  const big = 'ä'.repeat(1_000_000)
  host.send(tuple('1', big))
  const burst = await host.take(3000)
  t.deepEqual(
    burst.map(said => said.tuple?.[0]),
    Array.from({ length: 3000 }, (_, i) => i),
  )
  // The flush of the busy component may catch an emit whose result is still on its way to being dropped.
  t.true(burst.filter(said => said.need_task_ids !== false).length < 10)
  t.is((await host.next()).tuple?.[0], big)
  await host.close()
})

const packed = basicBolt(
  'ids = storm.emit(tup.values)',
  'storm.emit([list(ids)], stream="s")',
  'storm.emitDirect(2, [b"\\x00\\xff", -1 << 31, 1.5, None, {"k": u"\\u00fc" * 300}])',
  'storm.log(repr(sys.argv[1:]))',
)
// Makes the import of the package fail, so that the module in plain Python is used.
const withoutPackage = 'sys.modules["msgpack"] = None\n'
const ways = {
  'the option -s': { args: ['-s', 'msgpack', 'x'] },
  'the environment': { env: { GEARPUMP_MULTILANG_SERIALIZER: 'msgpack' } },
}

for (const [way, options] of Object.entries(ways)) {
  test(`MessagePack is selected by ${way} and needs no package`, async t => {
    const host = new Host(withoutPackage + packed, { serializer: 'msgpack', ...options })
    await host.shakeHands()
    host.send(tuple('1', 'ü', 1, 2 ** 40, [null, true]))
    const emit = { command: 'emit', anchors: ['1'] }
    t.deepEqual(await host.next(), {
      ...emit,
      tuple: ['ü', 1, 2 ** 40, [null, true]],
      need_task_ids: true,
    })
    host.send([4, 5])
    t.deepEqual(await host.next(), { ...emit, stream: 's', tuple: [[4, 5]], need_task_ids: false })
    const direct = await host.next()
    t.deepEqual(Buffer.from(direct.tuple?.[0] as Uint8Array), Buffer.of(0, 255))
    t.deepEqual(direct.tuple?.slice(1), [-(2 ** 31), 1.5, null, { k: 'ü'.repeat(300) }])
    t.is((await host.next()).msg, 'args' in options ? "['-s', 'msgpack', 'x']" : '[]')
    t.deepEqual(await host.next(), { command: 'ack', id: '1' })
    t.is((await host.close()).code, 0)
  })
}

test('MessagePack messages may come in pieces', async t => {
  const host = new Host(withoutPackage + basicBolt('storm.emit(tup.values)'), {
    serializer: 'msgpack',
    args: ['-s', 'msgpack'],
  })
  await host.shakeHands()
  for (const byte of host.encode(tuple('1', 'abc'), tuple('2', { k: [1] }))) {
    host.process.stdin?.write(Buffer.of(byte))
  }
  t.deepEqual(
    (await host.take(4)).map(said => said.tuple ?? said.id),
    [['abc'], '1', [{ k: [1] }], '2'],
  )
  await host.close()
})

test('a serializer that does not exist is refused by name', async t => {
  const host = new Host(basicBolt('pass'), { env: { GEARPUMP_MULTILANG_SERIALIZER: 'kryo' } })
  const { code, stderr } = await host.close()
  t.is(code, 1)
  t.regex(stderr, /'kryo': use json or msgpack/)
})
