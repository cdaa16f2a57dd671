// Storm's blob store on one machine: named files with versions, uploaded and downloaded in chunks. Access lists are kept and
// shown, and not checked: who can reach the port may do everything.
import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ThriftException } from '../thrift/codec.ts'
import { Refusal } from '../thrift/service.ts'
import { KeyAlreadyExistsException, KeyNotFoundException } from '../thrift/storm-exceptions.ts'
import type {
  BeginDownloadResult,
  ListBlobsResult,
  ReadableBlobMeta,
  SettableBlobMeta,
} from '../thrift/storm-requests.ts'
import type { Clock } from './clock.ts'
import { FileSessions } from './file-sessions.ts'

/** Storm's own rule for keys. */
const KEY = /^[\w \t._-]{1,255}$/
const BLOBS_MAX = 10_000
const BLOB_BYTES_MAX = 512 * 1024 * 1024
const STORE_BYTES_MAX = 4 * BLOB_BYTES_MAX
/** Keys of one answer of listBlobs, as in Storm. */
const PAGE_KEYS = 100

interface Blob {
  path: string
  bytes: number
  version: bigint
  meta: SettableBlobMeta
}

/** An upload, and what is to become of it. */
interface Upload {
  readonly key: string
  /** Undefined for an update of a blob that is there. */
  readonly meta: SettableBlobMeta | undefined
}

export class BlobStore {
  readonly #directory: string
  readonly #sessions: FileSessions<Upload>
  readonly #blobs = new Map<string, Blob>()
  #nextVersion = 1n

  constructor(directory: string, clock: Clock) {
    this.#directory = directory
    this.#sessions = new FileSessions(clock, {
      fileBytes: BLOB_BYTES_MAX,
      openBytes: STORE_BYTES_MAX,
    })
  }

  has(key: string): boolean {
    return this.#blobs.has(key)
  }

  async beginCreate(key: string, meta: SettableBlobMeta): Promise<string> {
    if (!KEY.test(key)) throw new Refusal(`"${key.slice(0, 255)}" is not a valid key of a blob`)
    if (this.has(key)) {
      throw new ThriftException(KeyAlreadyExistsException, { msg: `a blob ${key} exists` })
    }
    if (this.#blobs.size >= BLOBS_MAX) throw new Refusal(`${BLOBS_MAX} blobs are stored already`)
    return this.#begin({ key, meta })
  }

  async beginUpdate(key: string): Promise<string> {
    this.#find(key)
    return this.#begin({ key, meta: undefined })
  }

  append(session: string, chunk: Uint8Array): Promise<void> {
    return this.#sessions.append(session, chunk)
  }

  async finish(session: string): Promise<void> {
    const { path, bytes, note: upload } = await this.#sessions.finish(session)
    const before = this.#blobs.get(upload.key)
    const refusal = this.#refusal(upload, before, bytes)
    if (refusal !== undefined) {
      await rm(path, { force: true })
      throw refusal
    }
    const meta = upload.meta ?? before!.meta
    this.#blobs.set(upload.key, { path, bytes, meta, version: this.#nextVersion++ })
    if (before !== undefined) await rm(before.path, { force: true })
  }

  cancel(session: string): Promise<void> {
    return this.#sessions.cancel(session)
  }

  meta(key: string): ReadableBlobMeta {
    const { meta, version } = this.#find(key)
    return { settable: meta, version }
  }

  setMeta(key: string, meta: SettableBlobMeta): void {
    this.#find(key).meta = meta
  }

  /** One copy is all there is; a wish for more is kept and shown. */
  replication(key: string): number {
    return this.#find(key).meta.replication_factor ?? 1
  }

  setReplication(key: string, replication_factor: number): number {
    const blob = this.#find(key)
    blob.meta = { ...blob.meta, replication_factor }
    return replication_factor
  }

  async beginDownload(key: string): Promise<BeginDownloadResult> {
    const { path, version } = this.#find(key)
    const { id, bytes } = await this.#sessions.beginDownload(path)
    return { session: id, version, data_size: BigInt(bytes) }
  }

  read(session: string): Promise<Buffer> {
    return this.#sessions.read(session)
  }

  async delete(key: string): Promise<void> {
    const { path } = this.#find(key)
    this.#blobs.delete(key)
    await rm(path, { force: true })
  }

  /** A page of keys. The session is the number of keys seen before; an empty page is the end. */
  list(session: string): ListBlobsResult {
    const from = /^\d{1,9}$/.test(session) ? Number(session) : 0
    const keys = [...this.#blobs.keys()].sort().slice(from, from + PAGE_KEYS)
    return { keys, session: String(from + keys.length) }
  }

  close(): Promise<void> {
    return this.#sessions.close()
  }

  async #begin(upload: Upload): Promise<string> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    return this.#sessions.beginUpload(join(this.#directory, randomUUID()), upload)
  }

  // Between begin and finish another client may have been here.
  #refusal({ key, meta }: Upload, before: Blob | undefined, bytes: number): Error | undefined {
    if (meta !== undefined && before !== undefined) {
      return new ThriftException(KeyAlreadyExistsException, { msg: `a blob ${key} exists` })
    }
    if (meta === undefined && before === undefined) return notFound(key)
    let all = bytes - (before?.bytes ?? 0)
    for (const blob of this.#blobs.values()) all += blob.bytes
    if (all > STORE_BYTES_MAX) return new Refusal(`the store is full: ${STORE_BYTES_MAX} bytes`)
    return undefined
  }

  #find(key: string): Blob {
    const blob = this.#blobs.get(key)
    if (blob === undefined) throw notFound(key)
    return blob
  }
}

function notFound(key: string): Error {
  return new ThriftException(KeyNotFoundException, { msg: `there is no blob ${key.slice(0, 255)}` })
}
