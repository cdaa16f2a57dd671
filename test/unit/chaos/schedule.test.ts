// The schedule of a chaos run: the same for the same seed, and within its bounds for every seed.
import test from 'ava'
import fc from 'fast-check'
import { schedule } from '../../chaos/schedule.ts'
import '../seed.ts'

const MINUTE = 60_000

test('a seed always gives the same schedule, and another seed another one', t => {
  const once = schedule({ seed: 7, forMs: 10 * MINUTE, cuts: true })
  t.deepEqual(schedule({ seed: 7, forMs: 10 * MINUTE, cuts: true }), once)
  t.notDeepEqual(schedule({ seed: 8, forMs: 10 * MINUTE, cuts: true }), once)
})

test('a longer run of a seed begins as a shorter one', t => {
  const short = schedule({ seed: 7, forMs: MINUTE, cuts: true })
  t.deepEqual(schedule({ seed: 7, forMs: 2 * MINUTE, cuts: true }).slice(0, short.length), short)
})

test('every seed keeps to the time, cuts nobody off where that cannot be, and lets each stop end', t => {
  fc.assert(
    fc.property(fc.integer(), fc.boolean(), (seed, cuts) => {
      const faults = schedule({ seed, forMs: 2 * MINUTE, cuts })
      t.true(faults.length >= (2 * MINUTE) / 5000 - 1)
      let beforeMs = 0
      for (const { atMs, kind, forMs } of faults) {
        t.true(atMs > beforeMs && atMs < 2 * MINUTE)
        t.true(cuts || kind !== 'cut')
        t.is(forMs > 0, kind !== 'kill')
        t.true(forMs <= 10_000)
        beforeMs = atMs
      }
    }),
  )
})

test('ten minutes meet every kind of fault', t => {
  const faults = schedule({ seed: 1, forMs: 10 * MINUTE, cuts: true })
  const kinds = new Set(faults.map(({ kind, role }) => `${kind} ${role}`))
  t.is(kinds.size, 13)
})
