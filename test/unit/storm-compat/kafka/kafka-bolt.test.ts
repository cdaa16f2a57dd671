// The bolt on a Kafka in memory: records, acks, topics, and what fails.
import test from 'ava'
import type { TopologyContext, Tuple } from '../../../../storm-compat/component/api.ts'
import { PlainTuple } from '../../../../storm-compat/component/tuple.ts'
import type { KafkaBoltOptions } from '../../../../storm-compat/kafka/bolt-options.ts'
import { KafkaBolt } from '../../../../storm-compat/kafka/kafka-bolt.ts'
import { murmur2 } from '../../../../storm-compat/kafka/producer-partitions.ts'
import { ManualClock } from '../../../../storm-compat/multilang/fake-child.ts'
import { MemoryKafka } from './_memory-kafka.ts'
import { settled } from './_spout-rig.ts'

async function rig(kafka: MemoryKafka, options: Partial<KafkaBoltOptions> = {}, conf = {}) {
  const clock = new ManualClock()
  const said: string[] = []
  const bolt = new KafkaBolt(
    { bootstrapServers: 'memory:9092', topic: 'out', ...options },
    { openClient: async () => kafka.client(), clock },
  )
  const context = {
    componentId: 'sink',
    log: { write: (_: string, text: string) => said.push(text) },
  } as unknown as TopologyContext
  await bolt.prepare(conf, context, {
    emit: () => [],
    emitDirect: () => undefined,
    ack: tuple => said.push(`ack ${tuple.values.at(-1)}`),
    fail: tuple => said.push(`fail ${tuple.values.at(-1)}`),
    resetTimeout: () => undefined,
    reportError: error => said.push(`error ${error.message}`),
    ready: () => undefined,
  })
  const run = async (...tuples: Tuple[]) => {
    const waits = tuples.map(tuple => bolt.execute(tuple))
    await settled()
    clock.advance(1)
    await settled()
    return { waits }
  }
  return { bolt, said, run, clock }
}

function tuple(values: unknown[], fields = ['key', 'message']): Tuple {
  return new PlainTuple(values, { component: 'b', stream: 'default', fields, input: 0 }, 1)
}

function written(kafka: MemoryKafka): unknown[] {
  return kafka.batches.flatMap(({ records }) =>
    records.map(({ key, value }) => [key?.toString() ?? null, value?.toString() ?? null]),
  )
}

test("keys are hashed as Kafka's own clients do", t => {
  const known = [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ] as const
  for (const [text, hash] of known) t.is(murmur2(Buffer.from(text)), hash, text)
})

test('tuples become records of key and message, and are acked when they are written', async t => {
  const kafka = new MemoryKafka().topic('out')
  const { said, run } = await rig(kafka)
  await run(tuple(['a', 'one']), tuple(['b', 2]), tuple([null, null]))
  t.deepEqual(written(kafka), [
    ['a', 'one'],
    ['b', '2'],
    [null, null],
  ])
  t.is(kafka.batches.length, 1)
  t.deepEqual(said, ['ack one', 'ack 2', 'ack null'])
})

test('other fields, a key that is not there, and another topic for each tuple', async t => {
  const kafka = new MemoryKafka().topic('out').topic('counts')
  const { run } = await rig(kafka, {
    mapper: { keyField: 'word', messageField: 'count' },
    topicSelector: { field: 'where', otherwise: 'out' },
    valueSerializer: 'org.apache.kafka.common.serialization.LongSerializer',
  })
  await run(tuple(['counts', 7], ['where', 'count']), tuple(['x', 8], ['word', 'count']))
  t.deepEqual(
    kafka.batches.map(({ topic, records }) => [topic, records[0]!.key, records[0]!.value]),
    [
      ['counts', null, Buffer.from('0000000000000007', 'hex')],
      ['out', 'x', Buffer.from('0000000000000008', 'hex')],
    ],
  )
})

test('what cannot be written fails its tuple, and is told', async t => {
  const kafka = new MemoryKafka().topic('out')
  const { said, run, clock } = await rig(kafka)
  kafka.failing.add('produce')
  await run(tuple(['a', 'one']))
  clock.advance(20_000)
  await run(tuple(['a', { no: 'text' }]))
  clock.advance(20_000)
  await run(tuple(['only'], ['key']))
  t.deepEqual(said.filter(line => line.startsWith('fail')).length, 3)
  t.regex(said.join('\n'), /error no broker for produce/)
  t.regex(said.join('\n'), /let the bolt before emit a string/)
  t.regex(said.join('\n'), /has no field "message"/)
})

test('a topic that is not there fails the tuple with what to do', async t => {
  const { said, run } = await rig(new MemoryKafka())
  await run(tuple(['a', 'one']))
  t.regex(said.join('\n'), /there is no topic "out"/)
  t.regex(said.join('\n'), /fail one/)
})

test('no topic at all: the tuple is acked and left out', async t => {
  const kafka = new MemoryKafka().topic('out')
  const { said, run } = await rig(kafka, { topicSelector: () => null })
  await run(tuple(['a', 'one']))
  t.deepEqual(written(kafka), [])
  t.is(said.at(-1), 'ack one')
})

test('fire and forget acks at once; without async one record goes at a time', async t => {
  const kafka = new MemoryKafka().topic('out')
  const forget = await rig(kafka, { fireAndForget: true })
  kafka.failing.add('produce')
  await forget.run(tuple(['a', 'one']))
  t.deepEqual(forget.said[0], 'ack one')
  t.false(forget.said.some(line => line.startsWith('fail')))
  kafka.failing.clear()
  const slow = await rig(kafka, { async: false })
  const [wait] = (await slow.run(tuple(['a', 'one']))).waits
  t.true(wait instanceof Promise)
  await wait
  t.deepEqual(slow.said, ['ack one'])
})

test('a full buffer holds the task until there is room', async t => {
  const kafka = new MemoryKafka().topic('out')
  const { run } = await rig(kafka, { properties: { 'buffer.memory': '80' } })
  const { waits } = await run(tuple(['a', 'one']), tuple(['a', 'x'.repeat(50)]))
  const [first, second] = waits
  t.is(first, undefined)
  t.true(second instanceof Promise)
  await second
  t.is(written(kafka).length, 2)
})

test('without a selector the setting `topic` says where to', async t => {
  const kafka = new MemoryKafka().topic('named')
  const options = { bootstrapServers: 'memory:9092' }
  const bolt = new KafkaBolt(options, {
    openClient: async () => kafka.client(),
    clock: new ManualClock(),
  })
  const context = {
    componentId: 'sink',
    log: { write: () => undefined },
  } as unknown as TopologyContext
  await t.throwsAsync(async () => bolt.prepare({}, context, {} as never), {
    message: /has no topic/,
  })
  const { run } = await rig(kafka, { topic: undefined as never }, { topic: 'named' })
  await run(tuple(['a', 'one']))
  t.is(kafka.at('named-0').end, 1)
})

test('every mistake in the options is told at once', t => {
  const error = t.throws(
    () =>
      new KafkaBolt({
        valueSerializer: 'com.shop.OrderSerializer',
        properties: {
          acks: 'some',
          'security.protocol': 'SSL',
          'ssl.truststore.location': '/a.jks',
        },
      }),
  )
  for (const about of [
    /bootstrap.servers is missing/,
    /OrderSerializer/,
    /acks is some/,
    /store of Java/,
  ]) {
    t.regex(error!.message, about)
  }
})
