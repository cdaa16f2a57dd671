import test from 'ava'
import { WindowedCounts } from '../../../../storm-compat/nimbus/windows.ts'

const SEC = 1000

test('a window holds what was counted in it, all time holds all', t => {
  const windows = new WindowedCounts()
  windows.take(0, new Map())
  // One a second for two hours.
  for (let s = 30; s <= 7200; s += 30) windows.take(s * SEC, new Map([['emitted', s]]))
  t.is(windows.count('600', 'emitted'), 600)
  t.is(windows.count('10800', 'emitted'), 7200)
  t.is(windows.count(':all-time', 'emitted'), 7200)
})

test('a window slides on when nothing is counted any more', t => {
  const windows = new WindowedCounts()
  windows.take(0, new Map())
  windows.take(30 * SEC, new Map([['acked', 500]]))
  for (let s = 60; s <= 1200; s += 30) windows.take(s * SEC, new Map([['acked', 500]]))
  t.is(windows.count('600', 'acked'), 0)
  t.is(windows.count('10800', 'acked'), 500)
})

test('asking often keeps no more than the buckets of a window', t => {
  const windows = new WindowedCounts()
  for (let ms = 0; ms <= 3600 * SEC; ms += 100) windows.take(ms, new Map([['x', ms / SEC]]))
  t.true(Math.abs(windows.count('600', 'x') - 600) <= 30)
})

test('a count that is not known is nothing', t => {
  t.is(new WindowedCounts().count('600', 'x'), 0)
})
