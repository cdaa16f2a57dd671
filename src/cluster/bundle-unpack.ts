// Unpacks a bundle on a worker. The archive came over a network, so nothing in it is believed: the directory of the zip is
// checked first (zip-directory.ts), then each file's header, size and checksum while it is written. All goes into a new
// directory beside the target, which takes the target's name at the very end: there is the whole bundle or none of it.
//
// The files are not forced to the disk one by one, which would take minutes for a large bundle. After a power loss unpack
// anew: the blob store is what lasts.
import { createReadStream } from 'node:fs'
import { lstat, mkdir, mkdtemp, open, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { crc32, createInflateRaw } from 'node:zlib'
import { asError, EngineError } from '../base/errors.ts'
import { hashOfFile } from './blob-store.ts'
import { type Archive, contentOffset, readDirectory } from './zip-directory.ts'
import { type BundleLimits, corrupt, DEFAULT_LIMITS, STORED, type ZipEntry } from './zip-format.ts'
import { writeAll } from './zip-writer.ts'

export interface UnpackOptions {
  readonly limits?: BundleLimits
  /** What the archive's content must be; checked before anything else. */
  readonly hash?: string
  /** Only what is below this directory, such as `resources/` of a jar. The rest is not even checked for its names. */
  readonly below?: string
}

/**
 * Unpacks `archive` (a bundle, zip or jar) into `directory`, which must not be there yet. Throws BUNDLE_CORRUPT with
 * the reason, and leaves nothing behind.
 */
export async function unpackBundle(
  archive: string,
  directory: string,
  options: UnpackOptions = {},
): Promise<void> {
  const { hash } = options
  await refuseExisting(directory)
  if (hash !== undefined && (await hashOfFile(archive)) !== hash)
    throw corrupt(archive, `its content is not that of ${hash}`)
  await mkdir(dirname(resolve(directory)), { recursive: true })
  // Only the user who runs this process may read it.
  const temporary = await mkdtemp(`${resolve(directory)}${UNPACKING}`)
  try {
    await unpackInto(temporary, archive, options)
    await rename(temporary, directory)
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    throw error
  }
}

/** Ends the name of a directory that is not whole; what a process that died has left may be removed. */
export const UNPACKING = '.unpacking-'

async function unpackInto(
  directory: string,
  archive: string,
  { limits = DEFAULT_LIMITS, below = '' }: UnpackOptions,
): Promise<void> {
  const file = await open(archive, 'r')
  try {
    const { size: sizeBytes } = await file.stat()
    const opened: Archive = { path: archive, file, sizeBytes }
    const entries = await readDirectory(opened, limits, name => name.startsWith(below))
    await unpackAll(opened, entries, directory)
  } finally {
    await file.close()
  }
}

async function refuseExisting(directory: string): Promise<void> {
  const found = await lstat(directory).catch(asError)
  if (found instanceof Error) return
  throw new EngineError(
    'BAD_INPUT',
    `${directory} is there already; a bundle makes its own directory`,
  )
}

// In the order of the file, so that entries which share bytes are noticed: a bomb may list the same ones many times.
async function unpackAll(
  archive: Archive,
  entries: readonly ZipEntry[],
  directory: string,
): Promise<void> {
  const made = new Set<string>()
  let freeFrom = 0
  for (const entry of entries) {
    if (entry.offset < freeFrom)
      throw corrupt(archive.path, `"${entry.name}" lies on the same bytes as another entry`)
    const start = await contentOffset(archive, entry)
    freeFrom = start + entry.packedBytes
    if (freeFrom > archive.sizeBytes) throw corrupt(archive.path, `"${entry.name}" is truncated`)
    const path = join(directory, ...entry.name.split('/'))
    const parent = dirname(path)
    if (!made.has(parent)) await mkdir(parent, { recursive: true })
    made.add(parent)
    await unpackEntry(archive, entry, start, path)
  }
}

async function unpackEntry(
  archive: Archive,
  entry: ZipEntry,
  start: number,
  path: string,
): Promise<void> {
  const target = await open(path, 'wx', entry.executable ? 0o755 : 0o644)
  let crc = 0
  let sizeBytes = 0
  try {
    for await (const chunk of contentOf(archive, entry, start)) {
      if (sizeBytes + chunk.length > entry.sizeBytes)
        throw corrupt(archive.path, `"${entry.name}" is larger than its directory says`)
      await writeAll(target, chunk, sizeBytes)
      crc = crc32(chunk, crc)
      sizeBytes += chunk.length
    }
  } catch (thrown) {
    const { code = '', message } = asError(thrown) as NodeJS.ErrnoException
    // What the inflater says of bytes that it cannot read; a full disk is another matter.
    if (code.startsWith('Z_')) throw corrupt(archive.path, `"${entry.name}": ${message}`, thrown)
    throw thrown
  } finally {
    await target.close()
  }
  if (sizeBytes !== entry.sizeBytes || crc !== entry.crc)
    throw corrupt(
      archive.path,
      `"${entry.name}" is altered: its checksum or size is not the one it should have`,
    )
}

function contentOf(archive: Archive, entry: ZipEntry, start: number): AsyncIterable<Buffer> {
  if (entry.packedBytes === 0 && entry.method === STORED) return Readable.from([])
  const packed = createReadStream(archive.path, {
    start,
    end: start + Math.max(entry.packedBytes, 1) - 1,
  })
  if (entry.method === STORED) return packed
  const inflate = createInflateRaw()
  packed.once('error', error => inflate.destroy(error))
  inflate.once('close', () => packed.destroy())
  return packed.pipe(inflate)
}
