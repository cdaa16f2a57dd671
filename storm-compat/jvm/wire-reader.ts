// Reads what the JVM host wrote. Values become what multi-lang children give as well: an Integer is a number, a Long a bigint, a
// Double that is integral a `Double`, a list an array, a map a Map; what JavaScript has no type for is a JavaValue.
import { EngineError } from 'gearpump/spi'
import { floatValue } from '../component/values.ts'
import { DEPTH_MAX, OTHER, TYPE } from './host-protocol.ts'
import { JavaValue } from './java-value.ts'

/** Up to here letters are read one by one, which is quicker than a call into the runtime. */
const SHORT_TEXT = 12

export class WireReader {
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  #end = 0

  /** Reads on from `start`, up to `end`. */
  over(bytes: Buffer, start: number, end: number): void {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
  }

  /** Where the next thing begins. */
  get at(): number {
    return this.#at
  }

  get more(): boolean {
    return this.#at < this.#end
  }

  u8(): number {
    return this.#bytes[this.#take(1)]!
  }

  i32(): number {
    const at = this.#take(4)
    const bytes = this.#bytes
    return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
  }

  count(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const next = this.u8()
      value |= (next & 0x7f) << shift
      if (next < 0x80) return value >>> 0
    }
    throw wrong('a number of more than five bytes')
  }

  values(): unknown[] {
    return this.#list(0)
  }

  value(): unknown {
    return this.#value(0)
  }

  text(): string {
    const value = this.#value(0)
    if (typeof value !== 'string') throw wrong('no text where one must be')
    return value
  }

  #value(depth: number): unknown {
    const type = this.u8()
    switch (type) {
      case TYPE.NULL:
        return null
      case TYPE.FALSE:
        return false
      case TYPE.TRUE:
        return true
      case TYPE.INT:
        return this.i32()
      case TYPE.LONG:
        return this.#bytes.readBigInt64BE(this.#take(8))
      case TYPE.DOUBLE:
        return this.#double()
      case TYPE.LATIN:
        return this.#latin()
      case TYPE.WIDE:
        return this.#wide()
      case TYPE.BYTES:
        return this.#block()
      case TYPE.BIG:
        return this.#big()
      case TYPE.LIST:
        return this.#list(depth + 1)
      case TYPE.MAP:
        return this.#map(depth + 1)
      case TYPE.OTHER:
        return this.#other()
      default:
        throw wrong(`no value begins with ${type}`)
    }
  }

  #double(): unknown {
    const value = this.#bytes.readDoubleBE(this.#take(8))
    // -0 is no integer of Java's.
    return Object.is(value, -0) ? value : floatValue(value)
  }

  #latin(): string {
    const length = this.count()
    const at = this.#take(length)
    if (length > SHORT_TEXT) return this.#bytes.toString('latin1', at, at + length)
    let text = ''
    for (let i = at; i < at + length; i++) text += String.fromCharCode(this.#bytes[i]!)
    return text
  }

  #wide(): string {
    const bytes = 2 * this.count()
    const at = this.#take(bytes)
    return this.#bytes.toString('utf16le', at, at + bytes)
  }

  // A copy: a small value must not keep all that came with it alive.
  #block(): Buffer {
    const length = this.count()
    const at = this.#take(length)
    return Buffer.from(this.#bytes.subarray(at, at + length))
  }

  #big(): bigint {
    const bytes = this.#block()
    return BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex') || '0'}`))
  }

  #list(depth: number): unknown[] {
    const length = this.#items(depth)
    const list: unknown[] = []
    for (let i = 0; i < length; i++) list.push(this.#value(depth))
    return list
  }

  #map(depth: number): Map<unknown, unknown> {
    const length = this.#items(depth)
    const map = new Map<unknown, unknown>()
    for (let i = 0; i < length; i++) {
      const key = this.#value(depth)
      map.set(key, this.#value(depth))
    }
    return map
  }

  #items(depth: number): number {
    if (depth > DEPTH_MAX) throw wrong(`values nest deeper than ${DEPTH_MAX}`)
    const length = this.count()
    if (length > this.#end - this.#at) throw wrong(`${length} items, and fewer bytes are left`)
    return length
  }

  #other(): JavaValue {
    const kind = this.u8()
    const hash = this.i32()
    const text = this.text()
    return new JavaValue(kind, hash, text, kind >= OTHER.KRYO ? this.#block() : undefined)
  }

  #take(length: number): number {
    const start = this.#at
    if (length > this.#end - start) throw wrong('a frame ends where more must follow')
    this.#at = start + length
    return start
  }
}

function wrong(reason: string): EngineError {
  return new EngineError('BUG', `the JVM host said something that cannot be read: ${reason}`)
}
