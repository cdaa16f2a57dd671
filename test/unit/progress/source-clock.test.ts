import test from 'ava'
import { SourceClock } from '../../../src/progress/source-clock.ts'

test('stamps follow the clock and never fall', t => {
  const clock = new SourceClock()
  t.deepEqual(
    [10, 12, 11, 12, 13].map(now => clock.stamp(now)),
    [10, 12, 12, 12, 13],
  )
})

test('the clock is the lowest open stamp, or the time when none is open', t => {
  const clock = new SourceClock()
  const stamp = clock.stamp(10)
  t.is(clock.read(20, stamp), 10)
  t.is(clock.read(30, Infinity), 30)
})

test('a clock told while idle is a promise: later stamps keep it though the time steps back', t => {
  const clock = new SourceClock()
  t.is(clock.read(100, Infinity), 100)
  t.is(clock.stamp(50), 100)
  t.is(clock.read(60, Infinity), 100)
})

test('a source admitted at a floor does not stamp below it', t => {
  const clock = new SourceClock(500)
  t.is(clock.stamp(100), 500)
  clock.admit(700)
  clock.admit(600)
  t.is(clock.stamp(100), 700)
})
