// What record batches are compressed with: gzip and zstd by Node, snappy and LZ4 read here. Whatever a batch claims, no more is
// unpacked than UNPACKED_BYTES_MAX.
import * as zlib from 'node:zlib'

/** The largest batch a broker takes is configured, 1 MB by default; this leaves room for large ones that pack well. */
export const UNPACKED_BYTES_MAX = 256 * 1024 * 1024

const NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

/** Name of the compression in a batch's attributes. */
export function compressionName(attributes: number): string {
  return NAMES[attributes & 7] ?? `number ${attributes & 7}`
}

export const GZIP = 1

export function unpack(attributes: number, packed: Buffer): Buffer {
  switch (attributes & 7) {
    case 0:
      return packed
    case GZIP:
      return zlib.gunzipSync(packed, { maxOutputLength: UNPACKED_BYTES_MAX })
    case 2:
      return unpackSnappy(packed)
    case 3:
      return unpackLz4(packed)
    case 4:
      return unpackZstd(packed)
    default:
      throw new Error(`its compression is ${compressionName(attributes)}, which is not known`)
  }
}

export function packGzip(plain: Buffer): Buffer {
  return zlib.gzipSync(plain)
}

type Unzstd = (packed: Buffer, options: { maxOutputLength: number }) => Buffer

function unpackZstd(packed: Buffer): Buffer {
  const { zstdDecompressSync } = zlib as unknown as { zstdDecompressSync?: Unzstd }
  if (zstdDecompressSync === undefined)
    throw new Error('it is compressed with zstd, which Node reads from version 22.15 on')
  return zstdDecompressSync(packed, { maxOutputLength: UNPACKED_BYTES_MAX })
}

/** Memory that grows up to the bound, with copies from what is already in it. */
class Unpacked {
  #bytes: Buffer
  length = 0

  constructor(guess: number) {
    this.#bytes = Buffer.allocUnsafe(Math.min(Math.max(guess, 64), UNPACKED_BYTES_MAX))
  }

  add(from: Buffer, start: number, end: number): void {
    if (end > from.length) throw new Error('its compressed part ends too early')
    this.#room(end - start)
    this.length += from.copy(this.#bytes, this.length, start, end)
  }

  /** Copies from `distance` bytes back; what is copied may overlap what it makes. */
  repeat(distance: number, count: number): void {
    if (distance === 0 || distance > this.length)
      throw new Error('its compressed part points to before its beginning')
    this.#room(count)
    const bytes = this.#bytes
    let to = this.length
    let from = to - distance
    const end = to + count
    while (to < end) bytes[to++] = bytes[from++]!
    this.length = end
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.length)
  }

  #room(more: number): void {
    const needed = this.length + more
    if (needed <= this.#bytes.length) return
    if (needed > UNPACKED_BYTES_MAX)
      throw new Error(`it would unpack to more than ${UNPACKED_BYTES_MAX} bytes`)
    const larger = Buffer.allocUnsafe(
      Math.min(UNPACKED_BYTES_MAX, Math.max(needed, this.#bytes.length * 2)),
    )
    this.#bytes.copy(larger, 0, 0, this.length)
    this.#bytes = larger
  }
}

// Java's clients frame snappy: this magic, two versions, then blocks behind their length. Others send one bare block.
const SNAPPY_FRAME = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
const SNAPPY_FRAME_HEAD = 16

function unpackSnappy(packed: Buffer): Buffer {
  const out = new Unpacked(packed.length * 3)
  if (!packed.subarray(0, 8).equals(SNAPPY_FRAME)) {
    snappyBlock(packed, out)
    return out.bytes
  }
  let at = SNAPPY_FRAME_HEAD
  while (at < packed.length) {
    const bytes = packed.readInt32BE(at)
    at += 4
    if (bytes < 0 || at + bytes > packed.length)
      throw new Error('its compressed part ends too early')
    snappyBlock(packed.subarray(at, at + bytes), out)
    at += bytes
  }
  return out.bytes
}

function snappyBlock(block: Buffer, out: Unpacked): void {
  let at = 0
  // The length of what it unpacks to: a varint that is not needed here.
  while (block.readUInt8(at++) >= 128);
  while (at < block.length) {
    const tag = block.readUInt8(at++)
    const kind = tag & 3
    if (kind === 0) {
      let length = tag >> 2
      if (length >= 60) {
        const more = length - 59
        length = block.readUIntLE(at, more)
        at += more
      }
      out.add(block, at, at + length + 1)
      at += length + 1
    } else if (kind === 1) {
      out.repeat(((tag & 0xe0) << 3) | block.readUInt8(at), ((tag >> 2) & 7) + 4)
      at += 1
    } else {
      const bytes = kind === 2 ? 2 : 4
      out.repeat(block.readUIntLE(at, bytes), (tag >> 2) + 1)
      at += bytes
    }
  }
}

const LZ4_MAGIC = 0x184d2204
const LZ4_RAW_BLOCK = 0x80000000

// The checksums are not looked at: the batch has one of its own over all of it.
function unpackLz4(packed: Buffer): Buffer {
  if (packed.readUInt32LE(0) !== LZ4_MAGIC) throw new Error('its compressed part is no LZ4 frame')
  const flags = packed.readUInt8(4)
  const blockChecksum = (flags & 0x10) !== 0
  let at = 7 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0)
  const out = new Unpacked(packed.length * 3)
  for (;;) {
    const head = packed.readUInt32LE(at)
    at += 4
    if (head === 0) return out.bytes
    const bytes = head % LZ4_RAW_BLOCK
    if (at + bytes > packed.length) throw new Error('its compressed part ends too early')
    if (head >= LZ4_RAW_BLOCK) out.add(packed, at, at + bytes)
    else lz4Block(packed.subarray(at, at + bytes), out)
    at += bytes + (blockChecksum ? 4 : 0)
  }
}

function lz4Block(block: Buffer, out: Unpacked): void {
  let at = 0
  const length = (nibble: number): number => {
    let total = nibble
    if (nibble < 15) return total
    for (;;) {
      const byte = block.readUInt8(at++)
      total += byte
      if (byte < 255) return total
    }
  }
  while (at < block.length) {
    const token = block.readUInt8(at++)
    const literals = length(token >> 4)
    out.add(block, at, at + literals)
    at += literals
    if (at >= block.length) return
    const distance = block.readUInt16LE(at)
    at += 2
    out.repeat(distance, length(token & 15) + 4)
  }
}
