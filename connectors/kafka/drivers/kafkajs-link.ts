// The default driver: kafkajs's Broker and ConnectionPool bring bytes to one broker (sockets, TLS, SASL, versions). Only these inner parts
// of kafkajs are used, and package.json pins its version: its producer loses messages silently in two ways, and its readers
// join a group. It reads on one connection and does everything else on another.
import { createRequire } from 'node:module'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { KafkaConnection } from '../client.ts'
import type { BrokerAddress, BrokerLink, Linking } from '../wire/broker-nodes.ts'
import type { WireRequest } from '../wire/requests.ts'
import { WireReader, WireWriter } from '../wire/wire-bytes.ts'
import { CERTIFICATE_REFUSED, CONNECT_TIMEOUT_MS, REQUEST_TIMEOUT_MS } from './driver-settings.ts'

const KEEP_ALIVE_MS = 60_000

interface KafkajsPool {
  send(request: object): Promise<unknown>
}

interface KafkajsBroker {
  connect(): Promise<void>
}

interface SocketAsked {
  readonly host: string
  readonly port: number
  readonly ssl?: object | null
  readonly onConnect: () => void
}

/** What is used of kafkajs's inside. */
interface KafkajsInside {
  readonly Broker: new (options: object) => KafkajsBroker
  readonly ConnectionPool: new (options: object) => KafkajsPool
  readonly createLogger: (options: object) => object
}

function kafkajsInside(): KafkajsInside {
  const require = createRequire(import.meta.url)
  return {
    Broker: require('kafkajs/src/broker'),
    ConnectionPool: require('kafkajs/src/network/connectionPool'),
    createLogger: require('kafkajs/src/loggers').createLogger,
  }
}

export function kafkajsLinking(connection: KafkaConnection): Linking {
  const inside = kafkajsInside()
  return {
    open: address => new KafkajsLink(inside, connection, address),
    refused: error => {
      const { name, code } = error as { name?: string; code?: unknown }
      return name === 'KafkaJSSASLAuthenticationError' || CERTIFICATE_REFUSED.test(String(code))
    },
  }
}

class KafkajsLink implements BrokerLink {
  readonly #sockets = new Set<Socket>()
  readonly #pool: KafkajsPool
  readonly #broker: KafkajsBroker
  #destroyed = false

  constructor(inside: KafkajsInside, connection: KafkaConnection, address: BrokerAddress) {
    const { clientId = 'gearpump', tls, sasl } = connection
    const logger = inside.createLogger({ level: 0, logCreator: () => () => undefined })
    this.#pool = new inside.ConnectionPool({
      ...address,
      clientId,
      logger,
      ssl: tls === true ? {} : tls || undefined,
      sasl,
      connectionTimeout: connection.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      requestTimeout: connection.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
      enforceRequestTimeout: true,
      socketFactory: (asked: SocketAsked) => this.#socket(asked),
    })
    this.#broker = new inside.Broker({
      connectionPool: this.#pool,
      logger,
      allowAutoTopicCreation: false,
    })
  }

  async send<T>(request: WireRequest<T>): Promise<T> {
    await this.#broker.connect()
    return (await this.#pool.send(kafkajsRequest(request))) as T
  }

  destroy(): void {
    this.#destroyed = true
    // With an error, so that kafkajs lets go what waits for an answer.
    for (const socket of this.#sockets) socket.destroy(new Error('the connection was given up'))
  }

  #socket({ host, port, ssl, onConnect }: SocketAsked): Socket {
    const name = isIP(host) ? {} : { servername: host }
    const socket =
      ssl === undefined || ssl === null
        ? connectTcp({ host, port }, onConnect)
        : connectTls({ host, port, ...name, ...ssl }, onConnect)
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    socket.setNoDelay(true)
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    if (this.#destroyed) socket.destroy(new Error('the connection was given up'))
    return socket
  }
}

function kafkajsRequest<T>({ apiKey, apiVersion, name, answered, write, read }: WireRequest<T>) {
  return {
    request: {
      apiKey,
      apiVersion,
      apiName: name,
      expectResponse: () => answered,
      encode: async () => {
        const writer = new WireWriter()
        write(writer)
        return writer
      },
    },
    response: {
      decode: async (payload: Buffer) => read(new WireReader(payload)),
      parse: async (answer: T) => answer,
    },
  }
}
