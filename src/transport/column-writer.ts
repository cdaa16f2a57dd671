// Collects the values of one column of a frame. `append` is the hot path: it classifies a value by the kind the column
// has so far and stores the reference, nothing else. A column whose values differ in kind becomes MIXED: encoded
// value by value at the append. So a value that cannot be sent throws at the append, and leaves the column as it was.
// Texts, numbers, buffers and flat arrays are read when the frame is finished: an emitted value must not be changed.

import { EngineError } from '../base/errors.ts'
import { type ByteWriter, FRAME_BYTES_MAX, isWellFormed } from './byte-writer.ts'
import { ColumnKind, TUPLE_DEPTH_MAX, TUPLE_FIELDS_MAX } from './column.ts'
import type { Serialisers } from './serialisers.ts'
import { textBytes, type ValueWriter } from './value-writer.ts'

/** One value at most: half a frame, less what surrounds it, since a text may double on its way to UTF-16. */
export const VALUE_BYTES_MAX = FRAME_BYTES_MAX / 2 - 1024 * 1024

// What a value costs beside its own bytes, roughly: a length or a tag.
const VALUE_OVERHEAD_BYTES = 2

/** The values of one column, in order. Reused from frame to frame. */
export class ColumnWriter {
  count = 0
  /** About the size the column will have in the frame. */
  bytes = 0
  private kind: number = ColumnKind.EMPTY
  private readonly values: unknown[] = []
  private readonly children: ColumnWriter[] = []
  private readonly serialisers: Serialisers
  private readonly depth: number
  private mixed: ValueWriter | undefined
  private width = 0
  private bytesBefore = 0
  private mixedBefore = 0

  constructor(serialisers: Serialisers, depth = 0) {
    this.serialisers = serialisers
    this.depth = depth
  }

  append(value: unknown): void {
    this.bytesBefore = this.bytes
    switch (this.kind) {
      case ColumnKind.UTF8:
        if (typeof value !== 'string') break
        this.store(value, textBytes(value))
        return
      case ColumnKind.TUPLE:
        if (!isArray(value) || value.length !== this.width) break
        this.appendFields(value)
        return
      case ColumnKind.INT32:
        if (!isInt32(value)) break
        this.store(value, 2)
        return
      case ColumnKind.FLOAT64:
        if (typeof value !== 'number') break
        this.store(value, 6)
        return
      case ColumnKind.CONSTANTS:
        if (!isConstant(value)) break
        this.store(value, 0)
        return
      case ColumnKind.BUFFER:
      case ColumnKind.BYTES:
        if (bytesKind(value) !== this.kind) break
        this.store(value, (value as Uint8Array).length)
        return
      case ColumnKind.MIXED:
        this.appendMixed(value)
        return
    }
    this.appendMisfit(value)
  }

  /** Takes back the last append. Only the last one, and only once. */
  undo(): void {
    this.count--
    this.bytes = this.bytesBefore
    if (this.kind === ColumnKind.MIXED) this.mixed!.out.position = this.mixedBefore
    if (this.kind === ColumnKind.TUPLE)
      for (let i = 0; i < this.width; i++) this.children[i]!.undo()
    if (this.count === 0) this.reset()
  }

  reset(): void {
    if (this.kind === ColumnKind.TUPLE)
      for (let i = 0; i < this.width; i++) this.children[i]!.reset()
    if (this.mixed !== undefined) this.mixed.out.clear()
    // Values must not live on because a quiet link has kept its last frame's references.
    this.values.fill(undefined, 0, this.count)
    this.count = 0
    this.bytes = 0
    this.bytesBefore = 0
    this.mixedBefore = 0
    this.kind = ColumnKind.EMPTY
  }

  /** Writes the column: its kind, then what the kind says. */
  write(out: ByteWriter): void {
    const { count, values, kind } = this
    switch (kind) {
      case ColumnKind.UTF8:
        writeTexts(out, values as string[], count)
        return
      case ColumnKind.TUPLE:
        out.u8(kind)
        out.u8(this.width)
        for (let i = 0; i < this.width; i++) this.children[i]!.write(out)
        return
      case ColumnKind.INT32:
        writeIntegers(out, values as number[], count)
        return
      case ColumnKind.FLOAT64:
        out.u8(kind)
        for (let i = 0; i < count; i++) out.f64(values[i] as number)
        return
      case ColumnKind.CONSTANTS:
        out.u8(kind)
        for (let i = 0; i < count; i++) out.u8(constantByte(values[i]))
        return
      case ColumnKind.BUFFER:
      case ColumnKind.BYTES:
        writeChunks(out, kind, values as Uint8Array[], count)
        return
      default:
        out.u8(kind)
        if (kind === ColumnKind.MIXED) {
          out.bytes(this.mixed!.out.buffer.subarray(0, this.mixed!.out.position))
        }
    }
  }

  private store(value: unknown, bytes: number): void {
    if (bytes > VALUE_BYTES_MAX) throw tooLarge(bytes)
    this.values[this.count++] = value
    this.bytes += bytes + VALUE_OVERHEAD_BYTES
  }

  private appendFields(row: readonly unknown[]): void {
    const { children, width } = this
    let bytes = 0
    let i = 0
    try {
      for (; i < width; i++) {
        const child = children[i]!
        bytes -= child.bytes
        child.append(row[i])
        bytes += child.bytes
      }
    } catch (error) {
      for (let j = 0; j < i; j++) children[j]!.undo()
      if (this.count === 0) this.reset()
      throw inField(error, i)
    }
    this.values[this.count++] = row
    this.bytes += bytes
    if (bytes > VALUE_BYTES_MAX) {
      this.undo()
      throw tooLarge(bytes)
    }
  }

  // The first value decides the kind. A later one may widen integers to floats; else the column becomes mixed.
  private appendMisfit(value: unknown): void {
    if (this.count === 0) {
      this.kind = this.kindFor(value)
      if (this.kind === ColumnKind.TUPLE) this.startFields((value as unknown[]).length)
    } else if (this.kind === ColumnKind.INT32 && typeof value === 'number') {
      this.kind = ColumnKind.FLOAT64
    } else {
      this.becomeMixed()
    }
    this.append(value)
  }

  private kindFor(value: unknown): number {
    if (typeof value === 'string') return ColumnKind.UTF8
    if (typeof value === 'number') return isInt32(value) ? ColumnKind.INT32 : ColumnKind.FLOAT64
    if (isConstant(value)) return ColumnKind.CONSTANTS
    if (isArray(value) && value.length <= TUPLE_FIELDS_MAX && this.depth < TUPLE_DEPTH_MAX) {
      return ColumnKind.TUPLE
    }
    return bytesKind(value)
  }

  private startFields(width: number): void {
    this.width = width
    while (this.children.length < width) {
      this.children.push(new ColumnWriter(this.serialisers, this.depth + 1))
    }
  }

  private becomeMixed(): void {
    const { count, values } = this
    const mixed = this.mixedWriter()
    for (let i = 0; i < count; i++) mixed.write(values[i])
    if (this.kind === ColumnKind.TUPLE)
      for (let i = 0; i < this.width; i++) this.children[i]!.reset()
    values.fill(undefined, 0, count)
    this.kind = ColumnKind.MIXED
    this.bytes = mixed.out.position
  }

  private appendMixed(value: unknown): void {
    const mixed = this.mixedWriter()
    const start = mixed.out.position
    try {
      mixed.write(value)
      if (mixed.out.position - start > VALUE_BYTES_MAX) throw tooLarge(mixed.out.position - start)
    } catch (error) {
      mixed.out.position = start
      if (this.count === 0) this.reset()
      throw error
    }
    this.bytesBefore = this.bytes
    this.mixedBefore = start
    this.count++
    this.bytes = mixed.out.position
  }

  private mixedWriter(): ValueWriter {
    this.mixed ??= this.serialisers.createWriter()
    return this.mixed
  }
}

// No instance of a class of its own. To ask for the prototype would be a call into V8.
function isArray(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.constructor === Array
}

function isInt32(value: unknown): boolean {
  return typeof value === 'number' && (value | 0) === value && (value !== 0 || 1 / value > 0)
}

function isConstant(value: unknown): boolean {
  return value === null || value === undefined || typeof value === 'boolean'
}

function constantByte(value: unknown): number {
  if (value === undefined) return 0
  return value === null ? 1 : value === false ? 2 : 3
}

function bytesKind(value: unknown): number {
  if (!(value instanceof Uint8Array)) return ColumnKind.MIXED
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Buffer.prototype) return ColumnKind.BUFFER
  return prototype === Uint8Array.prototype ? ColumnKind.BYTES : ColumnKind.MIXED
}

function writeTexts(out: ByteWriter, texts: readonly string[], count: number): void {
  let all = ''
  let longest = 0
  for (let i = 0; i < count; i++) {
    const text = texts[i]!
    all += text
    if (text.length > longest) longest = text.length
  }
  const kindAt = out.position
  out.u8(ColumnKind.UTF8)
  writeLengths(out, texts, count, longest)
  const bytesAt = out.position
  out.u32(0)
  // The whole can be well formed where a part is not (a pair split over two texts): it is cut apart again in UTF-16
  // units, so nothing is lost.
  const wide = !isWellFormed(all)
  const bytes = wide ? out.utf16(all) : out.utf8(all)
  out.patchU32(bytesAt, bytes)
  if (wide) out.buffer[kindAt] = ColumnKind.UTF16
  else if (bytes === all.length) out.buffer[kindAt] = ColumnKind.ASCII
}

function writeLengths(
  out: ByteWriter,
  values: readonly { length: number }[],
  count: number,
  longest: number,
): void {
  const width = longest < 0x100 ? 1 : longest < 0x10000 ? 2 : 4
  out.u8(width)
  out.ensure(count * width)
  const { buffer } = out
  let at = out.position
  if (width === 1) {
    for (let i = 0; i < count; i++) buffer[at++] = values[i]!.length
  } else {
    for (let i = 0; i < count; i++) {
      const { length } = values[i]!
      buffer[at++] = length
      buffer[at++] = length >>> 8
      if (width === 2) continue
      buffer[at++] = length >>> 16
      buffer[at++] = length >>> 24
    }
  }
  out.position = at
}

function writeIntegers(out: ByteWriter, values: readonly number[], count: number): void {
  let least = 0
  let most = 0
  for (let i = 0; i < count; i++) {
    const value = values[i]!
    if (value < least) least = value
    if (value > most) most = value
  }
  if (least >= -0x80 && most < 0x80) {
    out.u8(ColumnKind.INT8)
    for (let i = 0; i < count; i++) out.u8(values[i]!)
  } else if (least >= -0x8000 && most < 0x8000) {
    out.u8(ColumnKind.INT16)
    for (let i = 0; i < count; i++) out.u16(values[i]!)
  } else {
    out.u8(ColumnKind.INT32)
    for (let i = 0; i < count; i++) out.i32(values[i]!)
  }
}

function writeChunks(
  out: ByteWriter,
  kind: number,
  chunks: readonly Uint8Array[],
  count: number,
): void {
  let longest = 0
  for (let i = 0; i < count; i++) if (chunks[i]!.length > longest) longest = chunks[i]!.length
  out.u8(kind)
  writeLengths(out, chunks, count, longest)
  for (let i = 0; i < count; i++) out.bytes(chunks[i]!)
}

// The path starts at the value; the field was taken off it here.
function inField(error: unknown, field: number): unknown {
  if (!(error instanceof EngineError) || error.code !== 'VALUE_NOT_SERIALISABLE') return error
  const { path } = error.details
  if (typeof path !== 'string') return error
  const whole = `value[${field}]${path.slice('value'.length)}`
  return new EngineError(error.code, error.message.replace(path, whole), {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    details: { ...error.details, path: whole },
  })
}

function tooLarge(bytes: number): EngineError {
  return new EngineError('FRAME_TOO_LARGE', `a message of ${bytes} bytes cannot be sent`, {
    hint: `split it, or pass a reference to it: a message holds at most ${VALUE_BYTES_MAX} bytes`,
    details: { bytes, bytesMax: VALUE_BYTES_MAX },
  })
}
