import test from 'ava'
import { application, connect } from 'gearpump'
import { complexGraph } from '../../../../examples/complex-dag/complex-dag.ts'

const MESSAGES = 200

// Every way from a source to a sink, as Gearpump's example has them.
const WAYS = [
  'source-0 → node-1 → node-3 → sink-3',
  'source-0 → node-1 → node-4 → sink-3',
  'source-0 → node-1 → sink-3',
  'source-0 → node-1 → sink-4',
  'source-0 → node-2 → node-3 → sink-3',
  'source-0 → node-3 → sink-3',
  'source-0 → sink-0',
  'source-0 → sink-1',
  'source-0 → sink-2',
  'source-1 → node-0 → sink-3',
  'source-1 → sink-4',
]

test('each message goes every way through the graph once', async t => {
  const lines: string[] = []
  const graph = complexGraph(MESSAGES, text => lines.push(text))
  t.is(graph.processors.length, 12)
  t.is(graph.edges.length, 16)
  const gear = await connect()
  const app = await gear.submit(application('complex-dag', graph))
  await app.drained()
  const figures = await app.figures()
  await app.kill()
  await gear.close()
  t.deepEqual(
    lines.sort(),
    WAYS.map(way => `${MESSAGES}\t${way}\n`),
  )
  t.is(figures.acked, 2 * MESSAGES)
  t.is(figures.failed, 0)
})
