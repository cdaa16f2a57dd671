// The Kafka source when much goes wrong at a time: what rests must not stop others, what waits must not stop the end, and nothing
// that is in memory is thrown away.
import test from 'ava'
import { OffsetLedger } from '../../../../connectors/kafka/offset-ledger.ts'
import { detached, OpenRecords } from '../../../../connectors/kafka/open-records.ts'
import { codes, filled, start } from './_source-rig.ts'

test('a source ends although its dead letters have nowhere to go', async t => {
  const kafka = filled(50)
  const decode = () => {
    throw new Error('no')
  }
  const started = await start(kafka, { options: { decode, deadLetterTopic: 'dead' } })
  await started.quiet(5000)
  const told = started.source.errors.filter(error => /no topic dead/.test(error.message))
  t.true(told.length > 0 && told.length <= 3, `told ${told.length} times`)
  await started.source.stop()
  t.is(kafka.clients, 0)
})

test('many bad records go to the dead letters in few batches, each of them once', async t => {
  const kafka = filled(300)
  kafka.create('dead', 1)
  const decode = () => {
    throw new Error('no')
  }
  const started = await start(kafka, { options: { decode, deadLetterTopic: 'dead' } })
  await started.quiet(3000)
  t.is(kafka.values('dead').length, 300)
  t.is(new Set(kafka.values('dead')).size, 300)
  t.true(kafka.writes < 150, `${kafka.writes} batches`)
  await started.source.stop()
  t.is(kafka.commits.get('g in[0]')?.offset, 300)
})

test('what was fetched before its partition expired is emitted all the same', async t => {
  const kafka = filled(14)
  const started = await start(kafka, { options: { openMax: 3 } })
  t.is(started.texts().length, 3)
  kafka.expire({ topic: 'in', partition: 0 }, 20)
  kafka.tick()
  await started.quiet()
  kafka.append('in', 0, 'after')
  for (let k = 0; k < 15; k++) {
    await started.source.done(started.source.emitted[k]!.id)
    await started.quiet(40)
  }
  t.deepEqual(started.texts(), [...Array.from({ length: 14 }, (_, i) => `text ${i}`), 'after'])
  t.deepEqual(codes(t, started), ['KAFKA_OFFSET_GONE'])
  t.regex(started.source.errors[0]!.message, /at offset 14: it begins at 20: 6 offsets expired/)
  await started.source.stop()
})

test('everything that is open may fail at a time', t => {
  const count = 200_000
  const due: (() => void)[] = []
  const bounds = { recordsMax: count, bytesMax: Number.POSITIVE_INFINITY }
  const open = new OpenRecords(bounds, (_delayMs, fn) => due.push(fn))
  const ledger = new OffsetLedger({ low: 0, runs: [] })
  const record = { topic: 'in', partition: 0, timestampMs: 0, key: null, value: null, headers: [] }
  for (let offset = 0; offset < count; offset++) {
    const id = open.add('x', { ...record, offset }, ledger)
    open.failed(id)
    open.failed(id)
    open.again(id)
  }
  for (const fn of due) fn()
  let again = 0
  while (open.takeDue() !== undefined) again++
  t.is(again, count)
})

test('a record that is kept keeps nothing of the answer it was cut from, and headers weigh', t => {
  const answer = Buffer.alloc(100_000)
  const cut = (at: number) => answer.subarray(at, at + 10)
  const record = {
    topic: 'in',
    partition: 0,
    offset: 0,
    timestampMs: 0,
    key: cut(0),
    value: cut(10),
    headers: [['h', cut(20)]],
  } as const
  const kept = detached(record)
  t.deepEqual(kept, record)
  for (const bytes of [kept.key!, kept.value!, kept.headers[0]![1]!])
    t.true(bytes.buffer.byteLength < 20_000)
  const open = new OpenRecords({ recordsMax: 10, bytesMax: 5000 }, () => undefined)
  const ledger = new OffsetLedger({ low: 0, runs: [] })
  open.add('x', { ...record, headers: [['h', Buffer.alloc(6000)]] }, ledger)
  t.true(open.full)
})
