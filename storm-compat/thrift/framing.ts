// Cuts a stream of bytes into Thrift's messages. Most clients send frames: four bytes of length, then the message. Chunks are
// joined once per frame, and a length that is too large is refused before anything is kept for it. Storm's clients over TLS
// send messages without frames, which end where their last field ends. What is neither is named, where it can be told: people
// point browsers, TLS and SASL clients at this port, and our own client at ports of web servers.
import { thriftInvalid } from './frame-bytes.ts'
import { UnframedScan } from './unframed-scan.ts'

/** The bound of Thrift's own libraries. Below 2^24, so that no TLS or SASL greeting can pass for a length. */
export const FRAME_BYTES_MAX = 16_384_000

/** First two bytes of a message that begins with its version. */
const VERSION = 0x8001

/** Who sends the bytes: what else he may speak, and what he had better do, depends on it. */
export type Sender = 'client' | 'server'

export class FrameSplitter {
  readonly #bytesMax: number
  readonly #sender: Sender
  #chunks: Buffer[] = []
  #held = 0
  #framed: boolean | undefined = undefined
  /** Without frames: what has been looked at, in chunks and in bytes. */
  #scan: UnframedScan
  #scanned = 0
  #before = 0

  constructor(bytesMax: number, sender: Sender = 'client') {
    this.#bytesMax = bytesMax
    this.#sender = sender
    this.#scan = new UnframedScan(bytesMax)
  }

  /** Bytes kept until their frame is complete. */
  get held(): number {
    return this.#held
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#held += chunk.length
  }

  /** Whether messages come in frames; answers go the same way. */
  get framed(): boolean {
    return this.#framed ?? true
  }

  /** The next complete message, or undefined. Throws THRIFT_INVALID for a length that no frame has. */
  next(): Buffer | undefined {
    if (this.#held < 4) return undefined
    const length = this.#head().readInt32BE(0)
    // The version word of a message; as the length of a frame it would be negative.
    this.#framed ??= length >>> 16 !== VERSION
    if (!this.#framed) return this.#nextUnframed()
    if (length < 0 || length > this.#bytesMax) throw this.#refuse(length)
    return this.#held < 4 + length ? undefined : this.#cut(4, 4 + length)
  }

  #nextUnframed(): Buffer | undefined {
    for (; this.#scanned < this.#chunks.length; this.#scanned++) {
      const chunk = this.#chunks[this.#scanned]!
      const end = this.#scan.take(chunk)
      if (end === undefined) {
        this.#before += chunk.length
        continue
      }
      const message = this.#before + end
      this.#scan = new UnframedScan(this.#bytesMax)
      this.#scanned = 0
      this.#before = 0
      return this.#cut(0, message)
    }
    return undefined
  }

  #cut(from: number, to: number): Buffer {
    const all = this.#joined()
    const rest = all.subarray(to)
    this.#chunks = rest.length > 0 ? [rest] : []
    this.#held = rest.length
    return all.subarray(from, to)
  }

  #joined(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0] ?? Buffer.alloc(0)
  }

  #head(): Buffer {
    const first = this.#chunks[0]!
    return first.length >= 4 ? first : this.#joined()
  }

  #refuse(length: number): Error {
    const head = this.#head().subarray(0, 4)
    const { others, hint } = SPOKEN[this.#sender]
    const spoken = others.find(({ begins }) =>
      begins.some(first => head.subarray(0, first.length).equals(first)),
    )
    if (spoken !== undefined) return thriftInvalid(spoken.what, spoken.hint)
    return thriftInvalid(
      `a frame declares ${length} bytes; at most ${this.#bytesMax} are taken`,
      hint,
    )
  }
}

interface Other {
  /** First bytes of what is not framed Thrift. */
  readonly begins: readonly Buffer[]
  readonly what: string
  readonly hint: string
}

const SPOKEN: Readonly<Record<Sender, { others: readonly Other[]; hint: string }>> = {
  client: {
    hint: 'upload files in chunks, as Storm clients do',
    others: [
      {
        begins: ['GET', 'POST', 'PUT', 'HEAD', 'OPTI', 'DELE', 'PRI'].map(verb =>
          Buffer.from(verb),
        ),
        what: 'a client speaks HTTP on the Thrift port',
        hint: 'this port is for Thrift clients only',
      },
      {
        begins: [Buffer.of(0x16, 0x03)],
        what: 'a client speaks TLS on the plain Thrift port',
        hint: 'connect without TLS',
      },
      {
        begins: [Buffer.of(0x01, 0x00)],
        what: 'a client wants to authenticate by SASL',
        hint: "set storm.thrift.transport to Storm's SimpleTransportPlugin",
      },
    ],
  },
  server: {
    hint: 'this is no Thrift port: look at the port that is configured',
    others: [
      {
        begins: [Buffer.from('HTTP')],
        what: 'a web server answers, and no Thrift server',
        hint: 'this is the port of a UI or of HTTP DRPC: look at the port that is configured',
      },
      {
        begins: [Buffer.of(0x15, 0x03)],
        what: 'the server speaks TLS only',
        hint: 'set nimbus.thrift.client.use.tls (for DRPC gearpump.drpc.use.tls) and gearpump.tls.ca',
      },
      {
        begins: [Buffer.of(0x03, 0x00)],
        what: 'the server lets only those in who log in by SASL digest',
        hint: "set storm.thrift.transport to Storm's DigestSaslTransportPlugin, and java.security.auth.login.config",
      },
    ],
  },
}
