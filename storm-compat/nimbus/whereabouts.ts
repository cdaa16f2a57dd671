// Where the tasks of a topology are, in Storm's words: each executor process of the engine is a worker with a host, a port
// and an uptime. The port is a number to tell workers of one topology apart; nothing listens there.
import type { Topology } from './topology.ts'
import type { HostedInfo } from './topology-host.ts'

/** Storm's supervisors begin to count their workers' ports here. */
const WORKER_PORT = 6700

/** The host as callers reach it, and now. */
export interface Site {
  readonly host: string
  readonly nowMs: number
}

export interface Worker {
  readonly host: string
  readonly port: number
  readonly uptimeSecs: number
  readonly tasks: readonly number[]
}

export function uptimeSecs(topology: Topology, { nowMs }: Site): number {
  return Math.max(0, Math.floor((nowMs - topology.startedMs) / 1000))
}

/** The workers of a topology; one with all tasks while nothing is known of them. */
export function workersOf(
  topology: Topology,
  info: HostedInfo | undefined,
  site: Site,
): readonly Worker[] {
  const all = uptimeSecs(topology, site)
  const executors = info?.executors ?? []
  if (executors.length === 0) {
    const tasks = [...topology.tasks.values()].flat()
    return [{ host: site.host, port: WORKER_PORT, uptimeSecs: all, tasks }]
  }
  return executors.map(({ where = site.host, upMs, tasks }, i) => ({
    host: where,
    port: WORKER_PORT + i,
    // Figures may be older than the topology's own second.
    uptimeSecs: upMs === undefined ? all : Math.min(all, Math.floor(upMs / 1000)),
    tasks,
  }))
}

/** The worker of a task; the first one for a task that is nowhere. */
export function workerOf(workers: readonly Worker[], task: number): Worker {
  return workers.find(({ tasks }) => tasks.includes(task)) ?? workers[0]!
}
