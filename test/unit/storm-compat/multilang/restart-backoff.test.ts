import test from 'ava'
import { HEALTHY_MS, RestartBackoff } from '../../../../storm-compat/multilang/restart-backoff.ts'

test('the first restart is at once, then the wait doubles up to five seconds', t => {
  const backoff = new RestartBackoff()
  const waits = Array.from({ length: 8 }, () => backoff.delayAfterMs(100))
  t.deepEqual(waits, [0, 250, 500, 1_000, 2_000, 4_000, 5_000, 5_000])
})

test('a healthy while makes the next death a first one', t => {
  const backoff = new RestartBackoff()
  for (let i = 0; i < 20; i++) backoff.delayAfterMs(0)
  t.is(backoff.delayAfterMs(HEALTHY_MS - 1), 5_000)
  t.is(backoff.delayAfterMs(HEALTHY_MS), 0)
  t.is(backoff.delayAfterMs(0), 250)
})
