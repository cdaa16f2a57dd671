// How a column of values lies in a frame: the first byte of each column, and the bounds both sides keep. A column is
// what the messages of one frame have in common: all texts, all integers, ..., or, for arrays of one length (Storm
// tuples), a column per field. Whatever does not fit is MIXED: value by value, and only for that column.

export const ColumnKind = {
  EMPTY: 0,
  /** Lengths in UTF-16 units, then all texts as one: decoded by one call, cut apart by `substring`. */
  ASCII: 1,
  UTF8: 2,
  UTF16: 3,
  INT8: 4,
  INT16: 5,
  INT32: 6,
  FLOAT64: 7,
  /** One byte each: undefined, null, false, true. */
  CONSTANTS: 8,
  BUFFER: 9,
  BYTES: 10,
  TUPLE: 11,
  MIXED: 12,
} as const

/** Messages in a frame. More would not be faster: such frames leave the second-level cache. */
export const FRAME_MESSAGES_MAX = 1024

/** A frame is full at about this size; 16 to 64 kB was measured best on sockets. */
export const FRAME_BYTES_TARGET = 48 * 1024

/** Arrays longer than this travel value by value: a column per field pays only while columns are dense. */
export const TUPLE_FIELDS_MAX = 64

/** Arrays within arrays that are taken apart into columns; deeper ones travel value by value. */
export const TUPLE_DEPTH_MAX = 2

/** The values of a CONSTANTS column by their byte. */
export const CONSTANTS: readonly unknown[] = [undefined, null, false, true]
