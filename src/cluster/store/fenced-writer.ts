// Commits on a lease map, one at a time and in the order of the calls. Besides what the caller changes, each commit
// writes its own id under the `lastCommit` key and compares that key with what the one before it left there. So a
// request that was not answered can be repeated: of all tries of a commit at most one applies, since the first to
// apply moves the key, and one that is still on its way somewhere is refused once any later commit is in. The failure
// branch reads all that decides which refusal it is, in the same transaction.
import type { Environment } from '../../base/environment.ts'
import { EngineError } from '../../base/errors.ts'
import { keyOf } from './changes.ts'
import { randomId } from './instance-id.ts'
import type { Comparison, LeaseMap, Pair, Step, TransactionAnswer } from './lease-map.ts'
import { Pause } from './pause.ts'
import type { Change, Fence, Outcome } from './store.ts'
import { closed, conflict, fenced, mayPass, outcomeOf, unavailable } from './store-errors.ts'
import type { StoreKeys } from './store-keys.ts'

/** Longer than a store's own election (1 to 3 s); a caller that waits longer would rather decide anew. */
export const COMMIT_TIMEOUT_MS = 5000
const RETRY_MS = 50
/** Commits that wait; the control plane makes a handful a second. */
export const QUEUED_COMMITS_MAX = 1000

interface Pending {
  readonly fence: Fence
  readonly changes: readonly Change[]
  /** Whether the fence still holds by the caller's own clock. */
  readonly mine: () => boolean
  readonly endMs: number
  readonly resolve: (revision: number) => void
  readonly reject: (error: unknown) => void
}

export interface FencedWriterParts {
  readonly map: LeaseMap
  readonly keys: StoreKeys
  readonly environment: Environment
}

export class FencedWriter {
  readonly #parts: FencedWriterParts
  readonly #pause: Pause
  readonly #instance: string
  readonly #queue: Pending[] = []
  #working = false
  #closed = false
  #sequence = 0
  // Revision of the `lastCommit` key, 0 if there is none; undefined when it must be read first.
  #lastRevision: number | undefined

  constructor(parts: FencedWriterParts) {
    this.#parts = parts
    this.#pause = new Pause(parts.environment)
    this.#instance = randomId(parts.environment)
  }

  commit(fence: Fence, changes: readonly Change[], mine: () => boolean): Promise<number> {
    if (this.#closed) return Promise.reject(closed())
    if (this.#queue.length >= QUEUED_COMMITS_MAX) {
      const message = `${QUEUED_COMMITS_MAX} commits wait for the store already`
      return Promise.reject(unavailable(message, { outcome: 'none' }))
    }
    const endMs = this.#parts.environment.monotonicMs() + COMMIT_TIMEOUT_MS
    return new Promise((resolve, reject) => {
      this.#queue.push({ fence, changes, mine, endMs, resolve, reject })
      if (!this.#working) void this.#work()
    })
  }

  /** Commits that wait are refused; the one on its way ends as it does. */
  close(): void {
    this.#closed = true
    this.#pause.wake()
  }

  async #work(): Promise<void> {
    this.#working = true
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      try {
        next.resolve(await this.#commit(next))
      } catch (error) {
        next.reject(error)
      }
    }
    this.#working = false
  }

  async #commit(pending: Pending): Promise<number> {
    const { environment } = this.#parts
    const id = `${this.#instance}-${this.#sequence++}`
    let outcome: Outcome = 'none'
    for (;;) {
      this.#checkGoingOn(pending, outcome)
      try {
        this.#lastRevision ??= await this.#readLast()
        const answer = await this.#try(pending, id)
        const revision = this.#judge(pending, { id, answer, outcome })
        if (revision !== undefined) return revision
        continue
      } catch (error) {
        if (!mayPass(error)) throw error
        if (outcomeOf(error) === 'unknown' && this.#lastRevision !== undefined) outcome = 'unknown'
        if (environment.monotonicMs() >= pending.endMs) {
          const text = error.message.replace(/; the outcome is unknown$/, '')
          throw unavailable(`the commit was not answered in time: ${text}`, {
            outcome,
            cause: error,
          })
        }
      }
      await this.#pause.wait(RETRY_MS)
    }
  }

  #checkGoingOn({ fence, mine }: Pending, outcome: Outcome): void {
    if (!mine()) throw fenced(fence, 'by its own clock its lease is over', outcome)
    if (!this.#closed) return
    throw outcome === 'none' ? closed() : unavailable('the store was closed', { outcome })
  }

  async #readLast(): Promise<number> {
    const { map, keys } = this.#parts
    const answer = await map.transact({
      compare: [],
      success: [{ get: keys.lastCommit }],
      failure: [],
    })
    return answer.found[0]?.revision ?? 0
  }

  #try({ fence, changes }: Pending, id: string): Promise<TransactionAnswer> {
    const { map, keys } = this.#parts
    const compare: Comparison[] = [
      { key: keys.leader, createRevision: fence.revision },
      { key: keys.lastCommit, revision: this.#lastRevision! },
    ]
    const success: Step[] = [{ put: keys.lastCommit, value: id }]
    const failure: Step[] = [{ get: keys.leader }, { get: keys.lastCommit }]
    for (const change of changes) {
      const key = keys.data + keyOf(change)
      success.push('put' in change ? { put: key, value: change.value } : { delete: key })
      if (change.ifRevision === undefined) continue
      compare.push({ key, revision: change.ifRevision })
      failure.push({ get: key })
    }
    return map.transact({ compare, success, failure })
  }

  // The revision if it is in, undefined if it must be tried again; throws the refusal.
  #judge(
    { fence, changes }: Pending,
    { id, answer, outcome }: { id: string; answer: TransactionAnswer; outcome: Outcome },
  ): number | undefined {
    const [leader, last, ...conditional] = answer.found
    if (answer.succeeded || last?.value === id) {
      this.#lastRevision = answer.succeeded ? answer.revision : last!.revision
      return this.#lastRevision
    }
    const lastRevision = last?.revision ?? 0
    const moved = lastRevision !== this.#lastRevision
    this.#lastRevision = lastRevision
    if (leader?.createRevision !== fence.revision) {
      // Another leader may have written over the trace of an earlier try.
      throw fenced(fence, whoLeads(leader), moved ? outcome : 'none')
    }
    if (moved) return undefined
    throw firstConflict(changes, conditional)
  }
}

function whoLeads(leader: Pair | undefined): string {
  return leader === undefined
    ? 'nobody leads'
    : `the leader's revision is ${leader.createRevision} now`
}

function firstConflict(changes: readonly Change[], found: readonly (Pair | undefined)[]): Error {
  const conditional = changes.filter(change => change.ifRevision !== undefined)
  for (const [i, change] of conditional.entries()) {
    const revision = found[i]?.revision ?? 0
    if (revision !== change.ifRevision) return conflict(keyOf(change), change.ifRevision!, revision)
  }
  return new EngineError('BUG', 'the store refused a commit whose conditions all hold')
}
