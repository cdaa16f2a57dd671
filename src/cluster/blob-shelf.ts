// A master's or worker's blobs, and how they come: written piece by piece by a client, pulled from another master, or,
// on a worker, fetched from whichever master has them.
import { PassThrough } from 'node:stream'
import type { ActorSystem } from '../actor/actor-system.ts'
import { asError, EngineError } from '../base/errors.ts'
import { type Address, addressText } from '../transport/link.ts'
import { fetchBlob } from './blob-fetch.ts'
import type { BlobStore } from './blob-store.ts'
import type { BlobClaims } from './blob-use.ts'
import { type BundleRef, MASTER, type MasterDoor } from './messages.ts'

/** Uploads under way at once; a client that went away leaves one behind until another takes its place. */
const UPLOADS_MAX = 16
const CHUNK_TIMEOUT_MS = 10_000
/** The slowest copy that is waited for, beside a fixed time. */
const BYTES_PER_MS_MIN = 5_000

interface Upload {
  readonly stream: PassThrough
  readonly stored: Promise<void>
  bytes: number
  tail: Promise<unknown>
}

export interface BlobShelfOptions {
  readonly store: BlobStore
  readonly system: ActorSystem
  /** Of a master: what is asked for is kept until its application is written. */
  readonly claims?: BlobClaims
}

export class BlobShelf {
  readonly #store: BlobStore
  readonly #system: ActorSystem
  readonly #claims: BlobClaims | undefined
  readonly #uploads = new Map<string, Upload>()

  constructor({ store, system, claims }: BlobShelfOptions) {
    this.#store = store
    this.#system = system
    this.#claims = claims
  }

  has(hash: string): boolean {
    return this.#store.has(hash)
  }

  read(hash: string, offset: number, bytes: number): Promise<Uint8Array> {
    return this.#store.readChunk(hash, offset, bytes)
  }

  pullTimeoutMs({ sizeBytes }: BundleRef): number {
    return CHUNK_TIMEOUT_MS + Math.ceil(sizeBytes / BYTES_PER_MS_MIN)
  }

  /** Where a blob is that is here. */
  pathOf(hash: string): string {
    return this.#store.pathOf(hash)
  }

  async pull(blob: BundleRef, from: Address): Promise<void> {
    await this.fetch(blob, [from])
  }

  /** Makes sure that the blob is here, from the first of `masters` that has it. */
  async fetch(blob: BundleRef, masters: readonly Address[]): Promise<void> {
    this.#claims?.claim(blob, this.pullTimeoutMs(blob))
    if (this.#store.has(blob.hash)) return
    const failures: string[] = []
    for (const node of masters) {
      const ref = this.#system.ref<MasterDoor>({ node, name: MASTER }).within(CHUNK_TIMEOUT_MS)
      try {
        await fetchBlob(this.#store, blob.hash, blob.sizeBytes, async (offset, bytes) =>
          Buffer.from(await ref.ask('readBlob', blob.hash, offset, bytes)),
        )
        return
      } catch (error) {
        failures.push(`${addressText(node)}: ${asError(error).message}`)
      }
    }
    const name = blob.hash.slice(0, 12)
    if (masters.length === 0) failures.push('it is not here, and there is no other master')
    throw new EngineError(
      'BLOB_NOT_FOUND',
      `bundle ${name} cannot be had (${failures.join('; ')})`,
      {
        hint: 'it was not uploaded, or made room for others when its application was over; submit it from its files',
      },
    )
  }

  /** See GearDoor.writeBlob. */
  async write(blob: BundleRef, offset: number, bytes: Uint8Array): Promise<number> {
    this.#claims?.claim(blob, this.pullTimeoutMs(blob))
    if (this.#store.has(blob.hash)) return blob.sizeBytes
    if (bytes.length === 0) return this.#uploads.get(blob.hash)?.bytes ?? 0
    const upload = this.#uploads.get(blob.hash) ?? this.#begin(blob)
    const written = upload.tail.then(() => this.#append(blob, upload, offset, bytes))
    upload.tail = written.catch(() => undefined)
    return written
  }

  #begin(blob: BundleRef): Upload {
    for (const [hash, upload] of this.#uploads) {
      if (this.#uploads.size < UPLOADS_MAX) break
      upload.stream.destroy(new Error('given up for a newer upload'))
      this.#uploads.delete(hash)
    }
    const stream = new PassThrough()
    const stored = this.#store.put(stream, blob.hash).then(() => undefined)
    const upload: Upload = { stream, stored, bytes: 0, tail: Promise.resolve() }
    const forget = (): void => {
      if (this.#uploads.get(blob.hash) === upload) this.#uploads.delete(blob.hash)
    }
    stored.then(forget, forget)
    this.#uploads.set(blob.hash, upload)
    return upload
  }

  async #append(
    blob: BundleRef,
    upload: Upload,
    offset: number,
    bytes: Uint8Array,
  ): Promise<number> {
    // Heard twice, or after this master had forgotten the upload: the client goes on from what is here.
    if (offset !== upload.bytes) return upload.bytes
    const room = upload.stream.write(bytes)
    upload.bytes += bytes.length
    if (upload.bytes >= blob.sizeBytes) {
      upload.stream.end()
      await upload.stored
    } else if (!room) {
      await Promise.race([
        new Promise<void>(resolve => upload.stream.once('drain', resolve)),
        upload.stored,
      ])
    }
    return upload.bytes
  }
}
