// The workers that the leader knows: what each offers, which processes it runs, and room that was promised to an app
// master and not yet taken. Plain state without time or messages; nothing of it is stored, for every worker tells it
// again to each new leader.
import type { Needs, ProcessCard, ProcessKey, WorkerCard, WorkerSummary } from './messages.ts'
import { APP_MASTER_ID, keyText } from './messages.ts'
import type { WorkerOffer } from './scheduler.ts'

/** Lost workers that are shown: where each host has a new name, they would pile up. */
const LOST_KEPT = 100

interface Entry {
  card: WorkerCard
  state: 'up' | 'lost'
  readonly processes: Map<string, ProcessCard>
  /** Promised room, by a ticket of its own. */
  readonly promised: Map<number, { readonly app: number; readonly needs: Needs }>
}

export class WorkerTable {
  readonly #workers = new Map<string, Entry>()
  #nextTicket = 1

  /** A worker registers, or does so again: what it runs is what it says. */
  register(card: WorkerCard, processes: readonly ProcessCard[]): void {
    const before = this.#workers.get(card.id)
    this.#workers.set(card.id, {
      card,
      state: 'up',
      processes: new Map(processes.map(process => [keyText(process), process])),
      promised: before?.promised ?? new Map(),
    })
  }

  /** It is not heard of: nothing new is placed there. What it ran may run on. Those lost long ago are forgotten. */
  lose(id: string): void {
    const entry = this.#workers.get(id)
    if (entry === undefined) return
    entry.state = 'lost'
    // Last in the order, so that the first of the lost is the one lost longest.
    this.#workers.delete(id)
    this.#workers.set(id, entry)
    const lost = [...this.#workers.values()].filter(worker => worker.state === 'lost')
    for (const { card } of lost.slice(0, -LOST_KEPT)) this.#workers.delete(card.id)
  }

  get(id: string): { readonly card: WorkerCard; readonly state: 'up' | 'lost' } | undefined {
    return this.#workers.get(id)
  }

  get size(): number {
    return this.#workers.size
  }

  /** A process runs; it takes the room that was promised to its application. */
  started(workerId: string, process: ProcessCard): void {
    const entry = this.#workers.get(workerId)
    entry?.processes.set(keyText(process), process)
    if (process.executor === APP_MASTER_ID) return
    this.releaseOne(workerId, process.app)
  }

  ended(workerId: string, process: ProcessKey): void {
    this.#workers.get(workerId)?.processes.delete(keyText(process))
  }

  /** Worker ids that run something of an application. */
  of(app: number): string[] {
    const running = (entry: Entry) => [...entry.processes.values()].some(p => p.app === app)
    return [...this.#workers.values()].filter(running).map(entry => entry.card.id)
  }

  processesOf(app: number): { readonly card: WorkerCard; readonly process: ProcessCard }[] {
    return [...this.#workers.values()].flatMap(({ card, processes }) =>
      [...processes.values()].filter(p => p.app === app).map(process => ({ card, process })),
    )
  }

  processesOn(id: string): ProcessCard[] {
    return [...(this.#workers.get(id)?.processes.values() ?? [])]
  }

  appMasterOf(app: number, incarnation: number): { workerId: string; pid: number } | undefined {
    const key = keyText({ app, executor: APP_MASTER_ID, incarnation })
    for (const { card, processes } of this.#workers.values()) {
      const process = processes.get(key)
      if (process !== undefined) return { workerId: card.id, pid: process.pid }
    }
    return undefined
  }

  /** Keeps room on a worker for one executor of `app`, until it has started or the ticket is released. */
  promise(workerId: string, app: number, needs: Needs): number {
    const ticket = this.#nextTicket++
    this.#workers.get(workerId)?.promised.set(ticket, { app, needs })
    return ticket
  }

  release(workerId: string, ticket: number): void {
    this.#workers.get(workerId)?.promised.delete(ticket)
  }

  /** One executor of `app` will not come to the room it was promised there. */
  releaseOne(workerId: string, app: number): void {
    const { promised } = this.#workers.get(workerId) ?? {}
    for (const [ticket, promise] of promised ?? []) {
      if (promise.app === app) return void promised!.delete(ticket)
    }
  }

  /** Whoever it was promised to is no more. */
  releaseAll(app: number): void {
    for (const { promised } of this.#workers.values()) {
      for (const [ticket, promise] of promised) if (promise.app === app) promised.delete(ticket)
    }
  }

  offers(): WorkerOffer[] {
    return [...this.#workers.values()]
      .filter(entry => entry.state === 'up')
      .sort((a, b) => (a.card.id < b.card.id ? -1 : 1))
      .map(entry => ({
        id: entry.card.id,
        host: entry.card.host,
        labels: entry.card.labels,
        slots: entry.card.slots,
        cpu: entry.card.cpu,
        memoryMb: entry.card.memoryMb,
        used: usedBy(entry),
      }))
  }

  /** The worker with the fewest app masters: they cost little, and should not all go at once. `avoid` comes last. */
  forAppMaster(avoid?: string): WorkerCard | undefined {
    let best: { card: WorkerCard; appMasters: number } | undefined
    for (const { card, state, processes } of this.#workers.values()) {
      if (state !== 'up') continue
      const running = [...processes.values()].filter(p => p.executor === APP_MASTER_ID).length
      const appMasters = card.id === avoid ? Infinity : running
      const better = best === undefined || appMasters < best.appMasters
      if (better || (appMasters === best?.appMasters && card.id < best.card.id))
        best = { card, appMasters }
    }
    return best?.card
  }

  summaries(): WorkerSummary[] {
    return [...this.#workers.values()].map(entry => {
      const { card, state, processes } = entry
      const used = usedBy(entry)
      return {
        id: card.id,
        host: card.host,
        state,
        pid: card.pid,
        slots: card.slots,
        slotsUsed: used.slots,
        cpu: card.cpu,
        cpuUsed: used.cpu,
        memoryMb: card.memoryMb,
        memoryMbUsed: used.memoryMb,
        labels: card.labels,
        processes: [...processes.values()],
      }
    })
  }
}

function usedBy({ processes, promised }: Entry): { slots: number; cpu: number; memoryMb: number } {
  const executors = [...processes.values()].filter(p => p.executor !== APP_MASTER_ID)
  const taken = [...executors.map(p => p.each), ...[...promised.values()].map(p => p.needs)]
  return {
    slots: taken.length,
    cpu: taken.reduce((sum, needs) => sum + needs.cpu, 0),
    memoryMb: taken.reduce((sum, needs) => sum + needs.memoryMb, 0),
  }
}

/** Of the same directory, which its predecessor had locked: so that one is dead, and need not be waited for. */
export function isHeir(card: WorkerCard, known: WorkerCard): boolean {
  return card.home !== undefined && card.home === known.home && card.host === known.host
}
