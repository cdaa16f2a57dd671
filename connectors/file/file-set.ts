// Which files a source task reads: finds them, deals them out among the tasks, knows them again when they are renamed, and
// notices new, emptied and vanished ones. It reads no lines. What may go wrong: a file that cannot be opened is reported
// and tried again at each look, less and less often told.
import { dirname, join } from 'node:path'
import { EngineError } from 'gearpump/spi'
import { fileFailed, notFound, tooManyFiles } from './file-errors.ts'
import { type FileStat, type FileSystem, type OpenFile, systemCode } from './file-system.ts'
import type { FileSourceSettings } from './source-options.ts'
import { type FilePosition, HEAD_BYTES, readHead, sameHead, TrackedFile } from './tracked-file.ts'

/** Files of one task: each has its place in the stored position. */
export const FILES_MAX = 10_000
/** Files that one task follows: each is kept open, so that it is not lost when it is renamed. */
export const FILES_FOLLOWED_MAX = 1000
/** A file that was renamed or removed is followed until it has not grown in so many looks: its writer may be late. */
const STILL_LOOKS = 20

export interface FileSetOptions {
  readonly fileSystem: FileSystem
  readonly settings: FileSourceSettings
  readonly index: number
  readonly parallelism: number
  /** Where a task that ran before stood. */
  readonly positions: readonly FilePosition[]
  readonly log: (level: 'info' | 'warn', text: string) => void
  readonly report: (error: Error) => void
}

interface Candidate {
  readonly path: string
  readonly stat: FileStat
}

export class FileSet {
  readonly #options: FileSetOptions
  /** In the order in which they are read. */
  #files: TrackedFile[] = []
  #remembered: readonly FilePosition[]
  #first = true
  readonly #troubles = new Map<string, number>()

  constructor(options: FileSetOptions) {
    this.#options = options
    this.#remembered = options.positions
  }

  get files(): readonly TrackedFile[] {
    return this.#files
  }

  /** Where each file stands, those that could not be opened yet included. */
  get positions(): FilePosition[] {
    return [...this.#files.map(file => file.position), ...this.#remembered]
  }

  /** A file with something to read, or undefined. */
  readable(): TrackedFile | undefined {
    return this.#files.find(file => file.unread && !file.waiting && file.after?.unread !== true)
  }

  /** Every file was read to its end; never, when they are followed. */
  get finished(): boolean {
    return !this.#options.settings.tail && this.#files.every(file => file.finished)
  }

  /** Looks at what is there. The first look throws when what was named is not. */
  async look(): Promise<void> {
    const candidates = await this.#candidates()
    const there = new Map(candidates.map(({ path, stat }) => [stat.inode, path]))
    for (const file of [...this.#files]) {
      const path = there.get(file.inode)
      file.gone = path === undefined
      file.path = path ?? file.path
      await this.#tried(file.path, () => this.#refresh(file))
    }
    const known = new Set(this.#files.map(file => file.inode))
    for (const candidate of candidates) {
      // One file under two names is read once.
      if (known.has(candidate.stat.inode)) continue
      known.add(candidate.stat.inode)
      await this.#tried(candidate.path, () => this.#adopt(candidate))
    }
    if (this.#first) await this.#adoptRenamed(candidates)
    this.#first = false
    await this.#dropStill()
  }

  async close(): Promise<void> {
    for (const file of this.#files) await this.release(file)
  }

  /** Closes a file's handle; a failure to do so is told and changes nothing. */
  async release(file: TrackedFile): Promise<void> {
    const { handle } = file
    file.handle = undefined
    if (handle !== undefined) await this.#tried(file.path, () => handle.close())
  }

  // ---- what is there

  async #candidates(): Promise<Candidate[]> {
    const { settings, index, parallelism } = this.#options
    const { where } = settings
    if (where.kind === 'paths')
      return this.#existing(where.paths.filter((_, i) => i % parallelism === index))
    const names = await this.#names(where.directory, this.#first)
    const paths = names.filter(name => where.pattern.test(name)).sort()
    const found = await this.#existing(paths.map(name => join(where.directory, name)))
    // By its number and not by its name: a file that is renamed stays with its task.
    return found.filter(({ stat }) => dealt(stat.inode) % parallelism === index)
  }

  async #names(directory: string, needed: boolean): Promise<readonly string[]> {
    try {
      return await this.#options.fileSystem.list(directory)
    } catch (error) {
      if (needed) throw notFound(directory, 'directory', error)
      this.#trouble(directory, error)
      return []
    }
  }

  async #existing(paths: readonly string[]): Promise<Candidate[]> {
    const { fileSystem, settings, log } = this.#options
    const found: Candidate[] = []
    for (const path of paths) {
      await this.#tried(path, async () => {
        const stat = await fileSystem.stat(path)
        if (stat?.isFile === true) found.push({ path, stat })
        else if (this.#first && settings.where.kind === 'paths') {
          if (!settings.tail || stat !== undefined) throw notFound(path, 'file')
          log('info', `${path} is not there yet`)
        }
      })
    }
    return found
  }

  // ---- known files

  // How large it is now, and whether it is still the same.
  async #refresh(file: TrackedFile): Promise<void> {
    if (file.handle === undefined || !this.#options.settings.tail) return
    const { size, modified } = await file.handle.stat()
    // Emptied and filled again, it may by chance be as large as before.
    if (size === file.size && modified === file.modified) {
      file.still++
      return
    }
    file.still = 0
    file.modified = modified
    if (size < file.size || !(await this.#sameFile(file, file.handle)))
      await this.#replace(file, file.handle, size)
    else file.size = size
  }

  async #sameFile(file: TrackedFile, handle: OpenFile): Promise<boolean> {
    const known = file.head
    const head = await readHead(handle)
    if (known.length < HEAD_BYTES && head.length > known.length) file.head = head
    return head.length >= known.length && head.subarray(0, known.length).equals(known)
  }

  // Copied and emptied, as some rotations do: what was not read before that is in the copy only.
  async #replace(file: TrackedFile, handle: OpenFile, size: number): Promise<void> {
    const head = await readHead(handle)
    const unread = Math.max(0, file.size - file.next)
    this.#options.log(
      'warn',
      `${file.path} was emptied and is read from its beginning${unread > 0 ? `; ${unread} bytes had not been read` : ''}`,
    )
    const { path, inode } = file
    const fresh = new TrackedFile({ path, inode, size, handle, head })
    file.replaced = true
    file.handle = undefined
    this.#files[this.#files.indexOf(file)] = fresh
  }

  // ---- new files

  async #adopt({ path }: Candidate, position?: FilePosition): Promise<TrackedFile | undefined> {
    const { fileSystem, settings } = this.#options
    const max = settings.tail ? FILES_FOLLOWED_MAX : FILES_MAX
    if (this.#files.length >= max) {
      this.#trouble('files', tooManyFiles(path, max))
      return undefined
    }
    const handle = await fileSystem.open(path, 'read')
    let file: TrackedFile
    try {
      const { inode, size } = await handle.stat()
      const head = await readHead(handle)
      const after = settings.tail ? this.#files.find(one => one.path === path) : undefined
      const stored = position ?? this.#recall(path, inode, head, size)
      file = new TrackedFile({ path, inode, size, head, handle, position: stored, after })
    } catch (error) {
      await handle.close()
      throw error
    }
    this.#files.push(file)
    if (!settings.tail) {
      file.ending = true
      file.finished = file.next >= file.size
      await this.release(file)
    }
    return file
  }

  #recall(path: string, inode: string, head: Buffer, size: number): FilePosition | undefined {
    const same = (one: FilePosition) => sameHead(one, head) && one.done <= size
    const known =
      this.#remembered.find(one => one.inode === inode && same(one)) ??
      // Copied to another disk, it has another number.
      this.#remembered.find(one => one.path === path && one.headBytes > 0 && same(one))
    if (known !== undefined) this.#forget(known)
    else if (this.#remembered.some(one => one.path === path && one.inode === inode)) {
      this.#options.log(
        'warn',
        `${path} holds something else than before and is read from its beginning`,
      )
      this.#remembered = this.#remembered.filter(one => one.path !== path || one.inode !== inode)
    }
    return known
  }

  #forget(known: FilePosition): void {
    this.#remembered = this.#remembered.filter(one => one !== known)
  }

  // Files of the stored position that have another name now: renamed while nobody looked. What they still hold comes first.
  async #adoptRenamed(candidates: readonly Candidate[]): Promise<void> {
    const { fileSystem, log } = this.#options
    const there = new Set(candidates.map(({ stat }) => stat.inode))
    for (const one of this.#remembered) {
      // It has its name still and could not be opened: that was told.
      if (there.has(one.inode)) continue
      this.#forget(one)
      const directory = dirname(one.path)
      const names = await this.#names(directory, false)
      let found: TrackedFile | undefined
      for (const name of names) {
        const path = join(directory, name)
        const stat = await fileSystem.stat(path)
        if (stat?.inode !== one.inode) continue
        await this.#tried(path, async () => {
          found = await this.#adopt({ path, stat }, one)
        })
      }
      if (found === undefined) {
        log('warn', `${one.path} is gone: what it held above byte ${one.done} is not read`)
        continue
      }
      found.gone = true
      const heir = this.#files.find(file => file.path === one.path)
      if (heir !== undefined) heir.after = found
    }
  }

  // Gone, read to the end, and nobody writes to it any more.
  async #dropStill(): Promise<void> {
    if (!this.#options.settings.tail) return
    for (const file of this.#files) {
      if (!file.gone || file.still < STILL_LOOKS) continue
      if (file.size > file.next && !file.ending) {
        // It has a last line that will never get its end.
        file.ending = true
        file.readTo = -1
      }
      if (file.unread || file.open > 0) continue
      await this.release(file)
      this.#files = this.#files.filter(one => one !== file)
    }
  }

  // ---- troubles

  async #tried(path: string, fn: () => Promise<void | TrackedFile | undefined>): Promise<void> {
    try {
      await fn()
      this.#troubles.delete(path)
    } catch (error) {
      if (this.#first && this.#mustStart(error)) throw asFileError(path, error)
      this.#trouble(path, error)
    }
  }

  // Told the first time, the second, the fourth, the eighth …
  #trouble(path: string, thrown: unknown): void {
    const times = (this.#troubles.get(path) ?? 0) + 1
    this.#troubles.set(path, times)
    if ((times & (times - 1)) !== 0) return
    this.#options.report(asFileError(path, thrown))
  }

  // A run that ends by itself would end without this file. One that follows files looks again, and a file that was in a
  // directory a moment ago may be gone.
  #mustStart(error: unknown): boolean {
    const { tail, where } = this.#options.settings
    if (error instanceof EngineError) return true
    return !tail && !(where.kind === 'directory' && systemCode(error) === 'ENOENT')
  }
}

function asFileError(path: string, thrown: unknown): EngineError {
  return thrown instanceof EngineError ? thrown : fileFailed(path, 'read', thrown)
}

/** A number for a file, the same for each task: FNV-1a of its number on the disk. */
function dealt(inode: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < inode.length; i++) hash = Math.imul(hash ^ inode.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
