// A restart whose answer was lost is asked for again: it is one restart all the same.
import test from 'ava'
import { ActorSystem } from '../../../src/actor/actor-system.ts'
import { noLog } from '../../../src/base/log.ts'
import type { BlobShelf } from '../../../src/cluster/blob-shelf.ts'
import { Master } from '../../../src/cluster/master.ts'
import { GEAR, type GearDoor, type Submission } from '../../../src/cluster/messages.ts'
import { MemoryCluster } from '../../../src/cluster/store/memory-store.ts'
import { builtIn } from '../../../src/cluster/strategies.ts'
import { ManualEnvironment } from '../../../src/testing/manual-environment.ts'

const WORDS: Submission = {
  name: 'words',
  requestId: 'first',
  bundle: undefined,
  code: {},
  placement: { executors: 1, each: { cpu: 1, memoryMb: 1 } },
  active: true,
}

async function leading(shelf: Partial<BlobShelf> = {}) {
  const environment = new ManualEnvironment()
  const system = new ActorSystem({ environment, log: noLog, name: 'm1' })
  const store = new MemoryCluster({ environment }).connect('m1')
  const master = new Master({
    ...{ environment, system, log: noLog, name: 'm1', store, leaseMs: 3000 },
    address: system.node,
    masters: [system.node],
    shelf: shelf as BlobShelf,
    settings: { appMasterLostMs: 8000, restarts: 5, windowMs: 600_000 },
    strategies: builtIn,
    strategy: 'spread',
    secret: () => 'secret',
    version: 'test',
  })
  while (!master.leads) await environment.advance(100)
  const gear = system.ref<GearDoor>({ node: system.node, name: GEAR })
  return { environment, gear }
}

test('the same request to restart is one restart, by id and by name', async t => {
  const { environment, gear } = await leading()
  const first = await environment.awaiting(gear.ask('submit', WORDS))
  const second = await environment.awaiting(gear.ask('restart', first, 'again'))
  t.not(second, first)
  t.is(await environment.awaiting(gear.ask('restart', first, 'again')), second)
  t.is(await environment.awaiting(gear.ask('restart', 'words', 'again')), second)
  const apps = await environment.awaiting(gear.ask('list'))
  t.deepEqual(
    apps.map(({ id, status }) => [id, status]),
    [
      [first, 'stopped'],
      [second, 'starting'],
    ],
  )
})

test('two that come at the same time become one application', async t => {
  const { environment, gear } = await leading()
  const first = await environment.awaiting(gear.ask('submit', WORDS))
  const both = Promise.all([gear.ask('restart', first, 'r'), gear.ask('restart', first, 'r')])
  const [one, other] = await environment.awaiting(both)
  t.is(one, other)
  t.is((await environment.awaiting(gear.ask('list'))).length, 2)
})

test('one that had only killed it goes on', async t => {
  const { environment, gear } = await leading()
  const first = await environment.awaiting(gear.ask('submit', WORDS))
  await environment.awaiting(gear.ask('kill', first))
  const second = await environment.awaiting(gear.ask('restart', first, 'again'))
  t.is((await environment.awaiting(gear.ask('find', second))).status, 'starting')
})

test('an application whose bundle is not to be had is not ended by a restart', async t => {
  let kept = true
  const { environment, gear } = await leading({
    fetch: async () => {
      if (!kept) throw new Error('no bundle')
    },
  })
  const bundle = { hash: 'a'.repeat(64), sizeBytes: 1 }
  const first = await environment.awaiting(gear.ask('submit', { ...WORDS, bundle }))
  kept = false
  await t.throwsAsync(environment.awaiting(gear.ask('restart', first, 'again')), {
    message: /no bundle/,
  })
  t.is((await environment.awaiting(gear.ask('find', first))).status, 'starting')
})
