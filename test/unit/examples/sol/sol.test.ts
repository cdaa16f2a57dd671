import test from 'ava'
import { type ComponentFigures, connect, type SourceContext, UserError } from 'gearpump'
import { Producer, sol } from '../../../../examples/sol/sol.ts'

const OPTIONS = {
  streamProducer: 2,
  streamProcessor: 3,
  bytesPerMessage: 100,
  stages: 3,
  messages: 1000,
  acked: true,
}

async function run(options: typeof OPTIONS) {
  const gear = await connect()
  const app = await gear.submit(sol(options))
  await app.drained()
  const figures = await app.figures()
  await gear.close()
  return figures
}

const received = (component: ComponentFigures | undefined) => component?.received

test('every message of every producer reaches the last stage', async t => {
  const figures = await run(OPTIONS)
  t.is(received(figures.components.sink), 2000)
  t.is(figures.acked, 2000)
  t.is(figures.components.sink?.tasks, 3)
})

test('without acking no message has an id', async t => {
  const figures = await run({ ...OPTIONS, acked: false })
  t.is(received(figures.components.sink), 2000)
  t.is(figures.emitted, 0)
})

test('stages are the processors in a row', t => {
  const names = (stages: number) =>
    sol({ ...OPTIONS, stages }).dag.processors.map(processor => processor.name)
  t.deepEqual(names(2), ['producer', 'sink'])
  t.deepEqual(names(4), ['producer', 'relay-2', 'relay-3', 'sink'])
  t.throws(() => names(1), { instanceOf: UserError })
})

test('without a number of messages a producer never ends', t => {
  let sent = 0
  const out = { output: () => sent++ } as unknown as SourceContext<string>
  const producer = new Producer({ ...OPTIONS, messages: 0 })
  for (let i = 0; i < 100; i++) t.is(producer.next(out), true)
  t.is(sent, 3200)
})
