// The files of a journal store: `journal`, to which each batch of commits is appended and synced, and `snapshot`, all
// entries as of one revision, made when the journal has grown. After a crash at any byte, reading both gives exactly
// what was acknowledged, and perhaps the last batch. An incomplete end is cut off (kept in `journal.cut`) with a
// warning; damage anywhere else is STORE_CORRUPT and no file is touched.
import { asError, EngineError } from '../../base/errors.ts'
import { type Log, log } from '../../base/log.ts'
import type { Disk, DiskFile } from './disk.ts'
import { encodeFrame, scanFrames } from './journal-frame.ts'
import type { Entry } from './store.ts'
import { unavailable } from './store-errors.ts'

/** One write: key and value, or a key alone, which is gone. */
export type JournalWrite = readonly [key: string, value?: string]

/** One commit, or the beginning of a leadership (which writes nothing). */
export interface JournalRecord {
  readonly revision: number
  readonly writes: readonly JournalWrite[]
  readonly leader?: string
}

export interface JournalState {
  readonly entries: Map<string, Entry>
  revision: number
}

const JOURNAL = 'journal'
const SNAPSHOT = 'snapshot'
const CUT = 'journal.cut'
// With the version of the format; eight bytes each.
const JOURNAL_MAGIC = Buffer.from('gpjrnl1\n')
const SNAPSHOT_MAGIC = Buffer.from('gpsnap1\n')

/** Reading so much takes a moment at start; a smaller journal is not worth a snapshot. */
const COMPACT_BYTES = 4 * 1024 * 1024
/** Of keys and values in a frame of the snapshot, one entry more, and what JSON adds: well below a frame's bound. */
const SNAPSHOT_FRAME_BYTES = 1_000_000
const ENTRY_EXTRA_BYTES = 64

interface Header {
  /** The journal holds what came after this revision. */
  readonly base: number
}

export class Journal {
  readonly #disk: Disk
  readonly #log: Log
  #file: DiskFile
  #goodBytes: number
  #compactBytes: number
  #broken: string | undefined

  /** Reads what is there, or makes an empty one. */
  static async open(
    disk: Disk,
    sink: Log,
    compactBytes = COMPACT_BYTES,
  ): Promise<{ journal: Journal; state: JournalState }> {
    const snapshot = await disk.read(SNAPSHOT)
    const bytes = (await disk.read(JOURNAL)) ?? (await create(disk, snapshot !== undefined))
    const state: JournalState = { entries: new Map(), revision: 0 }
    if (snapshot !== undefined) readSnapshot(disk, snapshot, state)
    const { goodBytes, last } = readJournal(disk, bytes, state)
    if (goodBytes < bytes.length) {
      await cutOff(disk, bytes.subarray(goodBytes), { at: goodBytes, sink })
    }
    const file = await disk.openFile(JOURNAL)
    if (goodBytes < bytes.length) {
      await file.truncate(goodBytes)
      await file.sync()
    }
    const journal = new Journal({ disk, sink, file, goodBytes, compactBytes })
    // The end of the journal was lost, yet the snapshot has it: nothing may be appended behind the gap.
    if (last < state.revision) await journal.#begin(state.revision)
    return { journal, state }
  }

  private constructor(parts: {
    disk: Disk
    sink: Log
    file: DiskFile
    goodBytes: number
    compactBytes: number
  }) {
    this.#disk = parts.disk
    this.#log = parts.sink
    this.#file = parts.file
    this.#goodBytes = parts.goodBytes
    this.#compactBytes = parts.compactBytes
  }

  /** Why nothing can be written any more, if so. */
  get broken(): string | undefined {
    return this.#broken
  }

  /**
   * All records or none, durable when it resolves. Rejects with STORE_UNAVAILABLE; then it can be tried again later.
   */
  async append(records: readonly JournalRecord[]): Promise<void> {
    if (this.#broken !== undefined) throw this.#refusal(this.#broken)
    const frame = encodeFrame(records)
    try {
      await this.#file.write(frame, this.#goodBytes)
      await this.#file.sync()
      this.#goodBytes += frame.length
    } catch (error) {
      await this.#takeBack(error)
      throw unavailable(trouble(this.#disk, error), {
        outcome: 'none',
        hint: 'nothing that was acknowledged is lost; it goes on when there is room on that disk',
        cause: error,
      })
    }
  }

  /** Writes a snapshot when the journal has grown enough. A failure is a warning: the journal goes on growing. */
  async compactIfLarge({ entries, revision }: JournalState): Promise<void> {
    if (this.#goodBytes < this.#compactBytes || this.#broken !== undefined) return
    try {
      const snapshot = encodeSnapshot(entries, revision)
      await this.#disk.replace(SNAPSHOT, snapshot)
      await this.#begin(revision)
      // A large state is not written again for every few commits.
      this.#compactBytes = Math.max(this.#compactBytes, 2 * snapshot.length)
    } catch (error) {
      this.#compactBytes = this.#goodBytes + COMPACT_BYTES
      log(this.#log, 'warn', 'store', `no snapshot made: ${trouble(this.#disk, error)}`)
    }
  }

  async close(): Promise<void> {
    this.#broken ??= 'it is closed'
    await this.#file.close()
  }

  // A new journal in place of the old one, whose records are all in the snapshot.
  async #begin(revision: number): Promise<void> {
    const bytes = emptyJournal(revision)
    try {
      await this.#disk.replace(JOURNAL, bytes)
      const file = await this.#disk.openFile(JOURNAL)
      await this.#file.close()
      this.#file = file
      this.#goodBytes = bytes.length
    } catch (error) {
      // If the new one is in place, what would be appended to the open file is lost.
      const there = await this.#disk.read(JOURNAL)
      if (there?.equals(bytes) !== false) this.#broken = trouble(this.#disk, error)
      throw error
    }
  }

  // What did not get in whole is taken out again, so that "nothing was written" is true. If even that fails it may or
  // may not be there when the store is opened again, and we must not go on.
  async #takeBack(error: unknown): Promise<void> {
    try {
      await this.#file.truncate(this.#goodBytes)
      await this.#file.sync()
    } catch (second) {
      this.#broken = `${trouble(this.#disk, error)}, and then: ${asError(second).message}`
      throw this.#refusal(this.#broken)
    }
  }

  #refusal(why: string): EngineError {
    return unavailable(why, {
      outcome: 'unknown',
      hint: 'look at that disk, then start the master again: it reads what is there and goes on',
    })
  }
}

async function create(disk: Disk, hasSnapshot: boolean): Promise<Buffer> {
  if (hasSnapshot) {
    throw corrupt({ disk, name: JOURNAL, at: 0, why: 'it is missing, though there is a snapshot' })
  }
  const bytes = emptyJournal(0)
  await disk.replace(JOURNAL, bytes)
  return bytes
}

function emptyJournal(base: number): Buffer {
  const header: Header = { base }
  return Buffer.concat([JOURNAL_MAGIC, encodeFrame(header)])
}

function encodeSnapshot(entries: ReadonlyMap<string, Entry>, revision: number): Buffer {
  const header: Header & { count: number } = { base: revision, count: entries.size }
  const parts: Buffer[] = [SNAPSHOT_MAGIC, encodeFrame(header)]
  let frame: Entry[] = []
  let bytes = 0
  for (const entry of entries.values()) {
    frame.push(entry)
    bytes += entry.key.length + entry.value.length + ENTRY_EXTRA_BYTES
    if (bytes < SNAPSHOT_FRAME_BYTES) continue
    parts.push(encodeFrame(frame))
    frame = []
    bytes = 0
  }
  if (frame.length > 0) parts.push(encodeFrame(frame))
  return Buffer.concat(parts)
}

function readSnapshot(disk: Disk, bytes: Buffer, state: JournalState): void {
  const bad = (at: number, why: string) => corrupt({ disk, name: SNAPSHOT, at, why })
  checkMagic(bytes, SNAPSHOT_MAGIC, bad)
  const { frames, goodBytes } = scanFrames(bytes, SNAPSHOT_MAGIC.length)
  if (goodBytes < bytes.length) throw bad(goodBytes, 'its checksum is wrong')
  const [header, ...parts] = frames as [Header & { count: number }, ...Entry[][]]
  for (const part of parts) for (const entry of part) state.entries.set(entry.key, entry)
  if (header === undefined || state.entries.size !== header.count) {
    throw bad(goodBytes, `it ends early, with ${state.entries.size} of ${header?.count} entries`)
  }
  state.revision = header.base
}

// Adds to `state` what the snapshot does not have; `last` is the last revision that the journal has.
function readJournal(
  disk: Disk,
  bytes: Buffer,
  state: JournalState,
): { goodBytes: number; last: number } {
  const bad = (at: number, why: string) => corrupt({ disk, name: JOURNAL, at, why })
  checkMagic(bytes, JOURNAL_MAGIC, bad)
  const { frames, goodBytes, resumesAt } = scanFrames(bytes, JOURNAL_MAGIC.length)
  if (resumesAt !== undefined) {
    throw bad(goodBytes, `its checksum is wrong, and good records go on at byte ${resumesAt}`)
  }
  const [header, ...batches] = frames as [Header, ...JournalRecord[][]]
  if (header === undefined) throw bad(JOURNAL_MAGIC.length, 'its first record is not whole')
  if (header.base > state.revision) {
    throw bad(0, `it begins after revision ${header.base}, the snapshot ends at ${state.revision}`)
  }
  let last = header.base
  for (const record of batches.flat()) {
    if (record.revision !== last + 1) throw bad(0, `revision ${last + 1} is not in it`)
    last = record.revision
    if (record.revision > state.revision) applyRecord(state, record)
  }
  return { goodBytes, last }
}

export function applyRecord(state: JournalState, { revision, writes }: JournalRecord): void {
  state.revision = revision
  for (const [key, value] of writes) {
    if (value === undefined) state.entries.delete(key)
    else state.entries.set(key, { key, value, revision })
  }
}

function checkMagic(bytes: Buffer, magic: Buffer, bad: (at: number, why: string) => Error): void {
  if (!bytes.subarray(0, magic.length).equals(magic)) throw bad(0, 'it does not begin like one')
}

async function cutOff(
  disk: Disk,
  tail: Buffer,
  { at, sink }: { at: number; sink: Log },
): Promise<void> {
  await disk.replace(CUT, tail)
  log(
    sink,
    'warn',
    'store',
    `the last ${tail.length} bytes of ${disk.directory}/${JOURNAL}, from byte ${at}, are no whole record, as after ` +
      `a crash in the middle of a write that was not acknowledged: cut off, kept in ${CUT}`,
  )
}

function corrupt(place: { disk: Disk; name: string; at: number; why: string }): EngineError {
  const file = `${place.disk.directory}/${place.name}`
  return new EngineError(
    'STORE_CORRUPT',
    `${file} is damaged at byte ${place.at}: ${place.why}; nothing was changed`,
    {
      hint: 'copy the directory away, then put a backup in its place, or begin with an empty one and submit again',
      details: { file, offset: place.at },
    },
  )
}

function trouble(disk: Disk, error: unknown): string {
  const { code, message } = asError(error) as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT'
    ? `the disk of ${disk.directory} is full`
    : `the disk of ${disk.directory} does not take it: ${message}`
}
