// The leader is cut off from everybody by its cable: hosts are network namespaces of their own.
import test from 'ava'
import { Network, networkMissing } from '../../chaos/network.ts'
import { emptyApp } from '../../chaos/paced-app.ts'
import { realTest } from '../../real/parts.ts'
import { until } from '../until.ts'
import { HandCluster } from './hand-cluster.ts'

/** Eight seconds are promised of a machine that does nothing else; this one does. */
const GAP_MAX_MS = 25_000
const TRIES = 3

realTest(
  test.serial,
  ['etcd'],
  'a leader that is cut off is replaced: the others accept a submit, and it leads no more when it is back',
  async (t, [etcd]) => {
    t.timeout(240_000)
    const missing = networkMissing()
    if (missing !== undefined) {
      t.log(`skipped: ${missing}`)
      t.pass()
      return
    }
    const network = new Network(4)
    t.teardown(() => network.close())
    const cluster = await HandCluster.start({
      ...{
        etcd: etcd.program!,
        masters: network.hosts.slice(0, 3),
        workers: network.hosts.slice(3),
      },
      settings: { 'security.insecure': true },
    })
    t.teardown(() => cluster.close())
    const gear = await cluster.connect()
    t.teardown(() => gear.close())
    for (let i = 0; i < TRIES; i++) {
      const leader = await cluster.leader(gear)
      const host = network.hosts[cluster.masters.indexOf(leader)]!
      const ends = () => leader.process.output.match(/leads no more/g)?.length ?? 0
      const before = ends()
      const cutMs = performance.now()
      network.cut(host)
      const app = await gear.submit(emptyApp({ name: `cut-${i}`, tasks: 2 }))
      const gapMs = Math.round(performance.now() - cutMs)
      t.log(`a submit was accepted, and ran, ${gapMs} ms after ${leader.name} was cut off`)
      t.true(gapMs < GAP_MAX_MS)
      t.not((await cluster.leader(gear)).name, leader.name)
      network.heal(host)
      await until('it leads no more', () => ends() > before)
      await app.kill()
    }
  },
)
