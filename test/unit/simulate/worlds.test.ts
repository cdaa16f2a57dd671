// A small form of `npm run simulate`: whole applications with the real app master and executors in virtual time, under
// crashes, losses, delays and cuts, watched by an oracle that follows every message by its anchors. A seed that fails
// here is seen again by `npm run simulate -- 1 SEED`.
import test from 'ava'
import { firstViolation } from '../../simulate/first-violation.ts'
import { runWorld } from '../../simulate/world.ts'

const WORLDS = 200
const FIRST = 20_000

test('in random worlds under faults all roots end rightly, order is kept and everything comes to rest', async t => {
  let roots = 0
  for (let seed = FIRST; seed < FIRST + WORLDS; seed++) roots += (await runWorld(seed)).stats.roots!
  t.true(roots > WORLDS)
})

test('links that double and reorder frames lose no order and deliver nothing twice', async t => {
  const faults = { loss: 0.02, duplication: 0.1, reordering: 0.3, sever: 3 }
  // The first worlds in which the first frame of a former session opened it anew.
  for (const seed of [52, 62, 79, 146]) {
    const { stats } = await runWorld(seed, s => ({ ...s, faults: { ...s.faults, ...faults } }))
    t.true(stats.sessions! > 0)
  }
})

test('a seed gives the same world again, event by event', async t => {
  for (const seed of [1, 2, 3, 4]) {
    t.is((await runWorld(seed)).hash, (await runWorld(seed)).hash)
  }
})

// Serial: they patch classes of the engine while they run.
for (const mutation of [
  'a fence releases what it should fail',
  'a message is finished when it has arrived',
  'a join holds its first anchor only',
  'an input that is handled at once, and kept, has no hold',
  'a window that is used up stops nobody',
  'the number of a closed link is never free',
]) {
  test.serial(`the worlds notice a broken rule: ${mutation}`, async t => {
    t.truthy(await firstViolation(mutation, { first: 1, worldsMax: 60 }))
  })
}
