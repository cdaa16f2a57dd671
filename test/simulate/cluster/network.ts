// The network of a simulated cluster: memory links between endpoints of processes on hosts. A link keeps its order and
// loses nothing, as TCP does; it may be slow, stand still while hosts are cut off from each other or a process is
// paused, and break. What a dead process had open is closed by its kernel, unless its whole host has lost power.
import type { Link, LinkHandler, Transport } from '../../../src/transport/link.ts'
import {
  type Carrier,
  lost,
  MemoryNetwork,
  type Parcel,
  type Route,
} from '../../../src/transport/memory-transport.ts'
import type { Chance, VirtualTime } from '../virtual-time.ts'
import type { SimulatedProcess } from './process.ts'

/** After a pause timers that are due come first, then what the links have brought, as in a real event loop. */
const AFTER_TIMERS_MS = 0.05

interface Way {
  readonly route: Route
  readonly queue: { readonly parcel: Parcel; readonly arrive: (parcel: Parcel) => void }[]
  lastMs: number
  /** Arrivals that a partition holds back. */
  held: number
}

export class Network implements Carrier {
  /** Frames sent, of whatever kind. */
  frames = 0
  /** Links that endpoints have open now, by endpoint. */
  readonly open = new Map<string, number>()
  delayMsMax = 1
  readonly #time: VirtualTime
  readonly #chance: Chance
  readonly #network: MemoryNetwork
  readonly #processes = new Map<string, SimulatedProcess>()
  readonly #ways = new Map<number, Way>()
  readonly #leaving: (() => void)[] = []
  /** Hosts that are cut off from all that are not in here. */
  #island: ReadonlySet<string> | undefined = undefined
  /** Hosts that are each cut off from all others. */
  readonly #alone = new Set<string>()

  constructor(time: VirtualTime, chance: Chance) {
    this.#time = time
    this.#chance = chance
    this.#network = new MemoryNetwork({ carrier: this, poison: true })
  }

  // ---- as a carrier

  // What leaves in one turn leaves in one event.
  defer = (fn: () => void): void => {
    this.#leaving.push(fn)
    if (this.#leaving.length > 1) return
    this.#time.after(0, () => {
      for (const leave of this.#leaving.splice(0)) leave()
    })
  }

  reachable(from: string, to: string): boolean {
    return !this.#cut(from, to)
  }

  carry(route: Route, parcel: Parcel, arrive: (parcel: Parcel) => void): void {
    const from = this.#processes.get(route.from)
    if (from === undefined || from.powerless || (from.killed && 'frame' in parcel)) return
    if ('frame' in parcel) this.frames++
    let way = this.#ways.get(route.id)
    if (way === undefined) {
      way = { route, queue: [], lastMs: 0, held: 0 }
      this.#ways.set(route.id, way)
    }
    const nowMs = this.#time.now()
    way.lastMs = Math.max(way.lastMs, nowMs + 0.1 + this.#chance.next() * this.delayMsMax)
    way.queue.push({ parcel, arrive })
    const { lastMs } = way
    this.#time.after(lastMs - nowMs, () => this.#arrival(way))
  }

  #arrival(way: Way): void {
    const { route, queue } = way
    if (this.#cut(route.from, route.to)) {
      way.held++
      return
    }
    const to = this.#processes.get(route.to)
    const waitMs = (to?.environment.stalledUntilMs ?? 0) - this.#time.now()
    if (waitMs > 0 && to?.killed === false) {
      this.#time.after(waitMs + AFTER_TIMERS_MS, () => this.#arrival(way))
      return
    }
    const next = queue.shift()
    if (queue.length === 0) this.#ways.delete(route.id)
    next?.arrive(next.parcel)
  }

  #cut(from: string, to: string): boolean {
    const island = this.#island
    if (island === undefined && this.#alone.size === 0) return false
    const hostOf = (endpoint: string) => this.#processes.get(endpoint)?.host ?? ''
    const [one, other] = [hostOf(from), hostOf(to)]
    if (one !== other && (this.#alone.has(one) || this.#alone.has(other))) return true
    return island !== undefined && island.has(one) !== island.has(other)
  }

  // ---- endpoints

  /** An endpoint of a process. Nothing of a dead process is called, and nothing of a paused one before it goes on. */
  transport(name: string, process: SimulatedProcess): Transport {
    this.#processes.set(name, process)
    const inner = this.#network.transport(name)
    const guarded = (make: (link: Link) => LinkHandler) => (link: Link) =>
      this.#guarded(name, process, make, link)
    return {
      listen: accept => inner.listen(guarded(accept)),
      connect: (address, handler) =>
        new Promise((resolve, reject) => {
          const there = address.kind === 'memory' ? this.#processes.get(address.name) : undefined
          const waitMs = (there?.environment.stalledUntilMs ?? 0) - this.#time.now()
          // A connection waits in the backlog of a process that is paused.
          this.#time.after(waitMs > 0 ? waitMs + AFTER_TIMERS_MS : 0, () => {
            inner.connect(address, guarded(handler)).then(
              link => process.environment.defer(() => resolve(link)),
              error => process.environment.defer(() => reject(error)),
            )
          })
        }),
      close: () => inner.close(),
    }
  }

  #guarded(
    name: string,
    process: SimulatedProcess,
    make: (link: Link) => LinkHandler,
    link: Link,
  ): LinkHandler {
    if (process.killed) {
      link.close()
      return DEAD
    }
    this.#count(name, 1)
    const handler = make(link)
    return {
      onFrame: (kind, body) => {
        if (!process.killed) handler.onFrame(kind, body)
      },
      onClose: reason => {
        this.#count(name, -1)
        process.environment.defer(() => handler.onClose(reason))
      },
      onDrain: () => process.environment.defer(() => handler.onDrain()),
    }
  }

  #count(name: string, more: number): void {
    const open = (this.open.get(name) ?? 0) + more
    if (open === 0) this.open.delete(name)
    else this.open.set(name, open)
  }

  // ---- faults

  /** The process has died: its kernel closes what it had open. */
  died(process: SimulatedProcess): void {
    for (const [name, of] of this.#processes) {
      if (of !== process) continue
      this.#network.silence(name)
      this.#network.closeFrom(name)
    }
  }

  /** The links of two processes break, for both. */
  sever(one: SimulatedProcess, other: SimulatedProcess): void {
    const between = ({ from, to }: Route) => {
      const ends = [this.#processes.get(from), this.#processes.get(to)]
      return ends.includes(one) && ends.includes(other)
    }
    this.#network.sever(between, lost({ id: -1, from: one.name, to: other.name }))
  }

  /** Cuts hosts off from all others. What is sent meanwhile arrives when the cut is over, if the link is still there. */
  isolate(hosts: ReadonlySet<string>): void {
    this.#island = hosts
  }

  heal(): void {
    this.#island = undefined
    this.#release()
  }

  /** Cuts one host off, until it is joined again. */
  part(host: string): void {
    this.#alone.add(host)
  }

  join(host: string): void {
    this.#alone.delete(host)
    this.#release()
  }

  // What is still cut off is held again.
  #release(): void {
    for (const way of this.#ways.values()) {
      for (; way.held > 0; way.held--) this.#time.after(0, () => this.#arrival(way))
    }
  }
}

const DEAD: LinkHandler = {
  onFrame: () => undefined,
  onClose: () => undefined,
  onDrain: () => undefined,
}
