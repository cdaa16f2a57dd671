import test from 'ava'
import type { ComponentFigures, RunFigures } from '../../../src/app/figures.ts'
import { statsLine } from '../../../src/cli/stats-line.ts'
import { statsTable } from '../../../src/cli/stats-table.ts'

function component(more: Partial<ComponentFigures> = {}): ComponentFigures {
  const none = { tasks: 1, emitted: 0, received: 0, acked: 0, failed: 0, inFlight: 0 }
  return { ...none, busyMs: 0, blockedMs: 0, ...more }
}

function figures(components: Record<string, ComponentFigures>): RunFigures {
  const roots = { emitted: 1010, acked: 1000, failed: 6, pending: 3, lost: 1, unresolved: 0 }
  return { ...roots, components }
}

const whole = { before: undefined, periodMs: 2000, columns: 200, rows: 50, colour: false }

test('the line of figures is one JSON object with exactly the promised fields', t => {
  const line = statsLine(
    figures({ words: component({ emitted: 5, busyMs: 1.6, tally: [1, 2] }) }),
    1234.56,
  )
  t.false(line.includes('\n'))
  t.deepEqual(JSON.parse(line), {
    emitted: 1010,
    acked: 1000,
    failed: 6,
    pending: 3,
    lost: 1,
    seconds: 1.235,
    components: { words: component({ emitted: 5, busyMs: 2 }) },
  })
})

test('the table has a line per component and one for the roots', t => {
  const lines = statsTable({
    ...whole,
    figures: figures({
      words: component({ emitted: 123_456, acked: 1000, failed: 6, busyMs: 500, blockedMs: 1000 }),
      count: component({ tasks: 2, received: 4000, busyMs: 4000 }),
    }),
  })
  t.is(lines.length, 4)
  t.deepEqual(lines[1]?.split(/ {2,}/), [
    'words',
    '1',
    '123,456',
    '1,000',
    '6',
    '0',
    '61,728',
    '25/50/25',
  ])
  t.regex(lines[2] ?? '', /^count .* 2,000 +100\/0\/0$/)
  t.is(lines[3], 'with an id: 1,010 emitted = 1,000 acked + 6 failed + 3 pending + 1 lost')
})

test('rates and loads are taken since the figures before', t => {
  const before = figures({ count: component({ received: 3000, busyMs: 1000 }) })
  const lines = statsTable({
    ...whole,
    before,
    figures: figures({ count: component({ received: 4000, busyMs: 1500 }) }),
  })
  t.regex(lines[1] ?? '', / 500 +25\/0\/75$/)
})

test('no line is wider than the terminal, and no more lines than it has', t => {
  const many = Array.from({ length: 30 }, (_, i) => [`component-${i}`, component()] as const)
  const lines = statsTable({
    ...whole,
    figures: figures(Object.fromEntries(many)),
    columns: 40,
    rows: 10,
  })
  t.true(lines.length <= 10)
  t.true(lines.every(line => line.length < 40))
  t.true(lines.includes('… and 23 more'))
})

test('colour is only put around whole lines', t => {
  const one = figures({ count: component() })
  const plain = statsTable({ ...whole, figures: one })
  const coloured = statsTable({ ...whole, figures: one, colour: true })
  t.false(plain.join('').includes('\u001b'))
  t.is(coloured[0], `\u001b[2m${plain[0]}\u001b[0m`)
})
