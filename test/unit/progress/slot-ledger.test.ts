import test from 'ava'
import { InLink } from '../../../src/progress/in-link.ts'
import { OutLink } from '../../../src/progress/out-link.ts'
import { NONE, type Slot, SlotLedger } from '../../../src/progress/slot-ledger.ts'

/** A ledger that writes down what it tells: `done 1:5` is root 5 of source 1. */
function ledger(slots?: number): { own: SlotLedger; told: string[] } {
  const told: string[] = []
  const tell = (what: string) => (source: number, ordinal: number) => {
    told.push(`${what} ${source}:${ordinal}`)
  }
  const done = tell('done')
  const events = {
    rootsDone: (source: number, ordinals: Int32Array, n: number) => {
      for (const ordinal of ordinals.subarray(0, n)) done(source, ordinal)
    },
    rootFailed: tell('failed'),
    renewRoot: tell('renewed'),
  }
  return { own: new SlotLedger(events, slots), told }
}

function rootSent(own: SlotLedger, out: OutLink, ordinal: number): number {
  const slot = own.root(0, ordinal)
  const position = own.send(out, slot)
  own.release(slot)
  return position
}

test('a root completes when its last hold is let go', t => {
  const { own, told } = ledger()
  const root = own.root(3, 9)
  own.add(root)
  own.addMany(root, 2)
  for (let n = 0; n < 3; n++) own.release(root)
  t.deepEqual(told, [])
  t.is(own.count[root], 1)
  own.release(root)
  t.deepEqual(told, ['done 3:9'])
  t.is(own.live, 0)
})

test('a root that fails is told at once and once, and lives until its last hold', t => {
  const { own, told } = ledger()
  const root = own.root(0, 1)
  own.addMany(root, 2)
  own.fail(root)
  t.deepEqual(told, ['failed 0:1'])
  own.fail(root)
  own.release(root)
  t.deepEqual(told, ['failed 0:1'])
  t.is(own.live, 0)
})

test('an orphaned root is told to nobody', t => {
  const { own, told } = ledger()
  const root = own.root(0, 1)
  own.add(root)
  own.orphan(root)
  own.renew(root)
  own.fail(root)
  own.release(root)
  t.deepEqual(told, [])
  t.is(own.live, 0)
  t.throws(() => own.orphan(NONE), { message: /is no root/ })
})

test('the slot of untracked messages takes any number of holds and failures, and tells nobody', t => {
  const { own, told } = ledger()
  own.add(NONE)
  for (let n = 0; n < 5; n++) own.release(NONE)
  own.fail(NONE)
  own.markFailed(NONE)
  own.renew(NONE)
  own.addMany(NONE, 1 - own.count[NONE]!)
  own.release(NONE)
  t.true(own.count[NONE]! > 1_000_000)
  t.deepEqual(told, [])
  t.is(own.live, 0)
})

test('a ledger grows, and uses rows again', t => {
  const { own, told } = ledger(2)
  const slots = Array.from({ length: 1000 }, (_, ordinal) => own.root(0, ordinal))
  t.is(new Set(slots).size, 1000)
  t.is(own.live, 1000)
  for (const slot of slots) own.release(slot)
  t.is(told.length, 1000)
  const length = own.count.length
  for (let n = 0; n < 5000; n++) own.release(own.root(0, n))
  t.is(own.count.length, length)
})

test('a hold let go twice is noticed when the row is used again', t => {
  const { own } = ledger()
  const root = own.root(0, 1)
  own.release(root)
  own.release(root)
  const error = t.throws(() => own.root(0, 2), { message: /slot 1 \(free, -1 holds\)/ })
  t.like(error, { code: 'BUG' })
})

test('a hold added after the end is noticed when it is let go', t => {
  const { own } = ledger()
  const root = own.root(0, 1)
  own.release(root)
  own.add(root)
  t.throws(() => own.release(root), { message: /invariant broken/ })
})

// ---- joins

test('a join holds every parent', t => {
  const { own, told } = ledger()
  const parents = [own.root(0, 1), own.root(1, 1), own.root(0, 2)]
  const join = own.join(parents)
  for (const parent of parents) own.release(parent)
  parents.length = 0
  t.deepEqual(told, [])
  own.release(join)
  t.deepEqual(told.sort(), ['done 0:1', 'done 0:2', 'done 1:1'])
  t.is(own.live, 0)
})

test('a join that fails fails every parent at once, and keeps them until it ends', t => {
  const { own, told } = ledger()
  const [a, b] = [own.root(0, 1), own.root(0, 2)]
  const join = own.join([a, b])
  const outer = own.join([join, a])
  for (const slot of [a, b, join]) own.release(slot)
  own.add(outer)
  own.fail(outer)
  t.deepEqual(told.sort(), ['failed 0:1', 'failed 0:2'])
  t.is(own.live, 4)
  own.release(outer)
  t.is(told.length, 2)
  t.is(own.live, 0)
})

test('joins of joins end without recursion', t => {
  const { own, told } = ledger()
  let last = own.root(0, 0)
  for (let n = 1; n < 100_000; n++) {
    const root = own.root(0, n)
    const join = own.join([last, root])
    own.release(last)
    own.release(root)
    last = join
  }
  own.release(last)
  while (own.backlog) own.resume()
  t.is(told.length, 100_000)
  t.is(own.live, 0)
})

test('a very long join ends in slices', t => {
  const { own, told } = ledger()
  const parents = Array.from({ length: 200_000 }, (_, ordinal) => own.root(0, ordinal))
  const join = own.join(parents)
  for (const parent of parents) own.release(parent)
  own.release(join)
  t.true(own.backlog)
  t.true(told.length < 100_000)
  own.resume(10)
  let turns = 0
  for (; own.backlog; turns++) own.resume()
  t.true(turns >= 2)
  t.is(told.length, 200_000)
  t.is(own.live, 0)
})

test('a join of too few or of ended slots is refused', t => {
  const { own } = ledger()
  const root = own.root(0, 1)
  const ended = own.root(0, 2)
  own.release(ended)
  t.throws(() => own.join([root]), { message: /fewer than two/ })
  t.throws(() => own.join([root, ended]), { message: /was joined after its end/ })
  t.throws(() => own.join([root, NONE]), { message: /untracked/ })
  t.throws(() => own.join([root, 77]), { message: /never made/ })
})

// ---- links

test('a message over a link completes its root when the peer has told the watermark', t => {
  const near = ledger()
  const far = ledger()
  const out = new OutLink()
  const inn = new InLink()
  const number = far.own.openIn(inn)
  const position = rootSent(near.own, out, 1)
  const slot = far.own.arrival(number, position)
  near.own.applyProgress(out, inn.takeProgress())
  t.deepEqual(near.told, [])
  far.own.release(slot)
  t.true(inn.dirty)
  near.own.applyProgress(out, inn.takeProgress())
  t.deepEqual(near.told, ['done 0:1'])
  t.is(near.own.live + far.own.live + out.sent.open + inn.liveSlots, 0)
})

test('failures, runs and watermark of one frame apply in that order, each position once', t => {
  const { own, told } = ledger()
  const out = new OutLink(0, { places: 2, placesMax: 2 })
  for (let ordinal = 0; ordinal < 8; ordinal++) rootSent(own, out, ordinal)
  const progress = { through: 3, runs: [2, 2, 6, 1], failed: [1, 6] }
  own.applyProgress(out, progress)
  t.deepEqual(told, ['failed 0:1', 'failed 0:6', 'done 0:2', 'done 0:3', 'done 0:0'])
  own.applyProgress(out, progress)
  own.applyProgress(out, { through: 2, runs: [], failed: [] })
  t.is(out.through, 3)
  t.is(told.length, 5)
  t.deepEqual(out.sent.positions(), [4, 5, 7])
})

test('progress past what was sent is refused and changes nothing', t => {
  const { own, told } = ledger()
  const out = new OutLink()
  rootSent(own, out, 0)
  t.throws(() => own.applyProgress(out, { through: 2, runs: [], failed: [0] }))
  t.deepEqual(told, [])
  t.is(out.sent.open, 1)
})

test('a failure over a link reaches its root though descendants are at work', t => {
  const near = ledger()
  const far = ledger()
  const out = new OutLink()
  const inn = new InLink()
  const slot = far.own.arrival(far.own.openIn(inn), rootSent(near.own, out, 1))
  far.own.add(slot)
  far.own.fail(slot)
  t.is(inn.liveSlots, 0)
  near.own.applyProgress(out, inn.takeProgress())
  t.deepEqual(near.told, ['failed 0:1'])
  far.own.release(slot)
  t.false(inn.dirty)
  t.is(near.own.live + far.own.live, 0)
})

test('a fence fails what is not known finished, and nothing is applied after it', t => {
  const { own, told } = ledger()
  const out = new OutLink()
  for (let ordinal = 0; ordinal < 4; ordinal++) rootSent(own, out, ordinal)
  own.applyProgress(out, { through: 1, runs: [2, 1], failed: [] })
  own.fence(out)
  own.fence(out)
  own.applyProgress(out, { through: 4, runs: [], failed: [] })
  t.deepEqual(told, ['done 0:2', 'done 0:0', 'failed 0:1', 'failed 0:3'])
  t.is(own.live, 0)
})

test('the number of an in link is used again when it is closed and its slots are gone', t => {
  const { own } = ledger()
  const [first, second] = [new InLink(), new InLink()]
  t.deepEqual([own.openIn(first), own.openIn(second)], [0, 1])
  const [done, failed] = [own.arrival(0, 0), own.arrival(0, 1)]
  own.add(failed)
  own.closeIn(0)
  own.closeIn(1)
  t.is(own.openIn(new InLink()), 1)
  own.release(done)
  t.is(own.openIn(new InLink()), 2)
  own.fail(failed)
  const third = new InLink()
  t.is(own.openIn(third), 0)
  own.release(failed)
  t.false(first.dirty)
  t.false(third.dirty)
  t.is(own.live, 0)
})

test('a full in link gives up what is open at its foot', t => {
  const { own } = ledger()
  const inn = new InLink(0x7ffffff0, { words: 1, spanMax: 64 })
  const number = own.openIn(inn)
  const stuck: Slot[] = []
  for (let n = 0; n < 64; n++) {
    const slot = own.arrival(number, (0x7ffffff0 + n) | 0)
    if (n < 3 || n === 20) stuck.push(slot)
    else own.release(slot)
  }
  t.is(inn.through, 0x7ffffff0)
  const next = own.arrival(number, (0x7ffffff0 + 64) | 0)
  t.is(inn.through, (0x7ffffff0 + 20) | 0)
  t.deepEqual(inn.takeProgress().failed, [0x7ffffff0, 0x7ffffff1, 0x7ffffff2])
  for (const slot of [...stuck, next]) own.release(slot)
  t.is(own.live, 0)
  t.is(inn.ahead, 0)
  t.throws(() => own.failFoot(number), { message: /nothing is open/ })
})

// ---- more time

test('a renewal goes up through joins and links to every root', t => {
  const near = ledger()
  const far = ledger()
  const out = new OutLink()
  const inn = new InLink()
  const number = far.own.openIn(inn)
  const [a, b] = [near.own.root(0, 1), near.own.root(0, 2)]
  const join = near.own.join([a, b])
  const outer = near.own.join([join, a])
  const position = near.own.send(out, outer)
  const slot = far.own.arrival(number, position)
  far.own.renew(slot)
  far.own.renew(slot)
  t.deepEqual(inn.takeRenewed(), [position])
  near.own.renewSent(out, position)
  t.deepEqual([...new Set(near.told)].sort(), ['renewed 0:1', 'renewed 0:2'])
  near.told.length = 0
  near.own.renewSent(out, position + 1)
  near.own.fence(out)
  near.own.renewSent(out, position)
  t.deepEqual(near.told.sort(), ['failed 0:1', 'failed 0:2'])
  far.own.closeIn(number)
  far.own.renew(slot)
  t.false(inn.renewing)
})

test('a slot describes itself', t => {
  const { own } = ledger()
  const root = own.root(2, 5)
  const arrival = own.arrival(own.openIn(new InLink(3)), 3)
  const join = own.join([root, arrival])
  t.is(own.describe(root), `slot ${root} (root 5 of source 2, 2 holds)`)
  t.is(own.describe(arrival), `slot ${arrival} (position 3 of in link 0, 2 holds)`)
  t.is(own.describe(join), `slot ${join} (join, 1 holds)`)
  own.fail(join)
  t.is(own.describe(root), `slot ${root} (failed, 1 holds)`)
})
