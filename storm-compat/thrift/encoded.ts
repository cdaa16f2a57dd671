// A struct by itself, outside of any call: as it is kept in files and notes.
import { FrameWriter } from './frame-bytes.ts'
import { Input, Output, type WireType } from './wire-types.ts'

export function encoded<T>(type: WireType<T>, value: T): Buffer {
  const writer = new FrameWriter()
  type.write(new Output(writer), value)
  return writer.bytes()
}

/** Throws THRIFT_INVALID. */
export function decoded<T>(type: WireType<T>, bytes: Buffer): T {
  return type.read(new Input(bytes))
}
