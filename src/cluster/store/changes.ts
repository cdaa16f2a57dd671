// What a commit may hold. The bounds are those of the narrowest store (etcd's defaults), and hold in all of them, so
// that what works on one machine works on many. Pure.
import { EngineError, invariant } from '../../base/errors.ts'
import type { Change } from './store.ts'

/** etcd takes 128 operations and 128 comparisons a transaction; one comparison and one write are ours. */
export const CHANGES_MAX = 120
/** Keys are names; longer ones are somebody's data in the wrong place. */
export const KEY_BYTES_MAX = 512
/** etcd refuses requests above 1.5 MiB; base64 and our own part fit in between. Larger things are blobs. */
export const COMMIT_BYTES_MAX = 1_000_000

// Keys sort by their bytes in one store and by their characters in another; within ASCII that is the same.
const KEY = /^[\x21-\x7e]+$/

export function keyOf(change: Change): string {
  return 'put' in change ? change.put : change.delete
}

export function checkKey(key: string): void {
  invariant(
    KEY.test(key),
    `a store's key is printable ASCII without blanks: ${JSON.stringify(key)}`,
  )
}

/** Throws when no store could take these changes. */
export function checkChanges(changes: readonly Change[]): void {
  if (changes.length > CHANGES_MAX) tooLarge(`${changes.length} changes`, `${CHANGES_MAX}`)
  const keys = new Set<string>()
  let bytes = 0
  for (const change of changes) {
    const key = keyOf(change)
    checkKey(key)
    invariant(!keys.has(key), `a commit changes a key once, not twice: ${key}`)
    keys.add(key)
    if (key.length > KEY_BYTES_MAX) tooLarge(`a key of ${key.length} bytes`, `${KEY_BYTES_MAX}`)
    bytes += key.length + ('put' in change ? Buffer.byteLength(change.value) : 0)
  }
  if (bytes > COMMIT_BYTES_MAX) tooLarge(`${bytes} bytes`, `${COMMIT_BYTES_MAX}`)
}

function tooLarge(what: string, bound: string): never {
  throw new EngineError('STORE_TOO_LARGE', `a commit of ${what} is too large: at most ${bound}`, {
    hint: 'write less at a time; large things belong into blobs, with only their hash in the store',
  })
}
