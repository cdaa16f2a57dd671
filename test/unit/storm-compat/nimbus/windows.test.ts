import test from 'ava'
import { WindowedRows } from '../../../../storm-compat/nimbus/windows.ts'

const SEC = 1000
const one = (count: number) => new Map([['x', [count, 2 * count]]])

test('a window holds what was counted in it, all time holds all', t => {
  const windows = new WindowedRows()
  windows.take(0, one(0))
  // One a second for two hours.
  for (let s = 30; s <= 7200; s += 30) windows.take(s * SEC, one(s))
  t.deepEqual(windows.row('600', 'x'), [600, 1200])
  t.deepEqual(windows.row('10800', 'x'), [7200, 14400])
  t.deepEqual(windows.row(':all-time', 'x'), [7200, 14400])
})

test('a window slides on when nothing is counted any more', t => {
  const windows = new WindowedRows()
  windows.take(0, one(0))
  windows.take(30 * SEC, one(500))
  for (let s = 60; s <= 1200; s += 30) windows.take(s * SEC, one(500))
  t.deepEqual(windows.row('600', 'x'), [0, 0])
  t.deepEqual(windows.row('10800', 'x'), [500, 1000])
})

test('asking often keeps no more than the buckets of a window', t => {
  const windows = new WindowedRows()
  for (let ms = 0; ms <= 3600 * SEC; ms += 100) windows.take(ms, one(ms / SEC))
  t.true(Math.abs(windows.row('600', 'x')[0]! - 600) <= 30)
})

test('a row that begins anew counts from there', t => {
  const windows = new WindowedRows()
  windows.take(0, one(1000))
  windows.take(30 * SEC, one(7))
  t.deepEqual(windows.row('600', 'x'), [7, 14])
})

test('a row that came later than the window began counts in whole', t => {
  const windows = new WindowedRows()
  windows.take(0, new Map())
  windows.take(30 * SEC, one(7))
  t.deepEqual(windows.row('600', 'x'), [7, 14])
  t.deepEqual(windows.row('600', 'unknown'), [])
})
