// What has to be true of a simulated cluster when the faults are over and it has come to rest. Each look says what is
// not so yet; the world waits some time for it to become so.
import type { AppRecord, StoredPlan, WorkerSummary } from '../../../src/cluster/messages.ts'
import type { MemoryWrite } from '../../../src/cluster/store/memory-store.ts'
import type { Client, Promised } from './client.ts'
import type { Entry, Machines } from './machines.ts'
import type { ClusterOracle } from './oracle.ts'
import type { ClusterScenario } from './scenario.ts'

export interface RestParts {
  readonly scenario: ClusterScenario
  readonly machines: Machines
  readonly client: Client
  readonly oracle: ClusterOracle
  readonly history: readonly MemoryWrite[]
}

export class Rest {
  readonly #parts: RestParts
  readonly #records = new Map<number, AppRecord>()
  readonly #plans = new Map<number, StoredPlan>()
  #seen = 0

  constructor(parts: RestParts) {
    this.#parts = parts
  }

  /** What the store says. */
  records(): AppRecord[] {
    const { history } = this.#parts
    for (; this.#seen < history.length; this.#seen++) {
      const { key, value } = history[this.#seen]!
      const [kind, id] = key.split('/')
      if (value === undefined) continue
      if (kind === 'apps') this.#records.set(Number(id), JSON.parse(value) as AppRecord)
      if (kind === 'plans') this.#plans.set(Number(id), JSON.parse(value) as StoredPlan)
    }
    return [...this.#records.values()]
  }

  running(): AppRecord[] {
    return this.records().filter(record => !isOver(record))
  }

  /** What is not at rest yet. */
  problem(): string | undefined {
    const { scenario, machines, client } = this.#parts
    const { leaders } = machines
    if (leaders.length !== 1) return `${leaders.length} masters lead`
    if (client.busy > 0) return `${client.busy} calls of clients are not over`
    const of = (kind: Entry['kind']) => [...machines.live].filter(e => e.kind === kind).length
    if (of('master') !== scenario.masters) return `${of('master')} masters are there`
    if (of('worker') !== scenario.workers) return `${of('worker')} workers are there`
    for (const record of this.records()) {
      const problem = this.#problemOf(record)
      if (problem !== undefined) return `app ${record.id}: ${problem}`
    }
    return undefined
  }

  #problemOf(record: AppRecord): string | undefined {
    const { machines } = this.#parts
    const { id, status, incarnation, submission } = record
    const entries = [...machines.live].filter(entry => entry.app === id)
    if (isOver(record)) {
      return entries.length === 0 ? undefined : `(6) it is ${status}, and has ${namesOf(entries)}`
    }
    if (status === 'starting') return '(1) it is still starting'
    const appMasters = entries.filter(entry => entry.kind === 'app-master')
    if (appMasters.length !== 1 || appMasters[0]!.incarnation !== incarnation)
      return `(1) it should have app master ${incarnation}, and has ${namesOf(appMasters)}`
    const wanted = this.#plans.get(id)?.executors ?? []
    if (wanted.length !== submission.placement.executors)
      return `(1) its plan has ${wanted.length} executors, not ${submission.placement.executors}`
    const executors = entries.filter(entry => entry.kind === 'executor')
    const ids = executors.map(entry => entry.executor).sort((a, b) => a - b)
    if (ids.join() !== [...wanted].sort((a, b) => a - b).join())
      return `(1,6) it should have executors ${wanted.join()}, and has ${namesOf(executors)}`
    return undefined
  }

  /** What is wrong with what clients were promised, for ever. */
  broken(): string | undefined {
    const { client } = this.#parts
    const records = this.records()
    const requests = new Set(records.map(record => record.submission.requestId))
    if (requests.size !== records.length) return '(5) one request has become two applications'
    for (const promised of client.promised) {
      const problem = this.#brokenPromise(promised)
      if (problem !== undefined) return `app ${promised.id}: ${problem}`
    }
    return undefined
  }

  #brokenPromise({ id, killed, active }: Promised): string | undefined {
    const record = this.#records.get(id)
    if (record === undefined) return '(5) it was accepted and is not in the store'
    if (killed === 'no' && isOver(record))
      return `(1) nobody killed it, and it is ${record.status}: ${record.failure?.message}`
    if (killed === 'yes' && !isOver(record)) return `(1) it was killed, and is ${record.status}`
    if (killed !== 'no' || active === undefined) return undefined
    const wanted = active ? 'active' : 'inactive'
    return record.status === wanted ? undefined : `(1) it should be ${wanted}: ${record.status}`
  }

  /** Whether the leader knows of exactly those processes that there are. */
  unknown(workers: readonly WorkerSummary[]): string | undefined {
    const { machines, scenario } = this.#parts
    const up = workers.filter(worker => worker.state === 'up')
    if (up.length !== scenario.workers) return `the leader knows of ${up.length} workers`
    for (const { id, processes } of workers) {
      const known = processes.map(p => p.pid).sort((a, b) => a - b)
      const there = [...machines.live]
        .filter(entry => entry.of === id && entry.app > 0)
        .map(entry => Number(entry.process.name.split('.').at(-1)))
        .sort((a, b) => a - b)
      if (known.join() !== there.join())
        return `(6) the leader knows of ${known.join()} on ${id}, there are ${there.join()}`
    }
    return undefined
  }
}

export function isOver({ status }: AppRecord): boolean {
  return status === 'failed' || status === 'stopped'
}

function namesOf(entries: readonly Entry[]): string {
  return entries.length === 0 ? 'none' : entries.map(entry => entry.process.name).join(' ')
}
