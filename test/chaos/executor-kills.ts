// Kills the executor in the middle of a paced flow: how long the sink, in another executor, gets nothing.
import { join } from 'node:path'
import { HandCluster, kill, loopbackHosts } from '../e2e/cluster/hand-cluster.ts'
import { until } from '../e2e/until.ts'
import { flowed, flowOf, pacedApp } from './paced-app.ts'

/** Of a paced flow: so much comes before what is measured, and so much is measured. */
const WARM_SECONDS = 2
const MEASURED_SECONDS = 2

export interface ExecutorKillResult {
  readonly perSecond: number
  readonly perSecondBefore: number
  readonly perSecondAfter: number
  readonly silenceMs: number
}

/** One kill for each pace. */
export async function executorKills(paces: readonly number[]): Promise<ExecutorKillResult[]> {
  const cluster = await HandCluster.start({
    etcd: undefined,
    masters: loopbackHosts(1),
    workers: loopbackHosts(3),
    settings: { 'worker.slots': 4, 'worker.cpu': 8, 'worker.memoryMb': 8192 },
  })
  try {
    const gear = await cluster.connect()
    const results: ExecutorKillResult[] = []
    for (const perSecond of paces) {
      const notes = join(cluster.directory, `notes-${perSecond}`)
      const app = await gear.submit(pacedApp({ perSecond, notes }), { executors: 3 })
      await flowed(notes, perSecond * WARM_SECONDS)
      const warmMs = Date.now()
      await flowed(notes, perSecond * MEASURED_SECONDS)
      const { executors } = await app.info()
      const { components } = (await app.info()).figures
      if (components.relay === undefined) throw new Error('there is no relay')
      // Tasks are dealt out one by one in the order of the DAG: source, relay, sink.
      const victim = executors.find(executor => executor.tasks.includes(2))!
      const killedMs = Date.now()
      kill(victim.pid!, 'SIGKILL')
      await until('it was replaced', async () =>
        (await app.info()).executors.every(one => one.id !== victim.id && one.pid !== undefined),
      )
      await flowed(notes, perSecond * WARM_SECONDS)
      const backMs = Date.now()
      await flowed(notes, perSecond * MEASURED_SECONDS)
      const endMs = Date.now()
      await app.kill()
      const during = flowOf(notes, killedMs, endMs)
      results.push({
        perSecond,
        perSecondBefore: flowOf(notes, warmMs, killedMs).perSecond,
        perSecondAfter: flowOf(notes, backMs, endMs).perSecond,
        silenceMs: during.gapMs,
      })
    }
    await gear.close()
    return results
  } finally {
    await cluster.close()
  }
}
