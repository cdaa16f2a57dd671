import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { UserError } from 'gearpump'
import { ReportBolt } from '../../../../examples/mixed/report-bolt.ts'
import { mixed } from '../../../../examples/mixed/topology.ts'
import { tupleOf } from '../fake-storm.ts'
import { heartbeat, runBolt, tuple } from '../multilang-child.ts'

const EXAMPLES = join(import.meta.dirname, '../../../../examples')
const OPTIONS = { counter: 'node', split: 2, count: 3, lines: 100, top: 5 }

function commandOf(topology: ReturnType<typeof mixed>) {
  const { implementation } = topology.components.find(c => c.id === 'count')!
  return implementation.kind === 'shell' ? implementation.command : undefined
}

test('the counting bolt is of the language that was asked for', t => {
  t.deepEqual(commandOf(mixed(OPTIONS)), ['node', 'count.mjs'])
  t.deepEqual(commandOf(mixed({ ...OPTIONS, counter: 'ruby' })), ['ruby', 'count.rb'])
  t.throws(() => mixed({ ...OPTIONS, counter: 'constructor' }), { instanceOf: UserError })
})

const hasRuby = spawnSync('ruby', ['-e', '']).status === 0

for (const [command, run] of [
  [['node', 'count.mjs'], test],
  [['ruby', 'count.rb'], hasRuby ? test : test.skip],
] as const) {
  run(`${command[0]}: words are counted, anchored, acked, and heartbeats answered`, async t => {
    const tuples = [tuple('1', 'æ'), tuple('2', 'b'), heartbeat, tuple('3', 'æ')]
    const { messages, pids, exitCode } = await runBolt(
      command,
      join(EXAMPLES, 'mixed/resources'),
      tuples,
    )
    const emit = (id: string, word: string, count: number) => ({
      command: 'emit',
      anchors: [id],
      tuple: [word, count],
      need_task_ids: false,
    })
    const ack = (id: string) => ({ command: 'ack', id })
    t.deepEqual(messages, [
      emit('1', 'æ', 1),
      ack('1'),
      emit('2', 'b', 1),
      ack('2'),
      { command: 'sync' },
      emit('3', 'æ', 2),
      ack('3'),
    ])
    t.deepEqual(pids.files, [String(pids.told)])
    t.is(exitCode, 0)
  })
}

test('the report shows the last count of each word', t => {
  let shown = ''
  const report = new ReportBolt(2, text => {
    shown += text
  })
  for (const [word, count] of [
    ['a', 1],
    ['b', 1],
    ['a', 2],
    ['c', 1],
  ]) {
    report.execute(tupleOf('count', { word, count }))
  }
  report.cleanup()
  t.is(shown, '2\ta\n1\tb\n')
})

test('both Python splits are the same', t => {
  const split = (example: string) => readFileSync(join(EXAMPLES, example, 'resources/split.py'))
  t.deepEqual(split('mixed'), split('python-word-count'))
})
