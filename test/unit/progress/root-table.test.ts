import test from 'ava'
import { RootTable } from '../../../src/progress/root-table.ts'
import { NONE, type Slot, SlotLedger } from '../../../src/progress/slot-ledger.ts'

function tableOnLedger() {
  let roots: RootTable | undefined
  const ledger = new SlotLedger({
    rootsDone: (_, places, n) => {
      for (const place of places.subarray(0, n)) roots!.done(place)
      return true
    },
    rootFailed: (_, place) => roots!.fail(place),
    renewRoot: (_, place) => roots!.renew(place),
  })
  roots = new RootTable(ledger, 0)
  return { roots, ledger }
}

function push(roots: RootTable, stamp: number, id: unknown): Slot {
  roots.stampBy(stamp)
  return roots.push(id)
}

/** Takes out what is untold: ids, those of failed roots with a mark. */
function told(roots: RootTable): string[] {
  const ids: string[] = []
  while (roots.untold > 0) {
    const id = roots.take()
    ids.push(roots.wasDone ? `${id}` : `${id} failed`)
  }
  return ids
}

/** Rotates once, and fails what has expired. */
function expired(roots: RootTable, ledger: SlotLedger): string[] {
  roots.rotate((_, slot) => {
    ledger.markFailed(slot)
    ledger.release(slot)
  })
  return told(roots)
}

test('a root is open until its end, and its end is told once', t => {
  const { roots, ledger } = tableOnLedger()
  const slot = push(roots, 100, 'id')
  const place = roots.placeOf(slot)
  t.is(roots.slotOf(place), slot)
  t.is(roots.idOf(place), 'id')
  t.deepEqual([roots.open, roots.untold], [1, 0])
  ledger.release(slot)
  t.is(roots.slotOf(place), NONE)
  t.is(roots.idOf(place), undefined)
  t.is(roots.placeOf(slot), -1)
  t.deepEqual([roots.open, roots.untold], [0, 1])
  t.deepEqual(told(roots), ['id'])
  t.is(ledger.live, 0)
})

test('a root that ends twice is a bug, and said to be one', t => {
  const { roots, ledger } = tableOnLedger()
  const slot = push(roots, 0, 'id')
  const place = roots.placeOf(slot)
  ledger.release(slot)
  t.throws(() => roots.done(place), { code: 'BUG' })
  t.throws(() => roots.fail(place), { code: 'BUG' })
})

test('ends are told in the order in which they came, done and failed', t => {
  const { roots, ledger } = tableOnLedger()
  const slots = ['a', 'b', 'c', 'd'].map(id => push(roots, 0, id))
  ledger.release(slots[2]!)
  ledger.fail(slots[0]!)
  roots.pushEnded('at once')
  ledger.release(slots[3]!)
  t.deepEqual(told(roots), ['c', 'a failed', 'at once', 'd'])
  t.is(roots.idOf(roots.placeOf(slots[1]!)), 'b')
})

test('ends wait to be told, as many as there are', t => {
  const { roots, ledger } = tableOnLedger()
  for (let n = 0; n < 100; n++) ledger.release(push(roots, n, n))
  t.is(roots.untold, 100)
  t.deepEqual(
    told(roots),
    Array.from({ length: 100 }, (_, n) => `${n}`),
  )
})

test('a row that failed stays with its descendants and is not used for the next root', t => {
  const { roots, ledger } = tableOnLedger()
  const slot = push(roots, 0, 'a')
  ledger.add(slot) // a descendant
  ledger.fail(slot)
  t.deepEqual(told(roots), ['a failed'])
  const others = Array.from({ length: 50 }, (_, n) => push(roots, 0, n))
  t.false(others.includes(slot))
  ledger.release(slot)
  for (const other of others) ledger.release(other)
  t.is(told(roots).length, 50)
  t.is(ledger.live, 0)
})

test('the lowest stamp is that of the oldest open root', t => {
  const { roots, ledger } = tableOnLedger()
  t.is(roots.lowestStamp(), Infinity)
  const slots = Array.from({ length: 50 }, (_, n) => push(roots, 1000 + n, n))
  t.is(roots.lowestStamp(), 1000)
  ledger.release(slots[1]!)
  t.is(roots.lowestStamp(), 1000)
  ledger.release(slots[0]!)
  t.is(roots.lowestStamp(), 1002)
  for (let n = 2; n < 49; n++) ledger.release(slots[n]!)
  told(roots)
  const late = push(roots, 2000, 'late')
  t.is(roots.lowestStamp(), 1049)
  ledger.release(slots[49]!)
  t.is(roots.lowestStamp(), 2000)
  ledger.release(late)
  t.is(roots.lowestStamp(), Infinity)
})

test('a root times out at the second rotation after it was made', t => {
  const { roots, ledger } = tableOnLedger()
  push(roots, 0, 'a')
  t.deepEqual(expired(roots, ledger), [])
  push(roots, 0, 'b')
  t.deepEqual(expired(roots, ledger), ['a failed'])
  push(roots, 0, 'c')
  t.deepEqual(expired(roots, ledger), ['b failed'])
  t.deepEqual(expired(roots, ledger), ['c failed'])
  t.deepEqual(expired(roots, ledger), [])
  t.is(roots.open, 0)
})

test('a renewed root is kept for another two rotations, each time', t => {
  const { roots, ledger } = tableOnLedger()
  const slots = Array.from({ length: 20 }, (_, n) => push(roots, 0, n))
  t.deepEqual(expired(roots, ledger), [])
  ledger.renew(slots[3]!)
  ledger.renew(slots[15]!)
  t.is(expired(roots, ledger).length, 18)
  ledger.renew(slots[15]!)
  t.deepEqual(expired(roots, ledger), ['3 failed'])
  t.deepEqual(expired(roots, ledger), ['15 failed'])
})

test('an expired root that nobody ends is reported again, one that ends meanwhile is not', t => {
  const { roots, ledger } = tableOnLedger()
  const slots = [push(roots, 0, 'a'), push(roots, 0, 'b')]
  roots.rotate(() => t.fail())
  const reported: Slot[] = []
  roots.rotate((_, slot) => {
    reported.push(slot)
    if (slot === slots[0]) ledger.release(slots[1]!)
  })
  roots.rotate((_, slot) => void reported.push(slot))
  t.deepEqual(reported, [slots[0]!, slots[0]!])
})

test('clearing hands over every open root and forgets what was not told', t => {
  const { roots, ledger } = tableOnLedger()
  const slots = [1, 2, 3, 4, 5, 6].map(n => push(roots, 0, n))
  ledger.release(slots[1]!)
  const orphans: Slot[] = []
  roots.clear((_, slot) => {
    orphans.push(slot)
    ledger.orphan(slot)
  })
  t.deepEqual(orphans, [slots[0]!, slots[2]!, slots[3]!, slots[4]!, slots[5]!])
  t.deepEqual([roots.open, roots.untold], [0, 0])
  t.is(roots.lowestStamp(), Infinity)
  for (const slot of orphans) ledger.release(slot)
  t.deepEqual([roots.untold, ledger.live], [0, 0])
})

test('a root that nobody keeps ends with its emit, and the next one gets its row', t => {
  const { roots, ledger } = tableOnLedger()
  const slots = new Set<Slot>()
  for (let n = 0; n < 100; n++) {
    const slot = push(roots, n, n)
    t.is(roots.open, 1)
    ledger.add(slot)
    ledger.release(slot)
    t.true(roots.endAlone(slot))
    slots.add(slot)
  }
  t.is(slots.size, 1)
  t.deepEqual([roots.open, roots.untold, roots.pending], [0, 100, 100])
  t.deepEqual(
    told(roots),
    Array.from({ length: 100 }, (_, n) => `${n}`),
  )
  t.is(ledger.live, 1)
  roots.rest()
  roots.rest()
  t.is(ledger.live, 0)
})

test('a root that is kept beyond its emit, or asked for in the middle of it, is like any other', t => {
  const { roots, ledger } = tableOnLedger()
  const kept = push(roots, 7, 'kept')
  ledger.add(kept)
  t.false(roots.endAlone(kept))
  ledger.release(kept)
  t.deepEqual([roots.open, roots.untold, roots.lowestStamp()], [1, 0, 7])
  const asked = push(roots, 5, 'asked')
  t.not(asked, kept)
  t.is(roots.lowestStamp(), 5)
  t.is(roots.idOf(roots.placeOf(asked)), 'asked')
  t.false(roots.endAlone(asked))
  ledger.release(asked)
  ledger.release(kept)
  t.deepEqual(told(roots), ['asked', 'kept'])
  t.is(ledger.live, 0)
})

test('holds made after the ledger grew in the middle of an emit count', t => {
  const { roots, ledger } = tableOnLedger()
  t.true(roots.endAlone(push(roots, 0, 'first')))
  const kept = push(roots, 0, 'kept')
  const others = Array.from({ length: 1000 }, () => ledger.root(1, 0))
  ledger.add(kept)
  t.false(roots.endAlone(kept))
  ledger.release(kept)
  const gone = push(roots, 0, 'let go')
  others.push(...Array.from({ length: 10_000 }, () => ledger.root(1, 0)))
  t.true(roots.endAlone(gone))
  t.true(roots.endAlone(push(roots, 0, 'next')))
  ledger.release(kept)
  t.deepEqual(told(roots), ['first', 'let go', 'next', 'kept'])
  t.is(others.length, 11_000)
})

test('as many ends as there is room for, and one, are told in their order', t => {
  const { roots } = tableOnLedger()
  for (let round = 0; round < 3; round++) {
    const ids = Array.from({ length: 5 ** (round + 1) }, (_, n) => `${round}.${n}`)
    for (const id of ids) t.true(roots.endAlone(push(roots, 0, id)))
    t.deepEqual(told(roots), ids)
  }
})

test('an emit within an emit, and a failure within one, end each root once', t => {
  const { roots, ledger } = tableOnLedger()
  const outer = push(roots, 1, 'outer')
  const inner = push(roots, 2, 'inner')
  t.true(roots.endAlone(inner))
  t.false(roots.endAlone(outer))
  ledger.release(outer)
  const bad = push(roots, 3, 'bad')
  ledger.markFailed(bad)
  t.false(roots.endAlone(bad))
  const next = push(roots, 4, 'next')
  t.not(next, bad)
  t.true(roots.endAlone(next))
  ledger.release(bad)
  t.deepEqual(told(roots), ['inner', 'outer', 'bad failed', 'next'])
  roots.rest()
  t.is(ledger.live, 0)
})

test('a root that is let go of twice in its emit is a bug, and said to be one', t => {
  const { roots, ledger } = tableOnLedger()
  const slot = push(roots, 0, 'id')
  ledger.add(slot)
  ledger.release(slot)
  ledger.release(slot)
  t.false(roots.endAlone(slot))
  ledger.release(slot)
  for (const _ of 'ab') t.throws(() => push(roots, 0, 'next'), { code: 'BUG' })
  t.is(roots.open, 0)
})

test('an emit that is over twice is a bug, and said to be one; nothing is told twice', t => {
  const { roots, ledger } = tableOnLedger()
  const slot = push(roots, 0, 'id')
  t.true(roots.endAlone(slot))
  t.false(roots.endAlone(slot))
  t.throws(() => ledger.release(slot), { code: 'BUG' })
  t.deepEqual(told(roots), ['id'])
})

test('one root that stays open hinders none of the many that come and go', t => {
  const { roots, ledger } = tableOnLedger()
  const stuck = push(roots, 1, 'stuck')
  const seen = new Set<Slot>()
  for (let n = 0; n < 100_000; n++) {
    const slot = push(roots, 2, n)
    seen.add(slot)
    ledger.release(slot)
    roots.take()
  }
  t.true(seen.size < 32)
  t.is(roots.open, 1)
  t.is(roots.idOf(roots.placeOf(stuck)), 'stuck')
  t.is(roots.lowestStamp(), 1)
})

test('many open roots keep their slots, stamps and ids apart', t => {
  const { roots, ledger } = tableOnLedger()
  const slots = Array.from({ length: 1000 }, (_, n) => push(roots, n, `id ${n}`))
  t.is(roots.open, 1000)
  t.is(new Set(slots).size, 1000)
  t.is(roots.idOf(roots.placeOf(slots[777]!)), 'id 777')
  for (let n = 0; n < 500; n++) ledger.release(slots[n]!)
  t.is(roots.lowestStamp(), 500)
  t.is(told(roots).length, 500)
})
