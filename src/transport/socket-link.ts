// One end of a socket as a Link. It always reads. Frames are corked and leave together: when there are enough bytes, so
// that the peer can begin while we go on, and at the end of the turn. Each write wakes the peer up, which costs both
// sides more than a frame does. Frames that are written go back to the pool they came from, if there is one.

import type { OnReadOpts, Socket } from 'node:net'
import { asError, EngineError } from '../base/errors.ts'
import { FRAME_BYTES_TARGET } from './column.ts'
import type { FrameAssembler } from './frame-assembler.ts'
import type { FramePool } from './frame-pool.ts'
import { LINK_BUFFER_BYTES, type Link, type LinkHandler, type LinkSecurity } from './link.ts'
import { securityOf } from './tls.ts'

// Three full frames: as much as a Unix socket takes at once.
const CORK_BYTES_MAX = 3 * FRAME_BYTES_TARGET

// How long a closing link waits for the peer to take what is left.
const CLOSE_TIMEOUT_MS = 1_000

export interface SocketLinkOptions {
  peer: string
  pool: FramePool | undefined
  onEnd(link: SocketLink): void
}

/** A link over a connected socket, or one that is about to connect. */
export class SocketLink implements Link {
  readonly peer: string
  private readonly socket: Socket
  private readonly pool: FramePool | undefined
  private readonly assembler: FrameAssembler
  private handler: LinkHandler | undefined
  private state: 'open' | 'closing' | 'closed' = 'open'
  private reason: Error | undefined
  private corked = false
  private corkedBytes = 0
  private wantsDrain = false
  private closeTimer: NodeJS.Timeout | undefined

  constructor(socket: Socket, assembler: FrameAssembler, options: SocketLinkOptions) {
    this.socket = socket
    this.assembler = assembler
    this.peer = options.peer
    this.pool = options.pool
    socket.on('error', error => {
      this.reason ??= new EngineError(
        'LINK_LOST',
        `the link to ${this.peer} broke: ${error.message}`,
        {
          hint: 'its unfinished messages are sent again; see the log of the other executor for the cause',
          details: { peer: this.peer },
          cause: error,
        },
      )
    })
    socket.on('end', () => this.close())
    socket.on('close', () => {
      this.end()
      options.onEnd(this)
    })
    socket.on('drain', () => {
      if (!this.wantsDrain) return
      this.wantsDrain = false
      this.handler?.onDrain()
    })
  }

  /** From now on frames go to `handler`. Must be called before the first read. */
  start(handler: LinkHandler): void {
    this.handler = handler
  }

  limitFrames(bytes: number): void {
    this.assembler.limit(bytes)
  }

  get security(): LinkSecurity | undefined {
    return securityOf(this.socket)
  }

  get bufferedBytes(): number {
    return this.socket.writableLength
  }

  send(frame: Buffer): void {
    const { socket } = this
    if (this.state !== 'open') return
    if (!this.corked) {
      this.corked = true
      this.corkedBytes = 0
      socket.cork()
      process.nextTick(uncork, this)
    }
    if (this.pool === undefined) socket.write(frame)
    else socket.write(frame, () => this.pool?.give(frame))
    this.corkedBytes += frame.length
    if (this.corkedBytes >= CORK_BYTES_MAX) this.uncork()
    if (socket.writableLength > LINK_BUFFER_BYTES) this.wantsDrain = true
  }

  /** Lets frames collected in this turn go. */
  uncork(): void {
    if (!this.corked) return
    this.corked = false
    this.socket.uncork()
  }

  close(): void {
    if (this.state !== 'open') return
    this.state = 'closing'
    this.assembler.stop()
    this.uncork()
    this.socket.end()
    // What the peer still sends must be read away, or its end never shows; how long is bounded.
    this.closeTimer = setTimeout(() => this.socket.destroy(), CLOSE_TIMEOUT_MS)
    this.closeTimer.unref()
  }

  /** Ends the link now; what is buffered is lost. */
  abort(reason: Error): void {
    if (this.state === 'closed') return
    this.reason ??= reason
    this.assembler.stop()
    this.socket.destroy()
  }

  /** Bytes lie in the assembler's last space. */
  readonly advance = (bytes: number): void => {
    try {
      this.assembler.advance(bytes)
    } catch (error) {
      this.abort(asError(error))
    }
  }

  /** A chunk came by the stream's own reading. */
  readonly push = (chunk: Buffer): void => {
    try {
      this.assembler.push(chunk)
    } catch (error) {
      this.abort(asError(error))
    }
  }

  private end(): void {
    if (this.state === 'closed') return
    const orderly = this.state === 'closing'
    this.state = 'closed'
    clearTimeout(this.closeTimer)
    this.handler?.onClose(this.reason ?? (orderly ? undefined : this.vanished()))
  }

  private vanished(): Error {
    return new EngineError('LINK_LOST', `the link to ${this.peer} ended without a word`, {
      hint: 'see the log of the other executor',
      details: { peer: this.peer },
    })
  }
}

function uncork(link: SocketLink): void {
  link.uncork()
}

/** Reading straight into the assembler: no buffer per read, no stream in between. For sockets we open ourselves. */
export function readInPlace(assembler: FrameAssembler, link: () => SocketLink): OnReadOpts {
  return {
    buffer: () => assembler.space(),
    callback: bytes => {
      link().advance(bytes)
      return true
    },
  }
}
