// MessagePack framing: bare values one after the other, no length prefix and no `end`. A value that is not complete
// waits for more chunks, up to the size bound. There is nothing to find the next message by after a print, so unlike
// JSON a byte that belongs to no message ends the child. Two serializers share it: our own codec, and msgpack-lite
// for those who want its exact bytes.
import { EngineError } from 'gearpump/spi'
import msgpackLite from 'msgpack-lite'
import { Double } from '../component/values.ts'
import { INCOMPLETE, MsgpackDecoder } from './msgpack-decoder.ts'
import { MsgpackEncoder } from './msgpack-encoder.ts'
import { MsgpackEnding } from './msgpack-ending.ts'
import {
  MESSAGE_BYTES_MAX,
  RUBBISH_BYTES_SHOWN,
  type Serializer,
  showBytes,
  tooLarge,
  type WireReader,
  type WireSink,
  type WireWriter,
} from './wire.ts'

export const msgpackSerializer: Serializer = {
  name: 'msgpack',
  reader: messageBytesMax => new MsgpackReader(messageBytesMax ?? MESSAGE_BYTES_MAX, undefined),
  writer: () => new MsgpackWriter(),
}

/**
 * The same wire with msgpack-lite doing the plain messages. What it cannot do right (1.0, integers beyond 32 bits)
 * is left to our codec, and its input has passed our bounds on depth and size before it.
 */
export const msgpackLiteSerializer: Serializer = {
  name: 'msgpack-lite',
  reader: messageBytesMax =>
    new MsgpackReader(messageBytesMax ?? MESSAGE_BYTES_MAX, msgpackLite.decode),
  writer: () => new MsgpackLiteWriter(),
}

class MsgpackReader implements WireReader {
  private readonly bytesMax: number
  private readonly decodePlain: ((bytes: Uint8Array) => unknown) | undefined
  private readonly decoder = new MsgpackDecoder()
  /** An unfinished message, in pieces. */
  private pieces: Buffer[] = []
  private pieceBytes = 0
  /** Finds the end of the unfinished message: a large one must not be decoded anew with each chunk. */
  private ending = new MsgpackEnding()

  constructor(bytesMax: number, decodePlain: ((bytes: Uint8Array) => unknown) | undefined) {
    this.bytesMax = bytesMax
    this.decodePlain = decodePlain
  }

  push(chunk: Buffer, sink: WireSink): void {
    let bytes = chunk
    if (this.pieceBytes > 0) {
      this.pieces.push(chunk)
      this.pieceBytes += chunk.length
      if (!this.ending.reached(chunk)) {
        this.checkSize()
        return
      }
      bytes = Buffer.concat(this.pieces, this.pieceBytes)
      this.pieces = []
      this.pieceBytes = 0
    }
    const decoder = this.decoder
    decoder.load(bytes)
    while (decoder.at < bytes.length) {
      if (!this.readOne(bytes, sink)) break
    }
    if (decoder.at < bytes.length) this.keep(bytes.subarray(decoder.at))
  }

  leftover(): string | undefined {
    if (this.pieceBytes === 0) return undefined
    return showBytes(Buffer.concat(this.pieces, this.pieceBytes).subarray(0, RUBBISH_BYTES_SHOWN))
  }

  private readOne(bytes: Buffer, sink: WireSink): boolean {
    const decoder = this.decoder
    const start = decoder.at
    decoder.special = false
    let value = this.decode(bytes)
    if (value === INCOMPLETE) return false
    if (decoder.at - start > this.bytesMax)
      throw tooLarge('a message', this.bytesMax, bytes.subarray(start))
    if (typeof value !== 'object' || value === null) {
      throw outOfStep(bytes.subarray(start))
    }
    if (this.decodePlain !== undefined && !decoder.special) {
      value = this.decodePlain(bytes.subarray(start, decoder.at))
    }
    sink.message(value)
    return true
  }

  private decode(bytes: Buffer): unknown {
    const start = this.decoder.at
    try {
      return this.decoder.next()
    } catch (thrown) {
      if (!(thrown instanceof EngineError)) throw thrown
      throw outOfStep(bytes.subarray(start), thrown)
    }
  }

  private keep(rest: Buffer): void {
    this.pieces = [rest]
    this.pieceBytes = rest.length
    this.ending = new MsgpackEnding()
    this.ending.reached(rest)
    this.checkSize()
  }

  private checkSize(): void {
    if (this.pieceBytes > this.bytesMax) throw tooLarge('a message', this.bytesMax, this.pieces[0]!)
  }
}

function outOfStep(bytes: Buffer, cause?: EngineError): EngineError {
  const why = cause === undefined ? 'sent something that is no message' : cause.message
  return new EngineError(
    'SHELL_PROTOCOL',
    `${why}; the first ${RUBBISH_BYTES_SHOWN} bytes are ${showBytes(bytes)}`,
    {
      hint:
        cause?.hint ??
        'Does the component speak JSON? Set topology.multilang.serializer, or do not print to stdout.',
      ...(cause === undefined ? {} : { cause }),
    },
  )
}

class MsgpackWriter implements WireWriter {
  protected readonly encoder = new MsgpackEncoder()

  get bytes(): number {
    return this.encoder.length
  }

  add(message: unknown): void {
    const start = this.encoder.length
    try {
      this.encoder.value(message)
    } catch (thrown) {
      this.encoder.length = start
      throw thrown
    }
  }

  addTuple(
    id: string,
    component: string,
    stream: string,
    task: number,
    values: readonly unknown[],
  ): void {
    const encoder = this.encoder
    const start = encoder.length
    try {
      encoder.byte(0x85)
      encoder.text('id')
      encoder.text(id)
      encoder.text('comp')
      encoder.text(component)
      encoder.text('stream')
      encoder.text(stream)
      encoder.text('task')
      encoder.integer(task)
      encoder.text('tuple')
      encoder.array(values)
    } catch (thrown) {
      encoder.length = start
      throw thrown
    }
  }

  take(): Buffer | undefined {
    return this.encoder.length === 0 ? undefined : this.encoder.take()
  }
}

class MsgpackLiteWriter implements WireWriter {
  private readonly exact = new MsgpackWriter()
  private parts: Buffer[] = []
  bytes = 0

  add(message: unknown): void {
    let part: Buffer | undefined
    if (isPlain(message, 0)) part = msgpackLite.encode(message)
    else {
      this.exact.add(message)
      part = this.exact.take()
    }
    if (part === undefined) return
    this.parts.push(part)
    this.bytes += part.length
  }

  addTuple(
    id: string,
    comp: string,
    stream: string,
    task: number,
    tuple: readonly unknown[],
  ): void {
    this.add({ id, comp, stream, task, tuple })
  }

  take(): Buffer | undefined {
    if (this.parts.length === 0) return undefined
    const taken = Buffer.concat(this.parts, this.bytes)
    this.parts = []
    this.bytes = 0
    return taken
  }
}

/** Nothing deeper than this is given to msgpack-lite; our codec then says what is wrong, if anything is. */
const PLAIN_DEPTH_MAX = 64

// Whether msgpack-lite encodes a value as we mean it.
function isPlain(value: unknown, depth: number): boolean {
  if (typeof value === 'number') return !Number.isSafeInteger(value) || (value | 0) === value
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value !== 'object' || value instanceof Double || depth > PLAIN_DEPTH_MAX) return false
  if (Buffer.isBuffer(value)) return true
  if (Array.isArray(value)) return value.every(item => isPlain(item, depth + 1))
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  return Object.values(value).every(item => isPlain(item, depth + 1))
}
