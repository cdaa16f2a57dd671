// Topics that are deleted and made anew while a Kafka source reads them, or while it does not run.
import test from 'ava'
import { MemoryKafka } from './_memory-kafka.ts'
import { codes, filled, start } from './_source-rig.ts'

function remake(kafka: MemoryKafka, count: number, tellsIds = true): void {
  kafka.remove('in')
  kafka.create('in', 1)
  if (!tellsIds) kafka.ids.set('in', undefined)
  for (let i = 0; i < count; i++) kafka.append('in', 0, `new ${i}`)
}

const news = (count: number) => Array.from({ length: count }, (_, i) => `new ${i}`)

for (const [count, where] of [
  [20, 'beyond'],
  [5, 'exactly at'],
  [2, 'below'],
] as const) {
  test(`a topic that is made anew and has ended ${where} the old offset is read from its beginning, and told of`, async t => {
    const kafka = filled(5)
    const started = await start(kafka, { options: { refreshMs: 1000 } })
    for (const { id } of started.source.emitted) started.source.done(id)
    await started.quiet(1500)
    remake(kafka, count)
    await started.quiet(2000)
    const texts = started.texts().slice(5)
    t.deepEqual([...new Set(texts)].sort(), news(count).sort())
    t.deepEqual(codes(t, started), ['KAFKA_OFFSET_GONE'])
    for (const { id } of started.source.emitted.slice(5)) started.source.done(id)
    await started.quiet(1500)
    t.is(kafka.commits.get('g in[0]')?.offset, count)
    await started.source.stop()
  })
}

test('a record of the former topic that ends late counts for nothing in the new one', async t => {
  const kafka = filled(5)
  const started = await start(kafka, { options: { refreshMs: 1000 } })
  remake(kafka, 8)
  await started.quiet(2000)
  for (const { id } of started.source.emitted.slice(0, 5)) started.source.done(id)
  await started.quiet(1500)
  t.is(kafka.commits.get('g in[0]')?.offset, 0)
  await started.source.stop()
})

test('a topic that was made anew between two runs is seen by the position that was kept, and by the commit', async t => {
  const kafka = filled(5)
  const first = await start(kafka)
  for (const { id } of first.source.emitted) first.source.done(id)
  await first.quiet(1500)
  const position = first.source.position()
  await first.source.stop()
  const [commit] = [...kafka.commits.values()]
  t.regex(commit!.metadata, /;id 1$/)
  remake(kafka, 20)
  for (const given of [{ position }, {}]) {
    kafka.commits.set('g in[0]', commit!)
    const again = await start(kafka, given)
    t.deepEqual(again.texts(), news(20))
    t.deepEqual(codes(t, again), ['KAFKA_OFFSET_GONE'])
    t.regex(again.source.errors[0]!.message, /deleted and made anew; reading goes on at 0/)
    await again.source.stop()
  }
})

test('with onOffsetGone: fail a topic that is made anew is not read, at a start either', async t => {
  const kafka = filled(5)
  const options = { onOffsetGone: 'fail', refreshMs: 1000 } as const
  const started = await start(kafka, { options })
  for (const { id } of started.source.emitted) started.source.done(id)
  await started.quiet(1500)
  const position = started.source.position()
  remake(kafka, 3)
  await started.quiet(3000)
  t.is(started.texts().length, 5)
  t.deepEqual(codes(t, started), ['KAFKA_OFFSET_GONE'])
  await started.source.stop()
  const again = await start(kafka, { options, position })
  await again.quiet(3000)
  t.deepEqual(again.texts(), [])
  t.deepEqual(codes(t, again), ['KAFKA_OFFSET_GONE'])
  await again.source.stop()
})

test('brokers that tell no ids of topics are read as ever', async t => {
  const kafka = filled(5)
  kafka.ids.set('in', undefined)
  const started = await start(kafka, { options: { refreshMs: 1000 } })
  remake(kafka, 7, false)
  await started.quiet(2000)
  t.deepEqual(started.texts().slice(5), ['new 5', 'new 6'])
  t.deepEqual(codes(t, started), [])
  await started.source.stop()
})

test('a topic of a pattern that is deleted is let go, told once, and read again when it comes back', async t => {
  const kafka = new MemoryKafka()
  for (const topic of ['log-1', 'log-2']) kafka.create(topic, 1)
  kafka.append('log-1', 0, 'a')
  const options = { pattern: /log-.*/, refreshMs: 1000 } as const
  const started = await start(kafka, { options })
  for (const { id } of started.source.emitted) started.source.done(id)
  await started.quiet(1500)
  kafka.remove('log-1')
  await started.quiet(5000)
  const told = started.source.errors.filter(error => /read no longer/.test(error.message))
  t.is(told.length, 1)
  kafka.append('log-2', 0, 'b')
  await started.quiet(500)
  for (const { id } of started.source.emitted.slice(1)) started.source.done(id)
  await started.quiet(1500)
  t.is(kafka.commits.get('g log-2[0]')?.offset, 1)
  kafka.create('log-1', 1)
  for (const text of ['c', 'd']) kafka.append('log-1', 0, text)
  await started.quiet(3000)
  t.deepEqual(started.texts(), ['a', 'b', 'c', 'd'])
  await started.source.stop()
})
