// A DRPC server in this process, as Storm's `drpc` daemon is one: callers on one Thrift port, the topologies that answer on another,
// and HTTP for callers without Thrift. All three end at the same `Requests`.
import type { Server } from 'node:http'
import { hostname } from 'node:os'
import { EngineError, type Log, noLog } from 'gearpump'
import { isLoopback } from 'gearpump/spi'
import { type Clock, realClock } from '../nimbus/clock.ts'
import { ThriftException } from '../thrift/codec.ts'
import type { PasswordOf } from '../thrift/sasl-digest.ts'
import { type Caller, type ServerTls, serve, type ThriftServer } from '../thrift/server.ts'
import type { Handlers } from '../thrift/service.ts'
import { drpcInvocationsMethods, drpcMethods } from '../thrift/storm-drpc.ts'
import { AuthorizationException } from '../thrift/storm-exceptions.ts'
import { type Access, openAccess } from './access.ts'
import { drpcOverHttp } from './http.ts'
import { Requests } from './requests.ts'

/** Storm's own ports. */
export const DRPC_PORT = 3772
export const DRPC_INVOCATIONS_PORT = 3773
export const DRPC_HTTP_PORT = 3774

/** drpc.max_buffer_size */
const MESSAGE_BYTES_MAX = 1_048_576

export interface DrpcOptions {
  /** For callers (DistributedRPC), 3772 if not given; 0 = any that is free. */
  readonly port?: number
  /** For topologies (DistributedRPCInvocations), 3773 if not given; 0 = any that is free. */
  readonly invocationsPort?: number
  /** For callers over HTTP; none if not given. Storm's is 3774; 0 = any that is free. */
  readonly httpPort?: number | undefined
  /** Address to listen on; loopback if not given. */
  readonly address?: string
  /** Speak TLS on all three ports, and with `ca` only to clients with a certificate, whose common name is the user. */
  readonly tls?: ServerTls
  /** Let only those in who know a password: SASL digest, and HTTP's basic authentication. */
  readonly passwordOf?: PasswordOf
  /** Storm has a plug-in for each Thrift port: one that is named here lets all in, in spite of `passwordOf`. */
  readonly openPort?: 'callers' | 'topologies' | undefined
  /** Speak HTTPS with other keys than `tls`, and whether or not there is TLS on the other ports. */
  readonly httpTls?: ServerTls
  /** Who may call what; everybody everything if not given. */
  readonly access?: Access
  /** `drpc.request.timeout.secs` in ms; 600,000 if not given. */
  readonly requestTimeoutMs?: number
  /** `drpc.max_buffer_size`: the longest message, and so arguments and results; 1 MiB if not given. */
  readonly messageBytesMax?: number
  readonly log?: Log
  readonly clock?: Clock
}

export interface Drpc {
  readonly address: string
  readonly port: number
  readonly invocationsPort: number
  readonly httpPort: number | undefined
  /** Requests that are waited for. */
  readonly pending: number
  /** Fails what waits (SERVER_SHUTDOWN) and closes the ports. Idempotent. */
  close(): Promise<void>
}

/**
 * Starts a DRPC server.
 *
 * @example
 * const drpc = await startDrpc({ httpPort: 3774 })
 * // curl -d 'foo.com/blog/1' localhost:3774/drpc/reach
 * await drpc.close()
 */
export async function startDrpc(options: DrpcOptions = {}): Promise<Drpc> {
  const { clock = realClock, requestTimeoutMs, address = '127.0.0.1' } = options
  const requests = new Requests({
    clock,
    ...(requestTimeoutMs === undefined ? {} : { timeoutMs: requestTimeoutMs }),
  })
  const guarded = new Guarded(requests, options.access ?? openAccess)
  const opened: { close(): Promise<void> }[] = []
  try {
    const callers = await serve({
      ...commonOf(options, 'callers'),
      methods: drpcMethods,
      handlers: callerHandlers(guarded),
      port: options.port ?? DRPC_PORT,
    })
    opened.push(callers)
    const topologies = await serve({
      ...commonOf(options, 'topologies'),
      methods: drpcInvocationsMethods,
      handlers: invocationHandlers(guarded),
      port: options.invocationsPort ?? DRPC_INVOCATIONS_PORT,
    })
    opened.push(topologies)
    const http =
      options.httpPort === undefined
        ? undefined
        : await listenHttp(guarded, options, options.httpPort)
    if (http !== undefined) opened.push(http)
    return running(requests, { callers, topologies, http, address })
  } catch (error) {
    for (const server of opened) await server.close()
    throw error
  }
}

interface Listening {
  readonly callers: ThriftServer
  readonly topologies: ThriftServer
  readonly http: { readonly port: number; close(): Promise<void> } | undefined
  readonly address: string
}

function running(requests: Requests, { callers, topologies, http, address }: Listening): Drpc {
  let closing: Promise<void> | undefined
  const close = async () => {
    requests.close()
    // The answers that say so leave in this turn's writes.
    await new Promise(resolve => setImmediate(resolve))
    await Promise.all([callers.close(), topologies.close(), http?.close()])
  }
  return {
    address,
    port: callers.port,
    invocationsPort: topologies.port,
    httpPort: http?.port,
    get pending() {
      return requests.size
    },
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

function commonOf(options: DrpcOptions, port: 'callers' | 'topologies') {
  const { address, tls, messageBytesMax, log = noLog } = options
  const passwordOf = options.openPort === port ? undefined : options.passwordOf
  return {
    log,
    frameBytesMax: messageBytesMax ?? MESSAGE_BYTES_MAX,
    ...(address === undefined ? {} : { host: address }),
    ...(tls === undefined ? {} : { tls }),
    ...(passwordOf === undefined ? {} : { passwordOf }),
  }
}

/** Requests behind the access list. */
class Guarded {
  readonly #requests: Requests
  readonly #access: Access

  constructor(requests: Requests, access: Access) {
    this.#requests = requests
    this.#access = access
  }

  execute(
    functionName: string,
    args: string,
    { user, gone }: { readonly user?: string | undefined; readonly gone: AbortSignal },
  ): Promise<string> {
    if (!this.#access.mayCall(functionName, user)) throw refused('execute', functionName, user)
    return this.#requests.execute(functionName, args, gone)
  }

  fetch(functionName: string, { user }: Caller): { func_args: string; request_id: string } {
    if (!this.#access.mayAnswer(functionName, user)) {
      throw refused('fetchRequest', functionName, user)
    }
    const request = this.#requests.fetchRequest(functionName)
    return { func_args: request?.args ?? '', request_id: request?.id ?? '' }
  }

  /** The requests, if this caller may end this one. */
  forAnswer(operation: string, id: string, { user }: Caller): Requests {
    const functionName = this.#requests.functionOf(id)
    if (functionName !== undefined && !this.#access.mayAnswer(functionName, user)) {
      throw refused(operation, functionName, user)
    }
    return this.#requests
  }
}

function refused(operation: string, functionName: string, user: string | undefined): Error {
  const who = user ?? 'unknown'
  const msg = `DRPC request '${operation}' of '${functionName}' for '${who}' user is not authorized`
  return new ThriftException(AuthorizationException, { msg })
}

function callerHandlers(guarded: Guarded): Handlers<typeof drpcMethods, Caller> {
  return {
    execute: ({ functionName, funcArgs = '' }, caller) =>
      guarded.execute(functionName, funcArgs, caller),
  }
}

function invocationHandlers(guarded: Guarded): Handlers<typeof drpcInvocationsMethods, Caller> {
  return {
    fetchRequest: ({ functionName }, caller) => guarded.fetch(functionName, caller),
    result: ({ id, result }, caller) => {
      const requests = guarded.forAnswer('result', id, caller)
      if (result !== undefined) requests.result(id, result)
      else requests.failRequest(id, 'the topology returned null', 'INTERNAL_ERROR')
    },
    failRequest: ({ id }, caller) => guarded.forAnswer('failRequest', id, caller).failRequest(id),
    failRequestV2: ({ id, e }, caller) =>
      guarded
        .forAnswer('failRequest', id, caller)
        .failRequest(id, e?.msg, e?.type ?? 'FAILED_REQUEST'),
  }
}

async function listenHttp(guarded: Guarded, options: DrpcOptions, port: number) {
  const { address = '127.0.0.1' } = options
  const passwordOf = options.openPort === 'callers' ? undefined : options.passwordOf
  const tls = options.httpTls ?? options.tls
  const server: Server = drpcOverHttp({
    execute: async call => guarded.execute(call.functionName, call.args, call),
    argsBytesMax: options.messageBytesMax ?? MESSAGE_BYTES_MAX,
    tls,
    passwordOf,
    // On a network callers use any name; a page whose name was rebound has no certificate of that name, and no password.
    hosts:
      isLoopback(address) && passwordOf === undefined && tls === undefined
        ? [hostname()]
        : undefined,
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', cause => {
      const text = `cannot listen on ${address}:${port}: ${cause.message}`
      const hint = 'choose another port for HTTP, or end what holds this one'
      reject(new EngineError('BAD_INPUT', text, { hint, cause }))
    })
    server.listen(port, address, resolve)
  })
  const bound = server.address()
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : port,
    close: () =>
      new Promise<void>(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
