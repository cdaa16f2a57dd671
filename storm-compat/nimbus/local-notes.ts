// The memory of a Nimbus that has no cluster behind it: it lasts as long as the process. The same interface as the notes of
// a cluster, so that the rest of the Nimbus does not know which it has.
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { copyFile, mkdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type BlobRef, EngineError, type GearNote, type GearNotes } from 'gearpump'

export function localNotes(directory: string): GearNotes {
  return new LocalNotes(directory)
}

class LocalNotes implements GearNotes {
  readonly #directory: string
  readonly #notes = new Map<string, GearNote>()
  readonly #files = new Map<string, string>()
  #revision = 0

  constructor(directory: string) {
    this.#directory = directory
  }

  async list(prefix: string): Promise<readonly GearNote[]> {
    return [...this.#notes.values()].filter(({ name }) => name.startsWith(prefix))
  }

  async write(name: string, text: string, blobs: readonly BlobRef[] = []): Promise<number> {
    const revision = ++this.#revision
    const before = this.#notes.get(name)
    this.#notes.set(name, { name, text, blobs, revision })
    await this.#dropUnused(before)
    return revision
  }

  async remove(name: string): Promise<void> {
    const before = this.#notes.get(name)
    this.#notes.delete(name)
    await this.#dropUnused(before)
  }

  async upload(file: string): Promise<BlobRef> {
    const { size: sizeBytes } = await stat(file)
    const digest = createHash('sha256')
    for await (const chunk of createReadStream(file)) digest.update(chunk as Buffer)
    const hash = digest.digest('hex')
    if (!this.#files.has(hash)) {
      const path = join(this.#directory, randomUUID())
      await mkdir(this.#directory, { recursive: true, mode: 0o700 })
      await copyFile(file, path)
      if (this.#files.has(hash)) await rm(path)
      else this.#files.set(hash, path)
    }
    return { hash, sizeBytes }
  }

  async download({ hash }: BlobRef, file: string): Promise<void> {
    const path = this.#files.get(hash)
    if (path === undefined) throw new EngineError('BLOB_NOT_FOUND', `there is no blob ${hash}`)
    await copyFile(path, file)
  }

  async #dropUnused(before: GearNote | undefined): Promise<void> {
    const notes = [...this.#notes.values()]
    for (const { hash } of before?.blobs ?? []) {
      if (notes.some(note => note.blobs.some(blob => blob.hash === hash))) continue
      const path = this.#files.get(hash)
      this.#files.delete(hash)
      if (path !== undefined) await rm(path, { force: true })
    }
  }
}
