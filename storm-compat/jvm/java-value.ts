// A value of Java that JavaScript has no type for: a float, short, byte, char, BigDecimal, a BigInteger that would fit a long, or
// an object of a class of Java's, as the bytes that a host wrote. It passes from host to host as it is; to all others it looks
// like its text, or its number. It carries Java's hash code, so that a fields grouping routes it as Storm does.
import type { Serialiser } from 'gearpump/spi'
import { OTHER } from './host-protocol.ts'

const NO_BYTES = Buffer.alloc(0)

export class JavaValue {
  /** One of OTHER. */
  readonly kind: number
  readonly hash: number
  /** As `String.valueOf` in Java. */
  readonly text: string
  /** Of an object; only another host of the same line can open it. */
  readonly bytes: Buffer

  constructor(kind: number, hash: number, text: string, bytes: Buffer = NO_BYTES) {
    this.kind = kind
    this.hash = hash
    this.text = text
    this.bytes = bytes
  }

  /** Of the numbers among them; NaN for others. */
  valueOf(): number {
    return Number(this.text)
  }

  toString(): string {
    return this.text
  }

  /** What multi-lang children get. */
  toJSON(): string | number {
    const isNumber = this.kind !== OTHER.CHAR && this.kind < OTHER.KRYO
    return isNumber && Number.isFinite(this.valueOf()) ? this.valueOf() : this.text
  }
}

/** How one crosses between executors. */
export const javaValueSerialiser: Serialiser<JavaValue> = {
  name: 'storm.JavaValue',
  type: JavaValue,
  encode: ({ kind, hash, text, bytes }) => [kind, hash, text, bytes],
  decode: data => {
    const [kind, hash, text, bytes] = data as [number, number, string, Uint8Array]
    return new JavaValue(kind, hash, text, Buffer.from(bytes))
  },
}
