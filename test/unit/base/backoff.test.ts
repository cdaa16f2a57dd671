// Waits between tries: at once, then doubling to a bound, and forgotten after a healthy while.

import test from 'ava'
import fc from 'fast-check'
import { Backoff } from '../../../src/base/backoff.ts'
import '../seed.ts'

test('the first failure waits for nothing, then waits double up to the bound', t => {
  const backoff = new Backoff({ firstMs: 250, maxMs: 5000 })
  backoff.started(0)
  t.deepEqual(
    Array.from({ length: 8 }, () => backoff.failed(1)),
    [0, 250, 500, 1000, 2000, 4000, 5000, 5000],
  )
  t.is(backoff.failures, 8)
})

test('a healthy while forgets what was before', t => {
  const backoff = new Backoff({ healthyMs: 1000 })
  backoff.started(0)
  backoff.failed(10)
  backoff.failed(20)
  backoff.started(100)
  t.is(backoff.failed(1099), 500)
  backoff.started(2000)
  t.is(backoff.failed(3000), 0)
})

test('what does not come up is not healthy, however long it is tried', t => {
  const backoff = new Backoff({ firstMs: 250, maxMs: 1000, healthyMs: 1000 })
  t.deepEqual(
    [5000, 10_000, 15_000, 20_000].map(nowMs => backoff.failed(nowMs)),
    [0, 250, 500, 1000],
  )
  backoff.started(30_000)
  t.is(backoff.failed(40_000), 0)
  t.is(backoff.failed(50_000), 250)
})

test('a wait is never negative, never above the bound, and never shorter than the one before in a bad while', t => {
  fc.assert(
    fc.property(fc.array(fc.nat(999), { maxLength: 30 }), lives => {
      const backoff = new Backoff({ firstMs: 7, maxMs: 100, healthyMs: 1000 })
      let nowMs = 0
      let last = 0
      for (const life of lives) {
        backoff.started(nowMs)
        nowMs += life
        const wait = backoff.failed(nowMs)
        t.true(wait >= last && wait <= 100)
        last = wait
        nowMs += wait
      }
    }),
    { numRuns: 50 },
  )
})
