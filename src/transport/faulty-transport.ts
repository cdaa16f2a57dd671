// Memory links with faults, for simulations: frames are delayed, lost, doubled and (if asked) reordered; endpoints are
// cut off, healed and killed. All chance comes from the `random` and all time from the `time` passed in, so one seed
// gives one run. By default each link keeps its order, as sockets do, and only links overtake one another.

import { invariant } from '../base/errors.ts'
import {
  type Carrier,
  type Defer,
  lost,
  MemoryNetwork,
  type MemoryTransport,
  type Parcel,
  type Route,
} from './memory-transport.ts'

/** Virtual time: nothing here waits for a real clock. */
export interface VirtualTime {
  now(): number
  /** Calls `fn` at `now() + delayMs`. Calls due at one time run in an order that is fixed. */
  after(delayMs: number, fn: () => void): void
}

export interface Faults {
  delayMsMin: number
  delayMsMax: number
  /** Chance that a frame is lost, from 0 to 1. */
  loss: number
  /** Chance that a frame arrives twice. */
  duplication: number
  /** Chance that a frame does not wait for those sent before it on the same link. */
  reordering: number
}

const NO_FAULTS: Faults = { delayMsMin: 0, delayMsMax: 0, loss: 0, duplication: 0, reordering: 0 }

export interface FaultyNetworkOptions {
  /** From 0 (inclusive) to 1 (exclusive), seeded. */
  random: () => number
  time: VirtualTime
  faults?: Partial<Faults>
  /** Overwrites each body after its delivery: whoever keeps a view of it reads rubbish. */
  poison?: boolean
}

/** What happens to frames between endpoints that are cut off: gone, or (as with TCP) kept until the cut heals. */
export type CutMode = 'lose' | 'hold'

interface Cut {
  from: string
  to: string
  mode: CutMode
}

// What is under way on one route, in the order it will arrive. Arrivals take the head: so the order is the queue's
// alone, whatever the times and however often a cut interrupts.
interface Way {
  readonly route: Route
  readonly queue: { parcel: Parcel; arrive: (parcel: Parcel) => void }[]
  lastArrivalMs: number
  /** Arrivals that a cut holds back. */
  held: number
}

// What one route keeps under way or held: a kernel's socket buffers are bounded as well. Beyond it frames are lost.
const PARCELS_UNDER_WAY_MAX = 65_536

/** A network of faulty links. `faults` may be changed while it runs. */
export class FaultyNetwork implements Carrier {
  readonly faults: Faults
  readonly defer: Defer
  private readonly random: () => number
  private readonly time: VirtualTime
  private readonly network: MemoryNetwork
  private readonly cuts: Cut[] = []
  private readonly dead = new Set<string>()
  private readonly ways = new Map<number, Way>()

  constructor(options: FaultyNetworkOptions) {
    this.random = options.random
    this.time = options.time
    this.faults = { ...NO_FAULTS, ...options.faults }
    this.defer = fn => this.time.after(0, fn)
    this.network = new MemoryNetwork({ carrier: this, poison: options.poison ?? true })
  }

  transport(name: string): MemoryTransport {
    this.dead.delete(name)
    return this.network.transport(name)
  }

  /** Cuts two endpoints off from each other, in both directions. */
  cut(one: string, other: string, mode: CutMode = 'hold'): void {
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      if (this.cutBetween(from, to) === undefined) this.cuts.push({ from, to, mode })
    }
  }

  /** Ends a cut; what it held goes on its way, in order. */
  heal(one: string, other: string): void {
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      const index = this.cuts.findIndex(cut => cut.from === from && cut.to === to)
      if (index < 0) continue
      this.cuts.splice(index, 1)
      for (const way of this.ways.values()) {
        if (way.route.from === from && way.route.to === to) this.resume(way)
      }
    }
  }

  /** Breaks the links between two endpoints: both hear of it. New ones can be made at once. */
  sever(one: string, other: string): void {
    this.network.sever(
      ({ from, to }) => (from === one && to === other) || (from === other && to === one),
      lost({ id: -1, from: one, to: other }),
    )
  }

  /** The endpoint dies: nothing of it arrives any more, its links break, nobody can connect to it. */
  kill(name: string): void {
    this.dead.add(name)
    this.network.silence(name)
    this.network.sever(
      ({ from, to }) => from === name || to === name,
      lost({ id: -1, from: name, to: 'its peers' }),
    )
  }

  reachable(from: string, to: string): boolean {
    return !this.dead.has(from) && !this.dead.has(to) && this.cutBetween(from, to) === undefined
  }

  carry(route: Route, parcel: Parcel, arrive: (parcel: Parcel) => void): void {
    const { faults } = this
    const isFrame = 'frame' in parcel
    if (isFrame && this.chance(faults.loss)) return
    if (isFrame && this.chance(faults.duplication)) {
      // A copy of its own, since a delivered body is overwritten.
      this.post(route, { frame: Buffer.from(parcel.frame) }, arrive)
    }
    this.post(route, parcel, arrive)
  }

  private post(route: Route, parcel: Parcel, arrive: (parcel: Parcel) => void): void {
    const { delayMsMin, delayMsMax, reordering } = this.faults
    invariant(delayMsMin <= delayMsMax, 'delayMsMin is at most delayMsMax')
    const now = this.time.now()
    const way = this.wayOf(route)
    const { queue } = way
    if (queue.length >= PARCELS_UNDER_WAY_MAX) return
    if (this.chance(reordering)) {
      queue.splice(Math.floor(this.random() * (queue.length + 1)), 0, { parcel, arrive })
    } else {
      queue.push({ parcel, arrive })
    }
    const delayMs = delayMsMin + this.random() * (delayMsMax - delayMsMin)
    way.lastArrivalMs = Math.max(way.lastArrivalMs, now + delayMs)
    this.time.after(way.lastArrivalMs - now, () => this.arrival(way))
  }

  private wayOf(route: Route): Way {
    let way = this.ways.get(route.id)
    if (way === undefined) {
      way = { route, queue: [], lastArrivalMs: 0, held: 0 }
      this.ways.set(route.id, way)
    }
    return way
  }

  private arrival(way: Way): void {
    const { route, queue } = way
    const cut = this.cutBetween(route.from, route.to)
    if (cut?.mode === 'hold') {
      way.held++
      return
    }
    const next = queue.shift()
    if (queue.length === 0) this.ways.delete(route.id)
    if (cut === undefined && !this.dead.has(route.to)) next?.arrive(next.parcel)
  }

  private resume(way: Way): void {
    for (; way.held > 0; way.held--) this.time.after(0, () => this.arrival(way))
  }

  private cutBetween(from: string, to: string): Cut | undefined {
    return this.cuts.find(cut => cut.from === from && cut.to === to)
  }

  // No draw where there is no chance: switching one fault off must not shift the others.
  private chance(probability: number): boolean {
    return probability > 0 && this.random() < probability
  }
}
