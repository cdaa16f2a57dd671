// Memory for frames. A frame's memory is malloced and freed outside the heap, which costs as much as filling part of
// it; a link that gives frames back once they are written saves that. Only slabs of one size are kept, and only a few.

import { FRAME_BYTES_TARGET } from './column.ts'

/** Every kept slab has this size: a full frame, the value that overshot the target, and the columns beside it. */
export const SLAB_BYTES = FRAME_BYTES_TARGET + 32 * 1024

// A small frame must not hold a slab: a link that is behind may have thousands of them waiting.
const SLAB_WORTH_BYTES = 8 * 1024

/** Slabs kept: enough for the frames in flight on a few links; 5 MiB. */
export const SLABS_MAX = 64

/** Hands out and takes back the memory of frames. One per executor; give it to its builders and its transport. */
export class FramePool {
  private readonly slabs: ArrayBuffer[] = []

  /** A buffer of at least `bytes`. */
  take(bytes: number): Buffer {
    if (bytes > SLAB_BYTES || bytes < SLAB_WORTH_BYTES) return Buffer.allocUnsafe(bytes)
    return Buffer.from(this.slabs.pop() ?? new ArrayBuffer(SLAB_BYTES))
  }

  /** Takes a frame back. Nobody may read it, or give it, again. */
  give(frame: Buffer): void {
    const slab = frame.buffer
    if (slab.byteLength !== SLAB_BYTES || this.slabs.length >= SLABS_MAX) return
    this.slabs.push(slab as ArrayBuffer)
  }
}
