// Files that come and go in chunks, each under a session: uploads into new files, downloads of files that are there. Number,
// size and idle time are bounded, so that clients which begin and never finish leave nothing behind.
import { randomUUID } from 'node:crypto'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { Refusal } from '../thrift/service.ts'
import type { Clock } from './clock.ts'

/** Sessions at once, uploads and downloads. */
const SESSIONS_MAX = 64
/** An idle session may be forgotten after so long, as in Storm (nimbus.file.copy.expiration.secs). */
const IDLE_MS = 600_000
/** One that is idle for so long makes room for another when there are too many: clients do not rest between chunks. */
const IDLE_WHEN_FULL_MS = 30_000
/** Bytes of one download chunk, as Storm sends them. */
const CHUNK_BYTES = 300 * 1024

export interface SessionLimits {
  /** Bytes of one file. */
  readonly fileBytes: number
  /** Bytes of all uploads that are under way. */
  readonly openBytes: number
}

interface Session<Note> {
  readonly path: string
  readonly file: FileHandle
  readonly upload: boolean
  /** What an upload is for; undefined for downloads. */
  readonly note: Note | undefined
  bytes: number
  lastMs: number
  /** Chunks are handled one after the other. */
  turn: Promise<unknown>
}

/** `Note` is what the owner wants to know of an upload when it is finished. */
export class FileSessions<Note = undefined> {
  readonly #clock: Clock
  readonly #limits: SessionLimits
  readonly #sessions = new Map<string, Session<Note>>()

  constructor(clock: Clock, limits: SessionLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  /** Begins an upload into a new file. `id` if the session has a name of its own. */
  async beginUpload(path: string, note: Note, id: string = randomUUID()): Promise<string> {
    await this.#makeRoom()
    return this.#add(id, { path, file: await open(path, 'wx', 0o600), upload: true, note })
  }

  async append(id: string, chunk: Uint8Array): Promise<void> {
    const session = this.#find(id, true)
    let openBytes = chunk.length
    for (const other of this.#sessions.values()) if (other.upload) openBytes += other.bytes
    const { fileBytes, openBytes: openMax } = this.#limits
    if (session.bytes + chunk.length > fileBytes || openBytes > openMax) {
      await this.cancel(id)
      throw new Refusal(`the upload is too large: at most ${fileBytes} bytes a file are taken`)
    }
    session.bytes += chunk.length
    try {
      await this.#inTurn(session, () => session.file.writeFile(chunk))
    } catch (error) {
      // A file with a hole must not be finished.
      if (this.#sessions.has(id)) await this.cancel(id)
      throw error
    }
  }

  /** Ends an upload; resolves with its file, which is the caller's from now on. */
  async finish(id: string): Promise<{ path: string; bytes: number; note: Note }> {
    const session = this.#find(id, true)
    this.#sessions.delete(id)
    await this.#inTurn(session, () => session.file.close())
    return { path: session.path, bytes: session.bytes, note: session.note as Note }
  }

  /** Gives an upload or download up. */
  async cancel(id: string): Promise<void> {
    const session = this.#sessions.get(id)
    if (session === undefined) throw unknown(id)
    this.#sessions.delete(id)
    await this.#inTurn(session, () => session.file.close())
    if (session.upload) await rm(session.path, { force: true })
  }

  async beginDownload(path: string): Promise<{ id: string; bytes: number }> {
    await this.#makeRoom()
    const file = await open(path, 'r')
    const { size } = await file.stat()
    return {
      id: this.#add(randomUUID(), { path, file, upload: false, note: undefined }),
      bytes: size,
    }
  }

  /** The next chunk; an empty one at the end, and the session is over. */
  async read(id: string): Promise<Buffer> {
    const session = this.#find(id, false)
    const chunk = await this.#inTurn(session, async () => {
      const { bytesRead, buffer } = await session.file.read(Buffer.alloc(CHUNK_BYTES))
      return buffer.subarray(0, bytesRead)
    })
    if (chunk.length === 0 && this.#sessions.has(id)) await this.cancel(id)
    return chunk
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions.keys()].map(id => this.cancel(id)))
  }

  #add(id: string, of: Pick<Session<Note>, 'path' | 'file' | 'upload' | 'note'>): string {
    const lastMs = this.#clock.nowMs()
    this.#sessions.set(id, { ...of, bytes: 0, lastMs, turn: Promise.resolve() })
    return id
  }

  #find(id: string, upload: boolean): Session<Note> {
    const session = this.#sessions.get(id)
    if (session === undefined || session.upload !== upload) throw unknown(id)
    session.lastMs = this.#clock.nowMs()
    return session
  }

  #inTurn<T>(session: Session<Note>, act: () => Promise<T>): Promise<T> {
    const done = session.turn.then(act)
    session.turn = done.catch(() => undefined)
    return done
  }

  async #makeRoom(): Promise<void> {
    const nowMs = this.#clock.nowMs()
    const idle = [...this.#sessions].sort(([, a], [, b]) => a.lastMs - b.lastMs)
    for (const [id, { lastMs }] of idle) {
      const full = this.#sessions.size >= SESSIONS_MAX
      if (nowMs - lastMs <= (full ? IDLE_WHEN_FULL_MS : IDLE_MS)) break
      if (this.#sessions.has(id)) await this.cancel(id)
    }
    if (this.#sessions.size >= SESSIONS_MAX) {
      throw new Refusal(`${SESSIONS_MAX} uploads and downloads are under way: try again later`)
    }
  }
}

function unknown(id: string): Refusal {
  const shown = id.length > 100 ? `${id.slice(0, 100)}…` : id
  return new Refusal(`there is no such upload or download, or it was idle too long: "${shown}"`)
}
