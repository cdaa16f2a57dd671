import test from 'ava'
import { ComponentMetrics } from '../../../src/app/component-metrics.ts'

test('numbers of one name are summed over the tasks that there are, objects by their keys', t => {
  const metrics = new ComponentMetrics()
  metrics.set(1, 'lines', 'lag', 5)
  metrics.set(2, 'lines', 'lag', 7)
  metrics.set(2, 'lines', 'lag', 8)
  metrics.set(3, 'lines', 'lag', 100)
  metrics.set(1, 'lines', 'lagByPartition', { 'in[0]': 5 })
  metrics.set(2, 'lines', 'lagByPartition', { 'in[0]': 1, 'in[1]': 7 })
  metrics.set(1, 'lines', 'state', 'well')
  t.deepEqual(metrics.of('lines', [1, 2]), { lag: 13, lagByPartition: { 'in[0]': 6, 'in[1]': 7 } })
  t.deepEqual(metrics.of('lines', [4]), {})
  t.deepEqual(metrics.of('other', [1]), {})
})

test('names are bounded, and of many keys those with the greatest numbers are shown', t => {
  const metrics = new ComponentMetrics()
  for (let i = 0; i < 2000; i++) metrics.set(1, 'split', `m${i}`, i)
  t.is(Object.keys(metrics.of('split', [1])).length, 1000)
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`in[${i}]`, i]))
  metrics.set(1, 'lines', 'lagByPartition', many)
  const shown = metrics.of('lines', [1]).lagByPartition as Record<string, number>
  t.is(Object.keys(shown).length, 100)
  t.is(Math.min(...Object.values(shown)), 400)
})
