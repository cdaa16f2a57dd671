import test from 'ava'
import type { RunFigures } from '../../../src/app/figures.ts'
import { EngineError, UserError } from '../../../src/base/errors.ts'
import { type Ending, endingSentence, errorExitCode, exitCode } from '../../../src/cli/ending.ts'

function figures(more: Partial<RunFigures> = {}): RunFigures {
  const none = { emitted: 0, acked: 0, failed: 0, pending: 0, lost: 0, unresolved: 0 }
  return { ...none, components: {}, ...more }
}

function code(ending: Ending, more: Partial<RunFigures> = {}): number {
  return exitCode({ ending, figures: figures(more), elapsedMs: 1 })
}

test('a run that drained, or whose time is over, is well when every failed id was acked later', t => {
  t.is(code('drained'), 0)
  t.is(code('drained', { failed: 5 }), 0)
  t.is(code('drained', { failed: 5, unresolved: 1 }), 1)
  t.is(code('time', { pending: 7 }), 0)
  t.is(code('time', { pending: 7, unresolved: 1 }), 1)
})

test('a run that was interrupted is well only when it drained', t => {
  t.is(code('interrupted'), 0)
  t.is(code('interrupted', { pending: 1 }), 1)
  t.is(code('interrupted', { unresolved: 1 }), 1)
  t.is(code('cut'), 1)
})

test('a run that failed, or of which nothing is known, is not well', t => {
  t.is(code('failed'), 1)
  t.is(exitCode({ ending: 'drained', figures: undefined, elapsedMs: 1 }), 1)
})

test('errors of the input exit with 2, all others with 1', t => {
  t.is(errorExitCode(new UserError('FLUX_INVALID', 'x', [])), 2)
  t.is(errorExitCode(new EngineError('FILE_NOT_FOUND', 'x')), 2)
  t.is(errorExitCode(new EngineError('MODULE_NOT_LOADED', 'x')), 2)
  t.is(errorExitCode(new EngineError('TASK_START_FAILED', 'x')), 1)
  t.is(errorExitCode(new Error('x')), 1)
  t.is(errorExitCode(null), 1)
})

test('one sentence says how it ended and what became of the roots', t => {
  const say = (ending: Ending, more: Partial<RunFigures>) =>
    endingSentence({ ending, figures: figures(more), elapsedMs: 2310 })
  t.is(say('drained', {}), 'drained after 2.31 s; no message had an id')
  t.is(
    say('drained', { emitted: 1010, acked: 1000, failed: 10 }),
    'drained after 2.31 s: 1,010 emitted, 1,000 acked, 10 failed, all acked later',
  )
  t.is(
    say('time', { emitted: 4, failed: 1, pending: 2, lost: 1, unresolved: 1 }),
    'time is over after 2.31 s: 4 emitted, 0 acked, 1 failed, 2 left open, ' +
      '1 lost with a task that died, 1 id failed for good',
  )
})
