// Files in memory for tests of the file connectors: a disk that can be full or broken, and a machine whose crash loses what
// was not synced. Every operation takes one turn of the microtask queue.
import type { FileStat, FileSystem, OpenFile } from '../../../../connectors/file/file-system.ts'

interface Inode {
  readonly number: string
  bytes: Buffer
  /** What is on the disk: survives `crash`. */
  synced: Buffer
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}

export class MemoryFiles implements FileSystem {
  readonly #files = new Map<string, Inode>()
  #syncedNames = new Map<string, Inode>()
  readonly #directories = new Set<string>()
  #nextInode = 100
  /** Handles that are open now. */
  handles = 0
  readonly counts = { writes: 0, syncs: 0, reads: 0 }
  /** Bytes that still fit; each byte written takes one. */
  room = Number.POSITIVE_INFINITY
  #life = 0
  readonly #processes = new Map<string, object>()
  /** Operations of a `process` that still have an effect. */
  stepsLeft = Number.POSITIVE_INFINITY
  /** Throws to let an operation fail. */
  fault: (what: string, path: string) => void = () => undefined

  constructor(...directories: string[]) {
    for (const directory of directories) this.#directories.add(directory)
  }

  // ---- for the test

  names(): string[] {
    return [...this.#files.keys()].sort()
  }

  text(path: string): string {
    return this.#files.get(path)?.bytes.toString('utf8') ?? ''
  }

  put(path: string, text: string | Buffer): void {
    const bytes = Buffer.from(text)
    const file = this.#files.get(path)
    if (file !== undefined) file.bytes = bytes
    else this.#files.set(path, this.#inode(bytes))
  }

  append(path: string, text: string): void {
    this.put(
      path,
      Buffer.concat([this.#files.get(path)?.bytes ?? Buffer.alloc(0), Buffer.from(text)]),
    )
  }

  move(from: string, to: string): void {
    this.#files.set(to, this.#files.get(from)!)
    this.#files.delete(from)
  }

  /** A second name for the same file. */
  alias(path: string, other: string): void {
    this.#files.set(other, this.#files.get(path)!)
  }

  delete(path: string): void {
    this.#files.delete(path)
  }

  /** The machine stops: names and bytes that were not synced are lost, but for the first `kept` bytes of each file. */
  crash(kept = 0): void {
    this.#files.clear()
    for (const [name, inode] of this.#syncedNames) {
      inode.bytes = Buffer.concat([
        inode.synced,
        inode.bytes.subarray(inode.synced.length).subarray(0, kept),
      ])
      this.#files.set(name, inode)
    }
    this.handles = 0
    this.stepsLeft = Number.POSITIVE_INFINITY
    this.#life++
  }

  /**
   * These files as one process has them: after the next `crash`, or when another of the same name is made, nothing that it
   * does has an effect, or an end.
   */
  process(name?: string): FileSystem {
    const life = this.#life
    const own = {}
    if (name !== undefined) this.#processes.set(name, own)
    const lives = () =>
      this.#life === life && (name === undefined || this.#processes.get(name) === own)
    const alive = <T>(value: T) =>
      lives() && this.stepsLeft > 0 ? value : new Promise<never>(() => undefined)
    const tamed = <T extends object>(target: T): T =>
      new Proxy(target, {
        get: (_, name) => {
          const method = target[name as keyof T] as unknown as (...args: unknown[]) => unknown
          // What it gives must not look like a promise.
          if (method === undefined) return undefined
          return async (...args: unknown[]) => {
            await alive(undefined)
            this.stepsLeft--
            const result = await alive(await method.apply(target, args))
            return name === 'open' ? tamed(result as object) : result
          }
        },
      })
    return tamed<FileSystem>(this)
  }

  #inode(bytes: Buffer): Inode {
    return { number: String(this.#nextInode++), bytes, synced: bytes }
  }

  // ---- as a FileSystem

  async stat(path: string): Promise<FileStat | undefined> {
    this.fault('stat', path)
    const file = this.#files.get(path)
    return file === undefined ? undefined : statOf(file)
  }

  async list(directory: string): Promise<readonly string[]> {
    this.fault('list', directory)
    if (!this.#directories.has(directory)) throw systemError('ENOENT', directory)
    const within = [...this.#files.keys()].filter(path => path.startsWith(`${directory}/`))
    return within.map(path => path.slice(directory.length + 1))
  }

  async open(path: string, mode: 'read' | 'change' | 'create'): Promise<OpenFile> {
    this.fault('open', path)
    let file = this.#files.get(path)
    if (mode === 'create') {
      if (file !== undefined) throw systemError('EEXIST', path)
      file = this.#inode(Buffer.alloc(0))
      this.#files.set(path, file)
    }
    if (file === undefined) throw systemError('ENOENT', path)
    return this.#handle(path, file)
  }

  async rename(from: string, to: string): Promise<boolean> {
    this.fault('rename', from)
    if (this.#files.has(to)) return false
    if (!this.#files.has(from)) throw systemError('ENOENT', from)
    this.move(from, to)
    return true
  }

  async remove(path: string): Promise<void> {
    this.fault('remove', path)
    this.#files.delete(path)
  }

  async makeDirectory(directory: string): Promise<void> {
    this.#directories.add(directory)
  }

  async syncDirectory(directory: string): Promise<void> {
    this.fault('syncDirectory', directory)
    this.#syncedNames = new Map(this.#files)
  }

  #handle(path: string, file: Inode): OpenFile {
    this.handles++
    let open = true
    const check = (what: string) => {
      if (!open) throw new Error(`${what} after close: ${path}`)
      this.fault(what, path)
    }
    return {
      stat: async () => {
        check('stat')
        return statOf(file)
      },
      read: async (buffer, at, length, offset) => {
        check('read')
        this.counts.reads++
        return file.bytes.copy(buffer, at, offset, Math.min(offset + length, file.bytes.length))
      },
      write: async (bytes, offset) => {
        check('write')
        this.counts.writes++
        const fits = Math.min(bytes.length, this.room)
        this.room -= fits
        file.bytes = Buffer.concat([
          file.bytes.subarray(0, offset),
          bytes.subarray(0, fits),
          file.bytes.subarray(offset + fits),
        ])
        if (fits < bytes.length) throw systemError('ENOSPC', path)
      },
      sync: async () => {
        check('sync')
        this.counts.syncs++
        file.synced = file.bytes
      },
      truncate: async size => {
        check('truncate')
        file.bytes = file.bytes.subarray(0, size)
      },
      close: async () => {
        check('close')
        open = false
        this.handles--
      },
    }
  }
}

const times = new WeakMap<Buffer, string>()
let nextTime = 1

// Each change puts another buffer in place.
function modifiedOf(bytes: Buffer): string {
  const time = times.get(bytes) ?? String(nextTime++)
  times.set(bytes, time)
  return time
}

function statOf(file: Inode): FileStat {
  const { number, bytes } = file
  return { inode: number, size: bytes.length, modified: modifiedOf(bytes), isFile: true }
}
