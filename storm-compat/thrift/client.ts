// A Thrift client for one service: one connection, one call after the other, typed by the table of methods. For the `storm`
// command, for topologies that ask DRPC servers, and for tests; other programs bring clients of their own.
import { createConnection, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { asError, EngineError, type ErrorCode } from 'gearpump/spi'
import type { Fields } from './codec.ts'
import { thriftInvalid } from './frame-bytes.ts'
import { FRAME_BYTES_MAX, FrameSplitter } from './framing.ts'
import { DigestClient, type Login } from './sasl-digest.ts'
import {
  type ArgsOf,
  type Method,
  type Methods,
  type ResultOf,
  readAnswer,
  writeCall,
} from './service.ts'

/** How long an answer may take; a submission waits until the components have started. */
const ANSWER_TIMEOUT_MS = 120_000
const CONNECT_TIMEOUT_MS = 10_000
/** After so long without an answer the user is told what is waited for. */
const SLOW_MS = 5000

export interface ClientOptions<S extends Methods> {
  readonly methods: S
  readonly host: string
  readonly port: number
  /** How long an answer may take. */
  readonly timeoutMs?: number | ((method: string) => number)
  readonly connectTimeoutMs?: number
  /** Hears of it when an answer takes long, once for each call. */
  readonly onSlow?: (text: string) => void
  readonly slowMs?: number
  readonly security?: ClientSecurity
  /** What to say if nobody answers; a Nimbus is meant if not given. */
  readonly unreachable?: Unreachable
}

/** How a client shows who it is, and knows whom it speaks to. */
export interface ClientSecurity {
  /** By SASL digest. */
  readonly login?: Login
  readonly tls?: ClientTls
}

export interface ClientTls {
  /** Who signs servers' certificates (PEM). */
  readonly ca: string
  /** The own certificate, where the server wants one (PEM). */
  readonly cert?: string
  readonly key?: string
}

export interface Unreachable {
  readonly code: ErrorCode
  readonly hint: string
}

const NO_NIMBUS: Unreachable = {
  code: 'NIMBUS_UNREACHABLE',
  hint: 'is a Nimbus running there? `gear local --same-process --thrift-port 6627` starts one',
}

const SILENT =
  'it took the connection and says nothing: is it the right port, is that process stuck?'
const NO_ANSWER = 'is it the right port? does it want TLS or a login? its own log may say why'

export const NO_DRPC: Unreachable = {
  code: 'DRPC_UNREACHABLE',
  hint: 'is a DRPC server running there? `storm drpc` or `gear local --drpc` starts one',
}

export interface ThriftClient<S extends Methods> {
  /** Calls a method. Throws what the server threw: a ThriftException, or THRIFT_CALL_FAILED. */
  call<K extends keyof S & string>(name: K, args: ArgsOf<S[K]>): Promise<ResultOf<S[K]>>
  close(): void
}

/**
 * Connects to a service.
 *
 * @example
 * const nimbus = await connectThrift({ methods: nimbusMethods, host: 'localhost', port: 6627 })
 * const { topologies } = await nimbus.call('getClusterInfo', {})
 */
export async function connectThrift<S extends Methods>(
  options: ClientOptions<S>,
): Promise<ThriftClient<S>> {
  const socket = await connected(options)
  return new Client(socket, options)
}

function connected(options: ClientOptions<Methods>): Promise<Socket> {
  const { host, port, security: { login, tls } = {} } = options
  const { connectTimeoutMs = CONNECT_TIMEOUT_MS } = options
  return new Promise((resolve, reject) => {
    const socket =
      tls === undefined
        ? createConnection({ host, port })
        : connectTls({ host, port, ...tls, ...(isIP(host) === 0 ? { servername: host } : {}) })
    const digest = login === undefined ? undefined : new DigestClient(login, host)
    const slow = setTimeout(() => {
      options.onSlow?.(`no connection to ${host}:${port} yet; for up to ${connectTimeoutMs} ms`)
    }, options.slowMs ?? SLOW_MS)
    const fail = (cause: Error) => {
      clearTimeout(slow)
      socket.destroy()
      reject(unreachable(options, reasonOf(cause), { cause }))
    }
    const cut = () => fail(new Error(digest === undefined ? 'it hung up' : NO_SASL))
    const ready = () => {
      clearTimeout(slow)
      socket.off('error', fail).off('close', cut).removeAllListeners('data')
      socket.removeAllListeners('timeout')
      socket.setTimeout(0)
      socket.setNoDelay(true)
      resolve(socket)
    }
    socket.setTimeout(connectTimeoutMs, () =>
      fail(new Error(`no answer in time (${connectTimeoutMs} ms)`)),
    )
    socket.once('error', fail).once('close', cut)
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      if (digest === undefined) return ready()
      socket.on('data', chunk => {
        try {
          socket.write(digest.take(chunk))
          if (digest.done) ready()
        } catch (error) {
          fail(asError(error))
        }
      })
      socket.write(digest.greeting)
    })
  })
}

const NO_SASL = 'it hung up on a login by SASL digest: does it ask for one?'

function unreachable(
  { host, port, unreachable: { code, hint: usual } = NO_NIMBUS }: ClientOptions<Methods>,
  why: string,
  { cause, hint = hintOf(cause) ?? usual }: { cause?: Error; hint?: string | undefined } = {},
): EngineError {
  const about = cause === undefined ? {} : { cause }
  return new EngineError(code, `${host}:${port}: ${why}`, { hint, ...about })
}

function hintOf(error: Error | undefined): string | undefined {
  return error instanceof EngineError ? error.hint : undefined
}

// A name with several addresses fails with an error for each and no text of its own.
function reasonOf(cause: Error): string {
  const each =
    cause instanceof AggregateError ? cause.errors.map(error => asError(error).message) : []
  return cause.message || each.join(', ') || cause.name
}

/** What came is no answer: the connection is of no more use. */
function noAnswer({ host, port }: ClientOptions<Methods>, cause: Error): EngineError {
  const text = `${host}:${port} sent what is no answer: ${cause.message}`
  return new EngineError('THRIFT_INVALID', text, { hint: hintOf(cause) ?? NO_ANSWER, cause })
}

class Client<S extends Methods> implements ThriftClient<S> {
  readonly #socket: Socket
  readonly #options: ClientOptions<S>
  readonly #frames = new FrameSplitter(FRAME_BYTES_MAX, 'server')
  #last: Promise<unknown> = Promise.resolve()
  #nextId = 1
  #waiting: { resolve(frame: Buffer): void; reject(error: Error): void } | undefined = undefined
  #ended: EngineError | undefined = undefined

  constructor(socket: Socket, options: ClientOptions<S>) {
    this.#socket = socket
    this.#options = options
    socket.on('data', chunk => this.#take(chunk))
    const lost = (why: string, cause?: Error) =>
      this.#end(unreachable(options, why, { hint: NO_ANSWER, ...(cause && { cause }) }))
    socket.on('error', error => lost(error.message, error))
    socket.on('close', () => lost('it hung up without an answer'))
  }

  call<K extends keyof S & string>(name: K, args: ArgsOf<S[K]>): Promise<ResultOf<S[K]>> {
    const answer = this.#last.then(() => this.#exchange(name, args))
    // The next call waits for this one, however it ends.
    this.#last = answer.catch(() => undefined)
    return answer
  }

  close(): void {
    this.#socket.destroy()
  }

  async #exchange<K extends keyof S & string>(
    name: K,
    args: ArgsOf<S[K]>,
  ): Promise<ResultOf<S[K]>> {
    if (this.#ended !== undefined) throw this.#ended
    const of = this.#options.methods[name]!
    const id = this.#nextId++
    const request = writeCall(name, id, of as Method<Fields, unknown>, args as never)
    const frame = await this.#sent(name, request)
    try {
      return readAnswer(frame, name, id, of) as ResultOf<S[K]>
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== 'THRIFT_INVALID') throw error
      throw this.#end(noAnswer(this.#options, error))
    }
  }

  /** Resolves with the next frame that comes. */
  #sent(name: string, request: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const { host, port, timeoutMs: given = ANSWER_TIMEOUT_MS, onSlow, slowMs } = this.#options
      const timeoutMs = typeof given === 'number' ? given : given(name)
      const timer = setTimeout(() => {
        const why = `no answer to ${name} within ${timeoutMs} ms`
        this.#end(unreachable(this.#options, why, { hint: SILENT }))
      }, timeoutMs)
      const slow = setTimeout(() => {
        onSlow?.(`${host}:${port} has not answered ${name} yet; for up to ${timeoutMs} ms`)
      }, slowMs ?? SLOW_MS)
      const settle =
        <T>(then: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer)
          clearTimeout(slow)
          this.#waiting = undefined
          then(value)
        }
      this.#waiting = { resolve: settle(resolve), reject: settle(reject) }
      this.#socket.write(request)
    })
  }

  #take(chunk: Buffer): void {
    try {
      this.#frames.push(chunk)
      for (let frame = this.#frames.next(); frame !== undefined; frame = this.#frames.next()) {
        if (this.#waiting === undefined) throw thriftInvalid('an answer that nobody asked for')
        this.#waiting.resolve(frame)
      }
    } catch (error) {
      this.#end(noAnswer(this.#options, asError(error)))
    }
  }

  // The first reason stays.
  #end(why: EngineError): EngineError {
    this.#ended ??= why
    this.#waiting?.reject(this.#ended)
    this.#socket.destroy()
    return this.#ended
  }
}
