// Reads the directory of a zip, which stands at its end, and refuses what is broken or meant to do harm before a single
// byte is unpacked: names that lead out of the directory or are one name on some hosts, links, devices, encrypted
// entries, sizes beyond the limits, and a small file that claims to be a huge one.
import type { FileHandle } from 'node:fs/promises'
import {
  type BundleLimits,
  CENTRAL_BYTES,
  CENTRAL_SIGNATURE,
  COMMENT_BYTES_MAX,
  corrupt,
  DEFLATED,
  END_BYTES,
  END_SIGNATURE,
  FLAGS_SECRET,
  LOCAL_BYTES,
  LOCAL_SIGNATURE,
  NameSet,
  nameFault,
  STORED,
  type ZipEntry,
} from './zip-format.ts'

/** The directory is held in memory: names and headers of 65,000 files are a tenth of it. */
const DIRECTORY_BYTES_MAX = 64 << 20
/** Text packs to a twentieth. Only what is made to be huge packs to less than this. */
const RATIO_MAX = 200
/** Below this size no ratio does harm: an empty log of zeros is no attack. */
const RATIO_FREE_BYTES = 16 << 20

const UNIX = 3
const TYPE_MASK = 0o170000
const REGULAR_FILE = 0o100000
const DIRECTORY = 0o040000

export interface Archive {
  /** For messages. */
  readonly path: string
  readonly file: FileHandle
  readonly sizeBytes: number
}

interface EndRecord {
  readonly entries: number
  readonly offset: number
  readonly directoryBytes: number
}

/** The entries that `isWanted`, in the order in which they lie in the file. Directories are checked and left out. */
export async function readDirectory(
  archive: Archive,
  limits: BundleLimits,
  isWanted: (name: string) => boolean,
): Promise<ZipEntry[]> {
  const fail = (reason: string) => corrupt(archive.path, reason)
  if (archive.sizeBytes > limits.totalBytes)
    throw fail(`it has ${archive.sizeBytes} bytes; the limit is ${limits.totalBytes}`)
  const end = await readEnd(archive)
  const bytes = await readExactly(archive, end.offset, end.directoryBytes)
  const entries: ZipEntry[] = []
  const names = new NameSet()
  let at = 0
  for (let i = 0; i < end.entries; i++) {
    const { entry, nextAt } = readEntry(archive.path, bytes, at)
    at = nextAt
    if (!isWanted(entry.name)) continue
    const clash = names.add(entry.name)
    if (clash !== undefined)
      throw fail(`"${entry.name}" and "${clash}" would be one file on some hosts`)
    if (!entry.name.endsWith('/')) entries.push(entry)
    else if (entry.sizeBytes > 0) throw fail(`the directory "${entry.name}" has content`)
  }
  if (at !== bytes.length) throw fail('its directory is longer than its entries')
  checkSizes(archive, entries, limits)
  return entries.sort((a, b) => a.offset - b.offset)
}

/** Where the content of an entry begins. Checks that the header before it says the same as the directory. */
export async function contentOffset(archive: Archive, entry: ZipEntry): Promise<number> {
  const header = await readExactly(archive, entry.offset, LOCAL_BYTES)
  const nameBytes = header.readUInt16LE(26)
  const start = entry.offset + LOCAL_BYTES + nameBytes + header.readUInt16LE(28)
  const isSame =
    header.readUInt32LE(0) === LOCAL_SIGNATURE &&
    header.readUInt16LE(8) === entry.method &&
    (await readExactly(archive, entry.offset + LOCAL_BYTES, nameBytes)).equals(
      Buffer.from(entry.name),
    )
  if (!isSame)
    throw corrupt(archive.path, `the header of "${entry.name}" is not as its directory says`)
  return start
}

async function readEnd(archive: Archive): Promise<EndRecord> {
  const fail = (reason: string) => corrupt(archive.path, reason)
  const tailBytes = Math.min(archive.sizeBytes, END_BYTES + COMMENT_BYTES_MAX)
  const tail = await readExactly(archive, archive.sizeBytes - tailBytes, tailBytes)
  let at = tail.length - END_BYTES
  while (at >= 0 && !isEnd(tail, at)) at--
  if (at < 0) throw fail('it is no zip or jar, or it is truncated: its end record is not there')
  const entries = tail.readUInt16LE(at + 10)
  const directoryBytes = tail.readUInt32LE(at + 12)
  const offset = tail.readUInt32LE(at + 16)
  if (entries === 0xffff || offset === 0xffffffff) throw fail('it is a zip in the 64-bit form')
  const isWhole = tail.readUInt16LE(at + 4) === 0 && tail.readUInt16LE(at + 8) === entries
  if (!isWhole) throw fail('it is one part of several')
  if (offset + directoryBytes !== archive.sizeBytes - tailBytes + at)
    throw fail('its directory is not where its end record says')
  if (directoryBytes > DIRECTORY_BYTES_MAX)
    throw fail(`its directory has more than ${DIRECTORY_BYTES_MAX} bytes`)
  return { entries, directoryBytes, offset }
}

// The signature may stand in a comment as well; only the true one's comment reaches to the end.
function isEnd(tail: Buffer, at: number): boolean {
  return (
    tail.readUInt32LE(at) === END_SIGNATURE &&
    tail.readUInt16LE(at + 20) === tail.length - at - END_BYTES
  )
}

function readEntry(path: string, bytes: Buffer, at: number): { entry: ZipEntry; nextAt: number } {
  const nameAt = at + CENTRAL_BYTES
  if (nameAt > bytes.length || bytes.readUInt32LE(at) !== CENTRAL_SIGNATURE)
    throw corrupt(path, 'its directory ends too early, or is altered')
  const nameEnd = nameAt + bytes.readUInt16LE(at + 28)
  const nextAt = nameEnd + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32)
  if (nextAt > bytes.length) throw corrupt(path, 'its directory ends too early')
  const name = decoded(bytes.subarray(nameAt, nameEnd))
  if (name === undefined) throw corrupt(path, 'the name of an entry is not UTF-8')
  const fail = (reason: string) => corrupt(path, `the name "${name}" ${reason}`)
  const fault = nameFault(name)
  if (fault !== undefined) throw fail(fault)
  const method = bytes.readUInt16LE(at + 10)
  if ((bytes.readUInt16LE(at + 8) & FLAGS_SECRET) !== 0) throw fail('is of an encrypted entry')
  if (method !== STORED && method !== DEFLATED)
    throw fail(`is of an entry packed by method ${method}, which is not read here`)
  const isUnix = bytes[at + 5] === UNIX
  const mode = isUnix ? bytes.readUInt16LE(at + 40) : 0
  const type = mode & TYPE_MASK
  // Archivers that know no types leave it 0, and some call a directory a file; then its name says what it is.
  const isPlain = type === 0 || type === REGULAR_FILE || (type === DIRECTORY && name.endsWith('/'))
  if (!isPlain) throw fail('is of a link or a device, not of a file')
  const entry: ZipEntry = {
    name,
    executable: (mode & 0o111) !== 0,
    method,
    crc: bytes.readUInt32LE(at + 16),
    packedBytes: bytes.readUInt32LE(at + 20),
    sizeBytes: bytes.readUInt32LE(at + 24),
    offset: bytes.readUInt32LE(at + 42),
  }
  if (method === STORED && entry.packedBytes !== entry.sizeBytes)
    throw fail('is of a stored entry with two sizes')
  return { entry, nextAt }
}

function decoded(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8')
  return Buffer.from(text).equals(bytes) ? text : undefined
}

function checkSizes(archive: Archive, entries: readonly ZipEntry[], limits: BundleLimits): void {
  const fail = (reason: string) => corrupt(archive.path, reason)
  if (entries.length > limits.files)
    throw fail(`it has ${entries.length} files; the limit is ${limits.files}`)
  let totalBytes = 0
  for (const { name, sizeBytes } of entries) {
    if (sizeBytes > limits.fileBytes)
      throw fail(`"${name}" has ${sizeBytes} bytes; the limit is ${limits.fileBytes}`)
    totalBytes += sizeBytes
  }
  if (totalBytes > limits.totalBytes)
    throw fail(`it would unpack to ${totalBytes} bytes; the limit is ${limits.totalBytes}`)
  if (totalBytes > RATIO_FREE_BYTES && totalBytes > archive.sizeBytes * RATIO_MAX)
    throw fail(`${archive.sizeBytes} bytes would unpack to ${totalBytes}, as only a bomb does`)
}

async function readExactly(archive: Archive, offset: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes)
  let length = 0
  while (length < bytes) {
    const { bytesRead } = await archive.file.read(buffer, length, bytes - length, offset + length)
    if (bytesRead === 0) throw corrupt(archive.path, 'it is truncated')
    length += bytesRead
  }
  return buffer
}
