// The cluster's memory, as the masters see it: a small map of keys to texts that survives them, one leader among those
// who stand, and writes that carry the leader's fence. Three kinds of it (etcd, a journal file, memory for simulations)
// keep the same promises; what may go wrong is the STORE_* codes below. Masters keep nothing else.
import type { EngineError } from '../../base/errors.ts'

/** A key with its value. `revision` changes with every write of the key and never comes again in the store. */
export interface Entry {
  readonly key: string
  readonly value: string
  readonly revision: number
}

/**
 * One change of a commit. `ifRevision` makes the whole commit conditional on the key being as it was read; 0 means that
 * it must not exist. A delete of a key that is not there is no mistake.
 */
export type Change =
  | { readonly put: string; readonly value: string; readonly ifRevision?: number }
  | { readonly delete: string; readonly ifRevision?: number }

/** Proof of leadership, which every write carries. A later leader's revision is greater. */
export interface Fence {
  readonly revision: number
  readonly holder: string
}

export interface Leader {
  readonly name: string
  readonly address: string
  readonly fence: Fence
}

/** Who stands for leader, and what it is told. `onLead` and `onLost` alternate strictly. */
export interface Candidate {
  /** Unique among the masters of a cluster. */
  readonly name: string
  /** Where others reach it; the store only passes it on. */
  readonly address: string
  /** How long it may be silent before another leads. 3000 is the least that rides over a store's own election. */
  readonly ttlMs: number
  /** It leads: from now on `commit(fence, …)` is allowed. */
  onLead(fence: Fence): void
  /** It leads no more. Called before another can lead, by this process's own clock if the store cannot be reached. */
  onLost(reason: string): void
  /** Who leads has changed; undefined when nobody does, or when the store has been out of reach for `ttlMs`. */
  onLeader(leader: Leader | undefined): void
  /** Its name is taken by another living master (MASTER_NAME_TAKEN): it does not stand any more. */
  onRefused(error: EngineError): void
}

export interface Candidacy {
  /** Set while it leads. */
  readonly fence: Fence | undefined
  /** Stands no more. If it led, `onLost` is called, then another may lead at once. */
  resign(): Promise<void>
}

/**
 * @example
 * const candidacy = store.stand({ name: 'm1', address: 'host:3000', ttlMs: 5000, onLead: fence => {
 *   void store.commit(fence, [{ put: 'apps/1', value: '{}', ifRevision: 0 }])
 * }, … })
 */
export interface ClusterStore {
  readonly kind: 'etcd' | 'journal' | 'memory'
  /** Sees every commit that was acknowledged before the call, whoever made it. */
  get(key: string): Promise<Entry | undefined>
  /** All entries whose key begins with `prefix`, in the order of their keys, as of one moment. */
  list(prefix: string): Promise<readonly Entry[]>
  /**
   * All changes or none, and only while `fence` is the leader's. Commits of one store are applied in the order of the
   * calls. Answers with the new revision, which each key put has as its own. Rejects with
   *
   * - STORE_FENCED: the fence is not the leader's any more. Stop deciding.
   * - STORE_CONFLICT: an `ifRevision` does not hold; `details` names the key and what was found.
   * - STORE_UNAVAILABLE: the store did not answer in time. `details.outcome` is `none` when nothing was written, or
   *   `unknown`; an unknown one is settled, either way, once any later commit of this fence has been answered.
   * - STORE_TOO_LARGE: beyond `CHANGES_MAX`, `KEY_BYTES_MAX` or `COMMIT_BYTES_MAX`.
   *
   * Time-outs inside are repeated without ever applying the changes twice.
   */
  commit(fence: Fence, changes: readonly Change[]): Promise<number>
  /** Stands for leader until it resigns or the store is closed. */
  stand(candidate: Candidate): Candidacy
  /** Who leads, for those who do not stand. */
  leader(): Promise<Leader | undefined>
  /** Resigns and lets go of everything. May be called again. */
  close(): Promise<void>
}

/** Whether a failed commit may have been applied all the same. */
export type Outcome = 'none' | 'unknown'
