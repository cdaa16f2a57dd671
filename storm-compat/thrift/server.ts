// A Thrift server for one service: binary protocol in frames (or without, for clients that send none), the handlers of a table
// of methods. npm thrift's own server is not used: it holds whatever a peer sends, knows no limit of connections, and hands
// out answers to whoever does not read them. Here each connection works on one call at a time and is read only a little ahead
// meanwhile, which also shows that a peer went away; frames, connections and the bytes held for all of them are bounded.
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, TLSSocket } from 'node:tls'
import { EngineError, type Log, noLog } from 'gearpump'
import { asError } from 'gearpump/spi'
import { FRAME_BYTES_MAX, FrameSplitter } from './framing.ts'
import { DigestHandshake, type PasswordOf, refusal } from './sasl-digest.ts'
import {
  type Call,
  FAILURE,
  type Handlers,
  type Methods,
  readArgs,
  readCall,
  writeError,
  writeFailure,
  writeResult,
} from './service.ts'

/** Connections at once; a Storm client holds one. The one that is idle for longest makes room for another. */
const CONNECTIONS_MAX = 256
/** Those that are in a TLS handshake still. */
const HANDSHAKES_MAX = 64
/** Bytes of unfinished frames over all connections, so that many slow uploads cannot fill the memory. */
const HELD_BYTES_MAX = 64 * 1024 * 1024
/** A frame that does not come on for so long is given up, and an answer that nobody reads; an idle connection may stay. */
const FRAME_TIMEOUT_MS = 60_000
/** A TLS handshake takes no longer. */
const HANDSHAKE_TIMEOUT_MS = 10_000
/** Bytes of later calls that are read while one is worked on. */
const READ_AHEAD_BYTES = 64 * 1024
/** Letters of a caller's mistake that the log repeats. */
const LOGGED_MAX = 300

/** What a handler may know of its caller. */
export interface Caller {
  /** The address under which the caller reached this server. */
  readonly localAddress: string
  readonly localPort: number
  readonly remoteAddress: string
  /** Who the caller is, if it had to say so. */
  readonly user?: string
  /** Aborted when the caller closes its side of the connection: nobody waits for an answer that takes long. */
  readonly gone: AbortSignal
}

/** Keys and certificates, in any form that Node takes. */
export interface ServerTls {
  readonly key?: string | Buffer
  readonly cert?: string | Buffer
  /** Key and certificate in one PKCS#12 file. */
  readonly pfx?: Buffer
  readonly passphrase?: string
  /** Who signs clients' certificates. If given, only clients with such a certificate get in. */
  readonly ca?: string | Buffer
}

export interface ServerOptions<S extends Methods> {
  readonly methods: S
  readonly handlers: Handlers<S, Caller>
  /** Port to listen on; 0 = any that is free. */
  readonly port: number
  /** Address to listen on. Loopback if not given: whoever can connect can run programs here. */
  readonly host?: string
  /** Speak TLS. */
  readonly tls?: ServerTls
  /** Let only those in who know a password: SASL DIGEST-MD5, as Storm speaks it. */
  readonly passwordOf?: PasswordOf
  readonly frameBytesMax?: number
  readonly frameTimeoutMs?: number
  readonly log?: Log
}

export interface ThriftServer {
  readonly port: number
  readonly host: string
  /** Ends every connection; resolves when none is left. Idempotent. */
  close(): Promise<void>
}

/**
 * Listens and answers.
 *
 * @example
 * const server = await serve({ methods: nimbusMethods, handlers, port: 6627 })
 * await server.close()
 */
export async function serve<S extends Methods>(options: ServerOptions<S>): Promise<ThriftServer> {
  const { host = '127.0.0.1', port } = options
  const service = new Service(options)
  const server = listener(options.tls, service)
  server.maxConnections = CONNECTIONS_MAX + HANDSHAKES_MAX
  await listening(server, host, port)
  const address = server.address()
  return {
    host,
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () => service.close(server),
  }
}

function listener<S extends Methods>(tls: ServerTls | undefined, service: Service<S>): Server {
  const accept = (socket: Socket) => service.accept(socket)
  if (tls === undefined) return createServer({ allowHalfOpen: true }, accept)
  const demanded = tls.ca !== undefined
  const server = createTlsServer(
    {
      ...tls,
      allowHalfOpen: true,
      requestCert: demanded,
      rejectUnauthorized: demanded,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    },
    accept,
  )
  server.on('tlsClientError', (error, socket) => service.refused(socket, error))
  return server
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', error => {
      reject(
        new EngineError('BAD_INPUT', `cannot listen on ${host}:${port}: ${error.message}`, {
          hint: 'choose another port, or end what holds this one',
          cause: error,
        }),
      )
    })
    server.listen(port, host, resolve)
  })
}

class Service<S extends Methods> {
  readonly #methods: ReadonlyMap<string, Methods[string]>
  readonly #handlers: ReadonlyMap<string, (args: never, caller: Caller) => unknown>
  readonly #frameBytesMax: number
  readonly #frameTimeoutMs: number
  readonly #passwordOf: PasswordOf | undefined
  readonly #log: Log
  /** The one that was used least recently comes first. */
  readonly #connections = new Set<Connection>()
  #closing: Promise<void> | undefined = undefined

  constructor(options: ServerOptions<S>) {
    this.#methods = new Map(Object.entries(options.methods))
    this.#handlers = new Map(Object.entries(options.handlers))
    this.#frameBytesMax = options.frameBytesMax ?? FRAME_BYTES_MAX
    this.#frameTimeoutMs = options.frameTimeoutMs ?? FRAME_TIMEOUT_MS
    this.#passwordOf = options.passwordOf
    this.#log = options.log ?? noLog
  }

  accept(socket: Socket): void {
    if (this.#connections.size >= CONNECTIONS_MAX && !this.#makeRoom()) {
      this.#warn(socket.remoteAddress ?? 'gone', `${CONNECTIONS_MAX} connections are busy already`)
      socket.destroy()
      return
    }
    const handshake =
      this.#passwordOf === undefined ? undefined : new DigestHandshake(this.#passwordOf)
    const connection = new Connection(socket, new FrameSplitter(this.#frameBytesMax), {
      handshake,
      frameTimeoutMs: this.#frameTimeoutMs,
      answer: (call, caller) => this.#answer(call, caller),
      held: () => this.#relieve(),
      used: () => {
        if (this.#connections.delete(connection)) this.#connections.add(connection)
      },
      ended: reason => {
        this.#connections.delete(connection)
        if (reason !== undefined) this.#warn(connection.caller.remoteAddress, reason)
      },
    })
    this.#connections.add(connection)
  }

  // Clients that only hold connections keep nobody else out.
  #makeRoom(): boolean {
    for (const connection of this.#connections) {
      if (connection.busy) continue
      this.#connections.delete(connection)
      connection.abandon('it was idle for longest, and another client needed its place')
      return true
    }
    return false
  }

  // Whoever holds most goes, not whoever comes last with a small call.
  #relieve(): void {
    let all = 0
    let most: Connection | undefined
    for (const connection of this.#connections) {
      all += connection.held
      if (connection.held > (most?.held ?? 0)) most = connection
    }
    if (all > HELD_BYTES_MAX)
      most?.abandon('too much is being sent at once, most of it by this one')
  }

  /** A peer whose handshake failed: no certificate, or one that nobody here trusts. */
  refused(socket: Socket, error: Error): void {
    this.#warn(socket.remoteAddress ?? 'gone', error.message)
    socket.destroy()
  }

  close(server: Server): Promise<void> {
    this.#closing ??= new Promise(resolve => {
      server.close(() => resolve())
      for (const connection of this.#connections) connection.end()
    })
    return this.#closing
  }

  async #answer(call: Call, caller: Caller): Promise<Buffer | undefined> {
    const method = this.#methods.get(call.name)
    const handler = this.#handlers.get(call.name)
    if (method === undefined || handler === undefined) {
      const text = `there is no method "${call.name.slice(0, LOGGED_MAX)}"`
      return call.oneway ? undefined : writeFailure(call, FAILURE.unknownMethod, text)
    }
    try {
      const result = await handler(readArgs(call, method) as never, caller)
      return call.oneway ? undefined : writeResult(call, method, result)
    } catch (error) {
      if (error instanceof EngineError && error.code === 'BUG') {
        this.#warn(caller.remoteAddress, `${call.name}: ${error.message}`)
      }
      return call.oneway ? undefined : writeError(call, method, error)
    }
  }

  #warn(remoteAddress: string, text: string): void {
    const where = `thrift ${remoteAddress}`
    this.#log.write({ level: 'warn', where, text: text.slice(0, LOGGED_MAX), timeMs: Date.now() })
  }
}

// For the log: what is wrong, and what whoever looks after the client may do about it.
function told(error: Error): string {
  const hint = error instanceof EngineError ? error.hint : undefined
  return hint === undefined ? error.message : `${error.message}: ${hint}`
}

// The common name of the certificate, as Storm's TLS plugin takes it.
function userOf(socket: Socket): { user?: string } {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return {}
  const { CN } = socket.getPeerCertificate().subject ?? {}
  return typeof CN === 'string' ? { user: CN } : {}
}

interface ConnectionEvents {
  /** How the peer is to say who it is, if it must. */
  readonly handshake: DigestHandshake | undefined
  answer(call: Call, caller: Caller): Promise<Buffer | undefined>
  readonly frameTimeoutMs: number
  /** More is held than before. */
  held(): void
  /** A call has come to its end. */
  used(): void
  /** With the reason, if the peer did something wrong. */
  ended(reason: string | undefined): void
}

class Connection {
  caller: Caller
  readonly #socket: Socket
  readonly #events: ConnectionEvents
  readonly #frames: FrameSplitter
  readonly #gone = new AbortController()
  #handshake: DigestHandshake | undefined
  #busy = false
  #draining = false
  #peerDone = false
  #reason: string | undefined = undefined

  constructor(socket: Socket, frames: FrameSplitter, events: ConnectionEvents) {
    this.#socket = socket
    this.#events = events
    this.#frames = frames
    this.#handshake = events.handshake
    if (this.#handshake !== undefined) socket.setTimeout(HANDSHAKE_TIMEOUT_MS)
    this.caller = {
      localAddress: socket.localAddress ?? '',
      localPort: socket.localPort ?? 0,
      remoteAddress: socket.remoteAddress ?? 'gone',
      ...userOf(socket),
      gone: this.#gone.signal,
    }
    socket.setNoDelay(true)
    socket.on('data', chunk => this.#take(chunk))
    socket.on('end', () => {
      this.#peerDone = true
      this.#gone.abort()
      if (!this.#busy) socket.end()
    })
    socket.on('timeout', () => {
      if (this.#draining) this.abandon('it does not read its answer')
      else if (this.#frames.held > 0 || this.#handshake !== undefined)
        this.abandon('a frame or handshake did not come to its end in time')
    })
    socket.on('error', error => {
      this.#reason ??= error.message
    })
    socket.on('close', () => {
      this.#gone.abort()
      events.ended(this.#reason)
    })
  }

  get held(): number {
    return this.#socket.destroyed ? 0 : this.#frames.held
  }

  get busy(): boolean {
    return this.#busy
  }

  end(): void {
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    if (this.#handshake === undefined) this.#frames.push(chunk)
    else if (!this.#authenticate(this.#handshake, chunk)) return
    this.#events.held()
    if (this.#socket.destroyed) return
    if (this.#busy) {
      if (this.#frames.held > READ_AHEAD_BYTES) this.#socket.pause()
      return
    }
    this.#busy = true
    this.#work()
      .catch((error: unknown) => this.abandon(told(asError(error))))
      .finally(() => {
        this.#busy = false
        if (this.#peerDone) this.#socket.end()
      })
  }

  /** True when the peer has proved who it is. */
  #authenticate(handshake: DigestHandshake, chunk: Buffer): boolean {
    try {
      const answer = handshake.take(chunk)
      if (answer.length > 0) this.#socket.write(answer)
    } catch (error) {
      this.#reason = asError(error).message
      this.#socket.end(refusal(), () => this.#socket.destroy())
      return false
    }
    if (handshake.user === undefined) return false
    this.caller = { ...this.caller, user: handshake.user }
    this.#handshake = undefined
    this.#socket.setTimeout(0)
    this.#frames.push(handshake.rest)
    return true
  }

  // One call after the other. Meanwhile the peer is read ahead a little, and no further while it does not read its answers.
  async #work(): Promise<void> {
    for (let frame = this.#frames.next(); frame !== undefined; frame = this.#frames.next()) {
      this.#socket.setTimeout(0)
      const answer = await this.#events.answer(readCall(frame), this.caller)
      this.#events.used()
      if (this.#socket.destroyed) return
      if (answer === undefined) continue
      const bytes = this.#frames.framed ? answer : answer.subarray(4)
      if (!this.#socket.write(bytes)) await this.#drained()
    }
    this.#socket.setTimeout(this.#frames.held > 0 ? this.#events.frameTimeoutMs : 0)
    this.#socket.resume()
  }

  #drained(): Promise<void> {
    this.#draining = true
    this.#socket.setTimeout(this.#events.frameTimeoutMs)
    return new Promise(resolve => {
      const done = () => {
        this.#draining = false
        this.#socket.setTimeout(0)
        this.#socket.off('drain', done)
        this.#socket.off('close', done)
        resolve()
      }
      this.#socket.on('drain', done)
      this.#socket.on('close', done)
    })
  }

  /** Ends the connection for a reason. */
  abandon(reason: string): void {
    this.#reason ??= reason
    this.#socket.destroy()
  }
}
