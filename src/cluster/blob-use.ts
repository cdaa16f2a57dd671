// What a master must keep of its bundles when it makes room for another: those of applications that are not over and those
// that a note of a gateway names, as the store has them, and those that came so short a time ago that neither is written
// yet. Every master looks for itself: a standby holds bundles as well, and knows of no application but by the store.
import type { Environment } from '../base/environment.ts'
import { isOver } from './app-registry.ts'
import type { BlobUse } from './blob-store.ts'
import type { AppRecord, BundleRef } from './messages.ts'
import { NOTES_PREFIX, storedNote } from './notes.ts'
import type { ClusterStore } from './store/store.ts'

/** From the last word of an upload until its application is in the store, at most: a client's calls end before that. */
const CLAIM_MS = 60_000
/** The longest copy that a claim waits for, whatever size somebody has told. */
const WORK_MS_MAX = 600_000
/** More at once than masters take uploads in a minute; the oldest goes. */
const CLAIMS_MAX = 1000

/** Bundles that somebody has just asked for. One claim for each hash, gone when its time is over. */
export class BlobClaims {
  readonly #environment: Environment
  readonly #untilMs = new Map<string, number>()

  constructor(environment: Environment) {
    this.#environment = environment
  }

  /** Keeps the blob for the time of `workMs` and that of a submit. */
  claim({ hash }: Pick<BundleRef, 'hash'>, workMs: number): void {
    const nowMs = this.#environment.monotonicMs()
    for (const [other, untilMs] of this.#untilMs) {
      if (untilMs <= nowMs) this.#untilMs.delete(other)
    }
    const before = this.#untilMs.get(hash) ?? 0
    const untilMs = nowMs + Math.min(workMs, WORK_MS_MAX) + CLAIM_MS
    this.#untilMs.delete(hash)
    this.#untilMs.set(hash, Math.max(before, untilMs))
    const [oldest] = this.#untilMs.keys()
    if (this.#untilMs.size > CLAIMS_MAX) this.#untilMs.delete(oldest!)
  }

  has(hash: string): boolean {
    return (this.#untilMs.get(hash) ?? 0) > this.#environment.monotonicMs()
  }
}

/** The use of a master's blobs. Rejects, and so nothing is removed, when the store cannot be read. */
export function useOfApplications(store: Pick<ClusterStore, 'list'>, claims: BlobClaims): BlobUse {
  return {
    inUse: async () => {
      const [running, noted] = [await runningBundles(store), await notedBlobs(store)]
      return hash => running.has(hash) || noted.has(hash) || claims.has(hash)
    },
  }
}

async function runningBundles(store: Pick<ClusterStore, 'list'>): Promise<Set<string>> {
  const hashes = new Set<string>()
  for (const { value } of await store.list('apps/')) {
    const record = JSON.parse(value) as AppRecord
    if (isOver(record)) continue
    for (const { bundle } of [record.submission, ...record.versions])
      if (bundle !== undefined) hashes.add(bundle.hash)
  }
  return hashes
}

async function notedBlobs(store: Pick<ClusterStore, 'list'>): Promise<Set<string>> {
  const notes = await store.list(NOTES_PREFIX)
  return new Set(notes.flatMap(({ value }) => storedNote(value).blobs.map(({ hash }) => hash)))
}
