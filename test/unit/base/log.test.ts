// Log lines: levels, and that no text can pass for a line of somebody else's.

import test from 'ava'
import fc from 'fast-check'
import { type Level, log, noLog, streamLog } from '../../../src/base/log.ts'
import '../seed.ts'

function written(
  level: Level,
  format: 'text' | 'json',
  write: (sink: ReturnType<typeof streamLog>) => void,
): string[] {
  const out: string[] = []
  write(streamLog({ write: text => out.push(text) }, level, format))
  return out
}

test('lines below the level are left out', t => {
  const out = written('warn', 'text', sink => {
    log(sink, 'info', 'a', 'no')
    log(sink, 'warn', 'a', 'yes')
    log(sink, 'error', 'a', 'yes')
  })
  t.is(out.length, 2)
  t.deepEqual(
    written('silent', 'text', sink => log(sink, 'error', 'a', 'x')),
    [],
  )
  t.notThrows(() => log(noLog, 'error', 'a', 'x'))
})

test('a text line holds time, level, place and text', t => {
  const [line] = written('info', 'text', sink =>
    sink.write({ level: 'info', where: 'split[2]', text: 'hello', timeMs: 3_723_004 }),
  )
  t.is(line, '01:02:03.004 INFO  split[2] hello\n')
})

// All but tab and line feed.
function isControl(character: string): boolean {
  const code = character.codePointAt(0)!
  return (code < 32 && code !== 9 && code !== 10) || (code >= 127 && code < 160)
}

test('control characters do not reach a terminal, and further lines are set in', t => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      const [line] = written('info', 'text', sink => log(sink, 'info', 'x', text))
      t.false([...line!].some(isControl))
      for (const further of line!.slice(0, -1).split('\n').slice(1))
        t.true(further === '' || further.startsWith('    '))
    }),
    { numRuns: 200 },
  )
})

test('a JSON line is one line and gives back the text as it was', t => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      const [line] = written('info', 'json', sink => log(sink, 'info', 'x', text))
      t.is(line!.indexOf('\n'), line!.length - 1)
      const { level, where, message } = JSON.parse(line!)
      t.deepEqual([level, where, message], ['info', 'x', text])
    }),
    { numRuns: 100 },
  )
})
