// The seam under a replicated store: a map with revisions, conditional transactions and leases, which is what etcd
// offers and what the simulated one imitates. Election and commits (`candidacy.ts`, `fenced-writer.ts`) are written
// once, on this. Each call is a single try, bounded in time by whoever implements it; a failure says whether it may
// have been applied.

/** A key with its value. `createRevision` stays as long as the key exists; 0 stands for "does not exist". */
export interface Pair {
  readonly key: string
  readonly value: string
  readonly createRevision: number
  readonly revision: number
}

export type Comparison =
  | { readonly key: string; readonly createRevision: number }
  | { readonly key: string; readonly revision: number }

/** A write under a lease goes when the lease ends. */
export type Step =
  | { readonly put: string; readonly value: string; readonly lease?: string }
  | { readonly delete: string }
  | { readonly get: string }

export interface Transaction {
  readonly compare: readonly Comparison[]
  readonly success: readonly Step[]
  readonly failure: readonly Step[]
}

export interface TransactionAnswer {
  readonly succeeded: boolean
  /** Of the whole map, after this. */
  readonly revision: number
  /** What the `get` steps of the branch taken found, in their order. */
  readonly found: readonly (Pair | undefined)[]
}

export interface LeaseMap {
  readonly kind: 'etcd' | 'memory'
  /** Linearizable. Rejects with STORE_UNAVAILABLE, or with `LeaseGone` when a put names a lease that is no more. */
  transact(transaction: Transaction): Promise<TransactionAnswer>
  /** All pairs whose key begins with `prefix`, by key, as of one moment. */
  list(prefix: string): Promise<readonly Pair[]>
  grant(ttlMs: number): Promise<{ readonly id: string; readonly ttlMs: number }>
  /** The time to live from the moment the call arrived, or undefined when the lease is gone. */
  keepAlive(id: string): Promise<number | undefined>
  revoke(id: string): Promise<void>
  /** Calls `onHint` when the key may have changed. Only a hint: whoever watches also looks by himself. */
  watch(key: string, onHint: () => void): { cancel(): void }
  close(): Promise<void>
}

/** A put named a lease that has run out; nothing was written. */
export class LeaseGone extends Error {
  constructor() {
    super('the lease has run out')
    this.name = 'LeaseGone'
  }
}
