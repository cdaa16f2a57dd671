// A Thrift client for one service: one connection, one call after the other, typed by the table of methods. For the `storm`
// command, for topologies that ask DRPC servers, and for tests; other programs bring clients of their own.
import { createConnection, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { asError, EngineError, type ErrorCode } from 'gearpump/spi'
import type { Fields } from './codec.ts'
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

export interface ClientOptions<S extends Methods> {
  readonly methods: S
  readonly host: string
  readonly port: number
  readonly timeoutMs?: number
  readonly connectTimeoutMs?: number
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
    const fail = (cause: Error) => {
      socket.destroy()
      reject(unreachable(options, cause.message, cause))
    }
    const cut = () => fail(new Error(digest === undefined ? 'it hung up' : NO_SASL))
    const ready = () => {
      socket.off('error', fail).off('close', cut).removeAllListeners('data')
      socket.removeAllListeners('timeout')
      socket.setTimeout(0)
      socket.setNoDelay(true)
      resolve(socket)
    }
    socket.setTimeout(connectTimeoutMs, () => fail(new Error('no answer in time')))
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
  { host, port, unreachable: { code, hint } = NO_NIMBUS }: ClientOptions<Methods>,
  why: string,
  cause?: Error,
): EngineError {
  const better = cause instanceof EngineError ? cause.hint : undefined
  return new EngineError(code, `${host}:${port}: ${why}`, {
    hint: better ?? hint,
    ...(cause === undefined ? {} : { cause }),
  })
}

class Client<S extends Methods> implements ThriftClient<S> {
  readonly #socket: Socket
  readonly #options: ClientOptions<S>
  readonly #frames = new FrameSplitter(FRAME_BYTES_MAX)
  #last: Promise<unknown> = Promise.resolve()
  #nextId = 1
  #waiting: { resolve(frame: Buffer): void; reject(error: Error): void } | undefined = undefined
  #ended: Error | undefined = undefined

  constructor(socket: Socket, options: ClientOptions<S>) {
    this.#socket = socket
    this.#options = options
    socket.on('data', chunk => this.#take(chunk))
    socket.on('error', error => this.#end(error.message, error))
    socket.on('close', () => this.#end('the connection ended'))
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
    const frame = await new Promise<Buffer>((resolve, reject) => {
      const timeoutMs = this.#options.timeoutMs ?? ANSWER_TIMEOUT_MS
      const timer = setTimeout(() => {
        this.#end(`no answer to ${name} within ${timeoutMs} ms`)
        this.#socket.destroy()
      }, timeoutMs)
      const settle =
        <T>(then: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer)
          this.#waiting = undefined
          then(value)
        }
      this.#waiting = { resolve: settle(resolve), reject: settle(reject) }
      this.#socket.write(request)
    })
    return readAnswer(frame, name, id, of) as ResultOf<S[K]>
  }

  #take(chunk: Buffer): void {
    try {
      this.#frames.push(chunk)
      const frame = this.#frames.next()
      if (frame !== undefined) this.#waiting?.resolve(frame)
    } catch (error) {
      this.#end((error as Error).message)
      this.#socket.destroy()
    }
  }

  #end(why: string, cause?: Error): void {
    this.#ended ??= unreachable(this.#options, why, cause)
    this.#waiting?.reject(this.#ended)
  }
}
