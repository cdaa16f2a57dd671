// The cluster's memory inside one process, for simulations of many masters: a lease map on virtual time, and for each
// master a client of it whose network can be cut, slowed down, or made to lose answers. Elections and commits on top
// are the very code that runs on etcd. It keeps a history of all writes, so that a test can say what an old leader did
// not do.
import type { Environment } from '../../base/environment.ts'
import type { Log } from '../../base/log.ts'
import type { LeaseMap, Transaction, TransactionAnswer } from './lease-map.ts'
import { LeasedStore } from './leased-store.ts'
import { MemoryLeases } from './memory-leases.ts'
import { closed, unavailable } from './store-errors.ts'
import { storeKeys } from './store-keys.ts'

/** As with the real one. */
const REQUEST_TIMEOUT_MS = 1000
/** Of all stores that `connect` gives. */
export const MEMORY_ROOT = 'memory'

/** One write of one key. */
export interface MemoryWrite {
  readonly revision: number
  /** The master whose client sent it. */
  readonly by: string
  /** The fence that the write was compared with; undefined for writes of the election itself. */
  readonly fence: number | undefined
  /** The fence of whoever led when it was carried out, as the store knows it; undefined when nobody did. */
  readonly leader: number | undefined
  readonly key: string
  /** undefined: deleted. */
  readonly value: string | undefined
}

/** What the network does to one master's requests. */
export interface MemoryFaults {
  /** Nothing arrives: requests, answers, or both. */
  cut: 'none' | 'requests' | 'answers' | 'both'
  /** How long a request is on its way; longer than 1000 and it is applied after its sender gave up. */
  requestMs: number
  answerMs: number
  /** So many of the next requests are carried out without an answer. */
  answersLost: number
}

export interface MemoryClusterOptions {
  readonly environment: Environment
  /** How much later than promised a lease runs out; real stores are late by up to half a second too. */
  readonly expiryLagMs?: number
}

/**
 * @example
 * const cluster = new MemoryCluster({ environment })
 * const store = cluster.connect('m1')
 * cluster.faults('m1').cut = 'both'
 */
export class MemoryCluster {
  /** All writes of the masters' own keys, in order; as long as the simulation. */
  readonly history: MemoryWrite[] = []
  readonly #environment: Environment
  readonly #leases: MemoryLeases
  readonly #faults = new Map<string, MemoryFaults>()
  #outages = 0

  constructor(options: MemoryClusterOptions) {
    this.#environment = options.environment
    this.#leases = new MemoryLeases(options.environment, options.expiryLagMs ?? 250)
  }

  /** A store for the master (or client) `name`; give it the environment of its process, so that it dies with it. */
  connect(name: string, options: { environment?: Environment; log?: Log } = {}): LeasedStore {
    const environment = options.environment ?? this.#environment
    const map = this.map(name, environment)
    const log = options.log === undefined ? {} : { log: options.log }
    return new LeasedStore(map, { environment, root: MEMORY_ROOT, ...log })
  }

  /** What `name` sees of the map under its store, over its network. */
  map(name: string, environment: Environment): LeaseMap {
    return new MemoryMap({ cluster: this, leases: this.#leases, name, environment })
  }

  /** The network of `name`: change it in place, at any time. */
  faults(name: string): MemoryFaults {
    let faults = this.#faults.get(name)
    if (faults === undefined) {
      faults = { cut: 'none', requestMs: 0, answerMs: 0, answersLost: 0 }
      this.#faults.set(name, faults)
    }
    return faults
  }

  /**
   * As an etcd without a majority for so long: it answers nobody and no lease runs out. The election that ends this
   * gives each lease its whole time again.
   */
  outage(forMs: number): void {
    if (this.#outages++ === 0) this.#leases.freeze()
    this.#environment.after(forMs, () => {
      if (--this.#outages === 0) this.#leases.thaw()
    })
  }

  /** Carries out a transaction that arrived, and writes it into the history. */
  apply(by: string, transaction: Transaction): TransactionAnswer {
    const keys = storeKeys(MEMORY_ROOT)
    const leader = this.#leases.get(keys.leader)?.createRevision
    const answer = this.#leases.transact(transaction)
    if (!answer.succeeded) return answer
    const compared = transaction.compare.find(
      comparison => comparison.key === keys.leader && 'createRevision' in comparison,
    )
    const fence =
      compared !== undefined && 'createRevision' in compared ? compared.createRevision : 0
    for (const step of transaction.success) {
      const key = 'put' in step ? step.put : 'delete' in step ? step.delete : undefined
      if (key === undefined || !key.startsWith(keys.data)) continue
      this.history.push({
        revision: answer.revision,
        by,
        fence: fence === 0 ? undefined : fence,
        leader,
        key: key.slice(keys.data.length),
        value: 'put' in step ? step.value : undefined,
      })
    }
    return answer
  }

  /** Brings `work` to the store over the network of `name`, at the store's own time, and its answer back. */
  carry<T>(name: string, sender: Environment, work: () => T): Promise<T> {
    const faults = this.faults(name)
    return new Promise((resolve, reject) => {
      const timer = sender.after(REQUEST_TIMEOUT_MS, () =>
        reject(unavailable('the store did not answer in 1000 ms', { outcome: 'unknown' })),
      )
      const settle = (finish: () => void) => {
        const lost = faults.answersLost > 0
        if (lost) faults.answersLost--
        this.#environment.after(faults.answerMs, () => {
          if (lost || cuts(faults, 'answers')) return
          sender.defer(() => {
            timer.cancel()
            finish()
          })
        })
      }
      this.#environment.after(faults.requestMs, () => {
        if (this.#outages > 0 || cuts(faults, 'requests')) return
        try {
          const value = work()
          settle(() => resolve(value))
        } catch (error) {
          settle(() => reject(error))
        }
      })
    })
  }
}

function cuts(faults: MemoryFaults, way: 'requests' | 'answers'): boolean {
  return faults.cut === 'both' || faults.cut === way
}

interface MemoryMapParts {
  readonly cluster: MemoryCluster
  readonly leases: MemoryLeases
  readonly name: string
  readonly environment: Environment
}

// One master's client.
class MemoryMap implements LeaseMap {
  readonly kind = 'memory'
  readonly #parts: MemoryMapParts
  #closed = false

  constructor(parts: MemoryMapParts) {
    this.#parts = parts
  }

  transact(transaction: Transaction): Promise<TransactionAnswer> {
    const { cluster, name } = this.#parts
    return this.#carry(() => cluster.apply(name, transaction))
  }

  list(prefix: string) {
    return this.#carry(() => this.#parts.leases.list(prefix))
  }

  grant(ttlMs: number) {
    return this.#carry(() => this.#parts.leases.grant(ttlMs))
  }

  keepAlive(id: string) {
    return this.#carry(() => this.#parts.leases.keepAlive(id))
  }

  revoke(id: string): Promise<void> {
    return this.#carry(() => this.#parts.leases.revoke(id))
  }

  watch(key: string, onHint: () => void) {
    const { cluster, leases, name, environment } = this.#parts
    return leases.watch(key, () => {
      const faults = cluster.faults(name)
      if (!cuts(faults, 'answers')) environment.after(faults.answerMs, onHint)
    })
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #carry<T>(work: () => T): Promise<T> {
    const { cluster, name, environment } = this.#parts
    if (this.#closed) return Promise.reject(closed())
    return cluster.carry(name, environment, work)
  }
}
