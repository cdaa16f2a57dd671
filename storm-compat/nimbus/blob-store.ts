// Storm's blob store: named files with versions, uploaded and downloaded in chunks. A blob is there when its upload was
// finished: its content and a note of it are where the topologies are kept, so that every Nimbus of a cluster has it. Access
// lists are kept and shown, and not checked: who can reach the port may do everything.
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobRef, GearNote, GearNotes } from 'gearpump'
import { ThriftException } from '../thrift/codec.ts'
import { decoded, encoded } from '../thrift/encoded.ts'
import { Refusal } from '../thrift/service.ts'
import { KeyAlreadyExistsException, KeyNotFoundException } from '../thrift/storm-exceptions.ts'
import {
  type BeginDownloadResult,
  type ListBlobsResult,
  type ReadableBlobMeta,
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

const NOTES = 'storm/blobs/'

interface Blob {
  readonly key: string
  /** Undefined for an empty one. */
  readonly content: BlobRef | undefined
  readonly bytes: number
  readonly version: bigint
  readonly meta: SettableBlobMeta
}

/** An upload, and what is to become of it. */
interface Upload {
  readonly key: string
  /** Undefined for an update of a blob that is there. */
  readonly meta: SettableBlobMeta | undefined
}

export class BlobStore {
  readonly #directory: string
  readonly #notes: GearNotes
  readonly #sessions: FileSessions<Upload>
  /** Changes go one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(directory: string, clock: Clock, notes: GearNotes) {
    this.#directory = directory
    this.#notes = notes
    this.#sessions = new FileSessions(clock, {
      fileBytes: BLOB_BYTES_MAX,
      openBytes: STORE_BYTES_MAX,
    })
  }

  async has(key: string): Promise<boolean> {
    return (await this.#noted(key)) !== undefined
  }

  async beginCreate(key: string, meta: SettableBlobMeta): Promise<string> {
    if (!KEY.test(key)) throw new Refusal(`"${key.slice(0, 255)}" is not a valid key of a blob`)
    const noted = await this.#notes.list(NOTES)
    if (noted.some(({ name }) => name === noteName(key))) {
      throw new ThriftException(KeyAlreadyExistsException, { msg: `a blob ${key} exists` })
    }
    if (noted.length >= BLOBS_MAX) throw new Refusal(`${BLOBS_MAX} blobs are stored already`)
    return this.#begin({ key, meta })
  }

  async beginUpdate(key: string): Promise<string> {
    await this.#find(key)
    return this.#begin({ key, meta: undefined })
  }

  append(session: string, chunk: Uint8Array): Promise<void> {
    return this.#sessions.append(session, chunk)
  }

  async finish(session: string): Promise<void> {
    const { path, bytes, note: upload } = await this.#sessions.finish(session)
    try {
      await this.#inTurn(async () => {
        const blobs = await this.#blobs()
        const { key } = upload
        const refusal = refusalOf(upload, blobs, bytes)
        if (refusal !== undefined) throw refusal
        // Not before: content that no note names would stay where it is.
        const content = bytes === 0 ? undefined : await this.#notes.upload(path)
        const meta = upload.meta ?? blobs.get(key)!.meta
        const newest = [...blobs.values()].reduce(
          (max, { version }) => (max > version ? max : version),
          0n,
        )
        await this.#write({ key, content, bytes, meta, version: newest + 1n })
      })
    } finally {
      await rm(path, { force: true })
    }
  }

  cancel(session: string): Promise<void> {
    return this.#sessions.cancel(session)
  }

  async meta(key: string): Promise<ReadableBlobMeta> {
    const { meta, version } = await this.#find(key)
    return { settable: meta, version }
  }

  setMeta(key: string, meta: SettableBlobMeta): Promise<void> {
    return this.#inTurn(async () => this.#write({ ...(await this.#find(key)), meta }))
  }

  /** The cluster decides how many copies there are; a wish is kept and shown. */
  async replication(key: string): Promise<number> {
    return (await this.#find(key)).meta.replication_factor ?? 1
  }

  setReplication(key: string, replication_factor: number): Promise<number> {
    return this.#inTurn(async () => {
      const blob = await this.#find(key)
      await this.#write({ ...blob, meta: { ...blob.meta, replication_factor } })
      return replication_factor
    })
  }

  async beginDownload(key: string): Promise<BeginDownloadResult> {
    const { content, version, bytes } = await this.#find(key)
    const path = await this.#newPath()
    try {
      if (content === undefined) await writeFile(path, '')
      else await this.#notes.download(content, path)
      const { id } = await this.#sessions.beginDownload(path)
      return { session: id, version, data_size: BigInt(bytes) }
    } finally {
      // Whoever has it open may read it to its end.
      await rm(path, { force: true })
    }
  }

  read(session: string): Promise<Buffer> {
    return this.#sessions.read(session)
  }

  delete(key: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#find(key)
      await this.#notes.remove(noteName(key))
    })
  }

  /** A page of keys. The session is the number of keys seen before; an empty page is the end. */
  async list(session: string): Promise<ListBlobsResult> {
    const from = /^\d{1,9}$/.test(session) ? Number(session) : 0
    const keys = [...(await this.#blobs()).keys()].sort().slice(from, from + PAGE_KEYS)
    return { keys, session: String(from + keys.length) }
  }

  close(): Promise<void> {
    return this.#sessions.close()
  }

  async #begin(upload: Upload): Promise<string> {
    return this.#sessions.beginUpload(await this.#newPath(), upload)
  }

  async #newPath(): Promise<string> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    return join(this.#directory, randomUUID())
  }

  async #blobs(): Promise<Map<string, Blob>> {
    const blobs = (await this.#notes.list(NOTES)).map(blobOf)
    return new Map(blobs.map(blob => [blob.key, blob]))
  }

  async #find(key: string): Promise<Blob> {
    const note = await this.#noted(key)
    if (note === undefined) throw notFound(key)
    return blobOf(note)
  }

  /** This one alone: there may be thousands of others, and clients ask for one after the other. */
  async #noted(key: string): Promise<GearNote | undefined> {
    const [note] = await this.#notes.list(noteName(key))
    return note
  }

  async #write({ key, content, bytes, version, meta }: Blob): Promise<void> {
    const kept = encoded(SettableBlobMeta, meta).toString('base64')
    const text = JSON.stringify({ key, bytes, version: String(version), meta: kept })
    await this.#notes.write(noteName(key), text, content === undefined ? [] : [content])
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(act)
    this.#turn = done.catch(() => undefined)
    return done
  }
}

function blobOf({ text, blobs }: GearNote): Blob {
  const { key, bytes, version, meta } = JSON.parse(text) as Record<
    'key' | 'version' | 'meta',
    string
  > & { bytes: number }
  return {
    key,
    bytes,
    content: blobs[0],
    version: BigInt(version),
    meta: decoded(SettableBlobMeta, Buffer.from(meta, 'base64')),
  }
}

/** Keys may have blanks, and be longer than a note's name. */
function noteName(key: string): string {
  return NOTES + createHash('sha256').update(key).digest('hex')
}

// Between begin and finish another client may have been here.
function refusalOf(
  { key, meta }: Upload,
  blobs: ReadonlyMap<string, Blob>,
  bytes: number,
): Error | undefined {
  const before = blobs.get(key)
  if (meta !== undefined && before !== undefined) {
    return new ThriftException(KeyAlreadyExistsException, { msg: `a blob ${key} exists` })
  }
  if (meta === undefined && before === undefined) return notFound(key)
  let all = bytes - (before?.bytes ?? 0)
  for (const blob of blobs.values()) all += blob.bytes
  if (all > STORE_BYTES_MAX) return new Refusal(`the store is full: ${STORE_BYTES_MAX} bytes`)
  return undefined
}

function notFound(key: string): Error {
  return new ThriftException(KeyNotFoundException, { msg: `there is no blob ${key.slice(0, 255)}` })
}
