// Values to bytes and back. The default serves everything that is plain data: null, undefined, all numbers (-0, NaN
// and infinities included), BigInt of any size, texts (lone surrogates included), Buffer and Uint8Array each as
// itself, arrays, objects, Map, Set, Date, RegExp, typed arrays, ArrayBuffer and errors. An instance of a user's
// class needs a serialiser, registered under the same name in every executor; without one it is refused, because
// it would arrive without its methods.
//
// The format is our own rather than MessagePack: MessagePack libraries drop the sign of zero, let class instances
// and functions pass in mutilated form, and cannot promise how much memory a corrupt input makes them take.

import { EngineError } from '../base/errors.ts'
import { ByteReader, frameInvalid } from './byte-reader.ts'
import { ValueReader } from './value-reader.ts'
import { ERROR_TYPES, VIEW_TYPES } from './value-tags.ts'
import { ValueWriter } from './value-writer.ts'

/**
 * How instances of one class travel. `encode` gives plain data (or instances with serialisers of their own).
 *
 *     const money: Serialiser<Money> = {
 *       name: 'money',
 *       type: Money,
 *       encode: value => [value.amount, value.currency],
 *       decode: data => new Money(...(data as [bigint, string])),
 *     }
 */
export interface Serialiser<T = unknown> {
  readonly name: string
  /** Instances of exactly this class are meant; a subclass needs its own serialiser. */
  readonly type: new (
    ...args: never[]
  ) => T
  encode(value: T): unknown
  decode(data: unknown): T
}

// Types the default format owns: a serialiser for one of them would never be asked.
const BUILT_IN: ReadonlySet<unknown> = new Set<unknown>([
  ...[
    Array,
    Object,
    String,
    Number,
    Boolean,
    Buffer,
    Uint8Array,
    Map,
    Set,
    Date,
    RegExp,
    ArrayBuffer,
  ],
  ...VIEW_TYPES,
  ...ERROR_TYPES,
])

/** The serialisers of one application. Not re-entrant: a serialiser must not call back into it. */
export class Serialisers {
  private readonly byPrototype = new Map<object, Serialiser>()
  private readonly byName = new Map<string, Serialiser>()
  private readonly writer: ValueWriter
  private readonly reader: ValueReader

  constructor(extra: readonly Serialiser[] = []) {
    for (const serialiser of extra) this.register(serialiser)
    this.writer = this.createWriter()
    this.reader = this.createReader(new ByteReader())
  }

  /** The value as bytes of its own. Throws VALUE_NOT_SERIALISABLE, with the path to what cannot be sent. */
  encode(value: unknown): Uint8Array {
    this.writer.write(value)
    const bytes = this.writer.out.copyFrom(0)
    this.writer.out.clear()
    return bytes
  }

  /** The value that `encode` was given. Throws FRAME_INVALID if the bytes are not one whole value. */
  decode(bytes: Uint8Array): unknown {
    const { input } = this.reader
    input.reset(bytes)
    const value = this.reader.read()
    if (input.remaining !== 0)
      throw frameInvalid(`${input.remaining} bytes after the end of a value`)
    return value
  }

  /** A writer with a buffer of its own, for frames. */
  createWriter(): ValueWriter {
    return new ValueWriter(this.byPrototype)
  }

  /** A reader over `input`, for frames. */
  createReader(input: ByteReader): ValueReader {
    return new ValueReader(this.byName, input)
  }

  private register(serialiser: Serialiser): void {
    const { name, type } = serialiser
    const problem = BUILT_IN.has(type)
      ? `${type.name} is served by the engine itself`
      : this.byName.has(name)
        ? 'another serialiser has the same name'
        : this.byPrototype.has(type.prototype as object)
          ? `${type.name} has a serialiser already`
          : undefined
    if (problem !== undefined) {
      throw new EngineError('BAD_INPUT', `serialiser "${name}" cannot be registered: ${problem}`, {
        hint: 'give each class one serialiser, with a name of its own',
        details: { name, type: type.name },
      })
    }
    this.byName.set(name, serialiser)
    this.byPrototype.set(type.prototype as object, serialiser)
  }
}
