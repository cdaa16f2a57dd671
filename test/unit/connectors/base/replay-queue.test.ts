// What failed comes again: at once, then later each time, with one timer for all that wait equally long.
import test from 'ava'
import { ReplayQueue } from '../../../../connectors/base/replay-queue.ts'

function rig() {
  const timers: { delayMs: number; fn: () => void }[] = []
  const queue = new ReplayQueue((delayMs, fn) => void timers.push({ delayMs, fn }))
  const taken = () => {
    const ids: number[] = []
    for (let id = queue.take(); id !== undefined; id = queue.take()) ids.push(id)
    return ids.sort((a, b) => a - b)
  }
  return { queue, timers, taken }
}

test('after the first failure it is due at once, after others when its wait is over', t => {
  const { queue, timers, taken } = rig()
  queue.add(1, 1)
  t.deepEqual(taken(), [1])
  for (let failures = 2; failures < 12; failures++) queue.add(1, failures)
  t.deepEqual(taken(), [])
  const waits = [250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000]
  t.deepEqual(
    timers.map(({ delayMs }) => delayMs),
    waits,
  )
})

test('all that have failed equally often come with one timer, however many they are', t => {
  const { queue, timers, taken } = rig()
  const ids = Array.from({ length: 300_000 }, (_, id) => id)
  for (const id of ids) queue.add(id, 2)
  t.is(timers.length, 1)
  timers[0]!.fn()
  t.deepEqual(taken(), ids)
  queue.add(7, 2)
  t.is(timers.length, 2)
})
