// Reads what ColumnWriter wrote, as an array of the values. Bytes may be corrupt: everything is bounded by the body,
// the number of messages by FRAME_MESSAGES_MAX, the fields by TUPLE_FIELDS_MAX and their nesting by TUPLE_DEPTH_MAX.
//
// Memory: a text of 13 characters or more that came in a column is a slice of the text of the whole column and keeps
// that alive (up to the size of a frame). Who stores such texts for long should store `detach(text)`.

import { type ByteReader, frameInvalid } from './byte-reader.ts'
import { CONSTANTS, ColumnKind, TUPLE_DEPTH_MAX, TUPLE_FIELDS_MAX } from './column.ts'
import type { ValueReader } from './value-reader.ts'

/** A copy of `text` that keeps no frame alive. For values stored longer than the message lives. */
export function detach(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le')
}

/** The `count` values of the column that starts at the reader's position. */
export function readColumn(reader: ValueReader, count: number, depth = 0): unknown[] {
  const { input } = reader
  const kind = input.u8()
  switch (kind) {
    case ColumnKind.EMPTY:
      if (count !== 0) throw frameInvalid('an empty column in a frame with messages')
      return []
    case ColumnKind.ASCII:
      return readTexts(input, count, 'latin1')
    case ColumnKind.UTF8:
      return readTexts(input, count, 'utf8')
    case ColumnKind.UTF16:
      return readTexts(input, count, 'utf16le')
    case ColumnKind.TUPLE:
      return readTuples(reader, count, depth)
    case ColumnKind.MIXED:
      return readMixed(reader, count)
    case ColumnKind.BUFFER:
    case ColumnKind.BYTES:
      return readChunks(input, count, kind === ColumnKind.BUFFER)
    case ColumnKind.CONSTANTS:
      return readConstants(input, count)
    default:
      return readNumbers(input, kind, count)
  }
}

function readTexts(
  input: ByteReader,
  count: number,
  encoding: 'latin1' | 'utf8' | 'utf16le',
): string[] {
  const width = input.u8()
  const lengths = input.borrow(lengthBytes(width, count))
  const all = input.slice(input.u32(), encoding)
  const texts = new Array<string>(count)
  let start = 0
  if (width === 1) {
    for (let i = 0; i < count; i++) {
      const end = start + lengths[i]!
      texts[i] = all.substring(start, end)
      start = end
    }
  } else {
    for (let i = 0; i < count; i++) {
      const end = start + lengths.readUIntLE(i * width, width)
      texts[i] = all.substring(start, end)
      start = end
    }
  }
  if (start !== all.length) throw frameInvalid('the lengths of the texts do not match the texts')
  return texts
}

function lengthBytes(width: number, count: number): number {
  if (width !== 1 && width !== 2 && width !== 4) throw frameInvalid(`lengths of ${width} bytes`)
  return width * count
}

function readTuples(reader: ValueReader, count: number, depth: number): unknown[][] {
  const width = reader.input.u8()
  if (width > TUPLE_FIELDS_MAX || depth >= TUPLE_DEPTH_MAX)
    throw frameInvalid('a tuple beyond the bounds')
  const rows = new Array<unknown[]>(count)
  const fields: unknown[][] = []
  for (let j = 0; j < width; j++) fields.push(readColumn(reader, count, depth + 1))
  const [a, b, c] = fields
  // Array literals make packed arrays of the right size; the widths of most streams are spelled out.
  switch (width) {
    case 1:
      for (let i = 0; i < count; i++) rows[i] = [a![i]]
      break
    case 2:
      for (let i = 0; i < count; i++) rows[i] = [a![i], b![i]]
      break
    case 3:
      for (let i = 0; i < count; i++) rows[i] = [a![i], b![i], c![i]]
      break
    default:
      for (let i = 0; i < count; i++) {
        const row: unknown[] = []
        for (let j = 0; j < width; j++) row.push(fields[j]![i])
        rows[i] = row
      }
  }
  return rows
}

function readMixed(reader: ValueReader, count: number): unknown[] {
  const values = new Array<unknown>(count)
  for (let i = 0; i < count; i++) values[i] = reader.read()
  return values
}

function readChunks(input: ByteReader, count: number, buffers: boolean): Uint8Array[] {
  const width = input.u8()
  const lengths = input.borrow(lengthBytes(width, count))
  const chunks = new Array<Uint8Array>(count)
  for (let i = 0; i < count; i++) {
    const bytes = input.borrow(lengths.readUIntLE(i * width, width))
    chunks[i] = buffers ? Buffer.from(bytes) : new Uint8Array(bytes)
  }
  return chunks
}

function readConstants(input: ByteReader, count: number): unknown[] {
  const values = new Array<unknown>(count)
  for (let i = 0; i < count; i++) {
    const byte = input.u8()
    if (byte >= CONSTANTS.length) throw frameInvalid(`unknown constant ${byte}`)
    values[i] = CONSTANTS[byte]
  }
  return values
}

function readNumbers(input: ByteReader, kind: number, count: number): number[] {
  const values = new Array<number>(count)
  switch (kind) {
    case ColumnKind.INT8:
      for (let i = 0; i < count; i++) values[i] = (input.u8() << 24) >> 24
      return values
    case ColumnKind.INT16:
      for (let i = 0; i < count; i++) values[i] = (input.u16() << 16) >> 16
      return values
    case ColumnKind.INT32:
      for (let i = 0; i < count; i++) values[i] = input.i32()
      return values
    case ColumnKind.FLOAT64:
      for (let i = 0; i < count; i++) values[i] = input.f64()
      return values
    default:
      throw frameInvalid(`unknown column kind ${kind}`)
  }
}
