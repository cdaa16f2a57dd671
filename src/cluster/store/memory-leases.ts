// What an etcd would hold, in memory: pairs with revisions, conditional transactions, leases that run out on the
// environment's time. Synchronous; the network of each client is around it, in `memory-store.ts`.
import type { Environment, Timer } from '../../base/environment.ts'
import {
  type Comparison,
  LeaseGone,
  type Pair,
  type Transaction,
  type TransactionAnswer,
} from './lease-map.ts'

interface MemoryLease {
  readonly ttlMs: number
  readonly keys: Set<string>
  timer: Timer
}

interface MemoryPair extends Pair {
  readonly lease: string | undefined
}

export class MemoryLeases {
  readonly #environment: Environment
  readonly #expiryLagMs: number
  readonly #pairs = new Map<string, MemoryPair>()
  readonly #leases = new Map<string, MemoryLease>()
  readonly #watchers = new Map<string, Set<() => void>>()
  #revision = 1
  #nextLease = 1

  constructor(environment: Environment, expiryLagMs: number) {
    this.#environment = environment
    this.#expiryLagMs = expiryLagMs
  }

  transact({ compare, success, failure }: Transaction): TransactionAnswer {
    const succeeded = compare.every(comparison => this.#holds(comparison))
    const steps = succeeded ? success : failure
    for (const step of steps) {
      if ('put' in step && step.lease !== undefined && !this.#leases.has(step.lease)) {
        throw new LeaseGone()
      }
    }
    const found: (Pair | undefined)[] = []
    const writes = steps.some(step => !('get' in step))
    if (writes) this.#revision++
    for (const step of steps) {
      if ('get' in step) found.push(this.#pairs.get(step.get))
      else if ('put' in step) this.#put(step.put, step.value, step.lease)
      else this.#delete(step.delete)
    }
    return { succeeded, revision: this.#revision, found }
  }

  get(key: string): Pair | undefined {
    return this.#pairs.get(key)
  }

  list(prefix: string): readonly Pair[] {
    return [...this.#pairs.values()]
      .filter(pair => pair.key.startsWith(prefix))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  grant(ttlMs: number): { id: string; ttlMs: number } {
    const id = `lease-${this.#nextLease++}`
    this.#leases.set(id, { ttlMs, keys: new Set(), timer: this.#expiry(id, ttlMs) })
    return { id, ttlMs }
  }

  keepAlive(id: string): number | undefined {
    const lease = this.#leases.get(id)
    if (lease === undefined) return undefined
    lease.timer.cancel()
    lease.timer = this.#expiry(id, lease.ttlMs)
    return lease.ttlMs
  }

  revoke(id: string): void {
    const lease = this.#leases.get(id)
    if (lease === undefined) return
    lease.timer.cancel()
    this.#leases.delete(id)
    if (lease.keys.size > 0) this.#revision++
    for (const key of lease.keys) this.#delete(key)
  }

  /** No lease runs out until `thaw`. */
  freeze(): void {
    for (const { timer } of this.#leases.values()) timer.cancel()
  }

  /** Each lease has its whole time again. */
  thaw(): void {
    for (const [id, lease] of this.#leases) lease.timer = this.#expiry(id, lease.ttlMs)
  }

  watch(key: string, onChange: () => void): { cancel(): void } {
    const watchers = this.#watchers.get(key) ?? new Set()
    this.#watchers.set(key, watchers)
    watchers.add(onChange)
    return { cancel: () => watchers.delete(onChange) }
  }

  #expiry(id: string, ttlMs: number): Timer {
    return this.#environment.after(ttlMs + this.#expiryLagMs, () => this.revoke(id))
  }

  #holds(comparison: Comparison): boolean {
    const pair = this.#pairs.get(comparison.key)
    return 'createRevision' in comparison
      ? (pair?.createRevision ?? 0) === comparison.createRevision
      : (pair?.revision ?? 0) === comparison.revision
  }

  #put(key: string, value: string, lease: string | undefined): void {
    const before = this.#pairs.get(key)
    if (before?.lease !== undefined) this.#leases.get(before.lease)?.keys.delete(key)
    if (lease !== undefined) this.#leases.get(lease)!.keys.add(key)
    const revision = this.#revision
    const createRevision = before?.createRevision ?? revision
    this.#pairs.set(key, { key, value, createRevision, revision, lease })
    this.#tell(key)
  }

  #delete(key: string): void {
    const before = this.#pairs.get(key)
    if (before === undefined) return
    if (before.lease !== undefined) this.#leases.get(before.lease)?.keys.delete(key)
    this.#pairs.delete(key)
    this.#tell(key)
  }

  #tell(key: string): void {
    for (const onChange of this.#watchers.get(key) ?? []) onChange()
  }
}
