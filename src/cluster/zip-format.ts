// The parts of the zip format that bundles need: the records as bytes, and the rules for names. A bundle of ours is a zip
// whose files are stored, not deflated: what a deflater gives differs between versions of zlib, and then the same
// directory would have two hashes. Zip64, encryption and anything but stored and deflated is refused: no bundle within
// the limits needs it.
import { EngineError } from '../base/errors.ts'

export const LOCAL_BYTES = 30
export const CENTRAL_BYTES = 46
export const END_BYTES = 22
/** A comment may follow the end record. */
export const COMMENT_BYTES_MAX = 0xffff

/** Beyond these a zip needs its 64-bit form. */
export const ZIP_ENTRIES_MAX = 0xffff - 1
export const ZIP_BYTES_MAX = 0xffffffff - 1

export const STORED = 0
export const DEFLATED = 8

export const LOCAL_SIGNATURE = 0x04034b50
export const CENTRAL_SIGNATURE = 0x02014b50
export const END_SIGNATURE = 0x06054b50

/** The name is UTF-8. */
export const FLAG_UTF8 = 1 << 11
/** Encrypted in one of three ways. */
export const FLAGS_SECRET = (1 << 0) | (1 << 6) | (1 << 13)

/** 1980-01-01, the first day that the format knows: no bundle depends on when it was made. */
const FIRST_DAY = 0x0021
const UNIX = 3
const VERSION = 20
const REGULAR_FILE = 0o100000

export interface ZipEntry {
  /** With `/` between the parts; a directory ends with it. */
  readonly name: string
  readonly executable: boolean
  readonly method: number
  readonly crc: number
  readonly packedBytes: number
  readonly sizeBytes: number
  /** Of the local header. */
  readonly offset: number
}

export function localHeader(entry: ZipEntry): Buffer {
  const name = Buffer.from(entry.name)
  const header = Buffer.alloc(LOCAL_BYTES)
  header.writeUInt32LE(LOCAL_SIGNATURE, 0)
  header.writeUInt16LE(VERSION, 4)
  writeCommon(header, 6, entry, name.length)
  return Buffer.concat([header, name])
}

export function centralHeader(entry: ZipEntry): Buffer {
  const name = Buffer.from(entry.name)
  const header = Buffer.alloc(CENTRAL_BYTES)
  header.writeUInt32LE(CENTRAL_SIGNATURE, 0)
  header.writeUInt16LE((UNIX << 8) | VERSION, 4)
  header.writeUInt16LE(VERSION, 6)
  writeCommon(header, 8, entry, name.length)
  const mode = REGULAR_FILE | (entry.executable ? 0o755 : 0o644)
  header.writeUInt32LE(mode * 0x10000, 38)
  header.writeUInt32LE(entry.offset, 42)
  return Buffer.concat([header, name])
}

// Flags, method, time, day, checksum, both sizes and the length of the name stand in this order in both headers.
function writeCommon(header: Buffer, at: number, entry: ZipEntry, nameBytes: number): void {
  header.writeUInt16LE(FLAG_UTF8, at)
  header.writeUInt16LE(entry.method, at + 2)
  header.writeUInt16LE(FIRST_DAY, at + 6)
  header.writeUInt32LE(entry.crc, at + 8)
  header.writeUInt32LE(entry.packedBytes, at + 12)
  header.writeUInt32LE(entry.sizeBytes, at + 16)
  header.writeUInt16LE(nameBytes, at + 20)
}

export function endRecord(entries: number, directoryBytes: number, offset: number): Buffer {
  const record = Buffer.alloc(END_BYTES)
  record.writeUInt32LE(END_SIGNATURE, 0)
  record.writeUInt16LE(entries, 8)
  record.writeUInt16LE(entries, 10)
  record.writeUInt32LE(directoryBytes, 12)
  record.writeUInt32LE(offset, 16)
  return record
}

/** File systems take no longer ones. */
const PART_BYTES_MAX = 255
const NAME_BYTES_MAX = 4096

/** Why a name cannot be unpacked on every host, or undefined. */
export function nameFault(name: string): string | undefined {
  if (Buffer.byteLength(name) > NAME_BYTES_MAX) return `is longer than ${NAME_BYTES_MAX} bytes`
  if (name.startsWith('/')) return 'is an absolute path'
  if (/^[a-zA-Z]:/.test(name)) return 'begins with a drive letter'
  if (name.includes('\\')) return 'has a backslash, which is a separator on some hosts'
  if ([...name].some(c => c < ' ' || c === '\x7f')) return 'has a control character'
  for (const part of name.replace(/\/$/, '').split('/')) {
    if (part === '..') return 'leads out of the directory'
    if (part === '' || part === '.') return 'has an empty part'
    if (Buffer.byteLength(part) > PART_BYTES_MAX)
      return `has a part of over ${PART_BYTES_MAX} bytes`
  }
  return undefined
}

/** Finds names that are the same file, or a file and a directory, where case or the form of accents does not count. */
export class NameSet {
  readonly #spellings = new Map<string, { readonly name: string; readonly isFile: boolean }>()

  /** The name that is in the way, or undefined. */
  add(name: string): string | undefined {
    const isDirectory = name.endsWith('/')
    const parts = name.replace(/\/$/, '').split('/')
    for (let length = 1; length <= parts.length; length++) {
      const path = parts.slice(0, length).join('/')
      const isFile = length === parts.length && !isDirectory
      const folded = path.normalize('NFC').toLowerCase()
      const there = this.#spellings.get(folded)
      if (there === undefined) this.#spellings.set(folded, { name: path, isFile })
      else if (isFile || there.isFile || there.name !== path) return there.name
    }
    return undefined
  }
}

export interface BundleLimits {
  readonly files: number
  readonly fileBytes: number
  /** Packed, and unpacked. */
  readonly totalBytes: number
}

/** A project with its packages is a tenth of it; settings `blobs.*` change them. */
export const DEFAULT_LIMITS: BundleLimits = {
  files: 50_000,
  fileBytes: 256 << 20,
  totalBytes: 512 << 20,
}

export function corrupt(archive: string, reason: string, cause?: unknown): EngineError {
  return new EngineError('BUNDLE_CORRUPT', `${archive} cannot be unpacked: ${reason}`, { cause })
}
