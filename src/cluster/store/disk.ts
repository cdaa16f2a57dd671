// The little that the journal needs of a file system, as a seam: tests put a disk in place that is full, breaks, or
// loses what was not yet synced. The real one is a directory.
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

export interface Disk {
  /** For messages. */
  readonly directory: string
  read(name: string): Promise<Buffer | undefined>
  /** The file has this content, whole and durable, or the one from before. */
  replace(name: string, content: Buffer): Promise<void>
  openFile(name: string): Promise<DiskFile>
}

export interface DiskFile {
  write(bytes: Buffer, position: number): Promise<void>
  /** Everything written so far survives a power cut. */
  sync(): Promise<void>
  truncate(bytes: number): Promise<void>
  close(): Promise<void>
}

export function directoryDisk(directory: string): Disk {
  return {
    directory,
    read: name => readIfThere(join(directory, name)),
    replace: (name, content) => replace(directory, name, content),
    openFile: async name => fileOf(await open(join(directory, name), 'r+')),
  }
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

// A rename is atomic, but only durable once the directory is synced; the content must be so before.
async function replace(directory: string, name: string, content: Buffer): Promise<void> {
  const path = join(directory, name)
  const fresh = `${path}.new`
  try {
    const handle = await open(fresh, 'w', 0o600)
    try {
      await writeAll(handle, content, 0)
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    // Half a file would only take room, on a disk that may be full.
    await rm(fresh, { force: true })
    throw error
  }
  await rename(fresh, path)
  const folder = await open(directory, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function fileOf(handle: FileHandle): DiskFile {
  return {
    write: (bytes, position) => writeAll(handle, bytes, position),
    sync: () => handle.datasync(),
    truncate: bytes => handle.truncate(bytes),
    close: () => handle.close(),
  }
}

// One call may write less than it was given, as on a disk that is just getting full.
async function writeAll(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}
