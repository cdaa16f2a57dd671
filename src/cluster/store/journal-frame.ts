// The frames of the journal and of its snapshot: length, CRC-32, JSON. Pure. A crash can only leave the last frame
// incomplete, since a frame is written after the one before it was synced; so a bad frame with nothing good behind it
// is a torn end, and a bad frame with a good one behind it is damage. JSON has no zero byte and a length (below 16
// MiB) begins with one, so no text inside a frame can be taken for a frame.
import { crc32 } from 'node:zlib'
import { invariant } from '../../base/errors.ts'

const HEAD_BYTES = 8
/** A batch holds at most one commit more than `BATCH_BYTES_MAX`, and JSON makes at most six bytes of one. */
export const FRAME_BYTES_MAX = 2 ** 24 - 1

export interface Scan {
  readonly frames: readonly unknown[]
  /** Where the good part ends; the size of the whole if nothing is wrong. */
  readonly goodBytes: number
  /** Offset of a good frame behind the bad one: damage in the middle. */
  readonly resumesAt: number | undefined
}

export function encodeFrame(value: unknown): Buffer {
  const text = JSON.stringify(value)
  const frame = Buffer.allocUnsafe(HEAD_BYTES + Buffer.byteLength(text))
  invariant(frame.length - HEAD_BYTES <= FRAME_BYTES_MAX, 'a frame is less than 16 MiB')
  frame.write(text, HEAD_BYTES)
  frame.writeUInt32BE(frame.length - HEAD_BYTES, 0)
  frame.writeUInt32BE(checksum(frame, 0, frame.length), 4)
  return frame
}

/** Reads frames from `start` to the end, or to the first that is not whole. */
export function scanFrames(bytes: Buffer, start: number): Scan {
  const frames: unknown[] = []
  let at = start
  while (at < bytes.length) {
    const end = frameEnd(bytes, at)
    if (end === undefined) return { frames, goodBytes: at, resumesAt: nextFrame(bytes, at + 1) }
    frames.push(JSON.parse(bytes.toString('utf8', at + HEAD_BYTES, end)))
    at = end
  }
  return { frames, goodBytes: at, resumesAt: undefined }
}

// Where the frame at `at` ends, or undefined if there is no whole one.
function frameEnd(bytes: Buffer, at: number): number | undefined {
  if (at + HEAD_BYTES >= bytes.length) return undefined
  const length = bytes.readUInt32BE(at)
  const end = at + HEAD_BYTES + length
  if (length === 0 || length > FRAME_BYTES_MAX || end > bytes.length) return undefined
  return checksum(bytes, at, end) === bytes.readUInt32BE(at + 4) ? end : undefined
}

function nextFrame(bytes: Buffer, from: number): number | undefined {
  for (let at = bytes.indexOf(0, from); at >= 0; at = bytes.indexOf(0, at + 1)) {
    if (frameEnd(bytes, at) !== undefined) return at
  }
  return undefined
}

// Of the length and the text, so that a damaged length is noticed as well.
function checksum(bytes: Buffer, at: number, end: number): number {
  return crc32(bytes.subarray(at + HEAD_BYTES, end), crc32(bytes.subarray(at, at + 4)))
}
