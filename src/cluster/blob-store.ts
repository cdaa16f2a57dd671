// The bundles that a node has, each a file named by the SHA-256 of its content. What has its name is whole and on the
// disk: it was written under another name, checked, forced to the disk and renamed. Room is bounded, and counted while
// something is still being written; when it runs out, the oldest blobs that nothing uses are removed (blob-use.ts).
// Leftovers of a process that died are removed when the store is opened. Used by masters, which take bundles from
// clients, and by workers, which fetch them (blob-fetch.ts).
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { asError, EngineError } from '../base/errors.ts'
import { BlobWriter, type Room } from './blob-writer.ts'
import type { Settings } from './settings-table.ts'

export interface BlobLimits {
  readonly blobBytesMax: number
  readonly totalBytesMax: number
}

/** The limits that the settings set. */
export function blobLimits(settings: Settings): BlobLimits {
  return {
    blobBytesMax: settings['blobs.bundleMb'] * 2 ** 20,
    totalBytesMax: settings['blobs.storeMb'] * 2 ** 20,
  }
}

export interface Blob {
  readonly hash: string
  readonly sizeBytes: number
}

/** What may be removed when room is wanted. */
export interface BlobUse {
  /** Gives a look at what is in use at the moment of the look. Asked anew before each removal. */
  inUse(): Promise<(hash: string) => boolean>
  /** Told in the very turn in which a blob is given up, so that nobody begins to use it in between. */
  onRemove?(hash: string): Promise<void>
}

/** The most that one `readChunk` gives, so that a peer's request cannot take the memory of a node. */
export const CHUNK_BYTES_MAX = 1 << 20

const UNFINISHED = '.unfinished'
/** Fetches that failed and may go on; the oldest is dropped for another one. */
const RESTING_MAX = 4

/** Opens the store in a directory of its own, and makes the directory if need be. Without `use` nothing is removed. */
export async function openBlobStore(
  directory: string,
  limits: BlobLimits,
  use?: BlobUse,
): Promise<BlobStore> {
  await mkdir(directory, { recursive: true })
  const blobs: (Blob & { madeMs: number })[] = []
  for (const name of await readdir(directory)) {
    const path = join(directory, name)
    if (name.endsWith(UNFINISHED)) await rm(path, { force: true })
    else if (isHash(name)) {
      const { size: sizeBytes, mtimeMs: madeMs } = await stat(path)
      blobs.push({ hash: name, sizeBytes, madeMs })
    }
  }
  blobs.sort((a, b) => a.madeMs - b.madeMs)
  return new BlobStore(directory, limits, blobs, use)
}

export class BlobStore {
  readonly #directory: string
  readonly #limits: BlobLimits
  readonly #use: BlobUse | undefined
  /** Sizes by hash, the oldest first. */
  readonly #blobs: Map<string, number>
  /** Fetches under way, by hash. */
  readonly #fetches = new Map<string, Promise<void>>()
  /** Fetches that failed, with what they have, by hash. */
  readonly #resting = new Map<string, BlobWriter>()
  #usedBytes: number
  #writers = 0
  /** Who wants more room than there is waits in line: what one makes, no other takes. */
  #makingRoom: Promise<unknown> = Promise.resolve()

  constructor(directory: string, limits: BlobLimits, blobs: readonly Blob[], use?: BlobUse) {
    this.#directory = directory
    this.#limits = limits
    this.#use = use
    this.#blobs = new Map(blobs.map(({ hash, sizeBytes }) => [hash, sizeBytes]))
    this.#usedBytes = blobs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  }

  /** Bytes on disk, with those still being written. */
  get usedBytes(): number {
    return this.#usedBytes
  }

  has(hash: string): boolean {
    return this.#blobs.has(hash)
  }

  list(): readonly Blob[] {
    return [...this.#blobs].map(([hash, sizeBytes]) => ({ hash, sizeBytes }))
  }

  /** Where the blob is, to be read only. Throws BLOB_NOT_FOUND. */
  pathOf(hash: string): string {
    if (this.#blobs.has(hash)) return this.#nameOf(hash)
    const what = isHash(hash) ? hash : 'that is not named by a SHA-256'
    throw new EngineError('BLOB_NOT_FOUND', `there is no bundle ${what} in ${this.#directory}`, {
      hint: 'ask another node for it, or submit the application again',
    })
  }

  /** Takes a blob. What it is called must be the hash of its content; what is there already is not read again. */
  async put(content: AsyncIterable<Uint8Array>, hash: string): Promise<void> {
    if (this.has(hash)) return closeUnread(content)
    const writer = this.newWriter(hash)
    try {
      for await (const chunk of content) await writer.append(chunk)
    } catch (error) {
      await writer.discard()
      throw error
    }
    await this.finish(writer, hash)
  }

  /** At most `bytes` from `offset`; none at and beyond the end. */
  async readChunk(hash: string, offset: number, bytes: number): Promise<Buffer> {
    const path = this.pathOf(hash)
    if (!Number.isSafeInteger(offset) || offset < 0 || !Number.isSafeInteger(bytes) || bytes < 1)
      throw new EngineError('BAD_INPUT', `no chunk of a bundle: ${bytes} bytes at ${offset}`)
    const file = await open(path, 'r').catch(asError)
    if (file instanceof Error) throw this.#unreadable(hash, file)
    try {
      const left = Math.max(0, (this.#blobs.get(hash) ?? 0) - offset)
      const buffer = Buffer.alloc(Math.min(bytes, CHUNK_BYTES_MAX, left))
      const { bytesRead } = await file.read(buffer, 0, buffer.length, offset)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  }

  /** Reads the whole blob; false if its content is not what its name says, so that it must be removed. */
  async verify(hash: string): Promise<boolean> {
    const found = await hashOfFile(this.pathOf(hash)).catch(asError)
    if (found instanceof Error) throw this.#unreadable(hash, found)
    return found === hash
  }

  /** True if it was there. Who is reading it at the moment may read on. */
  async remove(hash: string): Promise<boolean> {
    const sizeBytes = this.#blobs.get(hash)
    if (sizeBytes === undefined) return false
    this.#blobs.delete(hash)
    // The blob first: what was made of it goes at the next start in any case, once there is no blob.
    const made = this.#use?.onRemove?.(hash)
    await rm(this.#nameOf(hash), { force: true })
    this.#usedBytes -= sizeBytes
    await made
    return true
  }

  /** A writer for a blob of this name. It must end by `finish`, `keep` or its own `discard`. */
  newWriter(hash: string): BlobWriter {
    if (!isHash(hash)) throw new EngineError('BAD_INPUT', 'a bundle is named by its SHA-256 in hex')
    let own = 0
    const room: Room = {
      reserve: async bytes => {
        await this.#reserve(own + bytes, bytes)
        own += bytes
      },
      release: bytes => {
        own -= bytes
        this.#usedBytes -= bytes
      },
    }
    return new BlobWriter(`${this.#nameOf(hash)}-${this.#writers++}${UNFINISHED}`, room)
  }

  /** Checks what was written, and makes it the blob. Throws BUNDLE_CORRUPT if it is another content. */
  async finish(writer: BlobWriter, hash: string): Promise<void> {
    const { sizeBytes, hash: found } = writer
    if (found !== hash) {
      await writer.discard()
      throw new EngineError(
        'BUNDLE_CORRUPT',
        `the ${sizeBytes} bytes that came for bundle ${hash} have the hash ${found}`,
        { hint: 'what sent them has an altered copy, or they were altered on their way' },
      )
    }
    try {
      await writer.commit(this.#nameOf(hash))
    } catch (error) {
      await writer.discard()
      throw error
    }
    // Another put of the same content may have been quicker: then there is one file, and its room is counted.
    if (this.#blobs.has(hash)) this.#usedBytes -= sizeBytes
    else this.#blobs.set(hash, sizeBytes)
  }

  /** Runs `work` unless the same is under way; then waits for that. */
  shared(hash: string, work: () => Promise<void>): Promise<void> {
    const underWay = this.#fetches.get(hash)
    if (underWay !== undefined) return underWay
    const fetch = work().finally(() => this.#fetches.delete(hash))
    this.#fetches.set(hash, fetch)
    return fetch
  }

  /** Keeps what a failed fetch has. */
  async keep(hash: string, writer: BlobWriter): Promise<void> {
    await writer.rest()
    this.#resting.set(hash, writer)
    const oldest = [...this.#resting.keys()][0]!
    if (this.#resting.size > RESTING_MAX) await this.takeKept(oldest)?.discard()
  }

  /** What an earlier fetch kept; it is the caller's now. */
  takeKept(hash: string): BlobWriter | undefined {
    const writer = this.#resting.get(hash)
    this.#resting.delete(hash)
    return writer
  }

  async #reserve(blobBytes: number, bytes: number): Promise<void> {
    const { blobBytesMax } = this.#limits
    if (blobBytes > blobBytesMax)
      throw this.#full(`a bundle has more than ${blobBytesMax} bytes`, 'raise blobs.bundleMb')
    if (this.#lacks(bytes)) {
      const made = this.#makingRoom.then(() => this.#makeRoom(bytes))
      this.#makingRoom = made.catch(() => undefined)
      await made
    } else this.#usedBytes += bytes
  }

  #lacks(bytes: number): boolean {
    return this.#usedBytes + bytes > this.#limits.totalBytesMax
  }

  // Takes the room in the same turn in which it is there.
  async #makeRoom(bytes: number): Promise<void> {
    while (this.#lacks(bytes)) {
      if (!(await this.#removeOldest()))
        throw this.#full(
          `the bundles in ${this.#directory} would take more than ${this.#limits.totalBytesMax} bytes`,
          'all of them are in use, or just came: kill applications, or raise blobs.storeMb',
        )
    }
    this.#usedBytes += bytes
  }

  // What a failed fetch has kept can be had again; so can a blob, by who submits it again.
  async #removeOldest(): Promise<boolean> {
    const [resting] = this.#resting.keys()
    if (resting !== undefined) {
      await this.takeKept(resting)?.discard()
      return true
    }
    if (this.#use === undefined) return false
    const isUsed = await this.#use.inUse()
    for (const hash of this.#blobs.keys()) if (!isUsed(hash)) return this.remove(hash)
    return false
  }

  #full(message: string, hint: string): EngineError {
    return new EngineError('BLOB_STORE_FULL', message, {
      hint,
      details: { directory: this.#directory },
    })
  }

  #unreadable(hash: string, cause: Error): EngineError {
    const message = `bundle ${hash} cannot be read in ${this.#directory}: ${cause.message}`
    return new EngineError('BLOB_NOT_FOUND', message, { cause })
  }

  #nameOf(hash: string): string {
    return join(this.#directory, hash)
  }
}

/** SHA-256 of a file, in hex. */
export async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

function isHash(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name)
}

// A stream that nobody reads would keep its file or socket open. An iterator that was never begun does not close it.
async function closeUnread(content: AsyncIterable<Uint8Array>): Promise<void> {
  if (content instanceof Readable) content.destroy()
  else await content[Symbol.asyncIterator]().return?.()
}
