// The letters of the protocol between an executor and its JVM host; Wire.java has the same. A frame is a length of four bytes,
// a kind, and what the kind says. A batch is the number of a channel and records of its task, one after the other, so that a
// turn of either side costs one write. Each opening of a task has a channel of its own: nothing that a former one still says
// is taken for what the present one says. All numbers are in network order.

/** Frames, in both directions; a batch goes both ways. */
export const FRAME = {
  SETUP: 1,
  OPEN: 2,
  BATCH: 3,
  CREDIT: 4,
  TASKS: 5,
  PING: 6,
} as const

export const HOST_FRAME = { BATCH: 3, LOG: 4, READY: 5, PONG: 6 } as const

/** Records in a batch to the host. */
export const ORDER = {
  EXECUTE: 1,
  TICK: 2,
  NEXT: 3,
  DONE: 4,
  FAILED: 5,
  ACTIVATE: 6,
  DEACTIVATE: 7,
  CLOSE: 8,
  CREDENTIALS: 9,
} as const

/** Records in a batch from the host. */
export const TOLD = {
  EMIT: 1,
  ACK: 2,
  FAIL: 3,
  RENEW: 4,
  EXECUTED: 5,
  ASKED: 6,
  REPORT: 7,
  OPENED: 8,
  THREW: 9,
  CLOSED: 10,
  METRIC: 11,
  WANT_TASKS: 12,
  CALLED: 13,
} as const

export const EMIT_FLAG = {
  ONE_ANCHOR: 1,
  MANY_ANCHORS: 2,
  DIRECT: 4,
  WITH_ID: 8,
  CHOSEN: 16,
} as const

/** Types of values. */
export const TYPE = {
  NULL: 0,
  FALSE: 1,
  TRUE: 2,
  INT: 3,
  LONG: 4,
  DOUBLE: 5,
  LATIN: 6,
  WIDE: 7,
  BYTES: 8,
  BIG: 9,
  LIST: 10,
  MAP: 11,
  OTHER: 12,
} as const

/** What a value of the type OTHER is in Java. */
export const OTHER = {
  FLOAT: 1,
  SHORT: 2,
  BYTE: 3,
  CHAR: 4,
  DECIMAL: 5,
  SMALL_BIG: 6,
  KRYO: 7,
  SERIALIZED: 8,
} as const

/** Longest frame: a component with a table of its own, or one large tuple. */
export const FRAME_BYTES_MAX = 128 * 1024 * 1024

/** Values nested deeper than this contain themselves. */
export const DEPTH_MAX = 400
