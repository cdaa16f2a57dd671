// A blob that is being written: a file under another name, its hash so far, and its room in the store. It may rest
// between two attempts and go on where it was. It ends by `commit`, which forces it to the disk and gives it its name,
// or by `discard`; until then nobody can read it.
import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { writeAll } from './zip-writer.ts'

export interface Room {
  /** Rejects if there is none. */
  reserve(bytes: number): Promise<void>
  release(bytes: number): void
}

export class BlobWriter {
  readonly #path: string
  readonly #room: Room
  readonly #hash: Hash = createHash('sha256')
  #file: FileHandle | undefined
  #isMade = false
  #sizeBytes = 0

  constructor(path: string, room: Room) {
    this.#path = path
    this.#room = room
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Of what has been appended so far. */
  get hash(): string {
    return this.#hash.copy().digest('hex')
  }

  /** After an error the writer is as before: the same bytes may be appended again. */
  async append(bytes: Uint8Array): Promise<void> {
    await this.#room.reserve(bytes.length)
    try {
      const file = await this.#open()
      await writeAll(file, bytes, this.#sizeBytes)
    } catch (error) {
      this.#room.release(bytes.length)
      throw error
    }
    this.#hash.update(bytes)
    this.#sizeBytes += bytes.length
  }

  /** Closes the file; `append` opens it again. */
  async rest(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }

  /** From now on it is `path`, also after a power loss. */
  async commit(path: string): Promise<void> {
    const file = await this.#open()
    // A write that failed half-way may have left more than was counted.
    await file.truncate(this.#sizeBytes)
    await file.sync()
    await this.rest()
    await rename(this.#path, path)
    await syncDirectory(dirname(path))
  }

  async #open(): Promise<FileHandle> {
    this.#file ??= await open(this.#path, this.#isMade ? 'r+' : 'wx+')
    this.#isMade = true
    return this.#file
  }

  async discard(): Promise<void> {
    await this.rest()
    await rm(this.#path, { force: true })
    this.#room.release(this.#sizeBytes)
    this.#sizeBytes = 0
  }
}

// A new name lasts only when its directory is on the disk too. Some systems cannot open directories, and need not.
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
