// The Kafka spout when much goes wrong at a time: what is bounded, what is told once, and what must not stop the rest.
import test from 'ava'
import { OffsetLedger } from '../../../../storm-compat/kafka/offset-ledger.ts'
import { MemoryKafka } from './_memory-kafka.ts'
import { GROUP, SpoutRig, settled } from './_spout-rig.ts'

const record = (offset: number) => ({
  topic: 'words',
  partition: 0,
  offset,
  timestampMs: 0,
  key: null,
  value: null,
  headers: [],
})

test('a record that fails for ever keeps nothing in memory but itself', t => {
  const ledger = new OffsetLedger(0)
  const stuck = ledger.open(record(0))
  for (let offset = 1; offset <= 1000; offset++) ledger.done(ledger.open(record(offset)))
  t.is(stuck.next, undefined)
  t.is(ledger.position, 0)
  t.is(ledger.uncommitted, 1001)
  ledger.done(stuck)
  const point = ledger.commitPoint()!
  t.is(point.offset, 1001)
  ledger.noteCommitted(point)
  t.is(ledger.uncommitted, 0)
})

test('what waits is bounded for all partitions together', async t => {
  const kafka = new MemoryKafka().topic('words', 3)
  const values = Array.from({ length: 250 }, (_, i) => `v${i}`)
  for (const name of ['words-0', 'words-1', 'words-2']) kafka.append(name, ...values)
  const properties = { 'fetch.max.bytes': 1000, 'max.partition.fetch.bytes': 1_000_000 }
  const rig = await new SpoutRig(kafka, { properties }).start()
  for (let turn = 0; turn < 5; turn++) await rig.pass(100)
  t.is(kafka.fetches, 1)
  const all: unknown[] = []
  for (let turn = 0; turn < 30; turn++) {
    all.push(...(await rig.take()))
    await rig.pass(100)
  }
  t.is(all.length, 750)
  t.deepEqual([...new Set(kafka.asked)], [1_000_000], 'one batch of a partition comes whole')
  await rig.spout.close()
})

test('brokers share the room that is left', async t => {
  const kafka = new MemoryKafka().topic('words', 2)
  kafka.at('words-1').leader = 2
  const properties = { 'fetch.max.bytes': 8_000_000 }
  const rig = await new SpoutRig(kafka, { properties }).start()
  t.deepEqual(kafka.asked, [4_000_000, 4_000_000])
  await rig.spout.close()
})

test('a topic that is deleted with something uncommitted keeps back no other topic', async t => {
  const kafka = new MemoryKafka().topic('log-1').append('log-1-0', 'a', 'b')
  const rig = await new SpoutRig(kafka, { topics: /log-.*/ }).start()
  t.deepEqual(await rig.take(), ['a', 'b'])
  rig.ack('a')
  kafka.remove('log-1')
  kafka.topic('log-2').append('log-2-0', 'c')
  await rig.pass(2000)
  t.deepEqual(await rig.take(), ['c'])
  rig.ack('c')
  await rig.pass(30_000)
  t.is(kafka.committed(GROUP, 'log-2-0'), 1)
  await rig.spout.close()
})

test('an expired offset that is seen twice is left once', async t => {
  const kafka = new MemoryKafka().topic('words').append('words-0', 'a', 'b', 'c')
  kafka.groups.set(`${GROUP} words-0`, { topic: 'words', partition: 0, offset: 0, metadata: '' })
  const at = kafka.at('words-0')
  at.records.splice(0, 2)
  at.start = 2
  kafka.held = []
  const rig = await new SpoutRig(kafka).start()
  await rig.pass(1000)
  const [first, second] = kafka.held
  first!()
  await settled()
  await rig.pass(1000)
  t.deepEqual(await rig.take(), ['c'])
  second!()
  await settled()
  await rig.pass(1000)
  kafka.append('words-0', 'd')
  await rig.pass(1000)
  t.deepEqual(await rig.take(), ['d'])
  t.is(rig.errors.length, 1)
  kafka.held = undefined
  await rig.spout.close()
})

test('a password that is refused is not tried again at once', async t => {
  const kafka = new MemoryKafka().topic('words').append('words-0', 'a')
  kafka.failing.add('topics')
  kafka.failure = 'KAFKA_REFUSED'
  const rig = await new SpoutRig(kafka).start()
  for (let turn = 0; turn < 5; turn++) await rig.pass(2000)
  t.is(kafka.calls.get('topics'), 1)
  t.is(rig.errors.length, 1)
  kafka.failing.clear()
  for (let turn = 0; turn < 5; turn++) await rig.pass(2000)
  t.deepEqual(await rig.take(), ['a'])
  await rig.spout.close()
})

function remake(kafka: MemoryKafka, count: number): void {
  kafka.remove('words')
  kafka.topic('words').append('words-0', ...Array.from({ length: count }, (_, i) => `new ${i}`))
}

test('a topic that is made anew beyond the old offset is read from its beginning, and told of', async t => {
  const kafka = new MemoryKafka().topic('words').append('words-0', 'a', 'b')
  const rig = await new SpoutRig(kafka).start()
  t.deepEqual(await rig.take(), ['a', 'b'])
  rig.ack('a', 'b')
  await rig.pass(30_000)
  remake(kafka, 4)
  await rig.pass(2000)
  const values = await rig.take()
  t.deepEqual([...new Set(values)].sort(), ['new 0', 'new 1', 'new 2', 'new 3'])
  t.regex(rig.errors[0]!, /words-0: the topic was deleted and made anew.*goes on at 0/)
  rig.ack('new 0', 'new 1', 'new 2', 'new 3')
  await rig.pass(30_000)
  t.is(kafka.committed(GROUP, 'words-0'), 4)
  await rig.spout.close()
})

test('a topic that was made anew while the topology stood still is seen by its commit', async t => {
  const kafka = new MemoryKafka().topic('words').append('words-0', 'a', 'b')
  const first = await new SpoutRig(kafka).start()
  await first.take()
  first.ack('a', 'b')
  await first.spout.close()
  const commit = kafka.groups.get(`${GROUP} words-0`)!
  t.regex(commit.metadata, /"threadName":"lines-executor\[1, 1\] of topic id 1"/)
  remake(kafka, 4)
  const options = [{}, { properties: { 'auto.offset.reset': 'latest' } }]
  for (const [at, expected] of [4, 0].entries()) {
    kafka.groups.set(`${GROUP} words-0`, commit)
    const rig = await new SpoutRig(kafka, options[at]).start()
    t.is((await rig.take()).length, expected)
    t.regex(rig.errors[0]!, /deleted and made anew/)
    await rig.spout.close()
  }
  kafka.groups.set(`${GROUP} words-0`, commit)
  const none = { properties: { 'auto.offset.reset': 'none' } }
  const rig = await new SpoutRig(kafka, none).start()
  await rig.pass(4000)
  t.deepEqual(await rig.take(), [])
  t.regex(rig.errors[0]!, /nothing more of it is read/)
  await rig.spout.close()
  t.deepEqual(kafka.groups.get(`${GROUP} words-0`), commit)
})
