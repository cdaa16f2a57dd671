// Repeating timers on any environment.

import test from 'ava'
import { ManualEnvironment } from 'gearpump/testing'
import { alignedMs, every, everyAligned, realEnvironment } from '../../../src/base/environment.ts'

test('every calls once a period until it is cancelled, also from inside', async t => {
  const environment = new ManualEnvironment()
  let calls = 0
  const timer = every(environment, 100, () => {
    if (++calls === 3) timer.cancel()
  })
  await environment.advance(1000)
  t.is(calls, 3)
  t.is(environment.timers, 0)
})

test('what waits for multiples of a period ends at the same moments, whenever it began', async t => {
  const environment = new ManualEnvironment()
  const startMs = environment.monotonicMs()
  const calls: number[] = []
  const call = () => calls.push(Math.round(environment.monotonicMs()) % 256)
  const timers = [everyAligned(environment, 256, call)]
  await environment.advance(100)
  timers.push(everyAligned(environment, 512, call))
  await environment.advance(2048 - 100 - (startMs % 256))
  for (const timer of timers) timer.cancel()
  t.true(calls.length >= 10, `${calls.length} calls`)
  t.true(calls.every(rest => rest === 0))
})

test('a timer that fires a little early is not set again for the same moment', t => {
  t.is(alignedMs(1023.5, 256), 256.5)
  t.is(alignedMs(1024, 256), 256)
  t.is(alignedMs(1100, 256), 180)
})

test('a cancelled timer does not fire', async t => {
  const environment = new ManualEnvironment()
  const timer = every(environment, 100, () => t.fail())
  timer.cancel()
  await environment.advance(1000)
  t.is(environment.timers, 0)
})

test('the real environment defers, waits, and tells wall-clock time', async t => {
  const order: string[] = []
  await new Promise<void>(resolve => {
    realEnvironment.after(0, () => order.push('timer')).cancel()
    realEnvironment.defer(() => {
      order.push('deferred')
      resolve()
    })
    order.push('now')
  })
  t.deepEqual(order, ['now', 'deferred'])
  t.true(Math.abs(realEnvironment.nowUs() / 1000 - Date.now()) < 60_000)
  t.true(realEnvironment.monotonicMs() >= 0)
  t.true(realEnvironment.random() < 1)
})

test('a timer that is longer than Node has any waits all the same, and can be cancelled', async t => {
  let fired = false
  const timers = [2 ** 31, 30 * 24 * 3_600_000, Number.POSITIVE_INFINITY].map(delayMs =>
    realEnvironment.after(delayMs, () => {
      fired = true
    }),
  )
  // Node would have called back after 1 ms.
  await new Promise<void>(resolve => {
    realEnvironment.after(20, resolve)
  })
  for (const timer of timers) timer.cancel()
  t.false(fired)
})
