// Kills the leader again and again, every second time with its etcd as if its machine were lost, while an application flows
// at a set pace: how long until a submit is accepted again, and what the application has noticed.
import { join } from 'node:path'
import { HandCluster, kill, loopbackHosts } from '../e2e/cluster/hand-cluster.ts'
import { processesOf } from '../e2e/cluster/processes.ts'
import { until } from '../e2e/until.ts'
import { emptyApp, flowed, flowOf, pacedApp } from './paced-app.ts'

/** Of a paced flow, between two kills. */
const SECONDS_BETWEEN = 3

export interface LeaderKillsOptions {
  readonly etcd: string
  readonly kills: number
  readonly perSecond: number
  readonly say: (line: string) => void
}

export interface LeaderKillsResult {
  readonly kills: number
  /** From the kill until the new leader had accepted a submit. */
  readonly longestGapMs: number
  readonly gapsMs: readonly number[]
  readonly perSecondBefore: number
  readonly perSecondDuring: number
  readonly longestSilenceMs: number
}

export async function leaderKills(options: LeaderKillsOptions): Promise<LeaderKillsResult> {
  const { etcd, kills, perSecond, say } = options
  const hosts = loopbackHosts(6)
  const cluster = await HandCluster.start({
    etcd,
    masters: hosts.slice(0, 3),
    workers: hosts.slice(3),
    settings: { 'worker.slots': 8, 'worker.cpu': 64, 'worker.memoryMb': 16_384 },
  })
  try {
    const gear = await cluster.connect()
    const notes = join(cluster.directory, 'notes')
    const app = await gear.submit(pacedApp({ perSecond, notes }), { executors: 3 })
    await flowed(notes, perSecond)
    const startedMs = Date.now()
    await flowed(notes, perSecond * SECONDS_BETWEEN)
    const beganMs = Date.now()
    const gapsMs: number[] = []
    for (let i = 0; i < kills; i++) {
      const leader = await cluster.leader(gear)
      const store = processesOf(cluster.directoryOf(leader.name)).find(p =>
        /\/etcd /.test(p.command),
      )
      const killedMs = Date.now()
      kill(leader.process.pid, 'SIGKILL')
      if (i % 2 === 1 && store !== undefined) kill(store.pid, 'SIGKILL')
      const next = await gear.submit(emptyApp({ name: `after-${i}`, tasks: 2 }))
      gapsMs.push(Math.round((await gear.info(next.id)).startedMs - killedMs))
      say(`kill ${i + 1}: ${leader.name}, ${gapsMs.at(-1)} ms until a submit was accepted`)
      await next.kill()
      await until('all masters are up', async () =>
        (await gear.master()).masters.every(master => master.state !== 'silent'),
      )
      await flowed(notes, perSecond * SECONDS_BETWEEN)
    }
    const before = flowOf(notes, startedMs, beganMs)
    const during = flowOf(notes, beganMs, Date.now())
    await app.kill()
    await gear.close()
    return {
      ...{ kills, gapsMs, longestGapMs: Math.max(...gapsMs) },
      ...{ perSecondBefore: before.perSecond, perSecondDuring: during.perSecond },
      longestSilenceMs: during.gapMs,
    }
  } finally {
    await cluster.close()
  }
}
