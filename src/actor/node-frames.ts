// What nodes say to each other, as frames: u32 length, u8 kind, u32 number, body. Each side numbers its frames from 0;
// a gap shows that the link loses frames, and then it is given up, so that a lossy link is a lost one and nothing
// waits for ever for what will not come. Values are written by the value codec.

import { EngineError } from '../base/errors.ts'
import { ByteReader, frameInvalid } from '../transport/byte-reader.ts'
import { type ByteWriter, FRAME_BYTES_MAX } from '../transport/byte-writer.ts'
import { FRAME_HEAD_BYTES } from '../transport/frame.ts'
import type { Serialisers } from '../transport/serialisers.ts'
import type { ValueReader } from '../transport/value-reader.ts'
import type { ValueWriter } from '../transport/value-writer.ts'
import { type Identity, writeGreeting } from './greeting.ts'

/** Apart from the kinds of the data plane, so that a link to the wrong port is noticed by its first frame. */
export const NodeFrameKind = {
  HELLO: 32,
  WELCOME: 33,
  REFUSED: 34,
  CALL: 35,
  ANSWER: 36,
  FAILED: 37,
  WATCH: 38,
  WATCHED: 39,
  UNWATCH: 40,
  DOWN: 41,
  PING: 42,
  PONG: 43,
} as const

/** A call's arguments or its answer, encoded: the control plane passes references to what is larger. */
export const CALL_BYTES_MAX = 1024 * 1024

/** What a frame has beside arguments or an answer: ids, names, and an error's texts. */
export const FRAME_EXTRA_BYTES = 128 * 1024

export type NodeFrame =
  | {
      kind: typeof NodeFrameKind.CALL
      /** 0 for a tell. */
      id: number
      name: string
      incarnation: string | undefined
      method: string
      args: unknown[]
    }
  | { kind: typeof NodeFrameKind.ANSWER; id: number; value: unknown }
  | { kind: typeof NodeFrameKind.FAILED; id: number; error: unknown }
  | { kind: typeof NodeFrameKind.WATCH; id: number; name: string; incarnation: string | undefined }
  | { kind: typeof NodeFrameKind.WATCHED; id: number; incarnation: string }
  | { kind: typeof NodeFrameKind.UNWATCH; id: number }
  | { kind: typeof NodeFrameKind.DOWN; id: number; reason: string }
  | { kind: typeof NodeFrameKind.PING | typeof NodeFrameKind.PONG }

const { HELLO, WELCOME, REFUSED, CALL, ANSWER, FAILED } = NodeFrameKind
const { WATCH, WATCHED, UNWATCH, DOWN, PING, PONG } = NodeFrameKind

/** Names of actors and methods are not data: a longer one is not one of ours. */
export const NAME_CHARS_MAX = 1024

/** A reason is for people; one that carries a whole error of a megabyte tells them no more. */
const REASON_CHARS_MAX = 8 * 1024

// Length, kind, number and id before a value.
const ID_BYTES_MAX = 16

const NUMBER_AT = FRAME_HEAD_BYTES

/** Writes a frame's number: given when it is sent, which may be after it was made. */
export function stampNumber(frame: Buffer, number: number): void {
  frame.writeUInt32LE(number, NUMBER_AT)
}

/** Makes and reads frames. One per system: it keeps its buffers and tables. */
export class NodeFrames {
  readonly #values: ValueWriter
  readonly #out: ByteWriter
  readonly #input = new ByteReader()
  readonly #reader: ValueReader
  readonly #callBytesMax: number

  constructor(serialisers: Serialisers, callBytesMax: number) {
    this.#values = serialisers.createWriter()
    this.#out = this.#values.out
    this.#reader = serialisers.createReader(this.#input)
    this.#callBytesMax = callBytesMax
  }

  /** What a link may carry: larger frames end it. */
  get frameBytesMax(): number {
    return Math.min(FRAME_BYTES_MAX, this.#callBytesMax + FRAME_EXTRA_BYTES)
  }

  hello(identity: Identity, token: string): Buffer {
    return this.#frame(HELLO, out => writeGreeting(out, identity, token))
  }

  welcome(identity: Identity): Buffer {
    return this.#frame(WELCOME, out => writeGreeting(out, identity, ''))
  }

  refused(error: EngineError): Buffer {
    return this.#frame(REFUSED, out => {
      out.text(error.message)
      out.text(error.hint ?? '')
    })
  }

  /** Throws VALUE_NOT_SERIALISABLE, CALL_TOO_LARGE or BAD_INPUT. */
  call(call: {
    id: number
    name: string
    incarnation: string | undefined
    method: string
    args: readonly unknown[]
  }): Buffer {
    checkName(call.name)
    checkName(call.method)
    return this.#frame(CALL, out => {
      out.u32(call.id)
      out.text(call.name)
      out.text(call.incarnation ?? '')
      out.text(call.method)
      this.#value(call.args, `the arguments of ${call.method} of ${call.name}`)
    })
  }

  /** Throws VALUE_NOT_SERIALISABLE or CALL_TOO_LARGE. */
  answer(id: number, value: unknown, what: string): Buffer {
    return this.#frame(ANSWER, out => {
      out.u32(id)
      this.#value(value, what)
    })
  }

  /** Throws VALUE_NOT_SERIALISABLE or CALL_TOO_LARGE. */
  failed(id: number, error: unknown): Buffer {
    return this.#frame(FAILED, out => {
      out.u32(id)
      this.#value(error, 'an error', this.frameBytesMax - ID_BYTES_MAX)
    })
  }

  watch(id: number, name: string, incarnation: string | undefined): Buffer {
    return this.#frame(WATCH, out => {
      out.u32(id)
      out.text(name)
      out.text(incarnation ?? '')
    })
  }

  watched(id: number, incarnation: string): Buffer {
    return this.#frame(WATCHED, out => {
      out.u32(id)
      out.text(incarnation)
    })
  }

  unwatch(id: number): Buffer {
    return this.#frame(UNWATCH, out => out.u32(id))
  }

  down(id: number, reason: string): Buffer {
    return this.#frame(DOWN, out => {
      out.u32(id)
      out.text(reason.slice(0, REASON_CHARS_MAX))
    })
  }

  ping(): Buffer {
    return this.#frame(PING, nothing)
  }

  pong(): Buffer {
    return this.#frame(PONG, nothing)
  }

  /** The number of the frame in `body`, and what follows it. Valid until the next call. */
  open(body: Buffer): { number: number; input: ByteReader } {
    this.#input.reset(body)
    return { number: this.#input.u32(), input: this.#input }
  }

  /** The frame that was opened last, but for greetings. Throws FRAME_INVALID. */
  read(kind: number): NodeFrame {
    const input = this.#input
    let frame: NodeFrame
    try {
      frame = this.#read(kind, input)
    } catch (error) {
      // A RangeError or the like out of a reader is still the fault of the bytes.
      throw error instanceof EngineError ? error : frameInvalid(String(error), { kind })
    }
    if (input.remaining !== 0)
      throw frameInvalid(`${input.remaining} bytes after its end`, { kind })
    return frame
  }

  #read(kind: number, input: ByteReader): NodeFrame {
    switch (kind) {
      case CALL: {
        const id = input.u32()
        const name = nameOf(input)
        const incarnation = nameOf(input) || undefined
        const method = nameOf(input)
        const args = this.#reader.read()
        if (!Array.isArray(args)) throw frameInvalid('a call without arguments')
        return { kind, id, name, incarnation, method, args }
      }
      case ANSWER:
        return { kind, id: input.u32(), value: this.#reader.read() }
      case FAILED:
        return { kind, id: input.u32(), error: this.#reader.read() }
      case WATCH:
        return {
          kind,
          id: input.u32(),
          name: nameOf(input),
          incarnation: nameOf(input) || undefined,
        }
      case WATCHED:
        return { kind, id: input.u32(), incarnation: nameOf(input) }
      case UNWATCH:
        return { kind, id: input.u32() }
      case DOWN:
        return { kind, id: input.u32(), reason: input.text() }
      case PING:
      case PONG:
        return { kind }
      default:
        throw frameInvalid(`unknown kind ${kind} between nodes`)
    }
  }

  #value(value: unknown, what: string, bytesMax = this.#callBytesMax): void {
    const start = this.#out.position
    let bytes: number | undefined
    try {
      this.#values.write(value)
      bytes = this.#out.position - start
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== 'FRAME_TOO_LARGE') throw error
    }
    if (bytes !== undefined && bytes <= bytesMax) return
    const size = bytes === undefined ? `more than ${FRAME_BYTES_MAX}` : bytes
    throw new EngineError(
      'CALL_TOO_LARGE',
      `${what}: ${size} bytes are more than the ${bytesMax} that a call may have`,
      {
        hint: 'pass a reference to it, or send it in parts',
        details: { bytes, bytesMax },
      },
    )
  }

  #frame(kind: number, write: (out: ByteWriter) => void): Buffer {
    const out = this.#out
    out.clear()
    out.u32(0)
    out.u8(kind)
    out.u32(0)
    write(out)
    out.patchU32(0, out.position - 4)
    return Buffer.from(out.buffer.subarray(0, out.position))
  }
}

/** What is refused here would end the link there. */
export function checkName(name: string): void {
  if (name.length <= NAME_CHARS_MAX) return
  throw new EngineError('BAD_INPUT', `${name.slice(0, 64)}… is too long a name to be called`, {
    hint: `names of actors and methods have at most ${NAME_CHARS_MAX} characters`,
  })
}

function nameOf(input: ByteReader): string {
  const text = input.text()
  if (text.length > NAME_CHARS_MAX) throw frameInvalid(`a name of ${text.length} characters`)
  return text
}

function nothing(): void {
  // PING and PONG have no body.
}
