// The frames between executors: one format for every link. On the wire: u32 length (of what follows), u8 kind, body;
// numbers little-endian. DATA carries messages, PROGRESS what has become of them, GAP refuses a session, RENEW asks
// for more time, HELLO opens a link. Decoding never trusts the bytes: whatever is wrong ends in FRAME_INVALID.

import { EngineError } from '../base/errors.ts'
import { ByteReader, frameInvalid } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { FRAME_BYTES_TARGET } from './column.ts'
import {
  type DataFrame,
  readDataFrame,
  readSession,
  type Session,
  writeSession,
} from './data-frame.ts'
import { FRAME_HEAD_BYTES } from './data-frame-builder.ts'
import type { Serialisers } from './serialisers.ts'

export { FRAME_BYTES_MAX } from './byte-writer.ts'
export { FRAME_BYTES_TARGET, FRAME_MESSAGES_MAX } from './column.ts'
export { detach } from './column-reader.ts'
export type { DataFrame, Session } from './data-frame.ts'
export { DataFrameBuilder, FRAME_HEAD_BYTES } from './data-frame-builder.ts'

export const FrameKind = { HELLO: 1, DATA: 2, PROGRESS: 3, GAP: 4, RENEW: 5 } as const

/** The first frame of a link, in both directions: who is speaking, in which version, for which application. */
export interface HelloFrame {
  kind: typeof FrameKind.HELLO
  executor: number
  /** Executors of different versions do not talk: frames have no other versioning. */
  version: number
  application: string
  /** The application's shared secret. It never appears in a log or an error. */
  token: string
}

/** What has become of the messages of a session; see the progress ledger for the meaning of each part. */
export interface ProgressFrame {
  kind: typeof FrameKind.PROGRESS
  session: Session
  number: number
  /** Everything below this position is finished. */
  through: number
  /** Finished ahead of it: (first position, length) pairs, flat. */
  runs: number[]
  failed: number[]
  /** (source task, target task, consumed count) triples, flat. */
  credits: number[]
}

/** "I refuse this session." */
export interface GapFrame {
  kind: typeof FrameKind.GAP
  session: Session
}

/** "Give these positions more time." */
export interface RenewFrame {
  kind: typeof FrameKind.RENEW
  session: Session
  positions: number[]
}

export type Frame = DataFrame | ProgressFrame | GapFrame | HelloFrame | RenewFrame
export type ControlFrame = Exclude<Frame, DataFrame>

/** The frames' version in HELLO. Raise it with every change of format. */
export const PROTOCOL_VERSION = 1

const NOTHING = new Uint8Array(0)

// Application ids and tokens are short; anything longer is not one of ours.
const HELLO_TEXT_BYTES_MAX = 4096
/** A greeting, whole: what an unknown peer may send. */
export const HELLO_BYTES_MAX = HELLO_TEXT_BYTES_MAX + 64

const CONTROL_BYTES = 256

/** A whole frame of any kind but DATA, which DataFrameBuilder makes. */
export function encodeFrame(frame: ControlFrame): Buffer {
  const out = new ByteWriter(CONTROL_BYTES)
  out.u32(0)
  out.u8(frame.kind)
  writeBody(out, frame)
  out.patchU32(0, out.position - 4)
  return out.buffer.subarray(0, out.position)
}

export function encodeHello(frame: Omit<HelloFrame, 'kind'>): Buffer {
  return encodeFrame({ kind: FrameKind.HELLO, ...frame })
}

export function encodeProgress(frame: Omit<ProgressFrame, 'kind'>): Buffer {
  return encodeFrame({ kind: FrameKind.PROGRESS, ...frame })
}

export function encodeGap(frame: Omit<GapFrame, 'kind'>): Buffer {
  return encodeFrame({ kind: FrameKind.GAP, ...frame })
}

export function encodeRenew(frame: Omit<RenewFrame, 'kind'>): Buffer {
  return encodeFrame({ kind: FrameKind.RENEW, ...frame })
}

function writeBody(out: ByteWriter, frame: ControlFrame): void {
  if (frame.kind === FrameKind.HELLO) {
    out.u32(frame.executor)
    out.u32(frame.version)
    out.text(frame.application)
    out.text(frame.token)
    return
  }
  writeSession(out, frame.session)
  if (frame.kind === FrameKind.RENEW) writePositions(out, frame.positions, 0)
  if (frame.kind === FrameKind.PROGRESS) writeProgress(out, frame)
}

function writeProgress(out: ByteWriter, frame: ProgressFrame): void {
  const { through, runs, credits } = frame
  out.u32(frame.number)
  out.i32(through)
  out.varint(runs.length >> 1)
  let end = through
  for (let i = 0; i < runs.length; i += 2) {
    const first = runs[i]!
    const length = runs[i + 1]!
    out.zigzag((first - end) | 0)
    out.varint(length)
    end = (first + length) | 0
  }
  writePositions(out, frame.failed, through)
  out.varint(credits.length / 3)
  for (const part of credits) out.zigzag(part)
}

// Positions wrap at 32 bits; so do their differences, which are short where positions are near each other.
function writePositions(out: ByteWriter, positions: readonly number[], base: number): void {
  let last = base
  out.varint(positions.length)
  for (const position of positions) {
    out.zigzag((position - last) | 0)
    last = position
  }
}

function readPositions(input: ByteReader, base: number): number[] {
  const count = input.count(1)
  const positions: number[] = []
  let last = base
  for (let i = 0; i < count; i++) {
    last = (last + input.zigzag()) | 0
    positions.push(last)
  }
  return positions
}

function readProgress(input: ByteReader): ProgressFrame {
  const session = readSession(input)
  const number = input.u32()
  const through = input.i32()
  const runs: number[] = []
  let end = through
  for (let i = input.count(2); i > 0; i--) {
    const first = (end + input.zigzag()) | 0
    const length = input.varint()
    // An empty or negative run would make its reader loop over the whole circle of positions.
    if (length === 0 || length > 0x7fffffff) throw frameInvalid(`a run of ${length} positions`)
    runs.push(first, length)
    end = (first + length) | 0
  }
  const failed = readPositions(input, through)
  const credits: number[] = []
  for (let i = input.count(3) * 3; i > 0; i--) credits.push(input.zigzag())
  return { kind: FrameKind.PROGRESS, session, number, through, runs, failed, credits }
}

function readHello(input: ByteReader): HelloFrame {
  if (input.remaining > HELLO_TEXT_BYTES_MAX) throw frameInvalid('a greeting of implausible length')
  return {
    kind: FrameKind.HELLO,
    executor: input.u32(),
    version: input.u32(),
    application: input.text(),
    token: input.text(),
  }
}

/** Decodes frames. Keeps its cursor and tables between frames: one per executor, not one per frame. */
export class FrameDecoder {
  private readonly input = new ByteReader()
  private readonly values

  constructor(serialisers: Serialisers) {
    this.values = serialisers.createReader(this.input)
  }

  /** The frame in `body`. Everything in it is a copy: `body` may be overwritten afterwards. */
  decode(kind: number, body: Uint8Array): Frame {
    const { input } = this
    input.reset(body)
    try {
      const frame = this.read(kind)
      if (input.remaining !== 0)
        throw frameInvalid(`${input.remaining} bytes after its end`, { kind })
      return frame
    } catch (error) {
      // A RangeError or the like out of a reader is still the fault of the bytes.
      if (error instanceof EngineError) throw error
      throw frameInvalid(String(error), { kind })
    } finally {
      // The cursor must not keep a rare huge body alive.
      if (body.length > FRAME_BYTES_TARGET * 4) input.reset(NOTHING)
    }
  }

  private read(kind: number): Frame {
    const { input } = this
    switch (kind) {
      case FrameKind.DATA:
        return readDataFrame(this.values)
      case FrameKind.PROGRESS:
        return readProgress(input)
      case FrameKind.GAP:
        return { kind: FrameKind.GAP, session: readSession(input) }
      case FrameKind.HELLO:
        return readHello(input)
      case FrameKind.RENEW: {
        const session = readSession(input)
        return { kind: FrameKind.RENEW, session, positions: readPositions(input, 0) }
      }
      default:
        throw frameInvalid(`unknown kind ${kind}`)
    }
  }
}

// A decoder is worth keeping: its tables fill up with the keys that come again and again.
const decoders = new WeakMap<Serialisers, FrameDecoder>()

function decoderOf(serialisers: Serialisers): FrameDecoder {
  let decoder = decoders.get(serialisers)
  if (decoder === undefined) {
    decoder = new FrameDecoder(serialisers)
    decoders.set(serialisers, decoder)
  }
  return decoder
}

/** Decodes one frame; everything in it is a copy. */
export function decodeFrame(kind: number, body: Uint8Array, serialisers: Serialisers): Frame {
  return decoderOf(serialisers).decode(kind, body)
}

/** The kind and body of one whole frame: for tests and for links that move frames whole. */
export function frameParts(frame: Buffer): { kind: number; body: Buffer } {
  return { kind: frame[FRAME_HEAD_BYTES - 1]!, body: frame.subarray(FRAME_HEAD_BYTES) }
}
