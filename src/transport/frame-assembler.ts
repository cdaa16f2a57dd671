// Cuts the byte stream of a socket into frames. Frames that lie whole in what was read are handed over in place,
// without a copy. The rest of a chunk waits in front of the next read; a frame larger than the assembly buffer gets
// a buffer that doubles as its bytes really arrive, so that a peer that lies about a length cannot make us allocate.

import { frameInvalid } from './byte-reader.ts'
import { FRAME_BYTES_MAX } from './byte-writer.ts'
import { FRAME_HEAD_BYTES } from './data-frame-builder.ts'

/** What one read asks for. Larger reads leave the cache, smaller ones cost more calls. */
export const READ_BYTES = 64 * 1024

// Room for a read behind an unfinished frame, so that most leftovers need no move.
const ASSEMBLY_BYTES = 4 * READ_BYTES

const LENGTH_BYTES = 4

type OnFrame = (kind: number, body: Buffer) => void

/** Give it bytes by `space` and `advance` (read in place) or by `push` (a chunk of somebody else's). */
export class FrameAssembler {
  private buffer = Buffer.allocUnsafeSlow(ASSEMBLY_BYTES)
  private start = 0
  private end = 0
  private readonly onFrame: OnFrame
  private stopped = false
  private bytesMax = FRAME_BYTES_MAX

  constructor(onFrame: OnFrame) {
    this.onFrame = onFrame
  }

  /** Longer frames are refused from now on, before they are gathered. */
  limit(bytesMax: number): void {
    this.bytesMax = Math.min(bytesMax, FRAME_BYTES_MAX)
  }

  /** No frame is handed over any more, not even from the bytes at hand. */
  stop(): void {
    this.stopped = true
  }

  /** Where the next READ_BYTES or fewer may be read to. Valid until the next call of any method. */
  space(): Buffer {
    this.makeRoom()
    return this.buffer.subarray(this.end, this.end + READ_BYTES)
  }

  /** `bytes` were read into the last `space`. Throws FRAME_INVALID for an impossible length. */
  advance(bytes: number): void {
    // What comes after a stop is read away and dropped.
    if (this.stopped) {
      this.empty()
      return
    }
    this.end += bytes
    this.start = this.cut(this.buffer, this.start, this.end)
    if (this.start === this.end) this.empty()
  }

  /** The next bytes of the stream. The chunk is not kept. */
  push(chunk: Buffer): void {
    if (this.stopped) return
    let from = 0
    while (from < chunk.length && this.start !== this.end && !this.stopped) {
      // An unfinished frame: only as much as may complete it, so that the rest stays where it is.
      const bytes = Math.min(chunk.length - from, this.missing())
      this.makeRoom()
      const taken = Math.min(bytes, this.buffer.length - this.end)
      chunk.copy(this.buffer, this.end, from, from + taken)
      from += taken
      this.advance(taken)
    }
    if (from === chunk.length || this.stopped) return
    const rest = this.cut(chunk, from, chunk.length)
    this.start = 0
    this.end = 0
    for (let at = rest; at < chunk.length; at += READ_BYTES) {
      this.makeRoom()
      this.end += chunk.copy(this.buffer, this.end, at, Math.min(at + READ_BYTES, chunk.length))
    }
  }

  // Bytes that the unfinished frame still lacks; while its length is unknown, those of the length.
  private missing(): number {
    const have = this.end - this.start
    return have < LENGTH_BYTES
      ? LENGTH_BYTES - have
      : LENGTH_BYTES + this.buffer.readUInt32LE(this.start) - have
  }

  private cut(bytes: Buffer, from: number, to: number): number {
    let at = from
    while (to - at >= LENGTH_BYTES && !this.stopped) {
      const length = bytes.readUInt32LE(at)
      if (length < 1 || length + LENGTH_BYTES > this.bytesMax) {
        throw frameInvalid(`its length is given as ${length}`, {
          length,
          bytesMax: this.bytesMax,
        })
      }
      if (to - at < LENGTH_BYTES + length) break
      const kind = bytes[at + LENGTH_BYTES]!
      this.onFrame(kind, bytes.subarray(at + FRAME_HEAD_BYTES, at + LENGTH_BYTES + length))
      at += LENGTH_BYTES + length
    }
    return at
  }

  private makeRoom(): void {
    if (this.buffer.length - this.end >= READ_BYTES) return
    const have = this.end - this.start
    // Moves are rare: a leftover is moved only when the buffer is used up, and only once it is small.
    const target =
      have > this.buffer.length / 2 ? Buffer.allocUnsafeSlow(this.buffer.length * 2) : this.buffer
    this.buffer.copy(target, 0, this.start, this.end)
    this.buffer = target
    this.start = 0
    this.end = have
  }

  private empty(): void {
    this.start = 0
    this.end = 0
    if (this.buffer.length > ASSEMBLY_BYTES) this.buffer = Buffer.allocUnsafeSlow(ASSEMBLY_BYTES)
  }
}
