// Virtual time: order, repeatability, promises.

import test from 'ava'
import fc from 'fast-check'
import { ManualEnvironment, seededRandom } from './doors.ts'
import '../seed.ts'

test('timers fire by time, then in the order in which they were set', async t => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(50), { maxLength: 40 }), async delays => {
      const environment = new ManualEnvironment()
      const fired: [number, number][] = []
      delays.forEach((delay, i) => void environment.after(delay, () => void fired.push([delay, i])))
      await environment.advance(50)
      const expected = delays.map((delay, i): [number, number] => [delay, i])
      t.deepEqual(
        fired,
        expected.sort(([a, i], [b, j]) => a - b || i - j),
      )
      t.is(environment.timers, 0)
    }),
    { numRuns: 50 },
  )
})

test('cancelled timers are gone, in whatever order', async t => {
  const environment = new ManualEnvironment()
  const fired: number[] = []
  const timers = Array.from({ length: 20 }, (_, i) =>
    environment.after(20 - i, () => void fired.push(i)),
  )
  for (let i = 0; i < 20; i += 2) timers[i]!.cancel()
  t.is(environment.timers, 10)
  await environment.advance(30)
  t.deepEqual(fired, [19, 17, 15, 13, 11, 9, 7, 5, 3, 1])
  timers[1]!.cancel()
  t.is(environment.timers, 0)
})

test('promises settle between timers', async t => {
  const environment = new ManualEnvironment()
  const order: string[] = []
  environment.after(
    1,
    () => void Promise.resolve().then(() => Promise.resolve().then(() => order.push('promise'))),
  )
  environment.after(2, () => void order.push('timer'))
  await environment.advance(3)
  t.deepEqual(order, ['promise', 'timer'])
})

test('the same seed gives the same numbers, all of them in [0, 1)', t => {
  const [a, b, c] = [seededRandom(7), seededRandom(7), seededRandom(8)]
  const numbers = Array.from({ length: 1000 }, a)
  t.deepEqual(numbers, Array.from({ length: 1000 }, b))
  t.notDeepEqual(numbers, Array.from({ length: 1000 }, c))
  t.true(numbers.every(number => number >= 0 && number < 1))
  const mean = numbers.reduce((sum, number) => sum + number, 0) / 1000
  t.true(mean > 0.45 && mean < 0.55)
})

test('nothing of a killed process runs any more', async t => {
  const environment = new ManualEnvironment()
  const process = environment.process()
  process.defer(() => t.fail())
  process.after(1, () => t.fail())
  process.kill()
  process.after(1, () => t.fail())
  process.defer(() => t.fail())
  await environment.advance(10)
  t.is(environment.timers, 0)
})

test('work that wakes itself for ever is found out', t => {
  const environment = new ManualEnvironment()
  const again = () => environment.defer(again)
  again()
  t.throws(() => environment.run(), { message: /wakes itself for ever/ })
})
