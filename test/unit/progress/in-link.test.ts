import test from 'ava'
import fc from 'fast-check'
import { InLink } from '../../../src/progress/in-link.ts'
import '../seed.ts'

const LAST = 0x7fffffff

test('in order, progress is the watermark alone', t => {
  const link = new InLink()
  t.false(link.dirty)
  for (let p = 0; p < 5; p++) link.finished(p)
  t.true(link.dirty)
  t.is(link.untold, 5)
  t.deepEqual(link.takeProgress(), { through: 5, runs: [], failed: [] })
  t.false(link.dirty)
  t.is(link.untold, 0)
  t.deepEqual(link.takeProgress(), { through: 5, runs: [], failed: [] })
})

test('what finishes ahead is told once, as runs', t => {
  const link = new InLink()
  for (const p of [3, 4, 5, 9, 7]) link.finished(p)
  t.deepEqual(link.takeProgress().runs, [3, 3, 9, 1, 7, 1])
  link.finished(8)
  t.deepEqual(link.takeProgress(), { through: 0, runs: [8, 1], failed: [] })
})

test('the watermark swallows what finished ahead of it, and runs leave that out', t => {
  const link = new InLink()
  for (const p of [1, 2, 4, 0]) link.finished(p)
  t.is(link.ahead, 1)
  t.deepEqual(link.takeProgress(), { through: 3, runs: [4, 1], failed: [] })
  link.finished(3)
  t.deepEqual(link.takeProgress(), { through: 5, runs: [], failed: [] })
  t.is(link.ahead, 0)
})

test('a failed position is named and finished', t => {
  const link = new InLink()
  link.failed(0)
  link.failed(2)
  t.deepEqual(link.takeProgress(), { through: 1, runs: [2, 1], failed: [0, 2] })
  t.deepEqual(link.takeProgress().failed, [])
})

test('positions and frame numbers wrap', t => {
  const link = new InLink(LAST)
  link.finished(-LAST)
  link.finished(-LAST - 1)
  t.is(link.through, LAST)
  link.finished(LAST)
  t.is(link.through, -LAST + 1)
  link.nextFrame = 0xffffffff
  link.nextProgress = 0xffffffff
  t.false(link.acceptFrame(0))
  t.true(link.acceptFrame(0xffffffff))
  t.true(link.acceptFrame(0))
  t.deepEqual([link.takeProgressNumber(), link.takeProgressNumber()], [0xffffffff, 0])
})

test('a stuck position costs a bit for each later one, given back when it is done', t => {
  const link = new InLink(0, { words: 1 })
  for (let p = 1; p < 100_000; p++) link.finished(p)
  t.is(link.bitmapBytes, 2 ** 17 / 8)
  t.is(link.takeProgress().runs.length, 2)
  link.finished(0)
  t.deepEqual(link.takeProgress(), { through: 100_000, runs: [], failed: [] })
  t.true(link.bitmapBytes < 1024)
})

test('a renewal is told at once, then once per half period', t => {
  const link = new InLink()
  t.false(link.renewing)
  link.renew(5)
  t.true(link.renewing)
  t.deepEqual(link.takeRenewed(), [5])
  link.renew(5)
  link.renew(6)
  t.deepEqual(link.takeRenewed(), [6])
  link.startHalfPeriod()
  t.deepEqual(link.takeRenewed(), [5]) // asked for after it was told
  link.startHalfPeriod()
  t.deepEqual(link.takeRenewed(), [])
  link.renew(5)
  t.deepEqual(link.takeRenewed(), [5])
})

test('all that finishes is told, at the latest with the watermark, in any order', t => {
  const orders = fc.shuffledSubarray(
    Array.from({ length: 90 }, (_, i) => i),
    { minLength: 90 },
  )
  const property = fc.property(orders, fc.nat(9), (order, every) => {
    const link = new InLink(LAST - 40, { words: 1 })
    const told = new Set<number>()
    const finished = new Set<number>()
    let through = link.through
    for (const [i, offset] of order.entries()) {
      const position = (LAST - 40 + offset) | 0
      link.finished(position)
      finished.add(position)
      if (i % (every + 1) !== 0) continue
      const progress = link.takeProgress()
      for (; through !== progress.through; through = (through + 1) | 0) told.add(through)
      for (let r = 0; r < progress.runs.length; r += 2) {
        for (let n = 0; n < progress.runs[r + 1]!; n++) told.add((progress.runs[r]! + n) | 0)
      }
      if (told.size !== finished.size) return false
    }
    return link.ahead === 0 && link.through === ((LAST - 40 + 90) | 0)
  })
  t.notThrows(() => fc.assert(property, { numRuns: 200, seed: 11 }))
})
