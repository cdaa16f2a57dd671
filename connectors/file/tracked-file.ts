// One file that a source task reads: which one it is, whatever it is called by now; how far it was read, and what of it is
// done. It is known again by the number it has on its disk and by a fingerprint of its first bytes: a number may be given
// to another file later, and a file may be emptied and filled anew under the same number.
import { createHash } from 'node:crypto'
import { DoneRanges, type Run } from '../base/done-ranges.ts'
import type { OpenFile } from './file-system.ts'

/** First bytes that the fingerprint is made of; fewer while a file has no more. */
export const HEAD_BYTES = 256

/** What is stored of a file: plain data. */
export interface FilePosition {
  readonly path: string
  readonly inode: string
  readonly headBytes: number
  readonly headHash: string
  /** Everything below is done, and so are the runs above it. */
  readonly done: number
  readonly runs: readonly Run[]
}

export class TrackedFile {
  path: string
  readonly inode: string
  readonly ranges: DoneRanges
  /** Open while this file is followed or read. */
  handle: OpenFile | undefined
  /** As last seen. */
  size: number
  modified = ''
  /** Where to read on: the begin of a line, or the inside of one that is too long. */
  next: number
  /** Where the line that is too long begins, when `next` is inside one; else -1. */
  longStart = -1
  /** The file was read up to here, and its last line had no end. */
  readTo = -1
  /** Messages of this file that have not ended. */
  open = 0
  /** Its path is another file's now, or nobody's. */
  gone = false
  /** It was emptied: another TrackedFile stands for what is in it now. */
  replaced = false
  /** Errors in a row, and whether it waits after one. */
  errors = 0
  waiting = false
  /** Read to its end for good: nothing more will come. */
  finished = false
  /** Polls in a row in which a file that is gone did not grow. */
  still = 0
  /** Its last line counts though it has no end: the file is not followed, or nobody writes to it any more. */
  ending = false
  /** The file that had this path before: it is read to its end first. */
  after: TrackedFile | undefined
  #head: Buffer
  #hash: { bytes: number; hash: string } | undefined = undefined

  constructor(init: {
    path: string
    inode: string
    size: number
    head: Buffer
    handle: OpenFile | undefined
    position?: FilePosition | undefined
    after?: TrackedFile | undefined
  }) {
    this.path = init.path
    this.inode = init.inode
    this.size = init.size
    this.handle = init.handle
    this.#head = init.head
    this.after = init.after
    this.ranges = new DoneRanges(init.position?.done, init.position?.runs)
    this.next = this.ranges.gap(0).start
  }

  get head(): Buffer {
    return this.#head
  }

  set head(head: Buffer) {
    this.#head = head
    this.#hash = undefined
  }

  /** Something is there that was not read, as far as is known. */
  get unread(): boolean {
    return !this.finished && !this.replaced && this.size > Math.max(this.next, this.readTo)
  }

  get position(): FilePosition {
    this.#hash ??= { bytes: this.#head.length, hash: headHash(this.#head) }
    return {
      path: this.path,
      inode: this.inode,
      headBytes: this.#hash.bytes,
      headHash: this.#hash.hash,
      done: this.ranges.low,
      runs: this.ranges.runs(),
    }
  }
}

export function headHash(head: Buffer): string {
  return createHash('sha256').update(head).digest('hex').slice(0, 16)
}

/** Whether a file that begins with `head` may be the one that was stored. */
export function sameHead(position: FilePosition, head: Buffer): boolean {
  const { headBytes, headHash: hash } = position
  return head.length >= headBytes && headHash(head.subarray(0, headBytes)) === hash
}

/** The first bytes of a file. */
export async function readHead(file: OpenFile): Promise<Buffer> {
  const head = Buffer.alloc(HEAD_BYTES)
  let bytes = 0
  while (bytes < HEAD_BYTES) {
    const read = await file.read(head, bytes, HEAD_BYTES - bytes, bytes)
    if (read === 0) break
    bytes += read
  }
  return head.subarray(0, bytes)
}

/** The files of a stored position. Undefined when it is none of ours. */
export function filePositions(position: unknown): FilePosition[] | undefined {
  if (position === undefined) return []
  const { version, files } = (position ?? {}) as { version?: unknown; files?: unknown }
  if (version !== 1 || !Array.isArray(files)) return undefined
  const whole = files.every(
    file =>
      typeof file?.path === 'string' &&
      typeof file.inode === 'string' &&
      Number.isSafeInteger(file.headBytes) &&
      typeof file.headHash === 'string' &&
      Number.isSafeInteger(file.done) &&
      Array.isArray(file.runs),
  )
  return whole ? (files as FilePosition[]) : undefined
}
