// The second driver: connections of @platformatic/kafka, by what that package exports. It is loaded only when it is asked for. As with
// the other driver, reading has a connection of its own: a broker answers one connection's requests in their order, and a fetch may
// wait for records.
import { isIP } from 'node:net'
import { Connection, type ConnectionOptions, Writer } from '@platformatic/kafka'
import type { KafkaConnection, KafkaSasl } from '../client.ts'
import type { BrokerAddress, BrokerLink, Linking } from '../wire/broker-nodes.ts'
import type { WireRequest } from '../wire/requests.ts'
import { WireReader, WireWriter } from '../wire/wire-bytes.ts'
import { CERTIFICATE_REFUSED, CONNECT_TIMEOUT_MS, REQUEST_TIMEOUT_MS } from './driver-settings.ts'

const FETCH = 1
/** Requests on one connection at a time: each partition that is written has at most one. */
const REQUESTS_MAX = 1000
/** How deep causes of causes are looked at. */
const CAUSES_MAX = 5

const MECHANISMS = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
} as const

export function platformaticLinking(connection: KafkaConnection): Linking {
  return {
    open: address => new PlatformaticLink(connection, address),
    refused: error => isRefusal(error, CAUSES_MAX),
  }
}

class PlatformaticLink implements BrokerLink {
  readonly #clientId: string
  readonly #address: BrokerAddress
  readonly #options: ConnectionOptions
  readonly #connections = new Map<'fetch' | 'rest', Promise<Connection>>()
  readonly #made: Connection[] = []

  constructor(connection: KafkaConnection, address: BrokerAddress) {
    const { tls, sasl } = connection
    this.#clientId = connection.clientId ?? 'gearpump'
    this.#address = address
    this.#options = {
      connectTimeout: connection.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      requestTimeout: connection.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
      maxInflights: REQUESTS_MAX,
      // The name of the host, where it is one.
      ...(tls ? { tls: tls === true ? {} : tls, tlsServerName: isIP(address.host) === 0 } : {}),
      ...(sasl === undefined ? {} : { sasl: saslOf(sasl) }),
    }
  }

  async send<T>(request: WireRequest<T>): Promise<T> {
    const connection = await this.#connection(request.apiKey === FETCH ? 'fetch' : 'rest')
    const { apiKey, apiVersion, answered, write, read } = request
    return new Promise<T>((resolve, reject) => {
      connection.send<T>(
        apiKey,
        apiVersion,
        () => {
          const bytes = new WireWriter()
          write(bytes)
          const writer = Writer.create().append(bytes.buffer)
          writer.context.noResponse = !answered
          return writer
        },
        (_correlationId, _apiKey, _apiVersion, reader) =>
          read(new WireReader(reader.buffer.slice())),
        false,
        false,
        (error, answer) => (error === null ? resolve(answer as T) : reject(error)),
      )
    })
  }

  destroy(): void {
    for (const connection of this.#made) {
      const { socket } = connection
      socket?.destroy(new Error('the connection was given up'))
    }
  }

  #connection(kind: 'fetch' | 'rest'): Promise<Connection> {
    let opening = this.#connections.get(kind)
    if (opening === undefined) {
      opening = this.#open()
      this.#connections.set(kind, opening)
    }
    return opening
  }

  async #open(): Promise<Connection> {
    const connection = new Connection(this.#clientId, this.#options)
    this.#made.push(connection)
    // What fails is told to whoever waits for an answer; without a listener it would end the process.
    connection.on('error', () => undefined)
    await connection.connect(this.#address.host, this.#address.port)
    return connection
  }
}

function saslOf({ mechanism, username, password }: KafkaSasl) {
  return { mechanism: MECHANISMS[mechanism], username, password }
}

function isRefusal(error: unknown, depth: number): boolean {
  if (typeof error !== 'object' || error === null || depth === 0) return false
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown }
  if (code === 'PLT_KFK_AUTHENTICATION' || CERTIFICATE_REFUSED.test(String(code))) return true
  if (Array.isArray(errors) && errors.some(one => isRefusal(one, depth - 1))) return true
  return isRefusal(cause, depth - 1)
}
