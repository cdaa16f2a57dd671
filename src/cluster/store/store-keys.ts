// Which keys a replicated store uses of the map it stands on. All begin with the cluster's own root, so that one etcd
// can serve many clusters. Pure.
import { invariant } from '../../base/errors.ts'
import type { Pair } from './lease-map.ts'
import type { Leader } from './store.ts'

export interface StoreKeys {
  /** Before every key of the masters' own. */
  readonly data: string
  /** Exists while somebody leads, under the leader's lease. */
  readonly leader: string
  /** Written by whoever leads with each keep-alive of its lease: that it lives. */
  readonly sign: string
  /** Written by every commit: which one was the last. */
  readonly lastCommit: string
  /** Exists while the master of this name lives. */
  master(name: string): string
}

export function storeKeys(root: string): StoreKeys {
  invariant(/^[\w./-]+$/.test(root), `a cluster's root is letters, digits and . / - _: ${root}`)
  return {
    data: `${root}/data/`,
    leader: `${root}/leader`,
    sign: `${root}/sign-of-life`,
    lastCommit: `${root}/last-commit`,
    master: name => `${root}/masters/${encodeURIComponent(name)}`,
  }
}

/** What a master writes under its name, and under the leader's key. */
export interface MasterRecord {
  readonly name: string
  readonly address: string
  readonly ttlMs: number
  /** One life of the master. */
  readonly instance: string
  readonly lease: string
}

export function masterRecord(text: string): MasterRecord | undefined {
  const record = parsed(text)
  return typeof record?.name === 'string' && typeof record.lease === 'string' ? record : undefined
}

export function leaderOf(pair: Pair | undefined): Leader | undefined {
  const record = pair === undefined ? undefined : masterRecord(pair.value)
  if (pair === undefined || record === undefined) return undefined
  const { name, address } = record
  return { name, address, fence: { revision: pair.createRevision, holder: name } }
}

function parsed(text: string): MasterRecord | undefined {
  try {
    return JSON.parse(text) as MasterRecord
  } catch {
    return undefined
  }
}
