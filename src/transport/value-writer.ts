// Writes any plain value compactly and without loss. What it does not know is refused with its path and constructor,
// at the emit and not at the frame, so that the task at fault gets the error. Shared references are written once per
// reference; symbol keys and non-enumerable properties are not carried, as with structuredClone.

import { EngineError } from '../base/errors.ts'
import { ByteWriter, isWellFormed } from './byte-writer.ts'
import type { Serialiser } from './serialisers.ts'
import { ERROR_TYPES, NESTING_DEPTH_MAX, Tag, VIEW_TYPES } from './value-tags.ts'

const SHORT_TEXT_MAX = 31
const SHORT_COUNT_MAX = 15
const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n
const PATH_SHOWN_CHARS_MAX = 200

type PathStep = string | number

/** Writes values into `out`, one after the other. After a throw `out` is as it was before the value. */
export class ValueWriter {
  readonly out: ByteWriter
  private readonly byPrototype: ReadonlyMap<object, Serialiser>
  private readonly path: PathStep[] = []
  private depth = 0

  constructor(byPrototype: ReadonlyMap<object, Serialiser>, out: ByteWriter = new ByteWriter()) {
    this.byPrototype = byPrototype
    this.out = out
  }

  write(value: unknown): void {
    const start = this.out.position
    this.depth = 0
    try {
      this.any(value)
    } catch (error) {
      this.out.position = start
      this.path.length = 0
      throw error
    }
  }

  private any(value: unknown): void {
    switch (typeof value) {
      case 'string':
        this.string(value)
        return
      case 'number':
        this.number(value)
        return
      case 'boolean':
        this.out.u8(value ? Tag.TRUE : Tag.FALSE)
        return
      case 'undefined':
        this.out.u8(Tag.UNDEFINED)
        return
      case 'bigint':
        this.bigint(value)
        return
      case 'object':
        if (value === null) this.out.u8(Tag.NULL)
        else this.object(value)
        return
      default:
        throw this.refuse(value)
    }
  }

  private string(text: string): void {
    const { out } = this
    const length = text.length
    if (length <= SHORT_TEXT_MAX) {
      out.ensure(length + 1)
      const { buffer, position } = out
      let i = 0
      for (; i < length; i++) {
        const code = text.charCodeAt(i)
        if (code > 0x7f) break
        buffer[position + 1 + i] = code
      }
      if (i === length) {
        buffer[position] = Tag.SHORT_TEXT | length
        out.position = position + 1 + length
        return
      }
    }
    out.u8(Tag.TEXT)
    out.text(text)
  }

  private number(value: number): void {
    const { out } = this
    // -0 is an int32 by `|`, but would come back as 0.
    if ((value | 0) !== value || (value === 0 && 1 / value < 0)) {
      out.u8(Tag.FLOAT64)
      out.f64(value)
    } else if (value >= 0 && value <= Tag.SMALL_INT_MAX) {
      out.u8(value)
    } else if (value >= -0x80 && value < 0x80) {
      out.u8(Tag.INT8)
      out.u8(value)
    } else if (value >= -0x8000 && value < 0x8000) {
      out.u8(Tag.INT16)
      out.u16(value)
    } else {
      out.u8(Tag.INT32)
      out.i32(value)
    }
  }

  private bigint(value: bigint): void {
    const { out } = this
    if (value >= INT64_MIN && value <= INT64_MAX) {
      out.u8(Tag.BIGINT64)
      out.i64(value)
      return
    }
    // Hexadecimal digits: linear in both directions, where decimal ones are not.
    const digits = (value < 0n ? -value : value).toString(16)
    out.u8(Tag.BIGINT)
    out.u8(value < 0n ? 1 : 0)
    out.varint(digits.length)
    out.utf8(digits)
  }

  private object(value: object): void {
    if (this.depth >= NESTING_DEPTH_MAX) throw this.tooDeep()
    this.depth++
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype === Array.prototype) this.array(value as unknown[])
    else if (prototype === Object.prototype) this.plain(value as Record<string, unknown>, false)
    else if (prototype === null) this.plain(value as Record<string, unknown>, true)
    else this.instance(value, prototype as object)
    this.depth--
  }

  private array(values: readonly unknown[]): void {
    const count = values.length
    if (count <= SHORT_COUNT_MAX) this.out.u8(Tag.SHORT_ARRAY | count)
    else {
      this.out.u8(Tag.ARRAY)
      this.out.varint(count)
    }
    for (let i = 0; i < count; i++) {
      this.path[this.depth - 1] = i
      this.any(values[i])
    }
  }

  private plain(value: Record<string, unknown>, bare: boolean): void {
    const keys = Object.keys(value)
    const count = keys.length
    if (count <= SHORT_COUNT_MAX && !bare) this.out.u8(Tag.SHORT_OBJECT | count)
    else {
      this.out.u8(bare ? Tag.BARE_OBJECT : Tag.OBJECT)
      this.out.varint(count)
    }
    for (let i = 0; i < count; i++) {
      const key = keys[i]!
      this.path[this.depth - 1] = key
      this.string(key)
      this.any(value[key])
    }
  }

  private instance(value: object, prototype: object): void {
    const serialiser = this.byPrototype.get(prototype)
    if (serialiser !== undefined) this.custom(value, serialiser)
    else if (prototype === Buffer.prototype) this.view(Tag.BUFFER, value as Buffer)
    else if (prototype === Uint8Array.prototype) this.view(Tag.BYTES, value as Uint8Array)
    else if (prototype === Map.prototype) this.map(value as Map<unknown, unknown>)
    else if (prototype === Set.prototype) this.set(value as Set<unknown>)
    else if (prototype === Date.prototype) {
      this.out.u8(Tag.DATE)
      this.out.f64((value as Date).getTime())
    } else if (prototype === RegExp.prototype) {
      this.out.u8(Tag.REGEXP)
      this.string((value as RegExp).source)
      this.string((value as RegExp).flags)
    } else if (prototype === ArrayBuffer.prototype) {
      this.view(Tag.ARRAY_BUFFER, new Uint8Array(value as ArrayBuffer))
    } else if (value instanceof Error) this.error(value)
    else this.typedArray(value, prototype)
  }

  private view(tag: number, bytes: Uint8Array): void {
    this.out.u8(tag)
    this.out.varint(bytes.length)
    this.out.bytes(bytes)
  }

  private typedArray(value: object, prototype: object): void {
    const type = VIEW_TYPES.findIndex(view => view.prototype === prototype)
    if (type < 0) throw this.refuse(value)
    const { buffer, byteOffset, byteLength } = value as ArrayBufferView
    this.out.u8(Tag.TYPED_ARRAY)
    this.view(type, new Uint8Array(buffer, byteOffset, byteLength))
  }

  private map(value: ReadonlyMap<unknown, unknown>): void {
    this.out.u8(Tag.MAP)
    this.out.varint(value.size)
    for (const [key, item] of value) {
      this.path[this.depth - 1] = typeof key === 'string' || typeof key === 'number' ? key : '(key)'
      this.any(key)
      this.any(item)
    }
  }

  private set(value: ReadonlySet<unknown>): void {
    this.out.u8(Tag.SET)
    this.out.varint(value.size)
    let i = 0
    for (const item of value) {
      this.path[this.depth - 1] = i++
      this.any(item)
    }
  }

  // Errors keep message, stack, cause and own properties. A subclass arrives as the standard error it extends, with
  // the name it had: refusing it would hide the very failure somebody wants to report.
  private error(error: Error): void {
    const type = ERROR_TYPES.findLastIndex(standard => error instanceof standard)
    const fields = error as unknown as Record<string, unknown>
    const keys = Object.getOwnPropertyNames(error)
    if (!keys.includes('name') && error.name !== ERROR_TYPES[type]?.name) keys.push('name')
    this.out.u8(Tag.ERROR)
    this.out.u8(type)
    this.out.varint(keys.length)
    for (const key of keys) {
      this.path[this.depth - 1] = key
      this.string(key)
      this.any(fields[key])
    }
  }

  private custom(value: object, serialiser: Serialiser): void {
    this.out.u8(Tag.CUSTOM)
    this.string(serialiser.name)
    this.path[this.depth - 1] = `(${serialiser.name})`
    let data: unknown
    try {
      data = serialiser.encode(value)
    } catch (cause) {
      throw new EngineError(
        'VALUE_NOT_SERIALISABLE',
        `serialiser "${serialiser.name}" failed at ${this.where(this.depth - 1)}`,
        {
          hint: 'correct the serialiser: its encode() threw',
          details: { name: serialiser.name },
          cause,
        },
      )
    }
    this.any(data)
  }

  // The steps down to the value at `levels`; an object that is being written stands one level below its own depth.
  private where(levels: number): string {
    let text = 'value'
    for (let i = 0; i < levels; i++) {
      const step = this.path[i]!
      if (typeof step === 'number') text += `[${step}]`
      else text += /^[\w$]+$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`
    }
    return text.length > PATH_SHOWN_CHARS_MAX ? `${text.slice(0, PATH_SHOWN_CHARS_MAX)}…` : text
  }

  private refuse(value: unknown): EngineError {
    const path = this.where(typeof value === 'object' ? this.depth - 1 : this.depth)
    const name = typeof value === 'object' ? constructorName(value) : typeof value
    const what = typeof value === 'object' ? `an instance of ${name}` : `a ${name}`
    return new EngineError(
      'VALUE_NOT_SERIALISABLE',
      `${path} is ${what}, which cannot be sent to another executor`,
      {
        hint:
          typeof value === 'object'
            ? `emit plain data, or register a serialiser for ${name}`
            : 'emit plain data: functions and symbols exist only in their own process',
        details: { path, constructorName: name },
      },
    )
  }

  private tooDeep(): EngineError {
    const path = this.where(this.depth)
    return new EngineError(
      'VALUE_NOT_SERIALISABLE',
      `${path} is nested more than ${NESTING_DEPTH_MAX} levels deep`,
      {
        hint: 'flatten the value; if it contains itself, send keys instead of references',
        details: { path, nestingDepthMax: NESTING_DEPTH_MAX },
      },
    )
  }
}

function constructorName(value: unknown): string {
  const type = (value as { constructor?: unknown }).constructor
  return typeof type === 'function' && type.name !== '' ? type.name : 'an unnamed class'
}

/** The most bytes `text` takes on the wire, cheap for short ones: used to size frames, not to address them. */
export function textBytes(text: string): number {
  if (text.length < TEXT_MEASURED_CHARS) return text.length
  return isWellFormed(text) ? Buffer.byteLength(text) : text.length * 2
}

// Shorter texts count as ASCII when a frame's size is estimated: a frame of them ends up 3 times its target at worst.
const TEXT_MEASURED_CHARS = 4096
