// DATA: messages between two executors, column by column. Head, then target, edge and source columns (one number if
// all are equal, else the narrowest width), then which messages are tracked, stamps if asked for, and the values.
//
//     session u32 u32 | number u32 | epoch u32 | first position i32 | count u16 | flags u8 | columns...

import { type ByteReader, frameInvalid } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { FRAME_MESSAGES_MAX } from './column.ts'
import { readColumn } from './column-reader.ts'
import type { ValueReader } from './value-reader.ts'

/** One direction of a pair of executors between two fences. Both numbers are unsigned 32 bit. */
export interface Session {
  executor: number
  counter: number
}

/** A decoded DATA frame. Everything in it is a copy. */
export interface DataFrame {
  kind: 2
  session: Session
  /** Counts the frames of a session, unsigned 32 bit, wrapping: a gap shows. */
  number: number
  epoch: number
  /** Position of the first tracked message; the others follow by rank among the tracked. Wrapping. */
  firstPosition: number
  count: number
  /** This column and the next two may be shared with other frames: not to be written. */
  targets: Int32Array
  edges: Int32Array
  sources: Int32Array
  tracked: 'all' | 'none' | Uint8Array
  stamps: Float64Array | undefined
  values: unknown[]
}

/** What the columns beside the values hold, as the builder keeps them. */
export interface DataColumns {
  count: number
  /** Target, edge and source of all are those of the first: the columns hold no others. */
  uniform: boolean
  targets: Int32Array
  edges: Int32Array
  sources: Int32Array
  trackedCount: number
  /** Bit i is message i, where some are tracked and some are not. */
  tracked: Uint8Array
  stamps: Float64Array | undefined
}

const TRACKED_ALL = 1
const TRACKED_NONE = 2
const TRACKED_BITMAP = 3
const TRACKED_MASK = 3
const STAMPS = 4

const WIDTH_CONSTANT = 0

export function writeSession(out: ByteWriter, session: Session): void {
  out.u32(session.executor)
  out.u32(session.counter)
}

export function readSession(input: ByteReader): Session {
  return { executor: input.u32(), counter: input.u32() }
}

/** Everything of a DATA body but the head before `count` and the values. */
export function writeDataColumns(out: ByteWriter, columns: DataColumns): void {
  const { count, trackedCount } = columns
  const ids = columns.uniform ? Math.min(1, count) : count
  const tracked =
    trackedCount === count ? TRACKED_ALL : trackedCount === 0 ? TRACKED_NONE : TRACKED_BITMAP
  out.u16(count)
  out.u8(tracked | (columns.stamps === undefined ? 0 : STAMPS))
  writeIds(out, columns.targets, ids)
  writeIds(out, columns.edges, ids)
  writeIds(out, columns.sources, ids)
  if (tracked === TRACKED_BITMAP) out.bytes(columns.tracked.subarray(0, bitmapBytes(count)))
  if (columns.stamps !== undefined) {
    for (let i = 0; i < count; i++) out.f64(columns.stamps[i]!)
  }
}

export function readDataFrame(reader: ValueReader): DataFrame {
  const { input } = reader
  const session = readSession(input)
  const number = input.u32()
  const epoch = input.u32()
  const firstPosition = input.i32()
  const count = input.u16()
  if (count > FRAME_MESSAGES_MAX) throw frameInvalid(`${count} messages in one frame`)
  const flags = input.u8()
  if (flags > (TRACKED_MASK | STAMPS)) throw frameInvalid(`unknown flags ${flags}`)
  const targets = readIds(input, count)
  const edges = readIds(input, count)
  const sources = readIds(input, count)
  const tracked = readTracked(input, flags & TRACKED_MASK, count)
  const stamps = flags & STAMPS ? readStamps(input, count) : undefined
  const values = readColumn(reader, count)
  if (input.remaining !== 0) throw frameInvalid(`${input.remaining} bytes after the last column`)
  return {
    kind: 2,
    session,
    number,
    epoch,
    firstPosition,
    count,
    targets,
    edges,
    sources,
    tracked,
    stamps,
    values,
  }
}

function bitmapBytes(count: number): number {
  return (count + 7) >> 3
}

function readTracked(input: ByteReader, mode: number, count: number): 'all' | 'none' | Uint8Array {
  switch (mode) {
    case TRACKED_ALL:
      return 'all'
    case TRACKED_NONE:
      return 'none'
    case TRACKED_BITMAP:
      return new Uint8Array(input.borrow(bitmapBytes(count)))
    default:
      throw frameInvalid('neither tracked nor untracked')
  }
}

function readStamps(input: ByteReader, count: number): Float64Array {
  const stamps = new Float64Array(count)
  for (let i = 0; i < count; i++) stamps[i] = input.f64()
  return stamps
}

function writeIds(out: ByteWriter, ids: Int32Array, count: number): void {
  const first = count === 0 ? 0 : ids[0]!
  let least = first
  let most = first
  for (let i = 1; i < count; i++) {
    const id = ids[i]!
    if (id < least) least = id
    else if (id > most) most = id
  }
  if (least === most) {
    out.u8(WIDTH_CONSTANT)
    out.i32(first)
    return
  }
  const width = least < 0 || most > 0xffff ? 4 : most > 0xff ? 2 : 1
  out.u8(width)
  out.ensure(count * width)
  const { buffer } = out
  let at = out.position
  for (let i = 0; i < count; i++) {
    const id = ids[i]!
    buffer[at++] = id
    if (width === 1) continue
    buffer[at++] = id >> 8
    if (width === 2) continue
    buffer[at++] = id >> 16
    buffer[at++] = id >> 24
  }
  out.position = at
}

// Most frames are of one edge between two tasks. Their columns are read by everybody and written by nobody.
const constants = new Map<number, Int32Array>()

/** Columns of one number that are kept, 4 kB each; a column of any other is made anew. */
const CONSTANTS_KEPT_MAX = 256

function constantIds(id: number, count: number): Int32Array {
  let ids = constants.get(id)
  if (ids === undefined) {
    ids = new Int32Array(FRAME_MESSAGES_MAX).fill(id)
    if (constants.size < CONSTANTS_KEPT_MAX) constants.set(id, ids)
  }
  return ids.subarray(0, count)
}

function readIds(input: ByteReader, count: number): Int32Array {
  const width = input.u8()
  if (width === WIDTH_CONSTANT) return constantIds(input.i32(), count)
  const ids = new Int32Array(count)
  switch (width) {
    case 1:
      ids.set(input.borrow(count))
      return ids
    case 2:
      for (let i = 0; i < count; i++) ids[i] = input.u16()
      return ids
    case 4:
      for (let i = 0; i < count; i++) ids[i] = input.i32()
      return ids
    default:
      throw frameInvalid(`ids of ${width} bytes`)
  }
}
