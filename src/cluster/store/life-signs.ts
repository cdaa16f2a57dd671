// What a standby knows of the leader's life. The store ends a leader's lease by itself, but gives it a whole new time to
// live when it holds an election of its own, as it does when a machine dies with a leader and its etcd. So the leader
// writes a sign of life with each keep-alive, and a standby that has seen the same sign for the leader's time to live
// knows that it leads no more: the leader's own deadline counts from before the sign was sent, and comes earlier.
import type { Pair, Transaction } from './lease-map.ts'
import type { StoreKeys } from './store-keys.ts'

export class LifeSigns {
  #seen = ''
  #sinceMs = 0

  /** Called with what an answer has just shown. Gives how long the leader may still be leading; 0 = not at all. */
  leftMs(leader: Pair, sign: Pair | undefined, { ttlMs, nowMs }: { ttlMs: number; nowMs: number }) {
    const seen = `${leader.createRevision}/${sign?.revision ?? 0}`
    if (seen !== this.#seen) {
      this.#seen = seen
      this.#sinceMs = nowMs
    }
    return Math.max(0, this.#sinceMs + ttlMs - nowMs)
  }
}

/** Writes a sign, which names the term, if the leader's key is still that of `createRevision`. */
export function signOf(keys: StoreKeys, createRevision: number): Transaction {
  return {
    compare: [{ key: keys.leader, createRevision }],
    success: [{ put: keys.sign, value: String(createRevision) }],
    failure: [],
  }
}

/** Removes the key of a leader that is silent; nothing if it has given a sign after all. */
export function removalOf(keys: StoreKeys, leader: Pair, sign: Pair | undefined): Transaction {
  return {
    compare: [
      { key: keys.leader, createRevision: leader.createRevision },
      { key: keys.sign, revision: sign?.revision ?? 0 },
    ],
    success: [{ delete: keys.leader }],
    failure: [],
  }
}
