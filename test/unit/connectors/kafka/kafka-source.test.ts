// The Kafka source on a cluster in memory: what grows, expires, does not read or fails too often.
import test from 'ava'
import type { EngineError } from 'gearpump'
import { type KafkaRecord, kafkaSource } from 'gearpump/kafka'
import { codes, filled, start, textOf } from './_source-rig.ts'

test('a topic that grows is followed: the new partitions are read from their beginning, by one task each', async t => {
  const kafka = filled(4, 2)
  const options = { from: 'latest', refreshMs: 1000 } as const
  const tasks = [
    await start(kafka, { options, index: 0, parallelism: 2 }),
    await start(kafka, { options, index: 1, parallelism: 2 }),
  ]
  kafka.create('in', 4)
  const grown = [0, 1, 2, 3].map(partition => {
    kafka.append('in', partition, `grown ${partition}`)
    return `grown ${partition}`
  })
  for (const task of tasks) await task.quiet(2000)
  t.deepEqual(tasks.flatMap(task => task.texts()).sort(), grown)
})

test('a topic made later is found by a pattern, and read from its beginning', async t => {
  const kafka = filled(2)
  const started = await start(kafka, { options: { pattern: /in|late.*/, refreshMs: 1000 } })
  kafka.create('later', 1)
  kafka.create('not-late', 1)
  kafka.append('later', 0, 'from the beginning')
  kafka.append('not-late', 0, 'of no concern')
  await started.quiet(2000)
  t.deepEqual(started.texts(), ['text 0', 'text 1', 'from the beginning'])
})

test('records that expired before they were read are told of, with numbers, and reading goes on behind them', async t => {
  const kafka = filled(0)
  const started = await start(kafka)
  kafka.append('in', 0, 'first')
  await started.quiet()
  kafka.expire({ topic: 'in', partition: 0 }, 8)
  kafka.append('in', 0, 'after')
  await started.quiet()
  t.deepEqual(started.texts(), ['first', 'after'])
  t.deepEqual(codes(t, started), ['KAFKA_OFFSET_GONE'])
  t.regex(started.source.errors[0]!.message, /in\[0\].*offset 1.*begins at 8: 7 offsets/)
})

test('with onOffsetGone: fail a partition rests, and the others go on', async t => {
  const kafka = filled(2, 2)
  const started = await start(kafka, { options: { onOffsetGone: 'fail' } })
  kafka.expire({ topic: 'in', partition: 0 }, 8)
  kafka.append('in', 0, 'not read')
  kafka.append('in', 1, 'read')
  await started.quiet(3000)
  t.deepEqual(started.texts().sort(), ['read', 'text 0', 'text 1'])
  t.deepEqual(codes(t, started), ['KAFKA_OFFSET_GONE'])
})

test('a batch that does not read is left out by order, and told of', async t => {
  const kafka = filled(5)
  kafka.corrupt.add('in[0]@2')
  const started = await start(kafka, { options: { onPoison: 'skip' } })
  await started.quiet(3000)
  t.deepEqual(started.texts(), ['text 0', 'text 1', 'text 3', 'text 4'])
  t.deepEqual(codes(t, started), ['KAFKA_RECORD_INVALID'])
})

test('a batch that does not read stops its partition unless something else is ordered', async t => {
  const kafka = filled(5)
  kafka.corrupt.add('in[0]@2')
  const started = await start(kafka)
  await started.quiet(3000)
  t.deepEqual(started.texts(), ['text 0', 'text 1'])
  t.regex(started.source.errors[0]!.message, /nothing more of this partition is read/)
})

test('what cannot be decoded goes to the dead letters with its reason, and is done when it is there', async t => {
  const kafka = filled(3)
  kafka.create('dead', 1)
  const decode = (record: KafkaRecord) => {
    if (textOf(record) === 'text 1') throw new Error('not JSON')
    return textOf(record)
  }
  const started = await start(kafka, { options: { decode, deadLetterTopic: 'dead' } })
  t.deepEqual(started.texts(), ['text 0', 'text 2'])
  started.source.done()
  await started.quiet(2000)
  const [letter] = kafka.log({ topic: 'dead', partition: 0 }).records
  t.is(String(letter!.value), 'text 1')
  const headers = Object.fromEntries(letter!.headers.map(([name, value]) => [name, String(value)]))
  t.regex(headers['gearpump.reason']!, /in\[0\]: the record at offset 1.*not JSON/)
  t.is(headers['gearpump.offset'], '1')
  t.is(kafka.commits.get('g in[0]')!.offset, 3)
})

test('a record that fails too often goes to the dead letters; until it is there it is not done', async t => {
  const kafka = filled(2)
  const options = { deadLetterTopic: 'dead', failuresMax: 2 }
  const started = await start(kafka, { options })
  const [first] = started.source.emitted
  for (let k = 0; k < 3; k++) {
    started.source.fail(first!.id)
    await started.quiet(1000)
  }
  t.is(started.texts().filter(text => text === 'text 0').length, 3)
  await started.quiet(2000)
  t.is(kafka.commits.get('g in[0]')!.offset, 0, 'there is no topic for it yet')
  kafka.create('dead', 1)
  started.source.done()
  await started.quiet(4000)
  t.deepEqual(kafka.values('dead'), ['text 0'])
  t.is(kafka.commits.get('g in[0]')!.offset, 2)
})

test('a crash right after the start does not move "latest": what came in between is read', async t => {
  const kafka = filled(3)
  const options = { from: 'latest' } as const
  const first = await start(kafka, { options })
  t.deepEqual(first.texts(), [])
  // Gone without a word, and without a position.
  kafka.append('in', 0, 'in between')
  const second = await start(kafka, { options })
  t.deepEqual(second.texts(), ['in between'])
})

test('a start that reads everything again is not misled by what an earlier run has committed', async t => {
  const kafka = filled(3)
  const old = 'gearpump1;1;'
  kafka.commits.set('g in[0]', { topic: 'in', partition: 0, offset: 3, metadata: old })
  const started = await start(kafka, { options: { from: 'earliest' } })
  t.deepEqual(started.texts(), ['text 0', 'text 1', 'text 2'])
  const again = await start(kafka, {
    options: { from: 'earliest' },
    position: started.source.position(),
  })
  t.deepEqual(again.texts(), ['text 0', 'text 1', 'text 2'])
})

test('reading from a time gives exactly the records of that time and later', async t => {
  const kafka = filled(6)
  const { timestampMs } = kafka.log({ topic: 'in', partition: 0 }).records[4]!
  const started = await start(kafka, { options: { from: { timestampMs } } })
  t.deepEqual(started.texts(), ['text 4', 'text 5'])
})

test('a slow record holds back the committed offset only; what is done behind it is remembered over a restart', async t => {
  const kafka = filled(10)
  const started = await start(kafka)
  started.source.done(...started.source.open.slice(1))
  await started.quiet(1500)
  t.is(kafka.commits.get('g in[0]')!.offset, 0)
  const again = await start(kafka)
  t.deepEqual(again.texts(), ['text 0'])
})

test('a topic that is not there is an error of the start, in words', async t => {
  const kafka = filled(1)
  await t.throwsAsync(start(kafka, { options: { topics: ['in', 'typo'] } }), {
    message: /there is no topic typo/,
  })
  t.is(kafka.clients, 0)
})

test('a pattern that no topic matches is told of, and so is what decode throws', async t => {
  const kafka = filled(1)
  const nobody = await start(kafka, { options: { pattern: /ni.*/ } })
  t.deepEqual(
    nobody.source.lines.map(({ level, text }) => `${level} ${text}`),
    ['warn no topic matches /ni.*/ yet'],
  )
  const refusing = await start(kafka, { options: { onPoison: 'skip', decode: refuse } })
  await refusing.quiet()
  t.regex((refusing.source.errors[0] as EngineError).hint!, /and at decode/)
})

function refuse(): never {
  throw new Error('no')
}

test('options that there are not are told with those that there are, and a connection is no exception', t => {
  const right = { brokers: ['x:1'], topics: ['a'], groupId: 'g' }
  const told = (options: object) => t.throws(() => kafkaSource(options as never))!.message
  t.regex(told({ ...right, fromm: 'latest' }), /fromm: is no option \(did you mean from\?\)/)
  t.regex(told({ ...right, replayFrom: 1 }), /known: brokers, tls, sasl, topics, pattern, from, /)
  t.regex(told({ ...right, tls: { cafile: 'x' } }), /tls\.cafile: is no option/)
  t.regex(told({ ...right, tls: { ca: 5 } }), /tls\.ca: must be a text/)
  t.notThrows(() => kafkaSource({ ...right, tls: { servername: 'x', rejectUnauthorized: true } }))
})
