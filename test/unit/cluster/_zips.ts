// Zips made to measure, right and wrong ones.
import { crc32, deflateRawSync } from 'node:zlib'
import {
  centralHeader,
  DEFLATED,
  endRecord,
  localHeader,
  STORED,
  type ZipEntry,
} from '../../../src/cluster/zip-format.ts'

export interface Made {
  readonly name: string
  readonly content?: string | Buffer
  readonly deflated?: boolean
  /** What the headers say instead of the truth. */
  readonly lie?: Partial<ZipEntry>
  /** What the local header says instead. */
  readonly localLie?: Partial<ZipEntry>
  /** Unix mode in the directory. */
  readonly mode?: number
  readonly flags?: number
  /** In the directory, after the name. */
  readonly comment?: string
}

export function zipOf(files: readonly Made[]): Buffer {
  const parts: Buffer[] = []
  const central: Buffer[] = []
  let offset = 0
  for (const {
    name,
    content = '',
    deflated = false,
    lie,
    localLie,
    mode,
    flags,
    comment = '',
  } of files) {
    const plain = Buffer.from(content)
    const packed = deflated ? deflateRawSync(plain) : plain
    const entry: ZipEntry = {
      name,
      executable: false,
      method: deflated ? DEFLATED : STORED,
      crc: crc32(plain),
      packedBytes: packed.length,
      sizeBytes: plain.length,
      offset,
      ...lie,
    }
    const header = centralHeader(entry)
    if (name.endsWith('/')) header.writeUInt32LE(0o040755 * 0x10000, 38)
    if (mode !== undefined) header.writeUInt32LE(mode * 0x10000, 38)
    if (flags !== undefined) header.writeUInt16LE(flags, 8)
    header.writeUInt16LE(comment.length, 32)
    central.push(header, Buffer.from(comment))
    const local = localHeader({ ...entry, ...localLie })
    parts.push(local, packed)
    offset += local.length + packed.length
  }
  const directory = Buffer.concat(central)
  return Buffer.concat([...parts, directory, endRecord(files.length, directory.length, offset)])
}
