// The types of the wire as values: each knows how to read and write itself over Thrift's binary protocol, and what a value of
// it is in TypeScript. Structs are made of them in codec.ts, and the tables of Storm's messages in storm-*.ts.
import TBinaryProtocol from 'thrift/lib/nodejs/lib/thrift/binary_protocol.js'
import type { BinaryProtocol } from './binary-protocol.ts'
import { FrameReader, type FrameWriter, thriftInvalid } from './frame-bytes.ts'

/** Thrift's codes of types. */
export const CODE = {
  stop: 0,
  bool: 2,
  double: 4,
  i32: 8,
  i64: 10,
  string: 11,
  struct: 12,
  map: 13,
  set: 14,
  list: 15,
} as const

/** Elements of one list, set or map: the tasks of the largest topology. */
export const CONTAINER_ITEMS_MAX = 100_000
/** Elements of all containers of one message: what a small frame may make of itself in memory. */
export const MESSAGE_ITEMS_MAX = 1_000_000

/** Where a message is read from. */
export class Input {
  readonly protocol: BinaryProtocol
  readonly bytes: FrameReader
  #itemsLeft = MESSAGE_ITEMS_MAX

  constructor(bytes: Buffer) {
    this.bytes = new FrameReader(bytes)
    // Storm reads with strictRead off: clients of old versions write no version word.
    this.protocol = new TBinaryProtocol(this.bytes, false, true)
  }

  /** Refuses a declared size that cannot be true or is too much, before room is made for it. */
  checkItems(what: string, size: number, bytesEach: number): void {
    if (size < 0 || size * bytesEach > this.bytes.left) {
      throw thriftInvalid(
        `a ${what} declares ${size} elements, and ${this.bytes.left} bytes are left`,
      )
    }
    this.#itemsLeft -= size
    if (size > CONTAINER_ITEMS_MAX || this.#itemsLeft < 0) {
      throw thriftInvalid(
        `a ${what} declares ${size} elements: at most ${CONTAINER_ITEMS_MAX} in one, ${MESSAGE_ITEMS_MAX} in a message`,
      )
    }
  }
}

/** Where a message is written to. */
export class Output {
  readonly protocol: BinaryProtocol
  readonly #bytes: FrameWriter

  constructor(bytes: FrameWriter) {
    this.#bytes = bytes
    this.protocol = new TBinaryProtocol(bytes, false, true)
  }

  /** Bytes that were a value on another wire. */
  raw(bytes: Uint8Array): void {
    this.#bytes.write(bytes)
  }
}

export interface WireType<T> {
  /** As interface definitions spell it: `map<string,i32>`. */
  readonly name: string
  readonly code: number
  /** The least that a value takes on the wire. */
  readonly bytesMin: number
  read(input: Input): T
  write(output: Output, value: T): void
}

/** The TypeScript type of a wire type's values. */
export type ValueOf<W> = W extends WireType<infer T> ? T : never

export const bool: WireType<boolean> = {
  name: 'bool',
  code: CODE.bool,
  bytesMin: 1,
  read: ({ protocol }) => protocol.readBool(),
  write: ({ protocol }, value) => protocol.writeBool(value),
}

export const i32: WireType<number> = {
  name: 'i32',
  code: CODE.i32,
  bytesMin: 4,
  read: ({ protocol }) => protocol.readI32(),
  write: ({ protocol }, value) => protocol.writeI32(value),
}

/** 64 bits, exact: a bigint. */
export const i64: WireType<bigint> = {
  name: 'i64',
  code: CODE.i64,
  bytesMin: 8,
  read: ({ protocol }) => {
    const { buffer, offset } = protocol.readI64()
    return buffer.readBigInt64BE(offset)
  },
  write: ({ protocol }, value) => {
    const buffer = Buffer.allocUnsafe(8)
    buffer.writeBigInt64BE(BigInt.asIntN(64, value))
    protocol.writeI64({ buffer })
  },
}

export const double: WireType<number> = {
  name: 'double',
  code: CODE.double,
  bytesMin: 8,
  read: ({ protocol }) => protocol.readDouble(),
  write: ({ protocol }, value) => protocol.writeDouble(value),
}

export const string: WireType<string> = {
  name: 'string',
  code: CODE.string,
  bytesMin: 4,
  read: ({ protocol }) => protocol.readString(),
  write: ({ protocol }, value) => protocol.writeString(value),
}

/** Bytes; what is read is a view of the frame. */
export const binary: WireType<Uint8Array> = {
  name: 'binary',
  code: CODE.string,
  bytesMin: 4,
  read: ({ protocol }) => protocol.readBinary(),
  write: ({ protocol }, value) => protocol.writeBinary(value),
}

export function list<T>(element: WireType<T>): WireType<readonly T[]> {
  const name = `list<${element.name}>`
  return {
    name,
    code: CODE.list,
    bytesMin: 5,
    read: input => {
      const { etype, size } = input.protocol.readListBegin()
      return readElements(input, name, element, etype, size)
    },
    write: (output, values) => {
      output.protocol.writeListBegin(element.code, values.length)
      for (const value of values) element.write(output, value)
    },
  }
}

export function set<T>(element: WireType<T>): WireType<ReadonlySet<T>> {
  const name = `set<${element.name}>`
  return {
    name,
    code: CODE.set,
    bytesMin: 5,
    read: input => {
      const { etype, size } = input.protocol.readSetBegin()
      return new Set(readElements(input, name, element, etype, size))
    },
    write: (output, values) => {
      output.protocol.writeSetBegin(element.code, values.size)
      for (const value of values) element.write(output, value)
    },
  }
}

/** A map whose keys are plain values. */
export function map<K extends string | number | bigint, V>(
  key: WireType<K>,
  value: WireType<V>,
): WireType<ReadonlyMap<K, V>> {
  const pairs = entries(key, value)
  return {
    ...pairs,
    read: input => new Map(pairs.read(input)),
    write: (output, values) => pairs.write(output, [...values]),
  }
}

/** A map whose keys are structs or lists: its entries in the order of the wire. */
export function entries<K, V>(
  key: WireType<K>,
  value: WireType<V>,
): WireType<readonly (readonly [K, V])[]> {
  const name = `map<${key.name},${value.name}>`
  return {
    name,
    code: CODE.map,
    bytesMin: 6,
    read: input => {
      const { ktype, vtype, size } = input.protocol.readMapBegin()
      if (size !== 0) {
        checkElement(name, key, ktype)
        checkElement(name, value, vtype)
      }
      input.checkItems(name, size, key.bytesMin + value.bytesMin)
      const pairs: [K, V][] = []
      for (let i = 0; i < size; i++) pairs.push([key.read(input), value.read(input)])
      return pairs
    },
    write: (output, pairs) => {
      output.protocol.writeMapBegin(key.code, value.code, pairs.length)
      for (const [k, v] of pairs) {
        key.write(output, k)
        value.write(output, v)
      }
    },
  }
}

function readElements<T>(
  input: Input,
  name: string,
  element: WireType<T>,
  code: number,
  size: number,
): T[] {
  // Some writers name no type for nothing.
  if (size !== 0) checkElement(name, element, code)
  input.checkItems(name, size, element.bytesMin)
  const values: T[] = []
  for (let i = 0; i < size; i++) values.push(element.read(input))
  return values
}

function checkElement(name: string, element: WireType<unknown>, code: number): void {
  if (code === element.code) return
  throw thriftInvalid(`a ${name} holds elements of type ${code} instead of ${element.code}`)
}
