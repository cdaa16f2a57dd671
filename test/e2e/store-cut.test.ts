// Three hosts, each with a master and an etcd member; the leader's host is cut off: it stops leading by its own clock
// before the others have a leader, and nothing that it sent changes anything afterwards.
import test, { type ExecutionContext } from 'ava'
import { startEtcd } from '../real/etcd.ts'
import { makeHosts, namespacesMissing } from '../real/namespaces.ts'
import { type RealPart, realTest, testUnless } from '../real/parts.ts'
import { masterProcess } from './store/master-process.ts'
import { writesOf } from './store/writes.ts'
import { until } from './until.ts'

const TTL_MS = 3000
const missing = namespacesMissing()
const title = 'a leader that is cut off with its etcd member leads no more before another does'

async function cutOff(t: ExecutionContext, [etcd]: readonly [RealPart]): Promise<void> {
  const hosts = makeHosts(3)
  t.teardown(() => hosts.remove())
  const { places } = hosts
  const real = await startEtcd(etcd.program!, 3, { places })
  t.teardown(() => real.stop())
  const { endpoints } = real
  const masters = places.map((place, i) => {
    const ownFirst = [...endpoints.slice(i), ...endpoints.slice(0, i)]
    const { command } = place
    return masterProcess(t, `m${i}`, { ttlMs: TTL_MS, endpoints: ownFirst, command })
  })
  await until('each knows the leader', () =>
    masters.every(it => it.said.some(said => typeof said.leader === 'string')),
  )
  const old = masters.findIndex(it => it.said.some(said => said.wrote !== undefined))
  const leader = masters[old]!
  const others = masters.filter(it => it !== leader)
  hosts.cut(old)
  const cutMs = Date.now()
  const next = await until(
    'another writes',
    () => others.find(it => it.said.some(said => said.wrote !== undefined)),
    30_000,
  )
  const lost = leader.said.find(said => said.lost !== undefined)
  const lead = next.said.find(said => said.lead !== undefined)!
  t.truthy(lost)
  t.true(lost!.atMs < lead.atMs, `${lost!.atMs - lead.atMs}`)
  t.true(lost!.atMs - cutMs < TTL_MS + 1500)
  t.log(`lost after ${lost!.atMs - cutMs} ms, another after ${lead.atMs - cutMs} ms`)
  hosts.heal(old)
  await leader.says('the old one knows the new one', said => said.leader === next.name)
  for (const it of masters) it.child.kill('SIGKILL')
  const writes = await writesOf(endpoints[(old + 1) % 3]!)
  const handOver = writes.findIndex(write => write.fence === lead.lead)
  t.true(handOver > 0)
  t.true(writes.slice(handOver).every(write => write.by === next.name))
}

if (missing === undefined) realTest(test, ['etcd'], title, cutOff)
else testUnless(test, missing, title, async () => undefined)
