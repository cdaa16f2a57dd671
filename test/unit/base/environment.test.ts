// Repeating timers on any environment.

import test from 'ava'
import { ManualEnvironment } from 'gearpump/testing'
import { every, realEnvironment } from '../../../src/base/environment.ts'

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
