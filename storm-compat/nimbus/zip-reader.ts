// Reads zip files by their central directory, which is what the JVM does with jars: the list of entries first, then any entry
// as a stream. Written against hostile files: every size is checked before it is used, what an entry inflates to is compared
// with what it declared, and nothing is read into memory whole but the directory.
import { createWriteStream } from 'node:fs'
import { type FileHandle, writeFile } from 'node:fs/promises'
import { Readable, Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { crc32, createInflateRaw } from 'node:zlib'
import { EngineError } from 'gearpump'
import { asError } from 'gearpump/spi'

export interface ZipEntry {
  readonly name: string
  readonly bytes: number
  readonly packedBytes: number
  /** Unix permissions and file type, if the maker knew them; else 0. */
  readonly mode: number
  readonly deflated: boolean
  readonly crc: number
  /** Where its local header begins. */
  readonly offset: number
}

/** Central directory in memory: a jar with 200,000 entries has about 20 MB. */
const DIRECTORY_BYTES_MAX = 64 * 1024 * 1024
const ENTRIES_MAX = 200_000
/** End record with the longest comment. */
const TAIL_BYTES = 22 + 65_535
const PIECE_BYTES = 64 * 1024

const SIGNATURE = {
  local: 0x04034b50,
  central: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
} as const
const ENCRYPTED = 1
const STORED = 0
const DEFLATED = 8
const FOUR_BYTES_FULL = 0xffffffff

export function zipInvalid(what: string, cause?: unknown): EngineError {
  return new EngineError('JAR_INVALID', what, {
    hint: 'make the jar again, with any tool that makes zip files',
    ...(cause === undefined ? {} : { cause }),
  })
}

/** Every entry, in the order of the directory. */
export async function readEntries(file: FileHandle): Promise<ZipEntry[]> {
  const { size } = await file.stat()
  const { offset, bytes, count } = await findDirectory(file, size)
  if (count > ENTRIES_MAX)
    throw zipInvalid(`the jar has ${count} entries; ${ENTRIES_MAX} are taken`)
  if (offset + bytes > size) throw zipInvalid('the directory of the jar lies outside of it')
  if (bytes > DIRECTORY_BYTES_MAX) throw zipInvalid(`the directory of the jar has ${bytes} bytes`)
  const directory = await readAt(file, offset, bytes)
  const entries: ZipEntry[] = []
  for (let at = 0; entries.length < count; ) {
    if (at + 46 > bytes || directory.readUInt32LE(at) !== SIGNATURE.central) {
      throw zipInvalid(`the directory of the jar ends after ${entries.length} of ${count} entries`)
    }
    const length = 46 + directory.readUInt16LE(at + 28) + directory.readUInt16LE(at + 30)
    const end = at + length + directory.readUInt16LE(at + 32)
    if (end > bytes) throw zipInvalid('an entry of the jar runs past its directory')
    entries.push(readEntry(directory.subarray(at, at + length)))
    at = end
  }
  return entries
}

async function findDirectory(
  file: FileHandle,
  size: number,
): Promise<{ offset: number; bytes: number; count: number }> {
  const tailBytes = Math.min(size, TAIL_BYTES)
  const tail = await readAt(file, size - tailBytes, tailBytes)
  let at = tail.length - 22
  while (at >= 0 && !isEnd(tail, at)) at--
  if (at < 0) throw zipInvalid('the uploaded file is no jar or zip file')
  const count = tail.readUInt16LE(at + 10)
  const bytes = tail.readUInt32LE(at + 12)
  const offset = tail.readUInt32LE(at + 16)
  const locator = at - 20
  if (locator < 0 || tail.readUInt32LE(locator) !== SIGNATURE.locator64) {
    return { offset, bytes, count }
  }
  const end64At = numberAt(tail, locator + 8)
  if (end64At + 56 > size) throw zipInvalid('the 64-bit end record lies outside of the jar')
  const end64 = await readAt(file, end64At, 56)
  if (end64.readUInt32LE(0) !== SIGNATURE.end64)
    throw zipInvalid('the 64-bit end record is damaged')
  return { count: numberAt(end64, 32), bytes: numberAt(end64, 40), offset: numberAt(end64, 48) }
}

function isEnd(tail: Buffer, at: number): boolean {
  if (tail.readUInt32LE(at) !== SIGNATURE.end) return false
  return at + 22 + tail.readUInt16LE(at + 20) === tail.length
}

function readEntry(record: Buffer): ZipEntry {
  const flags = record.readUInt16LE(8)
  const method = record.readUInt16LE(10)
  const nameEnd = 46 + record.readUInt16LE(28)
  const name = record.toString('utf8', 46, nameEnd)
  if ((flags & ENCRYPTED) !== 0) throw zipInvalid(`the entry ${shown(name)} is encrypted`)
  if (method !== STORED && method !== DEFLATED) {
    throw zipInvalid(`the entry ${shown(name)} is packed in a way (${method}) that jars do not use`)
  }
  const sizes = [record.readUInt32LE(24), record.readUInt32LE(20), record.readUInt32LE(42)]
  const [bytes, packedBytes, offset] = widened(sizes, record.subarray(nameEnd), name)
  const unix = record.readUInt8(5) === 3
  return {
    name,
    bytes: bytes!,
    packedBytes: packedBytes!,
    offset: offset!,
    crc: record.readUInt32LE(16),
    mode: unix ? record.readUInt16LE(40) : 0,
    deflated: method === DEFLATED,
  }
}

// Numbers that do not fit into four bytes stand in an extra field of kind 1, in this order, each only if needed.
function widened(sizes: readonly number[], extra: Buffer, name: string): number[] {
  if (!sizes.includes(FOUR_BYTES_FULL)) return [...sizes]
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue
    let from = at + 4
    return sizes.map(size => {
      if (size !== FOUR_BYTES_FULL) return size
      if (from + 8 > extra.length) throw zipInvalid(`the sizes of ${shown(name)} are cut off`)
      from += 8
      return numberAt(extra, from - 8)
    })
  }
  throw zipInvalid(`the sizes of ${shown(name)} are missing`)
}

/** Writes an entry to a new file. Throws if a file is there, or if the content is not what the directory says. */
export async function unpack(
  file: FileHandle,
  entry: ZipEntry,
  target: string,
  mode: number,
): Promise<void> {
  if (entry.bytes === 0) return writeFile(target, '', { flag: 'wx', mode })
  await unpackInto(file, entry, createWriteStream(target, { flags: 'wx', mode }))
}

/** An entry in memory. Throws if it is longer than `bytesMax`, or is not what the directory says. */
export async function contentOf(
  file: FileHandle,
  entry: ZipEntry,
  bytesMax: number,
): Promise<Buffer> {
  if (entry.bytes > bytesMax) {
    throw zipInvalid(
      `the entry ${shown(entry.name)} has ${entry.bytes} bytes; ${bytesMax} are taken`,
    )
  }
  const pieces: Buffer[] = []
  const output = new Writable({
    write: (piece: Buffer, _, done) => {
      pieces.push(piece)
      done()
    },
  })
  await unpackInto(file, entry, output)
  return Buffer.concat(pieces)
}

async function unpackInto(file: FileHandle, entry: ZipEntry, output: Writable): Promise<void> {
  const local = await readAt(file, entry.offset, 30)
  if (local.length < 30 || local.readUInt32LE(0) !== SIGNATURE.local) {
    throw zipInvalid(`the entry ${shown(entry.name)} is not where the directory says`)
  }
  const start = entry.offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28)
  const packed = Readable.from(piecesOf(file, start, entry.packedBytes))
  try {
    const check = new ContentCheck(entry)
    if (entry.deflated) await pipeline(packed, createInflateRaw(), check, output)
    else await pipeline(packed, check, output)
  } catch (error) {
    if (error instanceof EngineError) throw error
    throw zipInvalid(`the entry ${shown(entry.name)}: ${asError(error).message}`, error)
  }
}

/** Lets pass what an entry declared, byte for byte, and no more. */
class ContentCheck extends Transform {
  readonly #entry: ZipEntry
  #bytes = 0
  #crc = 0

  constructor(entry: ZipEntry) {
    super()
    this.#entry = entry
  }

  override _transform(chunk: Buffer, _: string, done: (error: Error | null, out?: Buffer) => void) {
    this.#bytes += chunk.length
    if (this.#bytes > this.#entry.bytes) {
      done(zipInvalid(`the entry ${shown(this.#entry.name)} is larger than it declares`))
      return
    }
    this.#crc = crc32(chunk, this.#crc)
    done(null, chunk)
  }

  override _flush(done: (error?: Error | null) => void): void {
    const { bytes, crc, name } = this.#entry
    const whole = this.#bytes === bytes && this.#crc === crc
    done(whole ? null : zipInvalid(`the entry ${shown(name)} is damaged`))
  }
}

// A stream of the handle would leave a listener on it, one per entry.
async function* piecesOf(file: FileHandle, start: number, length: number): AsyncGenerator<Buffer> {
  for (let read = 0; read < length; ) {
    const piece = await readAt(file, start + read, Math.min(PIECE_BYTES, length - read))
    if (piece.length === 0) return
    read += piece.length
    yield piece
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  const { bytesRead } = await file.read(bytes, 0, length, position)
  return bytes.subarray(0, bytesRead)
}

function numberAt(bytes: Buffer, at: number): number {
  const number = bytes.readBigUInt64LE(at)
  return number > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(number)
}

/** An entry's name as an error may repeat it. */
export function shown(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 120)}…` : name)
}
