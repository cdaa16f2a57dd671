// Links within one process, for tests and for simulations. Frames travel by a carrier: the plain one defers each
// delivery and keeps the order of each link, whatever order the deferred calls run in; the faulty one (its own file)
// delays, loses, doubles and cuts. As with sockets nothing is delivered from inside `send`.

import { asError, EngineError, invariant } from '../base/errors.ts'
import { FRAME_HEAD_BYTES } from './data-frame-builder.ts'
import {
  type Address,
  addressText,
  LINK_BUFFER_BYTES,
  type Link,
  type LinkHandler,
  type Transport,
} from './link.ts'

/** Calls `fn` later, soon, and once: `setImmediate`, or a simulation's queue. */
export type Defer = (fn: () => void) => void

/** One direction of a link. The endpoints are named by the transports. */
export interface Route {
  readonly id: number
  readonly from: string
  readonly to: string
}

/** What travels: a frame, or (undefined) the end of the link. */
export type Parcel = { frame: Buffer } | { end: Error | undefined }

/**
 * Decides when, and whether, a parcel arrives: calls `arrive` later for each parcel that does. `left` is called
 * once for each parcel that will not arrive (again), so that buffers empty.
 */
export interface Carrier {
  carry(route: Route, parcel: Parcel, arrive: (parcel: Parcel) => void): void
  /** Whether a link from one endpoint to the other can be opened now. */
  reachable(from: string, to: string): boolean
  defer: Defer
}

/** Delivers everything, in the order of each link. */
export class DeferredCarrier implements Carrier {
  readonly defer: Defer
  private readonly queues = new Map<
    number,
    { parcel: Parcel; arrive: (parcel: Parcel) => void }[]
  >()

  constructor(defer: Defer) {
    this.defer = defer
  }

  reachable(): boolean {
    return true
  }

  carry(route: Route, parcel: Parcel, arrive: (parcel: Parcel) => void): void {
    let queue = this.queues.get(route.id)
    if (queue === undefined) {
      queue = []
      this.queues.set(route.id, queue)
    }
    // Bounded by the sender: what it sends beyond credit it holds back by `bufferedBytes`.
    queue.push({ parcel, arrive })
    this.defer(() => {
      const next = queue.shift()
      if (queue.length === 0) this.queues.delete(route.id)
      next?.arrive(next.parcel)
    })
  }
}

export interface MemoryNetworkOptions {
  carrier: Carrier
  /** Overwrites each body after its delivery, so that whoever kept a view of it is found out. */
  poison?: boolean
}

/** What memory transports of one test or simulation share. */
export class MemoryNetwork {
  readonly carrier: Carrier
  readonly poison: boolean
  private readonly listeners = new Map<string, (link: Link) => LinkHandler>()
  private readonly open = new Set<MemoryLink>()
  private routes = 0

  constructor(options: MemoryNetworkOptions) {
    this.carrier = options.carrier
    this.poison = options.poison ?? false
  }

  /** The transport of one endpoint; its name is its address. */
  transport(name: string): MemoryTransport {
    return new MemoryTransport(this, name)
  }

  listen(name: string, accept: (link: Link) => LinkHandler): void {
    invariant(!this.listeners.has(name), `one endpoint listens as ${name}`)
    this.listeners.set(name, accept)
  }

  silence(name: string): void {
    this.listeners.delete(name)
  }

  /** Both ends of a new link, or undefined if nobody listens there. */
  connect(from: string, to: string, handler: (link: Link) => LinkHandler): Link | undefined {
    const accept = this.listeners.get(to)
    if (accept === undefined || !this.carrier.reachable(from, to)) return undefined
    const near = new MemoryLink(this, { id: this.routes++, from, to })
    const far = new MemoryLink(this, { id: this.routes++, from: to, to: from })
    near.join(far)
    far.join(near)
    this.open.add(near)
    this.open.add(far)
    far.start(accept(far))
    near.start(handler(near))
    return near
  }

  /** Ends every open link that `chosen` picks, for both sides, with a reason and without what is on its way. */
  sever(chosen: (route: Route) => boolean, reason: Error): void {
    for (const link of [...this.open]) if (chosen(link.route)) link.fail(reason)
  }

  closeFrom(name: string): void {
    for (const link of [...this.open]) if (link.route.from === name) link.close()
  }

  forget(link: MemoryLink): void {
    this.open.delete(link)
  }
}

/** One endpoint in a MemoryNetwork. */
export class MemoryTransport implements Transport {
  private readonly network: MemoryNetwork
  private readonly name: string
  private closed = false

  constructor(network: MemoryNetwork, name: string) {
    this.network = network
    this.name = name
  }

  async listen(accept: (link: Link) => LinkHandler): Promise<Address> {
    this.network.listen(this.name, accept)
    return { kind: 'memory', name: this.name }
  }

  connect(address: Address, handler: (link: Link) => LinkHandler): Promise<Link> {
    return new Promise((resolve, reject) => {
      this.network.carrier.defer(() => {
        const link =
          address.kind === 'memory' && !this.closed
            ? this.network.connect(this.name, address.name, handler)
            : undefined
        if (link !== undefined) resolve(link)
        else reject(unreachable(address))
      })
    })
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    this.network.silence(this.name)
    this.network.closeFrom(this.name)
  }
}

class MemoryLink implements Link {
  readonly route: Route
  bufferedBytes = 0
  private readonly network: MemoryNetwork
  private far: MemoryLink | undefined
  private handler: LinkHandler | undefined
  private state: 'open' | 'closing' | 'closed' = 'open'
  private wantsDrain = false

  constructor(network: MemoryNetwork, route: Route) {
    this.network = network
    this.route = route
  }

  get peer(): string {
    return `memory:${this.route.to}`
  }

  join(far: MemoryLink): void {
    this.far = far
  }

  start(handler: LinkHandler): void {
    this.handler = handler
  }

  send(frame: Buffer): void {
    if (this.state !== 'open') return
    this.bufferedBytes += frame.length
    if (this.bufferedBytes > LINK_BUFFER_BYTES) this.wantsDrain = true
    // Every frame leaves in its turn, whatever becomes of it on the way.
    this.network.carrier.defer(() => this.left(frame.length))
    this.network.carrier.carry(this.route, { frame }, parcel => this.far?.arrive(parcel))
  }

  close(): void {
    if (this.state !== 'open') return
    this.state = 'closing'
    this.network.carrier.carry(this.route, { end: undefined }, parcel => this.far?.arrive(parcel))
    this.network.carrier.defer(() => this.end(undefined))
  }

  /** The connection broke: both sides hear of it by themselves, later. */
  fail(reason: Error): void {
    this.network.carrier.defer(() => this.end(reason))
  }

  private arrive(parcel: Parcel): void {
    if (this.state !== 'open') return
    if ('end' in parcel) {
      this.end(parcel.end)
      return
    }
    const { frame } = parcel
    const body = frame.subarray(FRAME_HEAD_BYTES)
    try {
      this.handler?.onFrame(frame[FRAME_HEAD_BYTES - 1]!, body)
    } catch (error) {
      this.fail(asError(error))
      this.far?.fail(lost(this.route))
    }
    if (this.network.poison) body.fill(0xdb)
  }

  private left(bytes: number): void {
    this.bufferedBytes -= bytes
    if (this.bufferedBytes > 0 || !this.wantsDrain || this.state !== 'open') return
    this.wantsDrain = false
    this.handler?.onDrain()
  }

  private end(reason: Error | undefined): void {
    if (this.state === 'closed') return
    this.state = 'closed'
    this.network.forget(this)
    this.handler?.onClose(reason)
  }
}

/** The reason of a link that a fault, or the death of the other side, has ended. */
export function lost(route: Route): EngineError {
  return new EngineError('LINK_LOST', `the link between ${route.from} and ${route.to} broke`, {
    hint: 'its unfinished messages are sent again',
    details: { from: route.from, to: route.to },
  })
}

function unreachable(address: Address): EngineError {
  return new EngineError('LINK_LOST', `cannot connect to ${addressText(address)}: nobody listens`, {
    hint: 'check the address, and that the other side has not been closed',
    details: { peer: addressText(address) },
  })
}
