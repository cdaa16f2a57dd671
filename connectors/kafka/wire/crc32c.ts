// CRC-32C (Castagnoli), the checksum of Kafka's record batches. Eight bytes a step by tables made at first use.

const POLYNOMIAL = 0x82f63b78
const SLICES = 8

let tables: Uint32Array | undefined

export function crc32c(bytes: Uint8Array): number {
  tables ??= makeTables()
  const t = tables
  const { length } = bytes
  let crc = 0xffffffff
  let i = 0
  for (; i + 8 <= length; i += 8) {
    const low =
      crc ^ (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24))
    crc =
      t[1792 + (low & 0xff)]! ^
      t[1536 + ((low >>> 8) & 0xff)]! ^
      t[1280 + ((low >>> 16) & 0xff)]! ^
      t[1024 + (low >>> 24)]! ^
      t[768 + bytes[i + 4]!]! ^
      t[512 + bytes[i + 5]!]! ^
      t[256 + bytes[i + 6]!]! ^
      t[bytes[i + 7]!]!
  }
  for (; i < length; i++) crc = (crc >>> 8) ^ t[(crc ^ bytes[i]!) & 0xff]!
  return (crc ^ 0xffffffff) >>> 0
}

function makeTables(): Uint32Array {
  const made = new Uint32Array(256 * SLICES)
  for (let n = 0; n < 256; n++) {
    let crc = n
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    made[n] = crc
  }
  for (let n = 256; n < 256 * SLICES; n++) {
    const before = made[n - 256]!
    made[n] = (before >>> 8) ^ made[before & 0xff]!
  }
  return made
}
