// Collects the messages for one peer until the frame is full or the loop goes idle, then writes them as one DATA
// frame. One builder per link, reused for every frame: `append` allocates nothing.

import { EngineError, invariant } from '../base/errors.ts'
import { ByteWriter, FRAME_BYTES_MAX } from './byte-writer.ts'
import { FRAME_BYTES_TARGET, FRAME_MESSAGES_MAX } from './column.ts'
import { ColumnWriter } from './column-writer.ts'
import { type DataColumns, type Session, writeDataColumns, writeSession } from './data-frame.ts'
import type { FramePool } from './frame-pool.ts'
import type { Serialisers } from './serialisers.ts'

const DATA = 2

/** Bytes before the body: u32 length (of kind and body), u8 kind. */
export const FRAME_HEAD_BYTES = 5

// Head of the body, and what the columns beside the values may take per message.
const BODY_HEAD_BYTES = 64
const COLUMN_BYTES_PER_MESSAGE = 13
const STAMP_BYTES = 8

export interface DataFrameBuilderOptions {
  /** Whether frames carry a stamp per message. */
  stamps?: boolean
  /** Where the memory of frames comes from and, once sent, goes back to. */
  pool?: FramePool
}

/** Builds DATA frames. `finish` gives a whole frame and leaves the builder empty. */
export class DataFrameBuilder {
  private readonly column: ColumnWriter
  private readonly out = new ByteWriter(0)
  private readonly pool: FramePool | undefined
  private readonly columns: DataColumns
  // The ids of the first message.
  private target = 0
  private edge = 0
  private source = 0

  constructor(serialisers: Serialisers, options: DataFrameBuilderOptions = {}) {
    this.column = new ColumnWriter(serialisers)
    this.pool = options.pool
    this.columns = {
      count: 0,
      uniform: true,
      targets: new Int32Array(FRAME_MESSAGES_MAX),
      edges: new Int32Array(FRAME_MESSAGES_MAX),
      sources: new Int32Array(FRAME_MESSAGES_MAX),
      trackedCount: 0,
      tracked: new Uint8Array(FRAME_MESSAGES_MAX >> 3),
      stamps: options.stamps ? new Float64Array(FRAME_MESSAGES_MAX) : undefined,
    }
  }

  /** Messages appended since the last frame. */
  get count(): number {
    return this.columns.count
  }

  /** About the size of the frame so far. */
  get bytes(): number {
    return this.column.bytes
  }

  /** Whether the frame must be finished before the next append. */
  get full(): boolean {
    return this.columns.count >= FRAME_MESSAGES_MAX || this.column.bytes >= FRAME_BYTES_TARGET
  }

  /**
   * Adds one message. Throws VALUE_NOT_SERIALISABLE or FRAME_TOO_LARGE if the value cannot be sent; the messages
   * before it are not touched. The value must not be changed afterwards: it may be read only by `finish`.
   */
  append(
    target: number,
    edge: number,
    source: number,
    value: unknown,
    tracked: boolean,
    stamp = 0,
  ): void {
    const { columns } = this
    const i = columns.count
    invariant(i < FRAME_MESSAGES_MAX, 'append to a full frame')
    this.column.append(value)
    if (i === 0) this.storeFirst(target, edge, source)
    else if (columns.uniform === false) this.storeIds(i, target, edge, source)
    else if (target !== this.target || edge !== this.edge || source !== this.source) {
      this.spreadIds(i)
      this.storeIds(i, target, edge, source)
    }
    // While all are tracked no bits are set: most frames are all or none.
    if (tracked) {
      if (columns.trackedCount !== i) columns.tracked[i >> 3]! |= 1 << (i & 7)
      columns.trackedCount++
    } else if (columns.trackedCount === i) {
      for (let k = 0; k < i; k++) columns.tracked[k >> 3]! |= 1 << (k & 7)
    }
    if (columns.stamps !== undefined) columns.stamps[i] = stamp
    columns.count = i + 1
  }

  private storeFirst(target: number, edge: number, source: number): void {
    this.target = target
    this.edge = edge
    this.source = source
    this.storeIds(0, target, edge, source)
  }

  private storeIds(i: number, target: number, edge: number, source: number): void {
    const { columns } = this
    columns.targets[i] = target
    columns.edges[i] = edge
    columns.sources[i] = source
  }

  // A message of another place: those before it, which only the first one stood for, are written out.
  private spreadIds(count: number): void {
    const { columns } = this
    columns.targets.fill(this.target, 1, count)
    columns.edges.fill(this.edge, 1, count)
    columns.sources.fill(this.source, 1, count)
    columns.uniform = false
  }

  /** The whole frame, length and kind included. Without messages it is a heartbeat. Empties the builder. */
  finish(session: Session, number: number, epoch: number, firstPosition: number): Buffer {
    const { out, columns, column } = this
    const perMessage = COLUMN_BYTES_PER_MESSAGE + (columns.stamps === undefined ? 0 : STAMP_BYTES)
    const estimate = BODY_HEAD_BYTES + column.bytes + columns.count * perMessage
    out.use(this.pool?.take(estimate) ?? Buffer.allocUnsafe(estimate))
    try {
      out.u32(0)
      out.u8(DATA)
      writeSession(out, session)
      out.u32(number)
      out.u32(epoch)
      out.i32(firstPosition)
      writeDataColumns(out, columns)
      column.write(out)
      if (out.position > FRAME_BYTES_MAX) throw tooLarge(out.position)
      out.patchU32(0, out.position - 4)
      return out.release()
    } finally {
      this.reset()
    }
  }

  /** Forgets the messages appended. */
  reset(): void {
    this.column.reset()
    this.columns.tracked.fill(0, 0, (this.columns.count + 7) >> 3)
    this.columns.count = 0
    this.columns.uniform = true
    this.columns.trackedCount = 0
  }
}

function tooLarge(bytes: number): EngineError {
  return new EngineError('FRAME_TOO_LARGE', `a frame of ${bytes} bytes cannot be sent`, {
    hint: `send smaller messages: a frame holds at most ${FRAME_BYTES_MAX} bytes`,
    details: { bytes, bytesMax: FRAME_BYTES_MAX },
  })
}
