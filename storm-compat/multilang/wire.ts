// The seam between the shell protocol and the bytes of one child: a reader that turns chunks into messages, and a
// writer that gathers messages for one write. One implementation per serializer: json-framing.ts, msgpack-framing.ts.
import { EngineError } from 'gearpump/spi'

/**
 * Largest line and largest message accepted from a child. A tuple of this size is a mistake in every topology seen;
 * without a bound one broken child takes the whole executor's memory. Overridden by `wire.message.bytes.max`.
 */
export const MESSAGE_BYTES_MAX = 64 * 1024 * 1024

/** How much of unreadable output is shown to the user. */
export const RUBBISH_BYTES_SHOWN = 200

export interface WireSink {
  /** A decoded message: an object (or an array: what we send to a child may be read back so in tests). */
  message(value: unknown): void
  /** Output that belongs to no message, such as a `print`: one line, or a description of binary rubbish. */
  stray(text: string): void
}

export interface WireReader {
  /** Feeds output of the child. Throws EngineError SHELL_PROTOCOL when the stream cannot be followed any more. */
  push(chunk: Buffer, sink: WireSink): void
  /** What has been read of a message that never ended, for the report of a child's death. */
  leftover(): string | undefined
}

export interface WireWriter {
  /** Adds one message. If it cannot be encoded this throws and nothing is added. */
  add(message: unknown): void
  /** Adds one tuple for a bolt; the same message as add() of an object with these five keys, but cheaper. */
  addTuple(
    id: string,
    component: string,
    stream: string,
    task: number,
    values: readonly unknown[],
  ): void
  /** About the number of bytes gathered so far. */
  readonly bytes: number
  /** What was gathered, and starts anew; undefined when there is nothing. */
  take(): string | Buffer | undefined
}

export interface Serializer {
  readonly name: 'json' | 'msgpack' | 'msgpack-lite'
  reader(messageBytesMax?: number): WireReader
  writer(): WireWriter
}

/** Bytes as readable text: printable ASCII kept, everything else as `\xNN`. */
export function showBytes(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes.subarray(0, RUBBISH_BYTES_SHOWN)) {
    text +=
      byte >= 0x20 && byte < 0x7f
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).padStart(2, '0')}`
  }
  return text
}

export function tooLarge(what: string, bytesMax: number, start: Uint8Array): EngineError {
  return new EngineError(
    'SHELL_PROTOCOL',
    `sent ${what} of more than ${bytesMax} bytes, which begins with ${showBytes(start)}`,
    { hint: 'Send smaller tuples, or raise wire.message.bytes.max.' },
  )
}
