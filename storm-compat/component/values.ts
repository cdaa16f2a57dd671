// Values that plain JavaScript cannot tell apart. JSON and MessagePack know 1 and 1.0 as two types, and so do Python
// and Java; a JavaScript number does not. In a tuple a plain number that is a safe integer is an integer, any other
// plain number is a float, a BigInt is an integer beyond 2^53, and a `Double` is a float whose value happens to be
// integral. Only decoders make Doubles; arithmetic works on them through `valueOf`.

import type { Serialiser } from 'gearpump/spi'

/** A floating-point number with an integral value, such as 1.0. */
export class Double {
  readonly value: number

  constructor(value: number) {
    this.value = value
  }

  valueOf(): number {
    return this.value
  }

  toString(): string {
    return String(this.value)
  }

  toJSON(): number {
    return this.value
  }
}

/** The tuple value for a float that was read: a `Double` only where a plain number would be taken for an integer. */
export function floatValue(value: number): number | Double {
  return Number.isSafeInteger(value) ? new Double(value) : value
}

/** How a Double crosses between executors. */
export const doubleSerialiser: Serialiser<Double> = {
  name: 'storm.Double',
  type: Double,
  encode: double => double.value,
  decode: data => new Double(data as number),
}
