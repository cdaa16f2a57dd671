// The letters of Java's object stream: what a value begins with (TC), and the flags of a class (SC), as the public
// specification of the protocol numbers them.

export const MAGIC = 0xaced
export const VERSION = 5
export const FIRST_HANDLE = 0x7e0000

export const TC = {
  NULL: 0x70,
  REFERENCE: 0x71,
  CLASSDESC: 0x72,
  OBJECT: 0x73,
  STRING: 0x74,
  ARRAY: 0x75,
  CLASS: 0x76,
  BLOCKDATA: 0x77,
  ENDBLOCKDATA: 0x78,
  RESET: 0x79,
  BLOCKDATALONG: 0x7a,
  EXCEPTION: 0x7b,
  LONGSTRING: 0x7c,
  PROXYCLASSDESC: 0x7d,
  ENUM: 0x7e,
} as const

export const SC = {
  WRITE_METHOD: 1,
  SERIALIZABLE: 2,
  EXTERNALIZABLE: 4,
  BLOCK_DATA: 8,
} as const

/** The least bytes that one item of an array takes, by the letter of its type. */
export const BYTES_OF: Readonly<Record<string, number>> = {
  B: 1,
  C: 2,
  D: 8,
  F: 4,
  I: 4,
  J: 8,
  S: 2,
  Z: 1,
}
