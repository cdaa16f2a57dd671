// Writes frames, records and values for the JVM host into one buffer that grows and is used again. Integers need a word of
// where they come from: those of a multi-lang child are Longs, as in Storm; all others are Integers where they fit.
import { EngineError } from 'gearpump/spi'
import { Double } from '../component/values.ts'
import { DEPTH_MAX, FRAME_BYTES_MAX, OTHER, TYPE } from './host-protocol.ts'
import { JavaValue } from './java-value.ts'

const FIRST_BYTES = 4 * 1024
/** A buffer that one large tuple has blown up is not kept. */
const KEPT_BYTES = 1024 * 1024
/** Up to here letters are written one by one, which is quicker than a call into the runtime. */
const SHORT_TEXT = 48
const NOT_LATIN = /[^\p{ASCII}\u0080-\u00ff]/u

export class WireWriter {
  size = 0
  /** Whether integers are written as Longs where they come without a type. */
  longs = false
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)

  /** What was written, valid until the next write. */
  get content(): Buffer {
    return this.#bytes.subarray(0, this.size)
  }

  /** Forgets what was written beyond `size`. */
  reset(size: number): void {
    this.size = size
    if (this.#bytes.length > KEPT_BYTES && size === 0) {
      this.#bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
    }
  }

  u8(value: number): void {
    if (this.size === this.#bytes.length) this.#grow(1)
    this.#bytes[this.size++] = value
  }

  i32(value: number): void {
    this.#room(4)
    const bytes = this.#bytes
    const at = this.size
    bytes[at] = value >> 24
    bytes[at + 1] = value >> 16
    bytes[at + 2] = value >> 8
    bytes[at + 3] = value
    this.size = at + 4
  }

  /** Seven bits a byte, the lowest first. */
  count(value: number): void {
    this.#room(5)
    let rest = value
    while (rest >= 0x80) {
      this.#bytes[this.size++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#bytes[this.size++] = rest
  }

  /** Begins a frame; `endFrame` puts in its length. */
  beginFrame(kind: number): number {
    const start = this.size
    this.i32(0)
    this.u8(kind)
    return start
  }

  endFrame(start: number): void {
    this.#bytes.writeInt32BE(this.size - start - 4, start)
  }

  values(values: readonly unknown[]): void {
    this.count(values.length)
    for (let i = 0; i < values.length; i++) this.#value(values[i], 0)
  }

  /** Throws VALUE_NOT_SERIALISABLE; what was written of it then is the caller's to forget. */
  value(value: unknown): void {
    this.#value(value, 0)
  }

  #value(value: unknown, depth: number): void {
    switch (typeof value) {
      case 'string':
        this.text(value)
        return
      case 'number':
        this.#number(value)
        return
      case 'boolean':
        this.u8(value ? TYPE.TRUE : TYPE.FALSE)
        return
      case 'bigint':
        this.#bigint(value)
        return
      case 'undefined':
        this.u8(TYPE.NULL)
        return
      case 'object':
        value === null ? this.u8(TYPE.NULL) : this.#object(value, depth + 1)
        return
      default:
        throw refused(`a ${typeof value} has no counterpart in Java`)
    }
  }

  #number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
      this.#double(value)
      return
    }
    if (!this.longs && (value | 0) === value) {
      this.u8(TYPE.INT)
      this.i32(value)
      return
    }
    this.u8(TYPE.LONG)
    this.i32(Math.floor(value / 2 ** 32))
    this.i32(value | 0)
  }

  #double(value: number): void {
    this.u8(TYPE.DOUBLE)
    this.#room(8)
    this.size = this.#bytes.writeDoubleBE(value, this.size)
  }

  #bigint(value: bigint): void {
    if (BigInt.asIntN(64, value) === value) {
      this.u8(TYPE.LONG)
      this.#room(8)
      this.size = this.#bytes.writeBigInt64BE(value, this.size)
      return
    }
    this.u8(TYPE.BIG)
    this.#block(twosComplement(value))
  }

  text(text: string): void {
    const { length } = text
    if (length > SHORT_TEXT) {
      this.#longText(text)
      return
    }
    this.#room(length + 2)
    const bytes = this.#bytes
    const start = this.size
    bytes[start] = TYPE.LATIN
    bytes[start + 1] = length
    let at = start + 2
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code > 0xff) {
        this.#wide(text)
        return
      }
      bytes[at++] = code
    }
    this.size = at
  }

  #longText(text: string): void {
    if (NOT_LATIN.test(text)) {
      this.#wide(text)
      return
    }
    this.u8(TYPE.LATIN)
    this.count(text.length)
    this.#room(text.length)
    this.size += this.#bytes.write(text, this.size, 'latin1')
  }

  #wide(text: string): void {
    this.u8(TYPE.WIDE)
    this.count(text.length)
    this.#room(2 * text.length)
    this.size += this.#bytes.write(text, this.size, 'utf16le')
  }

  #object(value: object, depth: number): void {
    if (depth > DEPTH_MAX) throw refused(`it is nested deeper than ${DEPTH_MAX} levels`)
    if (Array.isArray(value)) {
      this.#list(value, depth)
      return
    }
    if (value instanceof Uint8Array) {
      this.u8(TYPE.BYTES)
      this.#block(value)
      return
    }
    if (value instanceof Map) {
      this.#entries([...value], depth)
      return
    }
    if (value instanceof Double) {
      this.#double(value.value)
      return
    }
    if (value instanceof JavaValue) {
      this.#other(value)
      return
    }
    if (value instanceof Set) {
      this.#list([...value], depth)
      return
    }
    // A Date and the like travel as what they turn into, as they do to multi-lang children.
    if ('toJSON' in value && typeof value.toJSON === 'function') {
      this.#value(value.toJSON(), depth)
      return
    }
    this.#entries(
      Object.entries(value).filter(([, item]) => item !== undefined),
      depth,
    )
  }

  #list(list: readonly unknown[], depth: number): void {
    this.u8(TYPE.LIST)
    this.count(list.length)
    for (const item of list) this.#value(item, depth)
  }

  #entries(entries: readonly (readonly [unknown, unknown])[], depth: number): void {
    this.u8(TYPE.MAP)
    this.count(entries.length)
    for (const [key, item] of entries) {
      this.#value(key, depth)
      this.#value(item, depth)
    }
  }

  #other({ kind, hash, text, bytes }: JavaValue): void {
    this.u8(TYPE.OTHER)
    this.u8(kind)
    this.i32(hash)
    this.text(text)
    if (kind >= OTHER.KRYO) this.#block(bytes)
  }

  #block(bytes: Uint8Array): void {
    this.count(bytes.length)
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.size)
    this.size += bytes.length
  }

  #room(more: number): void {
    if (this.size + more > this.#bytes.length) this.#grow(more)
  }

  #grow(more: number): void {
    const needed = this.size + more
    if (needed > FRAME_BYTES_MAX) throw refused(`it is longer than ${FRAME_BYTES_MAX} bytes`)
    const bytes = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length))
    this.#bytes.copy(bytes, 0, 0, this.size)
    this.#bytes = bytes
  }
}

function refused(reason: string): EngineError {
  return new EngineError('VALUE_NOT_SERIALISABLE', `a value cannot be sent to Java: ${reason}`, {
    hint: 'emit plain data: texts, numbers, bytes, lists and maps of them',
  })
}

/** The shortest bytes of Java's BigInteger. */
function twosComplement(value: bigint): Buffer {
  const magnitude = value < 0n ? -value - 1n : value
  const bytes = Math.floor(magnitude.toString(2).length / 8) + 1
  const bits = BigInt.asUintN(bytes * 8, value).toString(16)
  return Buffer.from(bits.padStart(bytes * 2, '0'), 'hex')
}
