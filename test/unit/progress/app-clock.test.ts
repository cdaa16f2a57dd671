import test from 'ava'
import { AppClock } from '../../../src/progress/app-clock.ts'

const SECOND = 1_000_000

function clocks(entries: Record<string, number>): Map<string, number> {
  return new Map(Object.entries(entries))
}

/** A clock of executors `a` and `b` that has published and reserved. */
function running(): AppClock {
  const clock = new AppClock({ executors: ['a', 'b'] })
  clock.report('a', 1, clocks({ s1: 10 * SECOND }))
  clock.report('b', 1, clocks({ s2: 12 * SECOND }))
  clock.stored(13 * SECOND)
  return clock
}

test('nothing is published before all executors have reported, nor before a reserve is stored', t => {
  const clock = new AppClock({ executors: ['a', 'b'] })
  t.deepEqual(clock.waitingFor, ['a', 'b'])
  t.deepEqual(clock.report('a', 1, clocks({ s1: 10 * SECOND })), {})
  t.deepEqual(clock.report('b', 1, clocks({ s2: 12 * SECOND })), { store: 13 * SECOND })
  t.is(clock.published, 0)
  t.deepEqual(clock.stored(13 * SECOND), { publish: 10 * SECOND })
  t.is(clock.published, 10 * SECOND)
  t.is(clock.reserved, 13 * SECOND)
})

test('the app clock is the lowest clock, and more is reserved in time', t => {
  const clock = running()
  t.deepEqual(clock.report('a', 1, clocks({ s1: 11 * SECOND })), { publish: 11 * SECOND })
  t.deepEqual(clock.report('a', 1, clocks({ s1: 20 * SECOND })), { publish: 12 * SECOND })
  t.deepEqual(clock.report('b', 1, clocks({ s2: 12.5 * SECOND })), {
    publish: 12.5 * SECOND,
    store: 15.5 * SECOND,
  })
  t.deepEqual(clock.report('b', 1, clocks({ s2: 14 * SECOND })), { publish: 13 * SECOND })
  t.deepEqual(clock.stored(15.5 * SECOND), { publish: 14 * SECOND })
})

test('reports may overtake each other', t => {
  const clock = running()
  clock.report('b', 1, clocks({ s2: 13 * SECOND }))
  t.deepEqual(clock.report('a', 1, clocks({ s1: 12 * SECOND })), { publish: 12 * SECOND })
  t.deepEqual(clock.report('a', 1, clocks({ s1: 11 * SECOND })), {})
  t.is(clock.published, 12 * SECOND)
})

test('a dead executor counts no more, and what it still says is ignored', t => {
  const clock = running()
  t.deepEqual(clock.fence('a'), { publish: 12 * SECOND })
  t.deepEqual(clock.report('a', 1, clocks({ s1: 11 * SECOND })), {})
  t.like(clock.report('b', 1, clocks({ s2: 12.5 * SECOND })), { publish: 12.5 * SECOND })
})

test('a source that starts is counted from its floor on, which is what is reserved', t => {
  const clock = running()
  clock.fence('a')
  t.is(clock.admit('s1', 'c'), 13 * SECOND)
  clock.report('b', 1, clocks({ s2: 30 * SECOND }))
  t.is(clock.published, 13 * SECOND)
  clock.stored(16 * SECOND)
  t.is(clock.published, 13 * SECOND)
  t.deepEqual(clock.report('c', 1, clocks({ s1: 15.5 * SECOND })), {
    publish: 15.5 * SECOND,
    store: 18.5 * SECOND,
  })
})

test('a floor survives the first report of its executor, which may not know of it yet', t => {
  const clock = running()
  clock.fence('a')
  clock.admit('s1', 'a')
  clock.report('a', 2, clocks({}))
  clock.report('b', 1, clocks({ s2: 30 * SECOND }))
  t.is(clock.published, 13 * SECOND)
})

test('a late fence of an older incarnation does not touch the new one', t => {
  const clock = running()
  clock.report('a', 2, clocks({ s1: 10.5 * SECOND }))
  clock.fence('a', 1)
  clock.report('b', 1, clocks({ s2: 12.8 * SECOND }))
  t.is(clock.published, 10.5 * SECOND)
})

test('an app master that has restarted hears everybody before it publishes', t => {
  const clock = new AppClock({ executors: ['a', 'b', 'c'], reserved: 13 * SECOND })
  t.is(clock.admit('s1', 'd'), 13 * SECOND)
  clock.report('b', 1, clocks({ s2: 12 * SECOND }))
  clock.fence('a')
  t.is(clock.published, 0)
  t.deepEqual(clock.waitingFor, ['c'])
  t.deepEqual(clock.report('c', 4, clocks({ s3: 11 * SECOND })), { publish: 11 * SECOND })
})

test('an executor fenced before it was ever heard is not heard later', t => {
  const clock = new AppClock({ executors: ['a', 'b'], reserved: 13 * SECOND })
  clock.fence('a')
  t.deepEqual(clock.report('a', 7, clocks({ s1: 1 })), {})
  t.deepEqual(clock.report('b', 1, clocks({ s2: 11 * SECOND })), { publish: 11 * SECOND })
})

test('an incarnation after a named fence is heard', t => {
  const clock = new AppClock({ executors: ['a'], reserved: 13 * SECOND })
  clock.fence('a', 3)
  t.deepEqual(clock.report('a', 3, clocks({ s1: 11 * SECOND })), {})
  t.deepEqual(clock.report('a', 4, clocks({ s1: 11 * SECOND })), { publish: 11 * SECOND })
})

test('a retired task counts no more, though a late report names it', t => {
  const clock = running()
  t.deepEqual(clock.retire('s1', 'a'), { publish: 12 * SECOND })
  clock.report('a', 1, clocks({ s1: 10 * SECOND }))
  t.like(clock.report('b', 1, clocks({ s2: 12.5 * SECOND })), { publish: 12.5 * SECOND })
})

test('only what was asked for may be reported stored', t => {
  const clock = running()
  t.throws(() => clock.stored(99 * SECOND), { message: /invariant broken/ })
})

test('without sources nothing is published', t => {
  const clock = new AppClock({ executors: ['a'] })
  t.deepEqual(clock.report('a', 1, clocks({})), {})
})

test('executors fenced long ago are forgotten, those that live are not', t => {
  const clock = running()
  for (let n = 0; n < 10_100; n++) clock.fence(`dead ${n}`)
  clock.report('a', 1, clocks({ s1: 11 * SECOND }))
  clock.report('b', 1, clocks({ s2: 11.5 * SECOND }))
  t.is(clock.published, 11 * SECOND)
})
