// What gateways in front of a cluster have to remember, and the cluster does not understand: short texts under names, each
// with the blobs that belong to it. Kept in the cluster's store, so that a gateway may die, and several may run. The last
// write of a name wins, and one that is heard twice is one, so that a client may repeat what was not answered.
import { EngineError, type Problem, UserError } from '../base/errors.ts'
import type { BundleRef, Note } from './messages.ts'
import type { ClusterStore, Fence } from './store/store.ts'

/** A commit takes 1,000,000 bytes, and JSON may double a text. */
export const NOTE_BYTES_MAX = 400_000
/** The leader has them all in its memory. */
const NOTES_MAX = 20_000
const NOTES_BYTES_MAX = 256 * 1024 * 1024
const BLOBS_MAX = 100
/** Of the keys in the store. */
export const NOTES_PREFIX = 'notes/'
const NAME = /^[\w./-]{1,200}$/

export class Notes {
  readonly #store: ClusterStore
  readonly #fence: Fence
  #notes = new Map<string, Note>()
  #bytes = 0
  /** A write was not answered: what the store has is read before anything is believed. */
  #doubtful = true
  #tail: Promise<unknown> = Promise.resolve()

  constructor(store: ClusterStore, fence: Fence) {
    this.#store = store
    this.#fence = fence
  }

  /** Those whose names begin with `prefix`, in the order of their names. */
  async list(prefix: string): Promise<readonly Note[]> {
    await this.#inTurn(() => this.#settle())
    const found = [...this.#notes.values()].filter(({ name }) => name.startsWith(prefix))
    return found.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  write(name: string, text: string, blobs: readonly BundleRef[]): Promise<number> {
    checkNote(name, text, blobs)
    return this.#inTurn(async () => {
      await this.#settle()
      const before = this.#notes.get(name)
      const bytes = this.#bytes + sizeOf(text) - sizeOf(before?.text ?? '')
      if ((before === undefined && this.#notes.size >= NOTES_MAX) || bytes > NOTES_BYTES_MAX) {
        throw new EngineError('NO_RESOURCES', 'the notes of the gateways are full', {
          hint: `at most ${NOTES_MAX} notes and ${NOTES_BYTES_MAX} bytes are kept: end or delete something`,
        })
      }
      const value = JSON.stringify({ text, blobs })
      const revision = await this.#commit({ put: NOTES_PREFIX + name, value })
      this.#notes.set(name, { name, text, blobs, revision })
      this.#bytes = bytes
      return revision
    })
  }

  remove(name: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#settle()
      const before = this.#notes.get(name)
      if (before === undefined) return
      await this.#commit({ delete: NOTES_PREFIX + name })
      this.#notes.delete(name)
      this.#bytes -= sizeOf(before.text)
    })
  }

  async #commit(change: { put: string; value: string } | { delete: string }): Promise<number> {
    this.#doubtful = true
    const revision = await this.#store.commit(this.#fence, [change])
    this.#doubtful = false
    return revision
  }

  async #settle(): Promise<void> {
    if (!this.#doubtful) return
    // What is in doubt is settled, either way, when a later commit was answered.
    await this.#store.commit(this.#fence, [])
    const notes = new Map<string, Note>()
    let bytes = 0
    for (const { key, value, revision } of await this.#store.list(NOTES_PREFIX)) {
      const name = key.slice(NOTES_PREFIX.length)
      const { text, blobs } = storedNote(value)
      notes.set(name, { name, text, blobs, revision })
      bytes += sizeOf(text)
    }
    this.#notes = notes
    this.#bytes = bytes
    this.#doubtful = false
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(work)
    this.#tail = done.catch(() => undefined)
    return done
  }
}

/** A note as the store has it. */
export function storedNote(value: string): Pick<Note, 'text' | 'blobs'> {
  return JSON.parse(value)
}

function sizeOf(text: string): number {
  return Buffer.byteLength(text)
}

// A client is not believed.
function checkNote(name: unknown, text: unknown, blobs: unknown): void {
  const problems: Problem[] = []
  if (typeof name !== 'string' || !NAME.test(name))
    problems.push({ place: 'name', message: 'is no name: 1 to 200 letters, digits and _ . / -' })
  if (typeof text !== 'string' || sizeOf(text) > NOTE_BYTES_MAX)
    problems.push({ place: 'text', message: `is no text of at most ${NOTE_BYTES_MAX} bytes` })
  if (!Array.isArray(blobs) || blobs.length > BLOBS_MAX || !blobs.every(isBlobRef))
    problems.push({ place: 'blobs', message: `are no list of at most ${BLOBS_MAX} blobs` })
  if (problems.length > 0) throw new UserError('BAD_INPUT', 'the note', problems)
}

export function isBlobRef(value: unknown): value is BundleRef {
  const { hash, sizeBytes } = (value ?? {}) as Partial<BundleRef>
  return /^[0-9a-f]{64}$/.test(String(hash)) && Number.isSafeInteger(sizeBytes) && sizeBytes! > 0
}
