// Jars that clients upload before they submit: each a file under a location that only this inbox gave out. What is never
// submitted is removed after an hour, as in Storm.
import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Refusal } from '../thrift/service.ts'
import type { Clock } from './clock.ts'
import { FileSessions } from './file-sessions.ts'

/** nimbus.inbox.jar.expiration.secs */
const KEEP_MS = 3_600_000
const JAR_BYTES_MAX = 512 * 1024 * 1024
/** Small ones count, too. */
const JARS_MAX = 1000
/** All jars together. */
const INBOX_BYTES_MAX = 4 * JAR_BYTES_MAX

export class Inbox {
  readonly #directory: string
  readonly #clock: Clock
  readonly #sessions: FileSessions
  readonly #jars = new Map<string, { bytes: number; finishedMs: number }>()

  constructor(directory: string, clock: Clock) {
    this.#directory = directory
    this.#clock = clock
    this.#sessions = new FileSessions(clock, {
      fileBytes: JAR_BYTES_MAX,
      openBytes: INBOX_BYTES_MAX,
    })
  }

  /** Resolves with the location of a new jar. */
  async begin(): Promise<string> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    await this.#expire()
    const location = join(this.#directory, `stormjar-${randomUUID()}.jar`)
    return this.#sessions.beginUpload(location, undefined, location)
  }

  append(location: string, chunk: Uint8Array): Promise<void> {
    return this.#sessions.append(location, chunk)
  }

  async finish(location: string): Promise<void> {
    const { path, bytes } = await this.#sessions.finish(location)
    this.#jars.set(path, { bytes, finishedMs: this.#clock.nowMs() })
    await this.#expire()
  }

  /** Whether a location is a jar that was uploaded to its end. */
  has(location: string): boolean {
    return this.#jars.has(location)
  }

  async beginDownload(location: string): Promise<string> {
    if (!this.has(location)) throw new Refusal(`there is no uploaded file "${location}"`)
    const { id } = await this.#sessions.beginDownload(location)
    return id
  }

  read(id: string): Promise<Buffer> {
    return this.#sessions.read(id)
  }

  close(): Promise<void> {
    return this.#sessions.close()
  }

  // The oldest first, until what is left is young enough and not too much.
  async #expire(): Promise<void> {
    let bytes = 0
    for (const jar of this.#jars.values()) bytes += jar.bytes
    const oldestMs = this.#clock.nowMs() - KEEP_MS
    for (const [location, jar] of this.#jars) {
      const few = bytes <= INBOX_BYTES_MAX && this.#jars.size <= JARS_MAX
      if (jar.finishedMs > oldestMs && few) return
      bytes -= jar.bytes
      this.#jars.delete(location)
      await rm(location, { force: true })
    }
  }
}
