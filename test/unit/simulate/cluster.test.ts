// A small form of `npm run simulate -- cluster`: whole clusters with real masters, workers, app masters and executors in
// virtual time. A seed that fails here is seen again by `npm run simulate -- cluster 1 SEED`.
import test from 'ava'
import { firstClusterViolation } from '../../simulate/cluster/mutations.ts'
import { runClusterWorld } from '../../simulate/cluster/world.ts'

const FIRST = 50_000
/** A handful at a desk; in CI as many as a core does in a minute. */
const WORLDS = process.env.CI === undefined ? 12 : 500

test.serial(
  'in clusters under faults every application goes on, and nothing is lost or left',
  async t => {
    t.timeout(300_000)
    let executors = 0
    for (let seed = FIRST; seed < FIRST + WORLDS; seed++)
      executors += (await runClusterWorld(seed)).stats.executors ?? 0
    t.true(executors > WORLDS)
  },
)

test.serial('a seed gives the same cluster again, event by event', async t => {
  for (const seed of [3, 133]) {
    t.is((await runClusterWorld(seed)).hash, (await runClusterWorld(seed)).hash)
  }
})

// Serial: they patch classes of the engine while they run.
for (const mutation of [
  'an executor obeys whoever speaks',
  'positions are not stored',
  'a worker that registers is not told what to stop',
  'the same request heard again is another one',
  'a worker ignores that it is to stop something',
  'the store carries out writes of whoever led before',
]) {
  test.serial(`the clusters notice a broken rule: ${mutation}`, async t => {
    t.truthy(await firstClusterViolation(mutation, { first: 2000, worldsMax: 200 }))
  })
}
