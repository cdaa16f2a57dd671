// A DRPC server as a topology reaches it, by Thrift: one connection that is made when it is needed and made anew when it broke.
// Storm's own servers are spoken to in the same way.
import { asError, Backoff, EngineError } from 'gearpump/spi'
import type { Conf } from '../component/api.ts'
import { type ClientSecurity, connectThrift, NO_DRPC, type ThriftClient } from '../thrift/client.ts'
import { drpcInvocationsMethods } from '../thrift/storm-drpc.ts'
import { clientSecurity, INVOCATIONS_PORT_SETTINGS } from '../thrift/transport-conf.ts'
import type { FetchedRequest, Invocations } from './requests.ts'

/** An answer of a server that is alive comes at once. */
const ANSWER_TIMEOUT_MS = 20_000
/** As in Storm: a result is worth three tries. */
const TRIES = 3

type Client = ThriftClient<typeof drpcInvocationsMethods>

export interface Address {
  readonly host: string
  readonly port: number
}

/** The servers of `drpc.servers`, for a topology. Throws for settings that name none. */
export function serversOf(conf: Conf): readonly Address[] {
  const servers = conf['drpc.servers']
  const port = Number(conf['drpc.invocations.port'])
  const hosts = Array.isArray(servers) ? servers.map(String) : []
  if (hosts.length > 0 && port > 0) return hosts.map(host => ({ host, port }))
  throw new EngineError('BAD_INPUT', 'no DRPC server is configured: drpc.servers names no host', {
    hint: 'set drpc.servers: ["localhost"], and drpc.invocations.port if it is not 3773',
    details: { servers, port },
  })
}

/** How a topology comes in at those servers. Throws for settings that cannot be kept here. */
export function invocationsSecurity(conf: Conf): Promise<ClientSecurity> {
  return clientSecurity(conf, INVOCATIONS_PORT_SETTINGS)
}

export interface InvocationsOptions {
  readonly security?: ClientSecurity
  readonly nowMs?: () => number
}

export class RemoteInvocations implements Invocations {
  readonly address: Address
  readonly #security: ClientSecurity
  readonly #nowMs: () => number
  readonly #backoff = new Backoff()
  #client: Promise<Client> | undefined = undefined
  #notBeforeMs = 0
  #closed = false

  constructor(address: Address, options: InvocationsOptions = {}) {
    this.address = address
    this.#security = options.security ?? {}
    this.#nowMs = options.nowMs ?? (() => performance.now())
  }

  /** While the server cannot be reached there are no requests; throws once per try to reach it. */
  async fetchRequest(functionName: string): Promise<FetchedRequest | undefined> {
    if (this.#closed) return undefined
    if (this.#client === undefined && this.#nowMs() < this.#notBeforeMs) return undefined
    const request = await this.#call(client => client.call('fetchRequest', { functionName }))
    const { request_id: id, func_args: args } = request
    return id === '' ? undefined : { id, args }
  }

  async result(id: string, result: string): Promise<void> {
    await this.#tried(client => client.call('result', { id, result }))
  }

  /** With a reason, if the server knows how to take one: Storm's do since 2.0. */
  async failRequest(id: string, reason?: string): Promise<void> {
    if (reason === undefined) {
      await this.#tried(client => client.call('failRequest', { id }))
      return
    }
    const e = { msg: reason, type: 'FAILED_REQUEST' } as const
    try {
      await this.#tried(client => client.call('failRequestV2', { id, e }))
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== 'THRIFT_CALL_FAILED') throw error
      await this.failRequest(id)
    }
  }

  async close(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    this.#closed = true
    // One that could not be made needs no closing.
    await client?.then(made => made.close()).catch(() => undefined)
  }

  async #tried<T>(call: (client: Client) => Promise<T>): Promise<T> {
    for (let left = TRIES - 1; ; left--) {
      try {
        return await this.#call(call)
      } catch (error) {
        if (!isLost(error) || left === 0) throw error
      }
    }
  }

  async #call<T>(call: (client: Client) => Promise<T>): Promise<T> {
    const { host, port } = this.address
    const methods = drpcInvocationsMethods
    // What is under way at the close is not tried again over a connection that nobody would close.
    if (this.#closed)
      throw new EngineError('DRPC_UNREACHABLE', `the connection to ${host}:${port} was closed`)
    this.#client ??= connectThrift({
      methods,
      host,
      port,
      timeoutMs: ANSWER_TIMEOUT_MS,
      security: this.#security,
      unreachable: NO_DRPC,
    })
    const mine = this.#client
    try {
      const client = await mine
      const answer = await call(client)
      this.#backoff.started(this.#nowMs())
      return answer
    } catch (error) {
      if (isLost(error) && this.#client === mine) {
        this.#client = undefined
        this.#notBeforeMs = this.#nowMs() + this.#backoff.failed(this.#nowMs())
      }
      throw asError(error)
    }
  }
}

/** The connection is over: nobody is there, or what came is no answer. */
function isLost(error: unknown): boolean {
  return error instanceof EngineError && LOST.has(error.code)
}

const LOST: ReadonlySet<string> = new Set(['DRPC_UNREACHABLE', 'THRIFT_INVALID'])
