import { join } from 'node:path'
import test from 'ava'
import { loadFlux } from 'gearpump/storm'
import { wordsOf } from '../../../../examples/text/words.ts'
import { heartbeat, runBolt, tuple } from '../multilang-child.ts'

const EXAMPLE = join(import.meta.dirname, '../../../../examples/python-word-count')

test('the Flux file is a topology without a notice', async t => {
  const { topology, notices } = await loadFlux(join(EXAMPLE, 'topology.yaml'))
  t.deepEqual(notices, [])
  t.deepEqual(
    topology.components.map(c => [c.id, c.implementation.kind, c.parallelismHint]),
    [
      ['lines', 'spout', 1],
      ['split', 'shell', 2],
      ['count', 'bolt', 2],
    ],
  )
})

test('the Python bolt splits lines by the same rule as the TypeScript examples', async t => {
  const lines = [
    `Cæsar's "E'en so", quoth K2; Straße — ÆTNA`,
    '',
    "'Tis \u00a0the  end.\t1623 \u{1d49c}b",
  ]
  const tuples = [tuple('1', lines[0]), heartbeat, tuple('2', lines[1]), tuple('3', lines[2])]
  const run = await runBolt(['python3', 'split.py'], join(EXAMPLE, 'resources'), tuples)
  const told = (id: string, line: string) => [
    ...wordsOf(line).map(word => ['emit', id, word]),
    ['ack', id],
  ]
  const heard = run.messages.map(({ command, id, anchors, tuple: values }) => {
    if (command === 'emit') return [command, (anchors as string[])[0], (values as string[])[0]]
    return command === 'ack' ? [command, id] : [command]
  })
  t.deepEqual(heard, [
    ...told('1', lines[0]!),
    ['sync'],
    ...told('2', lines[1]!),
    ...told('3', lines[2]!),
  ])
  t.deepEqual(run.pids.files, [String(run.pids.told)])
  t.is(run.exitCode, 0)
})
