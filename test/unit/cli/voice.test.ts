import test from 'ava'
import { EngineError, UserError } from '../../../src/base/errors.ts'
import type { Level } from '../../../src/base/log.ts'
import { Voice } from '../../../src/cli/voice.ts'

function voice(level: Level = 'info', json = false) {
  const said: string[] = []
  const stderr = { write: (text: string) => said.push(text) }
  return { said, voice: new Voice({ command: 'gear', stderr, level, json }) }
}

test('problems of the input are listed with their places, without a stack', t => {
  const { said, voice: to } = voice()
  to.error(
    new UserError('FLUX_INVALID', 'a.yaml', [
      { place: 'a.yaml:1:2', message: 'is wrong', hint: 'do this' },
      { place: 'a.yaml:3:4', message: 'is wrong too' },
    ]),
  )
  t.is(
    said.join(''),
    'gear: error: a.yaml: 2 problems\n  a.yaml:1:2: is wrong (do this)\n  a.yaml:3:4: is wrong too\n',
  )
})

test('an error of the engine comes with its hint, and with the stack of what caused it', t => {
  const { said, voice: to } = voice()
  const cause = new TypeError('boom')
  cause.stack = [
    'TypeError: boom',
    '    at f (file:///home/me/app.ts:3:9)',
    '    at new Promise (<anonymous>)',
    '    at node:internal/x:1:1',
  ].join('\n')
  to.error(new EngineError('MODULE_NOT_LOADED', 'app.ts failed: boom', { hint: 'look', cause }))
  t.is(
    said.join(''),
    'gear: error: app.ts failed: boom\n  look\n      at f (file:///home/me/app.ts:3:9)\n',
  )
})

test('at log level debug the whole error is shown', t => {
  const { said, voice: to } = voice('debug')
  to.error(new EngineError('BUG', 'oh'))
  t.regex(said.join(''), /EngineError: oh\n.*voice\.test\.ts/s)
})

test('with --json every line is a JSON object', t => {
  const { said, voice: to } = voice('silent', true)
  to.say('draining')
  to.error(new Error('oh'))
  const lines = said.map(line => JSON.parse(line) as { level: string; message: string })
  t.deepEqual(
    lines.map(line => line.level),
    ['info', 'error'],
  )
  t.is(lines[0]?.message, 'draining')
})

test('text of a component cannot move the cursor of the terminal', t => {
  const { said, voice: to } = voice()
  to.error(new EngineError('BAD_INPUT', 'a\u001b[2Jb'))
  t.is(said.join(''), 'gear: error: a?[2Jb\n')
})
