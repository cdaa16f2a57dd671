// The first byte of every encoded value. Small integers, short ASCII texts, small arrays and objects have their size
// in the tag itself; they are most of what flows. Both sides of a link run the same version (HELLO carries it), so
// the table may change between versions.

export const Tag = {
  /** 0x00-0x7f: the integers 0 to 127. */
  SMALL_INT_MAX: 0x7f,
  /** 0x80-0x9f: ASCII text of 0 to 31 bytes. */
  SHORT_TEXT: 0x80,
  /** 0xa0-0xaf: array of 0 to 15 entries. */
  SHORT_ARRAY: 0xa0,
  /** 0xb0-0xbf: plain object of 0 to 15 entries. */
  SHORT_OBJECT: 0xb0,
  NULL: 0xc0,
  UNDEFINED: 0xc1,
  FALSE: 0xc2,
  TRUE: 0xc3,
  INT8: 0xc4,
  INT16: 0xc5,
  INT32: 0xc6,
  FLOAT64: 0xc7,
  TEXT: 0xc8,
  BIGINT64: 0xc9,
  BIGINT: 0xca,
  BUFFER: 0xcb,
  BYTES: 0xcc,
  ARRAY: 0xcd,
  OBJECT: 0xce,
  /** An object without a prototype. */
  BARE_OBJECT: 0xcf,
  MAP: 0xd0,
  SET: 0xd1,
  DATE: 0xd2,
  REGEXP: 0xd3,
  TYPED_ARRAY: 0xd4,
  ARRAY_BUFFER: 0xd5,
  ERROR: 0xd6,
  CUSTOM: 0xd7,
} as const

/** How deep a value may be nested. It bounds the stack on both sides, and finds values that contain themselves. */
export const NESTING_DEPTH_MAX = 128

/** The typed arrays by their number on the wire. Uint8Array has a tag of its own. Append only. */
export const VIEW_TYPES = [
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
] as const

/** The standard errors by their number on the wire. Append only. */
export const ERROR_TYPES = [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  AggregateError,
] as const
