// How much a cluster takes: one application of very many tasks, and very many applications.
import { HandCluster, loopbackHosts } from '../e2e/cluster/hand-cluster.ts'
import { emptyApp } from './paced-app.ts'

const WORKERS = 3

export interface ManyTasksResult {
  readonly tasks: number
  /** From `submit` until data flows. */
  readonly startMs: number
}

async function journalCluster(slots: number): Promise<HandCluster> {
  return HandCluster.start({
    etcd: undefined,
    masters: loopbackHosts(1),
    workers: loopbackHosts(WORKERS),
    settings: { 'worker.slots': slots, 'worker.cpu': slots, 'worker.memoryMb': 1024 * slots },
  })
}

export async function manyTasks(tasks: number): Promise<ManyTasksResult> {
  const cluster = await journalCluster(4)
  try {
    const gear = await cluster.connect()
    const beganMs = performance.now()
    const app = await gear.submit(emptyApp({ name: 'many-tasks', tasks }), { executors: WORKERS })
    const startMs = Math.round(performance.now() - beganMs)
    const { executors } = await app.info()
    const workers = new Set(executors.map(executor => executor.where))
    const placed = executors.reduce((sum, executor) => sum + executor.tasks.length, 0)
    if (placed !== tasks || workers.size !== WORKERS)
      throw new Error(`${placed} of ${tasks} tasks on ${workers.size} of ${WORKERS} workers`)
    await app.kill()
    await gear.close()
    return { tasks, startMs }
  } finally {
    await cluster.close()
  }
}

export interface ManyAppsResult {
  readonly apps: number
  readonly listed: number
  readonly active: number
  readonly stopped: number
  readonly masterRssMb: number
  readonly submitMsMax: number
}

/** Submits one after the other; all run at once, an app master and an executor each. */
export async function manyApps(apps: number): Promise<ManyAppsResult> {
  const cluster = await journalCluster(apps)
  try {
    const gear = await cluster.connect()
    let submitMsMax = 0
    for (let i = 0; i < apps; i++) {
      const beganMs = performance.now()
      await gear.submit(emptyApp({ name: `app-${i}`, tasks: 2 }))
      submitMsMax = Math.max(submitMsMax, performance.now() - beganMs)
    }
    const listed = await gear.list()
    const { rssMb } = await gear.master()
    for (const { id } of listed) await gear.kill(id)
    const after = await gear.list()
    await gear.close()
    return {
      ...{ apps, listed: listed.length, masterRssMb: rssMb, submitMsMax: Math.round(submitMsMax) },
      active: listed.filter(app => app.status === 'active').length,
      stopped: after.filter(app => app.status === 'stopped').length,
    }
  } finally {
    await cluster.close()
  }
}
