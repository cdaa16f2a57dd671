// Storm's back-off, and the queue against sorting.
import '../../seed.ts'
import test from 'ava'
import fc from 'fast-check'
import {
  RetryQueue,
  retryDelayMs,
  STORM_RETRY,
} from '../../../../storm-compat/kafka/retry-queue.ts'

test("waits are Storm's: none, then 4 ms doubled, at most 10 s, for ever", t => {
  const waits = [1, 2, 3, 4, 13, 14, 1000, 2_147_483_647].map(n => retryDelayMs(STORM_RETRY, n))
  t.deepEqual(waits, [0, 4, 8, 16, 8192, 10_000, 10_000, 10_000])
})

test('a policy that gives up does so after its last retry', t => {
  const policy = { ...STORM_RETRY, initialDelayMs: 50, maxRetries: 2 }
  t.deepEqual(
    [1, 2, 3].map(n => retryDelayMs(policy, n)),
    [50, 4, undefined],
  )
})

test('what waits comes out by its time, then in its order, and never early', t => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), fc.array(fc.nat(25)), (delays, clock) => {
      const queue = new RetryQueue<number>()
      for (const [index, dueMs] of delays.entries()) queue.add(index, dueMs)
      const expected = [...delays.keys()].sort((a, b) => delays[a]! - delays[b]! || a - b)
      for (const nowMs of [...clock].sort((a, b) => a - b)) {
        const next = expected[0]
        const isDue = next !== undefined && delays[next]! <= nowMs
        if (queue.take(nowMs) !== (isDue ? expected.shift() : undefined)) return false
        if (queue.nextDueMs !== delays[expected[0] ?? -1]) return false
      }
      return queue.size === expected.length
    }),
  )
  t.pass()
})
