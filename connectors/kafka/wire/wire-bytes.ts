// Reading and writing the primitive types of Kafka's protocol, over one Buffer. Reading beyond the end throws a RangeError, so a
// length that cannot be true never reads foreign memory. Offsets are plain numbers: exact up to 2^53.

const FIRST_BYTES = 1024
const TWO_32 = 4_294_967_296

export class WireWriter {
  /** kafkajs reads these two when it puts a request together. */
  buf: Buffer
  #at = 0

  constructor(bytes = FIRST_BYTES) {
    this.buf = Buffer.allocUnsafe(bytes)
  }

  get buffer(): Buffer {
    return this.buf.subarray(0, this.#at)
  }

  get size(): number {
    return this.#at
  }

  int8(value: number): this {
    this.#room(1)
    this.#at = this.buf.writeInt8(value, this.#at)
    return this
  }

  int16(value: number): this {
    this.#room(2)
    this.#at = this.buf.writeInt16BE(value, this.#at)
    return this
  }

  int32(value: number): this {
    this.#room(4)
    this.#at = this.buf.writeInt32BE(value, this.#at)
    return this
  }

  int64(value: number | bigint): this {
    this.#room(8)
    this.#at = this.buf.writeBigInt64BE(BigInt(value), this.#at)
    return this
  }

  /** Null as length -1. */
  text(value: string | null): this {
    if (value === null) return this.int16(-1)
    const bytes = Buffer.byteLength(value)
    this.int16(bytes)
    this.#room(bytes)
    this.#at += this.buf.write(value, this.#at)
    return this
  }

  raw(bytes: Uint8Array): this {
    this.#room(bytes.length)
    this.buf.set(bytes, this.#at)
    this.#at += bytes.length
    return this
  }

  list<T>(items: readonly T[], write: (item: T) => void): this {
    this.int32(items.length)
    for (const item of items) write(item)
    return this
  }

  /** Without a sign, 7 bits a byte. */
  uvarint(value: number): this {
    this.#room(10)
    let rest = value
    while (rest > 0x7f) {
      this.buf[this.#at++] = (rest % 128) + 128
      rest = Math.floor(rest / 128)
    }
    this.buf[this.#at++] = rest
    return this
  }

  compactText(value: string): this {
    const bytes = Buffer.from(value)
    return this.uvarint(bytes.length + 1).raw(bytes)
  }

  /** Zigzag, 7 bits a byte. Exact for whole numbers below 2^52. */
  varint(value: number): this {
    this.#room(10)
    const { buf } = this
    let rest = value >= 0 ? value * 2 : -value * 2 - 1
    while (rest > 0x7f) {
      buf[this.#at++] = (rest % 128) + 128
      rest = Math.floor(rest / 128)
    }
    buf[this.#at++] = rest
    return this
  }

  /** Bytes or text behind their length as a varint; null as -1. */
  varBytes(value: Uint8Array | string | null): this {
    if (value === null) return this.varint(-1)
    if (typeof value !== 'string') return this.varint(value.length).raw(value)
    const bytes = Buffer.byteLength(value)
    this.varint(bytes)
    this.#room(bytes)
    this.#at += this.buf.write(value, this.#at)
    return this
  }

  /** Forgets all that was written; the memory stays. */
  clear(): void {
    this.#at = 0
  }

  #room(bytes: number): void {
    const needed = this.#at + bytes
    if (needed <= this.buf.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, this.buf.length * 2))
    this.buf.copy(larger, 0, 0, this.#at)
    this.buf = larger
  }
}

export class WireReader {
  readonly buf: Buffer
  at: number

  constructor(buf: Buffer, at = 0) {
    this.buf = buf
    this.at = at
  }

  int8(): number {
    const value = this.buf.readInt8(this.at)
    this.at += 1
    return value
  }

  int16(): number {
    const value = this.buf.readInt16BE(this.at)
    this.at += 2
    return value
  }

  int32(): number {
    const value = this.buf.readInt32BE(this.at)
    this.at += 4
    return value
  }

  int64(): number {
    const value = int64At(this.buf, this.at)
    this.at += 8
    return value
  }

  bigint64(): bigint {
    const value = this.buf.readBigInt64BE(this.at)
    this.at += 8
    return value
  }

  text(): string {
    return this.nullableText() ?? ''
  }

  nullableText(): string | null {
    const bytes = this.int16()
    return bytes < 0 ? null : this.raw(bytes).toString()
  }

  raw(bytes: number): Buffer {
    if (bytes < 0 || this.at + bytes > this.buf.length)
      throw new RangeError(`${bytes} bytes at ${this.at} are beyond the end at ${this.buf.length}`)
    const value = this.buf.subarray(this.at, this.at + bytes)
    this.at += bytes
    return value
  }

  /** A null list is read as an empty one. */
  list<T>(read: () => T): T[] {
    const count = this.int32()
    // Each item has a byte at least: a count that cannot be true reserves nothing.
    if (count > this.buf.length - this.at)
      throw new RangeError(`a list of ${count} items at ${this.at} is beyond the end`)
    const items: T[] = []
    for (let i = 0; i < count; i++) items.push(read())
    return items
  }

  /** Null as an empty text. */
  compactText(): string {
    const length = this.uvarint()
    return length === 0 ? '' : this.raw(length - 1).toString()
  }

  compactList<T>(read: () => T): T[] {
    const count = this.uvarint() - 1
    if (count > this.buf.length - this.at)
      throw new RangeError(`a list of ${count} items at ${this.at} is beyond the end`)
    const items: T[] = []
    for (let i = 0; i < count; i++) items.push(read())
    return items
  }

  /** Fields that this version need not know. */
  skipTags(): void {
    for (let left = this.uvarint(); left > 0; left--) {
      this.uvarint()
      this.raw(this.uvarint())
    }
  }

  varint(): number {
    const value = this.uvarint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  uvarint(): number {
    const { buf } = this
    let factor = 1
    let value = 0
    for (;;) {
      const byte = buf[this.at++]
      if (byte === undefined || factor > Number.MAX_SAFE_INTEGER)
        throw new RangeError(`a number at ${this.at} does not end`)
      if (byte < 128) {
        value += byte * factor
        break
      }
      value += (byte - 128) * factor
      factor *= 128
    }
    return value
  }

  varBytes(): Buffer | null {
    const bytes = this.varint()
    return bytes < 0 ? null : this.raw(bytes)
  }
}

export function int64At(buf: Buffer, at: number): number {
  return buf.readInt32BE(at) * TWO_32 + buf.readUInt32BE(at + 4)
}
