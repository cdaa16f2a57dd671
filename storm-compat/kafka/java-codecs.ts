// Kafka's own serialisers and deserialisers, by the names of their Java classes: bytes of records to values of
// tuples, and back. Numbers are big-endian, texts UTF-8. Whoever wrote one of his own in Java is told so before
// anything runs.
import { floatValue } from '../component/values.ts'

type Decode = (bytes: Buffer) => unknown
type Encode = (value: unknown) => Buffer | string

const PACKAGE = 'org.apache.kafka.common.serialization.'

const DECODERS: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ['String', bytes => bytes.toString('utf8')],
  ['ByteArray', bytes => bytes],
  ['ByteBuffer', bytes => bytes],
  ['Bytes', bytes => bytes],
  ['Integer', bytes => sized(bytes, 4).readInt32BE(0)],
  ['Short', bytes => sized(bytes, 2).readInt16BE(0)],
  ['Long', bytes => whole(sized(bytes, 8).readBigInt64BE(0))],
  ['Float', bytes => floatValue(sized(bytes, 4).readFloatBE(0))],
  ['Double', bytes => floatValue(sized(bytes, 8).readDoubleBE(0))],
  ['Boolean', bytes => sized(bytes, 1)[0] === 1],
  ['UUID', bytes => bytes.toString('utf8')],
  ['Void', () => null],
])

const ENCODERS: ReadonlyMap<string, Encode> = new Map<string, Encode>([
  ['String', textOf],
  ['ByteArray', bytesOf],
  ['ByteBuffer', bytesOf],
  ['Bytes', bytesOf],
  ['Integer', value => filled(4, b => b.writeInt32BE(Number(value)))],
  ['Short', value => filled(2, b => b.writeInt16BE(Number(value)))],
  ['Long', value => filled(8, b => b.writeBigInt64BE(BigInt(value as number)))],
  ['Float', value => filled(4, b => b.writeFloatBE(Number(value)))],
  ['Double', value => filled(8, b => b.writeDoubleBE(Number(value)))],
  ['Boolean', value => Buffer.from([value === true ? 1 : 0])],
  ['UUID', textOf],
])

/** `org.apache.kafka.common.serialization.StringDeserializer`, or `String` for short; undefined for all others. */
export function decoderOf(className: string): Decode | undefined {
  return DECODERS.get(shortName(className, 'Deserializer'))
}

export function encoderOf(className: string): Encode | undefined {
  return ENCODERS.get(shortName(className, 'Serializer'))
}

export const CODEC_NAMES: readonly string[] = [...DECODERS.keys()]

function shortName(className: string, ending: string): string {
  const name = className.startsWith(PACKAGE) ? className.slice(PACKAGE.length) : className
  return name.endsWith(ending) ? name.slice(0, -ending.length) : name
}

function sized(bytes: Buffer, size: number): Buffer {
  if (bytes.length === size) return bytes
  throw new Error(`${bytes.length} bytes where ${size} were expected`)
}

function whole(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value
}

function filled(size: number, fill: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(size)
  fill(bytes)
  return bytes
}

// Java's StringSerializer takes strings only. What a child process emits may be a number: its text is meant.
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') {
    return String(value)
  }
  if (value instanceof Number || hasOwnText(value)) return String(value)
  throw new Error('a list or an object is no text: let the bolt before emit a string')
}

// A Double of a tuple.
function hasOwnText(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof value.valueOf() === 'number'
}

function bytesOf(value: unknown): Buffer | string {
  if (typeof value === 'string') return value
  if (ArrayBuffer.isView(value)) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  }
  throw new Error('bytes or a text are expected')
}
