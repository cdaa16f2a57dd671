// Credit that goes back over links: what is told must add up to what was taken, for ever.

import test from 'ava'
import fc from 'fast-check'
import { Credits, LinkRows, TELL_PART } from '../../../src/task/credits.ts'
import '../seed.ts'

test('what was told and what is not yet due add up to what was taken', t => {
  const step = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(20))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.constantFrom(1, 8, 64), (steps, window) => {
      const credits = new Credits(window)
      const link = new LinkRows()
      const taken = new Map<string, number>()
      const told = new Map<string, number>()
      for (const [source, target, n] of steps) {
        for (let i = 0; i < n; i++) credits.consumed(credits.arrived(link, source, target))
        const key = `${source} ${target}`
        taken.set(key, (taken.get(key) ?? 0) + n)
        const triples = credits.takeDue(link)
        for (let i = 0; i < triples.length; i += 3) {
          const of = `${triples[i]} ${triples[i + 1]}`
          told.set(of, (told.get(of) ?? 0) + triples[i + 2]!)
        }
      }
      for (const [key, count] of taken) {
        const untold = count - (told.get(key) ?? 0)
        t.true(
          untold >= 0 && untold < Math.max(1, Math.floor(window / TELL_PART)),
          `${key}: ${untold} untold`,
        )
      }
    }),
    { numRuns: 60 },
  )
})

test('a row of a closed session serves another pair only after its last message was taken', t => {
  const credits = new Credits(TELL_PART)
  const link = new LinkRows()
  const row = credits.arrived(link, 1, 2)
  credits.arrived(link, 1, 2)
  credits.close(link)
  const next = credits.arrived(link, 1, 2)
  t.not(next, row)
  credits.consumed(row)
  credits.consumed(row)
  t.is(credits.arrived(link, 3, 4), row)
  credits.consumed(row)
  t.deepEqual(credits.takeDue(link), [3, 4, 1])
})

test('a row taken by two sessions in turn tells the second nothing of the first', t => {
  const credits = new Credits(8 * TELL_PART)
  const link = new LinkRows()
  for (let i = 0; i < 7; i++) credits.consumed(credits.arrived(link, 1, 2))
  credits.close(link)
  for (let i = 0; i < 7; i++) credits.consumed(credits.arrived(link, 1, 2))
  t.deepEqual(credits.takeDue(link), [])
  credits.consumed(credits.arrived(link, 1, 2))
  t.deepEqual(credits.takeDue(link), [1, 2, 8])
})

test('messages of a row have one way for each edge, made once', t => {
  const credits = new Credits(64)
  const link = new LinkRows()
  const row = credits.arrived(link, 1, 2)
  const way = credits.way(row, 9)
  t.deepEqual(way, { edge: 9, source: 1, origin: row, straight: false })
  t.is(credits.way(row, 9), way)
  t.deepEqual(credits.way(row, 5), { edge: 5, source: 1, origin: row, straight: false })
  credits.consumed(row)
  credits.close(link)
  t.is(credits.arrived(link, 3, 4), row)
  t.deepEqual(credits.way(row, 5), { edge: 5, source: 3, origin: row, straight: false })
})
