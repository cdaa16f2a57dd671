// Structs, unions, enumerations and exceptions as tables: `struct('GlobalStreamId', { componentId: [1, string], … })` is both
// the codec and, by inference, the TypeScript type. Fields keep the names of the interface definition, so that a table can be
// compared with it. Fields that a table does not know are kept as they came and written again: a topology that was made for a
// later version passes through unharmed.
import { thriftInvalid } from './frame-bytes.ts'
import { CODE, type Input, type Output, type ValueOf, type WireType } from './wire-types.ts'

/** Number, type, and whether it may be missing. */
export type Field = readonly [id: number, type: WireType<unknown>, presence?: 'optional']
export type Fields = Readonly<Record<string, Field>>

/** Fields that came and are not in the table, under a key that no field can have. */
export const UNREAD = Symbol('unread fields')

/** A field as it lay on the wire. */
export interface RawField {
  readonly id: number
  readonly code: number
  readonly bytes: Uint8Array
}

type OptionalKeys<F extends Fields> = {
  [K in keyof F]: F[K] extends readonly [number, WireType<unknown>, 'optional'] ? K : never
}[keyof F]

export type StructValue<F extends Fields> = {
  readonly [K in Exclude<keyof F, OptionalKeys<F>>]: ValueOf<F[K][1]>
} & {
  readonly [K in OptionalKeys<F>]?: ValueOf<F[K][1]> | undefined
} & { readonly [UNREAD]?: readonly RawField[] }

export interface StructType<F extends Fields> extends WireType<StructValue<F>> {
  readonly kind: 'struct' | 'exception'
  readonly fields: F
}

/**
 * A struct by its table.
 *
 * @example const KillOptions = struct('KillOptions', { wait_secs: [1, i32, 'optional'] })
 * type KillOptions = ValueOf<typeof KillOptions> // { readonly wait_secs?: number | undefined }
 */
export function struct<const F extends Fields>(name: string, fields: F): StructType<F> {
  const rows = Object.entries<Field>(fields)
  const byId = new Map(rows.map(([key, [id, type]]) => [id, { key, type }]))
  const required = rows.filter(([, [, , presence]]) => presence === undefined)
  return {
    kind: 'struct',
    name,
    fields,
    code: CODE.struct,
    bytesMin: 1 + required.reduce((sum, [, [, type]]) => sum + 3 + type.bytesMin, 0),
    read: input => {
      const value = readFields(input, byId)
      for (const [key] of required) {
        if (value[key] === undefined) throw thriftInvalid(`${name}.${key} is missing`)
      }
      return value as StructValue<F>
    },
    write: (output, value) => {
      const { protocol } = output
      for (const [key, [id, type, presence]] of rows) {
        const item = (value as Readonly<Record<string, unknown>>)[key]
        if (item === undefined) {
          if (presence === 'optional') continue
          throw thriftInvalid(`${name}.${key} is not given`)
        }
        protocol.writeFieldBegin(key, type.code, id)
        type.write(output, item)
      }
      writeRaw(output, value[UNREAD] ?? [])
      protocol.writeFieldStop()
    },
  }
}

/** A struct that can be thrown: see ThriftException. */
export function exception<const F extends Fields>(name: string, fields: F): StructType<F> {
  return { ...struct(name, fields), kind: 'exception' }
}

type ReadFields = Record<string, unknown> & { [UNREAD]?: readonly RawField[] }

function readFields(
  input: Input,
  byId: ReadonlyMap<number, { key: string; type: WireType<unknown> }>,
): ReadFields {
  const { protocol } = input
  const value: ReadFields = {}
  let unread: RawField[] | undefined
  for (;;) {
    const { ftype, fid } = protocol.readFieldBegin()
    if (ftype === CODE.stop) return value
    const field = byId.get(fid)
    // A known number with another type is an unknown field, as for Thrift's own readers.
    if (field !== undefined && field.type.code === ftype) {
      value[field.key] = field.type.read(input)
      continue
    }
    unread ??= []
    unread.push(readRaw(input, fid, ftype))
    value[UNREAD] = unread
  }
}

// The protocol's own `skip` bounds the depth; that it cannot run past the frame bounds the rest.
function readRaw(input: Input, id: number, code: number): RawField {
  const begin = input.bytes.position
  input.protocol.skip(code)
  return { id, code, bytes: input.bytes.since(begin) }
}

function writeRaw(output: Output, fields: readonly RawField[]): void {
  for (const { id, code, bytes } of fields) {
    output.protocol.writeFieldBegin('', code, id)
    output.raw(bytes)
  }
}

export type Members = Readonly<Record<string, readonly [id: number, type: WireType<unknown>]>>

/** One of the members, by name; or one that the table does not know. */
export type UnionValue<M extends Members> =
  | { [K in keyof M]: { readonly kind: K; readonly value: ValueOf<M[K][1]> } }[keyof M]
  | { readonly kind: 'unknown'; readonly value: RawField }

export interface UnionType<M extends Members> extends WireType<UnionValue<M>> {
  readonly kind: 'union'
  readonly members: M
}

/**
 * A union by its table.
 *
 * @example const Specific = union('ExecutorSpecificStats', { bolt: [1, BoltStats], spout: [2, SpoutStats] })
 * Specific.write(output, { kind: 'spout', value: stats })
 */
export function union<const M extends Members>(name: string, members: M): UnionType<M> {
  const rows = Object.entries<Members[string]>(members)
  const byId = new Map(rows.map(([kind, [id, type]]) => [id, { kind, type }]))
  return {
    kind: 'union',
    name,
    members,
    code: CODE.struct,
    bytesMin: 1 + 3 + Math.min(...rows.map(([, [, type]]) => type.bytesMin)),
    read: input => {
      const { ftype, fid } = input.protocol.readFieldBegin()
      if (ftype === CODE.stop) throw thriftInvalid(`a ${name} is empty`)
      const member = byId.get(fid)
      const value =
        member !== undefined && member.type.code === ftype
          ? { kind: member.kind, value: member.type.read(input) }
          : { kind: 'unknown', value: readRaw(input, fid, ftype) }
      if (input.protocol.readFieldBegin().ftype !== CODE.stop) {
        throw thriftInvalid(`a ${name} holds more than one value`)
      }
      return value as UnionValue<M>
    },
    write: (output, { kind, value }) => {
      if (kind === 'unknown') writeRaw(output, [value as RawField])
      else {
        const [id, type] = members[kind as string]!
        output.protocol.writeFieldBegin(kind as string, type.code, id)
        type.write(output, value)
      }
      output.protocol.writeFieldStop()
    },
  }
}

export interface EnumType<E extends Readonly<Record<string, number>>> extends WireType<keyof E> {
  readonly kind: 'enum'
  readonly values: E
}

/** An enumeration: its names here, its numbers on the wire. */
export function enumeration<const E extends Readonly<Record<string, number>>>(
  name: string,
  values: E,
): EnumType<E> {
  const names = new Map(Object.entries(values).map(([key, number]) => [number, key]))
  return {
    kind: 'enum',
    name,
    values,
    code: CODE.i32,
    bytesMin: 4,
    read: ({ protocol }) => {
      const number = protocol.readI32()
      const key = names.get(number)
      if (key === undefined) throw thriftInvalid(`${number} is no value of ${name}`)
      return key as keyof E
    },
    write: ({ protocol }, key) => protocol.writeI32(values[key]!),
  }
}

/** An exception of a service: thrown by a handler, thrown again at the client. */
export class ThriftException<F extends Fields = Fields> extends Error {
  readonly type: StructType<F>
  readonly value: StructValue<F>

  constructor(type: StructType<F>, value: StructValue<F>) {
    const { msg } = value as { msg?: unknown }
    super(typeof msg === 'string' ? msg : type.name)
    this.name = type.name
    this.type = type
    this.value = value
  }
}
