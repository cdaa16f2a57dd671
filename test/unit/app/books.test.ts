// What is remembered of a run for people: bounded, and counts that stay right over deaths.
import test from 'ava'
import { Books } from '../../../src/app/books.ts'
import type { ExecutorStatus } from '../../../src/app/figures.ts'
import { EngineError } from '../../../src/base/errors.ts'
import type { LogLine } from '../../../src/base/log.ts'

function status(
  executorId: number,
  emitted: number,
  acked: number,
  failed: number,
): ExecutorStatus {
  const pending = emitted - acked - failed
  const common = { busyMs: 1, blockedMs: 2, inFlight: pending, emitted, acked, failed, received: 0 }
  const roots = { emitted, acked, failed, pending, lost: 0, unresolved: failed }
  return {
    executorId,
    tasks: [{ task: 1, processor: 'source', ...common, roots }],
    quiet: false,
    exhausted: false,
    idleMs: 0,
  }
}

test('what was open in an executor that died is lost, and the sums hold over thousands of deaths', t => {
  const books = new Books({ write: () => undefined })
  for (let i = 0; i < 12_000; i++) books.executorDied(i, status(i, 10, 6, 1), 'killed')
  const sum = books.sum([status(99_999, 5, 2, 0), undefined])
  t.is(sum.emitted, 120_005)
  t.is(sum.emitted, sum.acked + sum.failed + sum.pending + sum.lost)
  t.is(sum.lost, 36_000)
  t.is(sum.pending, 3)
  t.is(sum.components.source!.tasks, 1)
  t.true(books.deaths.length <= 20)
})

test('an executor that died before it told anything counts for nothing', t => {
  const books = new Books({ write: () => undefined })
  books.executorDied(1, undefined, 'exit code 1')
  t.is(books.sum([undefined]).emitted, 0)
  t.is(books.deaths[0]!.reason, 'exit code 1')
})

test('many errors of a component are counted, the last are kept, a few are written', t => {
  const lines: LogLine[] = []
  const books = new Books({ write: line => void lines.push(line) })
  for (let i = 0; i < 100; i++) books.error(3, 'split', new Error(`no ${i}`))
  books.error(0, 'engine', new EngineError('LINK_LOST', 'gone', { hint: 'wait' }))
  const { total, last } = books.errorsOf('split')
  t.is(total, 100)
  t.is(last.length, 20)
  t.is(last.at(-1)!.message, 'no 99')
  t.is(lines.filter(line => line.where === 'split[task 3]').length, 5)
  t.is(lines.at(-1)!.text, 'LINK_LOST: gone (wait)')
  t.is(books.errorsOf('engine').last[0]!.code, 'LINK_LOST')
  t.deepEqual(books.errorsOf('other'), { total: 0, last: [] })
})

test('errors that no line was written for are counted at the end', t => {
  const lines: string[] = []
  const books = new Books({ write: ({ where, text }) => void lines.push(`${where} ${text}`) })
  for (let i = 0; i < 8; i++) books.error(1, 'loud', new EngineError('TASK_FAILED', `no ${i}`))
  books.error(2, 'quiet', new EngineError('TASK_FAILED', 'no'))
  lines.splice(0)
  books.close()
  books.close()
  t.deepEqual(lines, ['loud 3 more errors in the last 10 s'])
})
