// The files as the connectors see them: few operations, all asynchronous, so that a test can put its own in place, with a
// disk that is full or a machine that loses what was not synced. What may go wrong is told by the codes of the system
// (`ENOENT`, `ENOSPC`, …) on the errors thrown.
import { constants, promises } from 'node:fs'

export interface FileStat {
  /** Number of the file on its disk, whatever it is called; a string, as it may be beyond 2^53. */
  readonly inode: string
  readonly size: number
  /** Changes whenever the file is written to. */
  readonly modified: string
  readonly isFile: boolean
}

export interface OpenFile {
  stat(): Promise<FileStat>
  /** Reads up to `length` bytes into `buffer` at `at`. Returns how many; 0 = end of the file. */
  read(buffer: Buffer, at: number, length: number, offset: number): Promise<number>
  /** Writes all of `bytes` at `offset`. When it rejects, some of them may have been written. */
  write(bytes: Uint8Array, offset: number): Promise<void>
  /** What was written is on the disk when this resolves. */
  sync(): Promise<void>
  truncate(size: number): Promise<void>
  close(): Promise<void>
}

export interface FileSystem {
  /** Undefined: there is none. */
  stat(path: string): Promise<FileStat | undefined>
  /** Names in a directory. */
  list(directory: string): Promise<readonly string[]>
  open(path: string, mode: 'read' | 'change' | 'create'): Promise<OpenFile>
  /** Gives a file another name. Returns false when that name is taken: nothing is ever written over. */
  rename(from: string, to: string): Promise<boolean>
  remove(path: string): Promise<void>
  makeDirectory(directory: string): Promise<void>
  /** Names made and changed in a directory are on the disk when this resolves. */
  syncDirectory(directory: string): Promise<void>
}

const FLAGS = {
  read: constants.O_RDONLY,
  change: constants.O_RDWR,
  // Fails when it is there.
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
} as const

export const realFileSystem: FileSystem = {
  stat: async path => {
    try {
      return statOf(await promises.stat(path, { bigint: true }))
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined
      throw error
    }
  },
  list: directory => promises.readdir(directory),
  open: async (path, mode) => openFile(await promises.open(path, FLAGS[mode])),
  rename: async (from, to) => {
    try {
      // A second name, then the first one away: unlike rename(2) this refuses a name that is taken.
      await promises.link(from, to)
    } catch (error) {
      const code = systemCode(error)
      if (code === 'EEXIST') return false
      if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error
      return renameWithoutLinks(from, to)
    }
    await promises.unlink(from)
    return true
  },
  remove: path => promises.rm(path, { force: true }),
  makeDirectory: async directory => void (await promises.mkdir(directory, { recursive: true })),
  syncDirectory: async directory => {
    const handle = await promises.open(directory, constants.O_RDONLY)
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
}

/** The system's code of an error: `ENOSPC`; undefined when it has none. */
export function systemCode(error: unknown): string | undefined {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : undefined
}

// Some file systems know no second names. The name is this task's own, so nobody takes it in between.
async function renameWithoutLinks(from: string, to: string): Promise<boolean> {
  if ((await realFileSystem.stat(to)) !== undefined) return false
  await promises.rename(from, to)
  return true
}

interface BigStat {
  readonly ino: bigint
  readonly size: bigint
  readonly mtimeNs: bigint
  isFile(): boolean
}

function statOf(stat: BigStat): FileStat {
  return {
    inode: String(stat.ino),
    size: Number(stat.size),
    modified: String(stat.mtimeNs),
    isFile: stat.isFile(),
  }
}

function openFile(handle: promises.FileHandle): OpenFile {
  return {
    stat: async () => statOf(await handle.stat({ bigint: true })),
    read: async (buffer, at, length, offset) =>
      (await handle.read(buffer, at, length, offset)).bytesRead,
    write: async (bytes, offset) => {
      for (let from = 0; from < bytes.length; ) {
        const length = bytes.length - from
        from += (await handle.write(bytes, from, length, offset + from)).bytesWritten
      }
    },
    sync: () => handle.datasync(),
    truncate: size => handle.truncate(size),
    close: () => handle.close(),
  }
}
