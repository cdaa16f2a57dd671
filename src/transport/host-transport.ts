// Links between executors that may be on one machine or on two: a Unix socket where both ends are on the same host, TCP
// where they are not. It listens on both and gives an address that has both; who connects chooses by the host's name.
import { EngineError } from '../base/errors.ts'
import type { FramePool } from './frame-pool.ts'
import type { Address, Link, LinkHandler, Transport } from './link.ts'
import { SocketTransport } from './socket-transport.ts'
import type { TlsOptions } from './tls.ts'

export interface HostTransportOptions {
  /** Name of this host in the cluster. */
  readonly machine: string
  /** A private directory for the Unix socket. */
  readonly directory: string
  /** Where TCP binds, and the name others reach it by. */
  readonly bind: string
  readonly advertised: string
  /** TCP ports to choose from; none = any that is free. */
  readonly ports?: readonly number[]
  readonly pool?: FramePool
  readonly tls?: TlsOptions
}

export class HostTransport implements Transport {
  readonly #machine: string
  readonly #unix: SocketTransport
  readonly #tcp: SocketTransport

  constructor(options: HostTransportOptions) {
    const { machine, directory, bind, advertised, ports = [], pool, tls } = options
    this.#machine = machine
    const pooled = pool === undefined ? {} : { pool }
    this.#unix = new SocketTransport({ kind: 'unix', directory, ...pooled })
    this.#tcp = new SocketTransport({
      kind: 'tcp',
      host: bind,
      advertisedHost: advertised,
      ports,
      ...pooled,
      ...(tls === undefined ? {} : { tls }),
    })
  }

  async listen(accept: (link: Link) => LinkHandler): Promise<Address> {
    const [unix, tcp] = await Promise.all([this.#unix.listen(accept), this.#tcp.listen(accept)])
    if (unix.kind !== 'unix' || tcp.kind !== 'tcp')
      throw new EngineError('BUG', 'a socket transport gave an address of another kind')
    return {
      kind: 'host',
      machine: this.#machine,
      path: unix.path,
      host: tcp.host,
      port: tcp.port,
    }
  }

  connect(address: Address, handler: (link: Link) => LinkHandler): Promise<Link> {
    if (address.kind !== 'host') return this.#tcp.connect(address, handler)
    const { machine, path, host, port } = address
    if (machine === this.#machine) return this.#unix.connect({ kind: 'unix', path }, handler)
    return this.#tcp.connect({ kind: 'tcp', host, port }, handler)
  }

  async close(): Promise<void> {
    await Promise.all([this.#unix.close(), this.#tcp.close()])
  }
}
