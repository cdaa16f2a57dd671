// The election and the commits on a lease map, on virtual time: what each of the network's tricks does to them.
import test from 'ava'
import type { EngineError } from '../../../../src/base/errors.ts'
import { FencedWriter } from '../../../../src/cluster/store/fenced-writer.ts'
import { MEMORY_ROOT, MemoryCluster } from '../../../../src/cluster/store/memory-store.ts'

import { isStoreError } from '../../../../src/cluster/store/store-errors.ts'
import { storeKeys } from '../../../../src/cluster/store/store-keys.ts'
import { ManualEnvironment } from '../../../../src/testing/manual-environment.ts'
import { leads, master, memoryCluster, TTL_MS } from './_masters.ts'

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'ok',
    (error: EngineError) => `${error.code} ${error.details.outcome ?? ''}`.trim(),
  )

test('one of three leads, the others learn of it, and its death makes another lead within the lease', async t => {
  const { environment, cluster } = memoryCluster()
  const first = environment.process()
  const m1 = master(cluster, environment, 'm1', { process: first })
  await environment.until(() => leads(m1))
  const m2 = master(cluster, environment, 'm2')
  const m3 = master(cluster, environment, 'm3')
  await environment.advance(2000)
  const fence = m1.candidacy.fence!
  t.deepEqual(m2.told, [`leader m1 ${fence.revision}`])
  t.deepEqual(await environment.awaiting(m3.store.leader()), {
    name: 'm1',
    address: 'm1:1',
    fence,
  })
  const diedMs = environment.now()
  first.kill()
  await environment.until(() => leads(m2) || leads(m3))
  t.true(environment.now() - diedMs <= TTL_MS + 500)
  const next = leads(m2) ? m2 : m3
  t.true(next.candidacy.fence!.revision > fence.revision)
})

test('a master that is cut off has lost before another leads, and its commits are refused without a request', async t => {
  const { environment, cluster } = memoryCluster()
  const m1 = master(cluster, environment, 'm1')
  await environment.until(() => leads(m1))
  const m2 = master(cluster, environment, 'm2')
  await environment.advance(1000)
  const fence = m1.candidacy.fence!
  cluster.faults('m1').cut = 'both'
  await environment.until(() => leads(m2), { stepMs: 1 })
  t.is(m1.reigns.length, 1)
  t.true(m1.reigns[0]!.toMs < m2.reigns[0]!.fromMs, `${m1.reigns[0]!.toMs}`)
  t.regex(m1.told.join(), /lost the store has not answered for 2813 ms,leader none/)
  cluster.faults('m1').cut = 'none'
  t.is(await code(m1.store.commit(fence, [{ put: 'k', value: 'old' }])), 'STORE_FENCED none')
  t.deepEqual(cluster.history, [])
  await environment.advance(5000)
  t.is(m1.told.at(-1), `leader m2 ${m2.candidacy.fence!.revision}`)
})

test('resigning hands over at once', async t => {
  const { environment, cluster } = memoryCluster()
  const m1 = master(cluster, environment, 'm1')
  await environment.until(() => leads(m1))
  const m2 = master(cluster, environment, 'm2')
  await environment.advance(500)
  await environment.awaiting(m1.candidacy.resign())
  t.regex(m1.told.join(), /,lost it resigned,leader none$/)
  await environment.until(() => leads(m2), { withinMs: 50 })
  t.true(m1.reigns[0]!.toMs <= m2.reigns[0]!.fromMs)
})

test('a commit is whole or not at all, and conditions speak of revisions', async t => {
  const { environment, cluster } = memoryCluster()
  const m1 = master(cluster, environment, 'm1')
  await environment.until(() => leads(m1))
  const fence = m1.candidacy.fence!
  const { store } = m1
  const done = <T>(promise: Promise<T>) => environment.awaiting(promise)
  const first = await done(
    store.commit(fence, [
      { put: 'apps/1', value: 'a', ifRevision: 0 },
      { put: 'apps/2', value: 'b' },
    ]),
  )
  const error = await t.throwsAsync<EngineError>(
    done(
      store.commit(fence, [
        { put: 'apps/3', value: 'c' },
        { put: 'apps/1', value: 'A', ifRevision: 0 },
      ]),
    ),
  )
  t.true(isStoreError(error, 'STORE_CONFLICT'))
  t.deepEqual(error?.details, { key: 'apps/1', expected: 0, found: first })
  const second = await done(
    store.commit(fence, [{ delete: 'apps/2' }, { put: 'apps/1', value: 'A', ifRevision: first }]),
  )
  t.true(second > first)
  t.deepEqual(await done(store.list('apps/')), [{ key: 'apps/1', value: 'A', revision: second }])
  t.is(await done(store.get('apps/2')), undefined)
  t.deepEqual(
    cluster.history.map(({ key, value, by }) => `${by} ${key} ${value}`),
    ['m1 apps/1 a', 'm1 apps/2 b', 'm1 apps/2 undefined', 'm1 apps/1 A'],
  )
})

test('an answer that is lost does not make a commit happen twice, nor a conflict with itself', async t => {
  const { environment, cluster } = memoryCluster()
  const m1 = master(cluster, environment, 'm1')
  await environment.until(() => leads(m1))
  const fence = m1.candidacy.fence!
  await environment.awaiting(m1.store.commit(fence, []))
  const commit = m1.store.commit(fence, [{ put: 'n', value: '1', ifRevision: 0 }])
  cluster.faults('m1').answersLost = 1
  const revision = await environment.awaiting(commit)
  t.deepEqual(
    cluster.history.map(write => [write.key, write.revision, write.fence]),
    [['n', revision, fence.revision]],
  )
})

test('a request that arrives after its sender gave up changes nothing that was written since', async t => {
  const { environment, cluster } = memoryCluster()
  const m1 = master(cluster, environment, 'm1')
  await environment.until(() => leads(m1))
  const fence = m1.candidacy.fence!
  await environment.awaiting(m1.store.commit(fence, []))
  const faults = cluster.faults('m1')
  faults.requestMs = 1500
  const slow = m1.store.commit(fence, [{ put: 'n', value: 'slow' }])
  await environment.advance(200)
  faults.requestMs = 0
  await environment.awaiting(slow)
  await environment.awaiting(m1.store.commit(fence, [{ put: 'n', value: 'next' }]))
  await environment.advance(3000)
  t.is((await environment.awaiting(m1.store.get('n')))?.value, 'next')
  t.deepEqual(
    cluster.history.map(write => write.value),
    ['slow', 'next'],
  )
})

test('while the store is out of reach a commit is refused in bounded time, with its outcome', async t => {
  const { environment, cluster } = memoryCluster()
  const m1 = master(cluster, environment, 'm1')
  await environment.until(() => leads(m1))
  const fence = m1.candidacy.fence!
  await environment.awaiting(m1.store.commit(fence, []))
  cluster.faults('m1').cut = 'both'
  const startMs = environment.now()
  const outcome = await environment.awaiting(
    code(m1.store.commit(fence, [{ put: 'k', value: '' }])),
  )
  t.is(outcome, 'STORE_FENCED unknown')
  t.true(environment.now() - startMs <= TTL_MS + 1100)
  t.is(await environment.awaiting(code(m1.store.get('k'))), 'STORE_UNAVAILABLE none')
})

test('the store itself refuses an old fence, should its holder still believe in it', async t => {
  const { environment, cluster } = memoryCluster()
  const m1 = master(cluster, environment, 'm1')
  await environment.until(() => leads(m1))
  const old = m1.candidacy.fence!
  const map = cluster.map('believer', environment)
  const writer = new FencedWriter({ map, keys: storeKeys(MEMORY_ROOT), environment })
  const write = (value: string) =>
    environment.awaiting(code(writer.commit(old, [{ put: 'k', value }], () => true)))
  t.is(await write('while it leads'), 'ok')
  await environment.awaiting(m1.candidacy.resign())
  t.is(await write('nobody leads'), 'STORE_FENCED none')
  const m2 = master(cluster, environment, 'm2')
  await environment.until(() => leads(m2))
  t.is(await write('another leads'), 'STORE_FENCED none')
  t.deepEqual(
    cluster.history.map(write => write.value),
    ['while it leads'],
  )
})

test('a commit whose answer was lost, and whose trace the next leader wrote over, is open', async t => {
  const { environment, cluster } = memoryCluster()
  const m1 = master(cluster, environment, 'm1')
  await environment.until(() => leads(m1))
  const old = m1.candidacy.fence!
  const map = cluster.map('believer', environment)
  const writer = new FencedWriter({ map, keys: storeKeys(MEMORY_ROOT), environment })
  await environment.awaiting(writer.commit(old, [], () => true))
  cluster.faults('believer').cut = 'answers'
  const open = code(writer.commit(old, [{ put: 'k', value: 'applied' }], () => true))
  await environment.advance(100)
  const m2 = master(cluster, environment, 'm2')
  await environment.awaiting(m1.candidacy.resign())
  await environment.until(() => leads(m2))
  await environment.awaiting(m2.store.commit(m2.candidacy.fence!, []))
  cluster.faults('believer').cut = 'none'
  t.is(await environment.awaiting(open), 'STORE_FENCED unknown')
  t.deepEqual(
    cluster.history.map(write => write.value),
    ['applied'],
  )
})

test('an election won by an answer that comes after the lease is over makes no leader', async t => {
  const { environment, cluster } = memoryCluster()
  const m1 = master(cluster, environment, 'm1')
  await environment.until(() => leads(m1))
  const m2 = master(cluster, environment, 'm2')
  await environment.advance(1000)
  const faults = cluster.faults('m2')
  // Nothing gets through until shortly before its lease is over; then its looks do, and are answered too late.
  faults.cut = 'both'
  await environment.advance(1700)
  await environment.awaiting(m1.candidacy.resign())
  Object.assign(faults, { cut: 'none', answerMs: 950 })
  await environment.until(() => m2.told.includes('leader none'), { stepMs: 1 })
  t.is((await environment.awaiting(m1.store.leader()))?.name, 'm2', 'in the store it has won')
  await environment.advance(900)
  t.false(leads(m2))
  faults.answerMs = 0
  await environment.until(() => leads(m2))
  const fence = m2.candidacy.fence!
  await environment.awaiting(m2.store.commit(fence, [{ put: 'k', value: 'm2' }]))
  await environment.advance(10_000)
  t.is(m2.reigns.length, 1)
})

test('what a callback of a master throws is thrown, and is not taken for trouble with the store', async t => {
  const { environment, cluster } = memoryCluster()
  const store = cluster.connect('m1')
  const lost: string[] = []
  store.stand({
    name: 'm1',
    address: 'm1:1',
    ttlMs: TTL_MS,
    onLead: () => {
      throw new Error('the master has a bug')
    },
    onLost: reason => lost.push(reason),
    onLeader: () => undefined,
    onRefused: () => undefined,
  })
  await t.throwsAsync(environment.advance(1000), { message: 'the master has a bug' })
  await environment.advance(10_000)
  t.deepEqual(lost, [])
  t.is((await environment.awaiting(store.leader()))?.name, 'm1')
})

test('a second master of the same name is told so, and the first goes on', async t => {
  const { environment, cluster } = memoryCluster()
  const m1 = master(cluster, environment, 'm1')
  await environment.until(() => leads(m1))
  const twin = master(cluster, environment, 'm1', { client: 'twin' })
  await environment.until(() => twin.told.includes('refused MASTER_NAME_TAKEN'), {
    withinMs: 20_000,
  })
  t.deepEqual(twin.told, ['refused MASTER_NAME_TAKEN'])
  t.true(leads(m1))
  t.is(m1.reigns.length, 1)
})

// A leader that was killed, and started again at once.
async function startedAgain() {
  const { environment, cluster } = memoryCluster()
  const life = environment.process()
  const before = master(cluster, environment, 'm1', { process: life })
  await environment.until(() => leads(before))
  life.kill()
  const after = master(cluster, environment, 'm1', { client: 'again' })
  return { environment, cluster, after }
}

test('a master that was killed and started again takes its name back and leads', async t => {
  const { environment, after } = await startedAgain()
  await environment.until(() => leads(after), { withinMs: 2 * TTL_MS })
  t.false(after.told.some(line => line.startsWith('refused')))
})

test('a master that is started again while the store is out of reach is not told that its dead self lives', async t => {
  const { environment, cluster, after } = await startedAgain()
  await environment.advance(1000)
  // Longer than a rival is given.
  cluster.outage(10_000)
  await environment.advance(10_000)
  await environment.until(() => leads(after), { withinMs: 2 * TTL_MS })
  t.false(after.told.some(line => line.startsWith('refused')))
})

test('a cut that heals before the store forgets the master makes it lead again under a new fence', async t => {
  const { environment, cluster } = memoryCluster()
  const m1 = master(cluster, environment, 'm1')
  await environment.until(() => leads(m1))
  // Keep-alives arrive, their answers do not: the store thinks it alive, its own clock says it is not.
  cluster.faults('m1').cut = 'answers'
  await environment.until(() => !leads(m1))
  cluster.faults('m1').cut = 'none'
  await environment.until(() => leads(m1), { withinMs: 2 * TTL_MS })
  t.is(m1.reigns.length, 2)
  t.true(m1.reigns[1]!.fence.revision > m1.reigns[0]!.fence.revision)
})

test('closing resigns, refuses what comes after, and leaves no timer', async t => {
  const { environment, cluster } = memoryCluster()
  const m1 = master(cluster, environment, 'm1')
  await environment.until(() => leads(m1))
  const fence = m1.candidacy.fence!
  await environment.awaiting(m1.store.close())
  t.regex(m1.told.join(), /lost it resigned/)
  t.is(await code(m1.store.commit(fence, [])), 'STORE_UNAVAILABLE none')
  t.is(await code(m1.store.get('k')), 'STORE_UNAVAILABLE none')
  await environment.advance(20_000)
  t.is(environment.timers, 0)
})

test('a commit that no store could take is refused before it is sent', async t => {
  const { environment, cluster } = memoryCluster()
  const m1 = master(cluster, environment, 'm1')
  await environment.until(() => leads(m1))
  const fence = m1.candidacy.fence!
  const many = Array.from({ length: 121 }, (_, i) => ({ put: `k${i}`, value: '' }))
  t.is(await code(m1.store.commit(fence, many)), 'STORE_TOO_LARGE')
  const large = [{ put: 'k', value: 'x'.repeat(1_000_001) }]
  t.is(await code(m1.store.commit(fence, large)), 'STORE_TOO_LARGE')
  const twice = [{ put: 'k', value: '1' }, { delete: 'k' }]
  t.is(await code(m1.store.commit(fence, twice)), 'BUG')
  t.is(await code(m1.store.commit(fence, [{ put: 'with blank', value: '' }])), 'BUG')
})

test('a leader that died is replaced in time, though the store prolongs its lease', async t => {
  const environment = new ManualEnvironment()
  const cluster = new MemoryCluster({ environment, expiryLagMs: 10_000 })
  const process = environment.process()
  const m1 = master(cluster, environment, 'm1', { process })
  await environment.until(() => leads(m1))
  const m2 = master(cluster, environment, 'm2')
  const m3 = master(cluster, environment, 'm3')
  // As long as it lives it leads.
  await environment.advance(20_000)
  t.false(leads(m2) || leads(m3))
  process.kill()
  const diedMs = environment.now()
  await environment.until(() => leads(m2) || leads(m3))
  t.true(environment.now() - diedMs < TTL_MS + 300)
  t.not(leads(m2), leads(m3))
})
