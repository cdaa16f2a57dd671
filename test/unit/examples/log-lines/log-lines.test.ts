// The example log-lines: what a level is, and that a count stands for its lines.
import test from 'ava'
import { testTask } from 'gearpump/testing'
import { CountLevels, levelOf } from '../../../../examples/log-lines/log-lines.ts'

test('the level is the first word that is one', t => {
  t.is(levelOf('2026-11-21T10:00:00Z WARN no ERROR yet'), 'WARN')
  t.is(levelOf('    at INFORMATION'), 'OTHER')
})

test('a count is anchored to the lines it stands for; they are let go with it', async t => {
  const count = await testTask(new CountLevels())
  const lines = ['x INFO a', 'x WARN b', 'x INFO c'].map(line => count.push(line))
  t.deepEqual(count.emitted, [])
  t.true(lines.every(line => line.state === 'held'))
  await count.advance(250)
  t.deepEqual(
    count.emitted.map(({ value, anchors }) => [value, anchors.map(anchor => anchor.value)]),
    [
      [{ level: 'INFO', lines: 2 }, ['x INFO a', 'x INFO c']],
      [{ level: 'WARN', lines: 1 }, ['x WARN b']],
    ],
  )
  t.true(lines.every(line => line.state === 'released'))
})

test('many lines of a level do not wait for the time', async t => {
  const count = await testTask(new CountLevels())
  for (let i = 0; i < 256; i++) count.push('INFO')
  t.deepEqual(count.outputs(), [{ level: 'INFO', lines: 256 }])
})
