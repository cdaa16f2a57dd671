// The brokers of a cluster: where they are, which was reached, and one link to each. A link that fails is thrown away with all that
// waits on it, so that no half-dead connection is ever asked again. What a link is made of is the driver's affair.
import type { EngineError } from 'gearpump/spi'
import type { KafkaConnection } from '../client.ts'
import { notLetIn, unreachable } from '../kafka-errors.ts'
import type { NodeAddress } from './metadata-requests.ts'
import type { WireRequest } from './requests.ts'

export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

/** The connections to one broker. */
export interface BrokerLink {
  /** Connects when it must. Throws what the driver throws; `refused` tells whether the broker does not let us in. */
  send<T>(request: WireRequest<T>): Promise<T>
  /** Ends the connections at once, and what waits on them with an error. */
  destroy(): void
}

/** How a driver reaches a broker. */
export interface Linking {
  open(address: BrokerAddress): BrokerLink
  /** Whether an error says that the broker knows us and does not let us in. */
  refused(error: unknown): boolean
}

export class BrokerNodes {
  readonly #linking: Linking
  readonly #seeds: readonly BrokerAddress[]
  readonly #links = new Map<string, BrokerLink>()
  #addresses = new Map<number, BrokerAddress>()
  #next = 0
  #closed = false

  constructor(connection: KafkaConnection, linking: Linking) {
    this.#linking = linking
    this.#seeds = connection.brokers.map(addressOf)
  }

  /** Remembers where nodes are, as a broker told. */
  learn(nodes: readonly NodeAddress[]): void {
    this.#addresses = new Map(nodes.map(({ node, host, port }) => [node, { host, port }]))
    // Brokers that come back under other addresses leave no connections behind.
    const known = new Set([...this.#seeds, ...this.#addresses.values()].map(keyOf))
    for (const [key, link] of this.#links) {
      if (known.has(key)) continue
      this.#links.delete(key)
      link.destroy()
    }
  }

  /** Where one node is now. */
  place({ node, host, port }: NodeAddress): void {
    this.#addresses.set(node, { host, port })
  }

  /** How a message names a node. */
  describe(node: number): string {
    const address = this.#addresses.get(node)
    return address === undefined ? `node ${node}` : `node ${node} at ${keyOf(address)}`
  }

  async send<T>(node: number, request: WireRequest<T>): Promise<T> {
    const address = this.#addresses.get(node)
    if (address === undefined)
      throw unreachable(`node ${node}`, new Error('no broker has told its address'))
    return this.#sendTo(address, request)
  }

  /** Asks any broker: those already reached first, then each known one. */
  async sendAny<T>(request: WireRequest<T>): Promise<T> {
    let last: EngineError | undefined
    for (const address of this.#candidates()) {
      try {
        return await this.#sendTo(address, request)
      } catch (error) {
        last = error as EngineError
        if (last.code !== 'KAFKA_UNREACHABLE') throw last
      }
    }
    throw unreachable(this.#seeds.map(keyOf).join(', '), last?.cause ?? last)
  }

  close(): void {
    this.#closed = true
    for (const link of this.#links.values()) link.destroy()
    this.#links.clear()
  }

  #candidates(): BrokerAddress[] {
    const found = new Map<string, BrokerAddress>()
    for (const address of this.#addresses.values()) {
      if (this.#links.has(keyOf(address))) found.set(keyOf(address), address)
    }
    const start = this.#next++
    const rest = [...this.#seeds, ...this.#addresses.values()]
    for (let k = 0; k < rest.length; k++) {
      const address = rest[(start + k) % rest.length]!
      found.set(keyOf(address), address)
    }
    return [...found.values()]
  }

  async #sendTo<T>(address: BrokerAddress, request: WireRequest<T>): Promise<T> {
    const key = keyOf(address)
    if (this.#closed) throw unreachable(key, new Error('this client is closed'))
    let link = this.#links.get(key)
    if (link === undefined) {
      link = this.#linking.open(address)
      this.#links.set(key, link)
    }
    try {
      return await link.send(request)
    } catch (error) {
      if (this.#links.get(key) === link) this.#links.delete(key)
      link.destroy()
      throw this.#linking.refused(error) ? notLetIn(key, error) : unreachable(key, error)
    }
  }
}

/** `host:port` or `[v6]:port`. Checked when the options were. */
function addressOf(broker: string): BrokerAddress {
  const at = broker.lastIndexOf(':')
  return {
    host: broker.slice(0, at).replace(/^\[(.*)\]$/, '$1'),
    port: Number(broker.slice(at + 1)),
  }
}

export function keyOf({ host, port }: BrokerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
