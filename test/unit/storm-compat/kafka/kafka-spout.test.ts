// The spout on a Kafka in memory: what it emits, commits and retries, under each guarantee.
import test from 'ava'
import { writeMetadata } from '../../../../storm-compat/kafka/commit-metadata.ts'
import { SimpleRecordTranslator } from '../../../../storm-compat/kafka/translators.ts'
import { MemoryKafka } from './_memory-kafka.ts'
import { GROUP, SpoutRig } from './_spout-rig.ts'

test('records become tuples of topic, partition, offset, key and value', async t => {
  const kafka = new MemoryKafka().topic('words').append('words-0', 'a')
  const rig = await new SpoutRig(kafka).start()
  await rig.take()
  t.deepEqual(
    rig.emitted.map(e => e.values),
    [['words', 0, 0, 'k0', 'a']],
  )
  await rig.spout.close()
})

test('what is acked is committed after the period, with the metadata of this topology', async t => {
  const kafka = new MemoryKafka().topic('words').append('words-0', 'a', 'b', 'c')
  const rig = await new SpoutRig(kafka).start()
  await rig.take()
  rig.ack('a', 'c')
  await rig.pass(29_999)
  t.is(kafka.committed(GROUP, 'words-0'), undefined)
  await rig.pass(1)
  t.is(kafka.committed(GROUP, 'words-0'), 1)
  rig.ack('b')
  await rig.pass(30_000)
  t.deepEqual(kafka.commits.at(-1), {
    topic: 'words',
    partition: 0,
    offset: 3,
    metadata:
      '{"topologyId":"wc-1-1700000000","taskId":1,"threadName":"lines-executor[1, 1] of topic id 1"}',
  })
  await rig.spout.close()
})

test('closing commits what is finished and no more', async t => {
  const kafka = new MemoryKafka().topic('words').append('words-0', 'a', 'b', 'c')
  const rig = await new SpoutRig(kafka).start()
  await rig.take()
  rig.ack('a', 'b')
  await rig.spout.close()
  t.is(kafka.committed(GROUP, 'words-0'), 2)
})

test('a record that failed comes again after its wait, though the broker has it no more', async t => {
  const kafka = new MemoryKafka().topic('words').append('words-0', 'a', 'b')
  const rig = await new SpoutRig(kafka).start()
  await rig.take()
  kafka.at('words-0').records.length = 0
  rig.fail('a')
  t.deepEqual(await rig.take(), ['a'])
  rig.fail('a')
  t.deepEqual(await rig.take(), [])
  rig.clock.advance(4)
  t.deepEqual(await rig.take(), ['a'])
  rig.ack('a', 'b')
  await rig.spout.close()
  t.is(kafka.committed(GROUP, 'words-0'), 2)
})

test('after its last retry a record counts as finished', async t => {
  const kafka = new MemoryKafka().topic('words').append('words-0', 'a')
  const rig = await new SpoutRig(kafka, { retry: { maxRetries: 1 } }).start()
  await rig.take()
  rig.fail('a')
  t.deepEqual(await rig.take(), ['a'])
  rig.fail('a')
  await rig.pass(60_000)
  t.deepEqual(await rig.take(), [])
  t.is(kafka.committed(GROUP, 'words-0'), 1)
  await rig.spout.close()
})

test('gaps of compaction and markers at the end keep no commit back', async t => {
  const kafka = new MemoryKafka().topic('words')
  kafka.append('words-0', undefined, 'a', undefined, undefined, 'b', undefined)
  const rig = await new SpoutRig(kafka).start()
  t.deepEqual(await rig.take(), ['a', 'b'])
  rig.ack('a')
  await rig.pass(30_000)
  t.is(kafka.committed(GROUP, 'words-0'), 4)
  rig.ack('b')
  await rig.pass(30_000)
  t.is(kafka.committed(GROUP, 'words-0'), 6)
  await rig.spout.close()
})

test('the bound of uncommitted offsets holds, and is left by committing early and by retries', async t => {
  const kafka = new MemoryKafka().topic('words')
  kafka.append('words-0', ...Array.from({ length: 20 }, (_, at) => `w${at}`))
  const rig = await new SpoutRig(kafka, { maxUncommittedOffsets: 4 }).start()
  t.deepEqual(await rig.take(), ['w0', 'w1', 'w2', 'w3'])
  rig.fail('w0', 'w1')
  rig.ack('w2', 'w3')
  t.deepEqual(await rig.take(), ['w0', 'w1'])
  t.is(kafka.commits.length, 0)
  rig.ack('w0')
  // Long before the period of commits.
  t.deepEqual(await rig.take(), ['w4'])
  t.is(kafka.committed(GROUP, 'words-0'), 1)
  rig.ack('w1')
  t.deepEqual(await rig.take(), ['w5', 'w6', 'w7'])
  await rig.spout.close()
})

test('records that are open take no more memory than they may, and retries go on at the bound', async t => {
  const kafka = new MemoryKafka().topic('words').append('words-0', 'a', 'b', 'c', 'd')
  // Each counts 200 bytes and those of its value: a second one is taken, a third is not.
  const rig = await new SpoutRig(kafka, { openBytesMax: 300 }).start()
  t.deepEqual(await rig.take(), ['a', 'b'])
  rig.fail('a', 'b')
  t.deepEqual(await rig.take(), ['a', 'b'])
  rig.ack('a')
  t.deepEqual(await rig.take(), ['c'])
  rig.ack('b', 'c')
  t.deepEqual(await rig.take(), ['d'])
  await rig.spout.close()
})

test('AT_MOST_ONCE commits before it emits, and emits nothing that it could not commit', async t => {
  const kafka = new MemoryKafka().topic('words').append('words-0', 'a', 'b')
  kafka.failing.add('commit')
  const rig = await new SpoutRig(kafka, { processingGuarantee: 'AT_MOST_ONCE' }).start()
  t.deepEqual(await rig.take(), [])
  kafka.failing.clear()
  await rig.pass(1000)
  t.deepEqual(await rig.take(), ['a', 'b'])
  t.is(rig.emitted[0]!.id, undefined)
  t.is(kafka.committed(GROUP, 'words-0'), 2)
  await rig.spout.close()
})

test('NO_GUARANTEE commits what was emitted, and tracks tuples if it is asked to', async t => {
  const kafka = new MemoryKafka().topic('words').append('words-0', 'a', 'b')
  const options = { processingGuarantee: 'NO_GUARANTEE', tupleTrackingEnforced: true } as const
  const rig = await new SpoutRig(kafka, options).start()
  await rig.take()
  t.not(rig.emitted[0]!.id, undefined)
  rig.fail('a')
  await rig.pass(30_000)
  t.deepEqual(await rig.take(), [])
  t.is(kafka.committed(GROUP, 'words-0'), 2)
  await rig.spout.close()
})

test('a translator that gives nothing finishes the record, or emits nulls where that is wanted', async t => {
  const translator = new SimpleRecordTranslator(
    ({ value }) => (value === null ? null : [value]),
    ['word'],
    'words',
  )
  for (const emitNullTuples of [false, true]) {
    const kafka = new MemoryKafka().topic('words').append('words-0', 'a', null)
    const rig = await new SpoutRig(kafka, { translator, emitNullTuples }).start()
    t.deepEqual(await rig.take(), emitNullTuples ? ['a', null] : ['a'])
    t.is(rig.emitted[0]!.stream, 'words')
    rig.ack('a')
    await rig.spout.close()
    t.is(kafka.committed(GROUP, 'words-0'), emitNullTuples ? 1 : 2)
  }
})

test('a record that cannot be decoded is told and tried again, and the others go on', async t => {
  const kafka = new MemoryKafka().topic('words').append('words-0', 'four', 'toolong', 'five')
  kafka.at('words-0').records[2]!.value!.write('five')
  const rig = await new SpoutRig(kafka, { valueDeserializer: 'Integer' }).start()
  t.is((await rig.take()).length, 2)
  t.regex(rig.errors.join('\n'), /record words-0 at offset 1 cannot become a tuple: 7 bytes/)
  for (const { id } of [...rig.emitted]) rig.spout.ack(id)
  await rig.pass(30_000)
  t.is(kafka.committed(GROUP, 'words-0'), 1)
  await rig.spout.close()
})

test('LATEST holds for the first start only, and a task that dies before its first commit loses nothing', async t => {
  const kafka = new MemoryKafka().topic('words').append('words-0', 'old')
  kafka.groups.set(`${GROUP} words-0`, { topic: 'words', partition: 0, offset: 0, metadata: '' })
  const first = await new SpoutRig(kafka, { firstPollOffsetStrategy: 'LATEST' }).start()
  t.deepEqual(await first.take(), [])
  kafka.append('words-0', 'new')
  t.deepEqual(await first.take(), ['new'])
  // No ack, no close: it died.
  const second = await new SpoutRig(kafka, { firstPollOffsetStrategy: 'LATEST' }).start()
  t.deepEqual(await second.take(), ['new'])
  const other = new SpoutRig(kafka, { firstPollOffsetStrategy: 'LATEST' }, { stormId: 'wc-2-1' })
  t.deepEqual(await (await other.start()).take(), [])
})

test("offsets that Storm's spout committed are continued, unless the strategy says otherwise", async t => {
  const metadata = writeMetadata({ topologyId: 'storm-1-1', taskId: 3, threadName: 'Thread-9' })
  const expected = { UNCOMMITTED_EARLIEST: ['b'], EARLIEST: ['a', 'b'] } as const
  for (const strategy of ['UNCOMMITTED_EARLIEST', 'EARLIEST'] as const) {
    const kafka = new MemoryKafka().topic('words').append('words-0', 'a', 'b')
    kafka.groups.set(`${GROUP} words-0`, { topic: 'words', partition: 0, offset: 1, metadata })
    const rig = await new SpoutRig(kafka, { firstPollOffsetStrategy: strategy }).start()
    t.deepEqual(await rig.take(), [...expected[strategy]])
    await rig.spout.close()
  }
})

test('new partitions are found, and one that goes to another task is committed and forgotten', async t => {
  const kafka = new MemoryKafka().topic('words', 1).topic('zebra', 1)
  kafka.append('zebra-0', 'z0', 'z1')
  const options = { topics: /words|zebra/ }
  const rig = await new SpoutRig(kafka, options, { index: 1, count: 2 }).start()
  t.deepEqual(await rig.take(), ['z0', 'z1'])
  rig.ack('z0')
  // words-1 moves zebra-0 to the first task and comes to this one.
  kafka.partitions.set('words-1', { records: [], start: 0, end: 0, leader: 1 })
  await rig.pass(2000)
  t.is(kafka.committed(GROUP, 'zebra-0'), 1)
  rig.fail('z1')
  kafka.append('words-1', 'w')
  t.deepEqual(await rig.take(), ['w'])
  await rig.spout.close()
  t.is(kafka.committed(GROUP, 'zebra-0'), 1)
})

test('an offset that expired is left with a message, from the earliest record that is there', async t => {
  const kafka = new MemoryKafka().topic('words').append('words-0', 'a', 'b', 'c')
  kafka.groups.set(`${GROUP} words-0`, { topic: 'words', partition: 0, offset: 0, metadata: '' })
  const at = kafka.at('words-0')
  at.records.splice(0, 2)
  at.start = 2
  const rig = await new SpoutRig(kafka).start()
  await rig.pass(1000)
  t.deepEqual(await rig.take(), ['c'])
  t.regex(rig.errors[0]!, /words-0: the records 0 to 1 are not there any more; it goes on at 2/)
  await rig.spout.close()
})

test('a topic that was made anew is read from its beginning', async t => {
  const kafka = new MemoryKafka().topic('words').append('words-0', 'new')
  kafka.groups.set(`${GROUP} words-0`, { topic: 'words', partition: 0, offset: 50, metadata: '' })
  const rig = await new SpoutRig(kafka).start()
  await rig.pass(1000)
  t.deepEqual(await rig.take(), ['new'])
  t.regex(rig.errors[0]!, /ends before offset 50/)
  await rig.spout.close()
})

test('a leader that moves costs nothing', async t => {
  const kafka = new MemoryKafka().topic('words').append('words-0', 'a')
  const rig = await new SpoutRig(kafka).start()
  t.deepEqual(await rig.take(), ['a'])
  kafka.at('words-0').leader = 2
  kafka.append('words-0', 'b')
  await rig.pass(2000)
  await rig.pass(200)
  t.deepEqual(await rig.take(), ['b'])
  t.deepEqual(rig.errors, [])
  await rig.spout.close()
})

test('brokers that are away are told once in a while and awaited', async t => {
  const kafka = new MemoryKafka().topic('words').append('words-0', 'a')
  kafka.failing.add('topics')
  const rig = await new SpoutRig(kafka).start()
  for (let turn = 0; turn < 10; turn++) await rig.pass(2000)
  t.is(rig.errors.length, 1)
  kafka.failing.clear()
  await rig.pass(2000)
  t.deepEqual(await rig.take(), ['a'])
  await rig.spout.close()
})

test('a spout whose commits fail at its end ends all the same', async t => {
  const kafka = new MemoryKafka().topic('words').append('words-0', 'a')
  const rig = await new SpoutRig(kafka).start()
  await rig.take()
  rig.ack('a')
  kafka.failing.add('commit')
  await rig.spout.close()
  t.regex(rig.errors.join(), /no broker for commit/)
})

test('its configuration has what a view of the lag needs, and no password', t => {
  const jaas = 'x.PlainLoginModule required username="u" password="geheim";'
  const rig = new SpoutRig(new MemoryKafka(), {
    topics: ['b', 'a'],
    properties: {
      'security.protocol': 'SASL_PLAINTEXT',
      'sasl.mechanism': 'PLAIN',
      'sasl.jaas.config': jaas,
    },
  })
  const conf = rig.spout.getComponentConfiguration()
  t.like(conf, {
    'config.topics': 'b,a',
    'config.groupid': GROUP,
    'config.bootstrap.servers': 'memory:9092',
    'config.security.protocol': 'SASL_PLAINTEXT',
  })
  t.false(JSON.stringify(conf).includes('geheim'))
})
