// Links over sockets: a Unix socket for executors on one host, TCP for others. The Unix socket lies in a directory
// that only this user can enter; TCP binds to 127.0.0.1 unless told otherwise, and is encrypted if it is given
// certificates. Who speaks is checked by greetings, above this layer.

import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asError, EngineError } from '../base/errors.ts'
import { FrameAssembler } from './frame-assembler.ts'
import type { FramePool } from './frame-pool.ts'
import { type Address, addressText, type Link, type LinkHandler, type Transport } from './link.ts'
import { readInPlace, SocketLink } from './socket-link.ts'
import { type TlsListener, type TlsOptions, tlsConnect, tlsListener } from './tls.ts'

/** A peer on the same network answers in milliseconds; one that takes longer than this is not there. */
export const CONNECT_TIMEOUT_MS = 5_000

// sun_path holds 108 bytes on Linux and 104 on macOS, the last a zero; longer ones are cut off silently.
const UNIX_PATH_BYTES_MAX = 103

const SOCKET_MODE = 0o600

// A host that has lost its power says nothing: the kernel asks after a connection that is idle, at next to no cost.
const KEEP_ALIVE_MS = 60_000

export type SocketTransportOptions = {
  /** Give it the pool the frames are made from, and they go back to it once written. */
  pool?: FramePool
  connectTimeoutMs?: number
} & (
  | {
      kind: 'unix'
      /** An existing directory of mode 0700; by default one of our own, removed by `close`. */
      directory?: string
    }
  | {
      kind: 'tcp'
      /** Where to bind; 127.0.0.1 by default. */
      host?: string
      port?: number
      /** Ports to choose from, instead of `port`: the first that is free. */
      ports?: readonly number[]
      /** The host name others reach us by, if it is not the one bound to. */
      advertisedHost?: string
      /** Encrypts all TCP links, and verifies who is at the other end. */
      tls?: TlsOptions
    }
)

/** Accepts links on one socket, and opens links to addresses of either kind. */
export class SocketTransport implements Transport {
  private readonly options: SocketTransportOptions
  private readonly links = new Set<SocketLink>()
  private server: Server | undefined
  private secure: TlsListener | undefined
  private ownDirectory: string | undefined
  private closed: Promise<void> | undefined
  private accepted = 0
  private onLastEnd: () => void = () => undefined

  constructor(options: SocketTransportOptions) {
    this.options = options
  }

  async listen(accept: (link: Link) => LinkHandler): Promise<Address> {
    this.checkOpen()
    if (this.server !== undefined) throw new EngineError('BUG', 'a transport listens only once')
    const { tls } = this
    const adopt = (socket: Socket): void => this.accept(socket, accept)
    if (tls !== undefined) this.secure = tlsListener(tls, adopt)
    const server =
      this.secure?.server ?? createServer({ noDelay: true, allowHalfOpen: true }, adopt)
    this.server = server
    return this.options.kind === 'unix' ? this.listenUnix(server) : this.listenTcp(server)
  }

  async connect(address: Address, handler: (link: Link) => LinkHandler): Promise<Link> {
    this.checkOpen()
    if (address.kind === 'memory') {
      throw new EngineError('LINK_LOST', `no socket leads to ${addressText(address)}`, {
        hint: 'use the memory transport for addresses of this kind',
      })
    }
    const peer = addressText(address)
    const assembler = new FrameAssembler((kind, body) => target.onFrame(kind, body))
    const tls = address.kind === 'tcp' ? this.tls : undefined
    const socket =
      address.kind === 'tcp' && tls !== undefined
        ? tlsConnect(tls, address.host, address.port)
        : createConnection({
            ...(address.kind === 'unix'
              ? { path: address.path }
              : { host: address.host, port: address.port }),
            onread: readInPlace(assembler, () => link),
            allowHalfOpen: true,
            noDelay: true,
          })
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    const link = this.adopt(socket, assembler, peer)
    let target: LinkHandler = REFUSING
    await this.opened(socket, peer, tls !== undefined)
    try {
      target = handler(link)
    } catch (error) {
      link.abort(asError(error))
      throw error
    }
    link.start(target)
    // Bytes of TLS come out of its own stream; the others go straight into the assembler.
    if (tls !== undefined) socket.on('data', link.push)
    return link
  }

  close(): Promise<void> {
    this.closed ??= this.shutDown()
    return this.closed
  }

  private async shutDown(): Promise<void> {
    const { server, ownDirectory } = this
    const ended = new Promise<void>(resolve => {
      this.onLastEnd = resolve
    })
    for (const link of this.links) link.close()
    if (this.links.size > 0) await ended
    this.secure?.endHandshakes()
    if (server?.listening) await new Promise<void>(resolve => server.close(() => resolve()))
    if (ownDirectory !== undefined) await rm(ownDirectory, { recursive: true, force: true })
  }

  private checkOpen(): void {
    if (this.closed === undefined) return
    throw new EngineError('LINK_LOST', 'this transport has been closed', {
      hint: 'the executor is ending; no new links are made',
    })
  }

  private get tls(): TlsOptions | undefined {
    return this.options.kind === 'tcp' ? this.options.tls : undefined
  }

  private accept(socket: Socket, accept: (link: Link) => LinkHandler): void {
    const { remoteAddress, remotePort } = socket
    this.accepted++
    const peer =
      remoteAddress === undefined
        ? `unix client ${this.accepted}`
        : `tcp:${remoteAddress}:${remotePort}`
    let target: LinkHandler = REFUSING
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    const assembler = new FrameAssembler((kind, body) => target.onFrame(kind, body))
    const link = this.adopt(socket, assembler, peer)
    try {
      target = accept(link)
    } catch (error) {
      // Nobody listens to this link yet: the peer sees it end, and this transport's owner is told by its own throw.
      link.abort(asError(error))
      throw error
    }
    link.start(target)
    socket.on('data', link.push)
  }

  private adopt(socket: Socket, assembler: FrameAssembler, peer: string): SocketLink {
    const link = new SocketLink(socket, assembler, {
      peer,
      pool: this.options.pool,
      onEnd: ended => {
        this.links.delete(ended)
        if (this.links.size === 0) this.onLastEnd()
      },
    })
    this.links.add(link)
    return link
  }

  // Resolves once connected, and with TLS verified. The socket's error arrives with its close; a time-out is ours.
  private async opened(socket: Socket, peer: string, secure: boolean): Promise<void> {
    const timeoutMs = this.options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS
    await new Promise<void>((resolve, reject) => {
      let failure: Error | undefined
      const fail = (): void => {
        clearTimeout(timer)
        reject(unreachable(peer, failure, secure))
      }
      const timer = setTimeout(() => {
        socket.destroy(new Error(`no answer within ${timeoutMs} ms`))
      }, timeoutMs)
      socket.once('error', error => {
        failure = error
      })
      socket.once('close', fail)
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        clearTimeout(timer)
        socket.off('close', fail)
        resolve()
      })
    })
  }

  private async listenUnix(server: Server): Promise<Address> {
    const { options } = this
    let directory = options.kind === 'unix' ? options.directory : undefined
    // mkdtemp makes the directory with mode 0700: nobody else can reach the socket, not even before its own mode is set.
    directory ??= this.ownDirectory = await mkdtemp(join(tmpdir(), 'gearpump-'))
    const path = join(directory, `${process.pid}.sock`)
    if (Buffer.byteLength(path) > UNIX_PATH_BYTES_MAX) {
      throw new EngineError('EXECUTOR_START_FAILED', `the socket path ${path} is too long`, {
        hint: `set TMPDIR to a shorter path: the system allows ${UNIX_PATH_BYTES_MAX} bytes`,
        details: { path, bytesMax: UNIX_PATH_BYTES_MAX },
      })
    }
    await listening(server, () => server.listen({ path }), path)
    await chmod(path, SOCKET_MODE)
    return { kind: 'unix', path }
  }

  private async listenTcp(server: Server): Promise<Address> {
    const { options } = this
    const host = (options.kind === 'tcp' ? options.host : undefined) ?? '127.0.0.1'
    const port = (options.kind === 'tcp' ? options.port : undefined) ?? 0
    const ports = options.kind === 'tcp' ? (options.ports ?? []) : []
    await listenOnOne(server, host, ports.length === 0 ? [port] : ports)
    const bound = server.address()
    const advertised = options.kind === 'tcp' ? options.advertisedHost : undefined
    return {
      kind: 'tcp',
      host: advertised ?? host,
      port: typeof bound === 'object' && bound !== null ? bound.port : port,
    }
  }
}

// Frames that arrive before there is a handler: cannot happen, since nothing is read before; if it does, it shows.
const REFUSING: LinkHandler = {
  onFrame: () => {
    throw new EngineError('BUG', 'a frame arrived before the link had a handler')
  },
  onClose: () => undefined,
  onDrain: () => undefined,
}

async function listenOnOne(server: Server, host: string, ports: readonly number[]): Promise<void> {
  for (const [i, port] of ports.entries()) {
    try {
      await listening(server, () => server.listen({ host, port }), `${host}:${port}`)
      return
    } catch (error) {
      const { code } = (asError(error).cause ?? {}) as { code?: unknown }
      if (code !== 'EADDRINUSE' || i === ports.length - 1) throw error
    }
  }
}

function listening(server: Server, listen: () => void, where: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', cause => {
      reject(
        new EngineError('EXECUTOR_START_FAILED', `cannot listen on ${where}: ${cause.message}`, {
          hint: 'choose another port or directory, or end the process that uses it',
          details: { where },
          cause,
        }),
      )
    })
    server.once('listening', () => resolve())
    listen()
  })
}

function unreachable(peer: string, cause: Error | undefined, secure: boolean): EngineError {
  return new EngineError('LINK_LOST', `cannot connect to ${peer}: ${cause?.message ?? 'closed'}`, {
    hint: secure
      ? 'check that it runs with TLS, and that its certificate is for this host and of our authority'
      : 'check that the other executor runs and that its host and port can be reached from here',
    details: { peer },
    ...(cause === undefined ? {} : { cause }),
  })
}
