// The result of emit(): when the host is asked for task ids, and that answers find the right results.

import test from 'ava'
import { basicBolt, component, Host, heartbeat, tuple } from './host.ts'

test('a result that is looked at asks for the ids and waits for them', async t => {
  const host = new Host(basicBolt('ids = storm.emit(["a"])', 'storm.emit([sum(ids), len(ids)])'))
  await host.shakeHands()
  host.send(tuple('1'))
  t.deepEqual(await host.next(), { command: 'emit', anchors: ['1'], tuple: ['a'] })
  host.send([4, 5])
  t.deepEqual((await host.next()).tuple, [9, 2])
  await host.close()
})

test('results looked at in any order get their own ids', async t => {
  const host = new Host(
    basicBolt(
      'a, b, c = storm.emit(["a"]), storm.emit(["b"]), storm.emit(["c"])',
      'storm.emit([c[0], a[0], b[0]])',
    ),
  )
  await host.shakeHands()
  host.send(tuple('1'))
  const asked = await host.take(3)
  t.true(asked.every(said => said.need_task_ids === undefined))
  host.send([1], tuple('2'), [2], [3])
  t.deepEqual((await host.next()).tuple, [3, 1, 2])
  t.deepEqual(await host.next(), { command: 'ack', id: '1' })
  t.deepEqual((await host.next()).tuple, ['a'])
  await host.close()
})

test('an answer to a result that was kept but never looked at disturbs nothing', async t => {
  const host = new Host(
    `kept = []\n${basicBolt('kept.append(storm.emit(tup.values))', 'if len(kept) == 2: storm.emit([kept[1][0]])')}`,
  )
  await host.shakeHands()
  host.send(tuple('1', 'a'))
  t.is((await host.take(2))[0]?.need_task_ids, undefined)
  host.send([7], tuple('2', 'b'))
  t.deepEqual((await host.next()).tuple, ['b'])
  host.send([8])
  t.deepEqual((await host.next()).tuple, [8])
  await host.close()
})

test('a result behaves as a list', async t => {
  const looks = [
    'ids == [4, 5] and [4, 5] == ids and ids != [4]',
    'repr(ids) == "[4, 5]" and str(ids) == "[4, 5]"',
    'list(ids) == [4, 5] and tuple(ids) == (4, 5) and sorted(ids) == [4, 5]',
    'ids[0] == 4 and ids[-1] == 5 and ids[:1] == [4] and ids[1:] == [5]',
    '4 in ids and 6 not in ids and bool(ids)',
    'ids + [6] == [4, 5, 6] and [3] + ids == [3, 4, 5] and ids * 2 == [4, 5, 4, 5]',
    'ids.index(5) == 1 and ids.count(4) == 1 and isinstance(ids, list)',
    'list(reversed(ids)) == [5, 4] and ids < [5] and ids == ids',
    '__import__("copy").copy(ids) == [4, 5]',
    '__import__("pickle").loads(__import__("pickle").dumps(ids)) == [4, 5]',
    'ids.append(6) is None and ids == [4, 5, 6]',
  ]
  const host = new Host(
    basicBolt(
      'ids = storm.emit(["a"])',
      ...looks.map(look => `storm.log(str(${look}))`),
      'storm.emit([ids])',
    ),
  )
  await host.shakeHands()
  host.send(tuple('1'))
  await host.next()
  host.send([4, 5])
  const answers = await host.take(looks.length)
  t.deepEqual(
    answers.map(said => said.msg),
    looks.map(() => 'True'),
  )
  t.deepEqual((await host.next()).tuple, [[4, 5, 6]])
  await host.close()
})

test('a direct emit asks for nothing and knows its task', async t => {
  const host = new Host(
    basicBolt(
      'storm.emitDirect(9, ["a"], stream="s")',
      'storm.emit([list(storm.emit(["b"], directTask=8))])',
    ),
  )
  await host.shakeHands()
  host.send(tuple('1'))
  t.deepEqual(await host.take(3), [
    { command: 'emit', stream: 's', anchors: ['1'], task: 9, tuple: ['a'], need_task_ids: false },
    { command: 'emit', anchors: ['1'], task: 8, tuple: ['b'], need_task_ids: false },
    { command: 'emit', anchors: ['1'], tuple: [[8]], need_task_ids: false },
  ])
  await host.close()
})

test('emitBolt and messages made by hand are answered through readTaskIds', async t => {
  const host = new Host(
    basicBolt(
      'storm.emitBolt(["a"])',
      'storm.sendMsgToParent({"command": "emit", "tuple": ["b"], "anchors": []})',
      'c = storm.emit(["c"])',
      'storm.emit([storm.readTaskIds(), storm.readTaskIds(), c])',
    ),
  )
  await host.shakeHands()
  host.send(tuple('1'))
  t.deepEqual(
    (await host.take(2)).map(said => said.need_task_ids),
    [undefined, undefined],
  )
  host.send([1], heartbeat, [2])
  t.deepEqual((await host.next()).tuple, ['c'])
  host.send([3])
  t.deepEqual((await host.next()).tuple, [[1], [2], [3]])
  t.deepEqual(
    (await host.take(2)).map(said => said.command),
    ['ack', 'sync'],
  )
  await host.close()
})

test('a result looked at after the host went away ends the component', async t => {
  const host = new Host(basicBolt('len(storm.emit(["a"]))', 'storm.emit(["never"])'))
  await host.shakeHands()
  host.send(tuple('1'))
  await host.next()
  const { code, left } = await host.close()
  t.deepEqual([code, left], [0, []])
})

test('a component and a host that both write much do not block each other', async t => {
  const host = new Host(
    basicBolt(
      'kept = [storm.emit(["x" * 1000]) for i in range(2000)]',
      'storm.emit([sum(map(len, kept))])',
    ),
  )
  await host.shakeHands()
  host.send(tuple('1'))
  const ids = Array.from({ length: 2000 }, (_, i) => i)
  await host.take(40)
  // The host does not read while it writes what no pipe holds, as one with a single thread does.
  host.process.stdout?.pause()
  await new Promise<void>(resolve => {
    host.process.stdin?.write(host.encode(...Array<number[]>(40).fill(ids)), () => resolve())
  })
  host.process.stdout?.resume()
  await host.take(1960)
  host.send(...Array<number[]>(1960).fill([1]))
  t.deepEqual((await host.next()).tuple, [40 * 2000 + 1960])
  await host.close()
})

test('a spout is asked for ids only when it keeps the result', async t => {
  const host = new Host(
    component('Spout', 'nextTuple(self)', [
      'storm.emit(["a"], id={"k": 1})',
      'storm.emit([list(storm.emit(["b"], stream="s", id=0))])',
    ]),
  )
  await host.shakeHands()
  host.send({ command: 'next', id: '' })
  t.deepEqual(await host.take(2), [
    { command: 'emit', id: { k: 1 }, tuple: ['a'], need_task_ids: false },
    { command: 'emit', stream: 's', id: 0, tuple: ['b'] },
  ])
  host.send([3])
  t.deepEqual(await host.take(2), [
    { command: 'emit', tuple: [[3]], need_task_ids: false },
    { command: 'sync' },
  ])
  await host.close()
})
