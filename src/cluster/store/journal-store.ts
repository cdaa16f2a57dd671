// The cluster's memory on one machine for one master: a journal file, no server. Commits that come while one is being
// synced go together into the next write (group commit), in the order of the calls. Whoever has the directory's lock
// leads as soon as it stands; each leadership has a record of its own, so that fences grow over restarts.
import { mkdir } from 'node:fs/promises'
import type { Environment } from '../../base/environment.ts'
import { asError, invariant } from '../../base/errors.ts'
import { type Log, log } from '../../base/log.ts'
import { checkChanges, checkKey, keyOf } from './changes.ts'
import { type DirectoryLock, lockDirectory } from './directory-lock.ts'
import { type Disk, directoryDisk } from './disk.ts'
import {
  applyRecord,
  Journal,
  type JournalRecord,
  type JournalState,
  type JournalWrite,
} from './journal.ts'
import { Pause } from './pause.ts'
import type { Candidacy, Candidate, Change, ClusterStore, Entry, Fence, Leader } from './store.ts'
import { closed, conflict, fenced, isStoreError, unavailable } from './store-errors.ts'

/** Commits that wait for the disk. */
const QUEUED_MAX = 1000
/** Of values and keys in one write; one commit more may still go in. */
const BATCH_BYTES_MAX = 1_000_000
/** Between two tries to begin a leadership on a disk that is full. */
const RETRY_MS = 1000

export interface JournalStoreOptions {
  readonly directory: string
  readonly environment: Environment
  readonly log: Log
  /** The directory itself if not given. */
  readonly disk?: Disk
  /** From which size on a journal becomes a snapshot. */
  readonly compactBytes?: number
}

interface Pending {
  /** undefined: the beginning of `leader`'s leadership. */
  readonly fence: Fence | undefined
  readonly changes: readonly Change[]
  readonly leader?: string
  readonly resolve: (revision: number) => void
  readonly reject: (error: unknown) => void
}

export class JournalStore implements ClusterStore {
  readonly kind = 'journal'
  readonly #environment: Environment
  readonly #log: Log
  readonly #lock: DirectoryLock
  readonly #journal: Journal
  // What is durable, and nothing else.
  readonly #state: JournalState
  readonly #queue: Pending[] = []
  #writing: Promise<void> | undefined
  #candidacy: JournalCandidacy | undefined
  #closing: Promise<void> | undefined

  static async open(options: JournalStoreOptions): Promise<JournalStore> {
    await mkdir(options.directory, { recursive: true, mode: 0o700 })
    const lock = await lockDirectory(options.directory)
    try {
      const disk = options.disk ?? directoryDisk(options.directory)
      const opened = await Journal.open(disk, options.log, options.compactBytes)
      return new JournalStore(options, { lock, ...opened })
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  private constructor(
    options: JournalStoreOptions,
    parts: { lock: DirectoryLock; journal: Journal; state: JournalState },
  ) {
    this.#environment = options.environment
    this.#log = options.log
    this.#lock = parts.lock
    this.#journal = parts.journal
    this.#state = parts.state
  }

  async get(key: string): Promise<Entry | undefined> {
    checkKey(key)
    if (this.#closing !== undefined) throw closed()
    return this.#state.entries.get(key)
  }

  async list(prefix: string): Promise<readonly Entry[]> {
    if (this.#closing !== undefined) throw closed()
    return [...this.#state.entries.values()]
      .filter(entry => entry.key.startsWith(prefix))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  async leader(): Promise<Leader | undefined> {
    return this.#candidacy?.leader
  }

  async commit(fence: Fence, changes: readonly Change[]): Promise<number> {
    checkChanges(changes)
    if (this.#closing !== undefined) throw closed()
    if (!this.#leads(fence)) throw fenced(fence, 'it has resigned')
    return this.#enqueue({ fence, changes })
  }

  stand(candidate: Candidate): Candidacy {
    invariant(this.#closing === undefined, 'nobody stands on a closed store')
    invariant(this.#candidacy === undefined, 'a journal has one master, and it stands once')
    const candidacy = new JournalCandidacy(candidate, this.#environment, () => {
      this.#candidacy = undefined
    })
    this.#candidacy = candidacy
    void this.#beginLeadership(candidacy)
    return candidacy
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#candidacy?.resign()
    await this.#writing
    await this.#journal.close()
    await this.#lock.release()
  }

  #leads(fence: Fence): boolean {
    return this.#candidacy?.fence?.revision === fence.revision
  }

  async #beginLeadership(candidacy: JournalCandidacy): Promise<void> {
    const leader = candidacy.candidate.name
    while (!candidacy.resigned) {
      try {
        const revision = await this.#enqueue({ fence: undefined, changes: [], leader })
        // Not in here: what the master's callbacks throw is no trouble of the store.
        this.#environment.defer(() => candidacy.lead(revision))
        return
      } catch (error) {
        log(this.#log, 'warn', 'store', `cannot lead yet: ${asError(error).message}`)
        await candidacy.pause.wait(RETRY_MS)
      }
    }
  }

  #enqueue(what: Pick<Pending, 'fence' | 'changes' | 'leader'>): Promise<number> {
    if (this.#queue.length >= QUEUED_MAX) {
      throw unavailable(`${QUEUED_MAX} commits wait for the disk already`, { outcome: 'none' })
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...what, resolve, reject })
      this.#writing ??= this.#work()
    })
  }

  async #work(): Promise<void> {
    // What is asked for in the same turn goes into the same write.
    await Promise.resolve()
    while (this.#queue.length > 0) await this.#writeBatch()
    this.#writing = undefined
  }

  async #writeBatch(): Promise<void> {
    const batch = new Batch(this.#state)
    const taken: { pending: Pending; verdict: number | Error }[] = []
    while (this.#queue.length > 0 && batch.bytes < BATCH_BYTES_MAX) {
      const pending = this.#queue.shift()!
      const fenceHolds = pending.fence === undefined || this.#leads(pending.fence)
      const verdict = fenceHolds
        ? batch.add(pending.changes, pending.leader)
        : fenced(pending.fence!, 'it has resigned')
      taken.push({ pending, verdict })
    }
    try {
      if (batch.records.length > 0) await this.#journal.append(batch.records)
    } catch (error) {
      // Refusals of this batch may rest on what is not there after all; a repetition will tell.
      for (const { pending } of taken) pending.reject(error)
      this.#stopIfBroken(error)
      return
    }
    for (const record of batch.records) applyRecord(this.#state, record)
    for (const { pending, verdict } of taken) {
      if (typeof verdict === 'number') pending.resolve(verdict)
      else pending.reject(verdict)
    }
    await this.#journal.compactIfLarge(this.#state)
    this.#stopIfBroken(undefined)
  }

  // A master whose store cannot be written leads no more; a disk that is only full may have room again.
  #stopIfBroken(error: unknown): void {
    if (error !== undefined && !isStoreError(error, 'STORE_UNAVAILABLE')) {
      log(this.#log, 'error', 'store', asError(error).message)
    }
    if (this.#journal.broken === undefined || this.#closing !== undefined) return
    log(this.#log, 'error', 'store', `it cannot be written any more: ${this.#journal.broken}`)
    this.#candidacy?.lose(`its store cannot be written: ${this.#journal.broken}`)
  }
}

// Commits on their way to the disk: each sees those before it, readers see none of them.
class Batch {
  readonly records: JournalRecord[] = []
  bytes = 0
  readonly #state: JournalState
  // Revisions of the keys that the batch has written, 0 for those it has deleted.
  readonly #written = new Map<string, number>()

  constructor(state: JournalState) {
    this.#state = state
  }

  /** The revision it will have, or the refusal. */
  add(changes: readonly Change[], leader: string | undefined): number | Error {
    for (const change of changes) {
      const key = keyOf(change)
      const found = this.#written.get(key) ?? this.#state.entries.get(key)?.revision ?? 0
      if (change.ifRevision !== undefined && change.ifRevision !== found) {
        return conflict(key, change.ifRevision, found)
      }
    }
    const revision = this.#state.revision + this.records.length + 1
    const writes = changes.map((change): JournalWrite => {
      const key = keyOf(change)
      this.#written.set(key, 'put' in change ? revision : 0)
      this.bytes += key.length + ('put' in change ? change.value.length : 0)
      return 'put' in change ? [key, change.value] : [key]
    })
    this.records.push({ revision, writes, ...(leader === undefined ? {} : { leader }) })
    return revision
  }
}

class JournalCandidacy implements Candidacy {
  readonly candidate: Candidate
  readonly pause: Pause
  resigned = false
  readonly #onEnd: () => void
  #fence: Fence | undefined

  constructor(candidate: Candidate, environment: Environment, onEnd: () => void) {
    this.candidate = candidate
    this.pause = new Pause(environment)
    this.#onEnd = onEnd
  }

  get fence(): Fence | undefined {
    return this.#fence
  }

  get leader(): Leader | undefined {
    const { name, address } = this.candidate
    return this.#fence === undefined ? undefined : { name, address, fence: this.#fence }
  }

  lead(revision: number): void {
    if (this.resigned) return
    this.#fence = { revision, holder: this.candidate.name }
    this.candidate.onLead(this.#fence)
    this.candidate.onLeader(this.leader)
  }

  lose(reason: string): void {
    if (this.#fence === undefined) return
    this.#fence = undefined
    this.candidate.onLost(reason)
    this.candidate.onLeader(undefined)
  }

  async resign(): Promise<void> {
    if (this.resigned) return
    this.resigned = true
    this.lose('it resigned')
    this.pause.wake()
    this.#onEnd()
  }
}
