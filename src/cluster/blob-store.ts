// The bundles that a node has, each a file named by the SHA-256 of its content. What has its name is whole and on the
// disk: it was written under another name, checked, forced to the disk and renamed. Room is bounded, and counted while
// something is still being written. Leftovers of a process that died are removed when the store is opened. Used by masters,
// which take bundles from clients, and by workers, which fetch them (blob-fetch.ts).
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

/** The most that one `readChunk` gives, so that a peer's request cannot take the memory of a node. */
export const CHUNK_BYTES_MAX = 1 << 20

const UNFINISHED = '.unfinished'
/** Fetches that failed and may go on; the oldest is dropped for another one. */
const RESTING_MAX = 4

/** Opens the store in a directory of its own, and makes the directory if need be. */
export async function openBlobStore(directory: string, limits: BlobLimits): Promise<BlobStore> {
  await mkdir(directory, { recursive: true })
  const blobs: Blob[] = []
  for (const name of await readdir(directory)) {
    const path = join(directory, name)
    if (name.endsWith(UNFINISHED)) await rm(path, { force: true })
    else if (isHash(name)) blobs.push({ hash: name, sizeBytes: (await stat(path)).size })
  }
  return new BlobStore(directory, limits, blobs)
}

export class BlobStore {
  readonly #directory: string
  readonly #limits: BlobLimits
  readonly #blobs: Map<string, number>
  /** Fetches under way, by hash. */
  readonly #fetches = new Map<string, Promise<void>>()
  /** Fetches that failed, with what they have, by hash. */
  readonly #resting = new Map<string, BlobWriter>()
  #usedBytes: number
  #writers = 0

  constructor(directory: string, limits: BlobLimits, blobs: readonly Blob[]) {
    this.#directory = directory
    this.#limits = limits
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
    await rm(this.#nameOf(hash), { force: true })
    this.#usedBytes -= sizeBytes
    return true
  }

  /** A writer for a blob of this name. It must end by `finish`, `keep` or its own `discard`. */
  newWriter(hash: string): BlobWriter {
    if (!isHash(hash)) throw new EngineError('BAD_INPUT', 'a bundle is named by its SHA-256 in hex')
    let own = 0
    const room: Room = {
      reserve: bytes => {
        this.#reserve(own + bytes, bytes)
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

  #reserve(blobBytes: number, bytes: number): void {
    const { blobBytesMax, totalBytesMax } = this.#limits
    const full = (message: string, hint: string) =>
      new EngineError('BLOB_STORE_FULL', message, { hint, details: { directory: this.#directory } })
    if (blobBytes > blobBytesMax)
      throw full(`a bundle has more than ${blobBytesMax} bytes`, 'raise blobs.bundleMb')
    if (this.#usedBytes + bytes > totalBytesMax)
      throw full(
        `the bundles in ${this.#directory} would take more than ${totalBytesMax} bytes`,
        'remove applications, or raise blobs.storeMb',
      )
    this.#usedBytes += bytes
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
