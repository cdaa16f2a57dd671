// The roots of one source task, from the emit until the source is told of the end: slot, stamp and the user's id by place.
// A place names a root in the ledger, and goes round: it is free again once its end was told. The table answers what the
// source's clock needs (the lowest open stamp), times roots out by two-period rotation as Storm does, and queues
// what has ended in the order of the ends. Memory follows the most roots that were open at once.
//
// This is the hot path. A place keeps its row of the ledger as long as its roots are done, so that a root costs four
// columns written and no row made or freed; one that fails leaves the row to its descendants, who may hold it for long.
// Here and in the runners a boolean is compared (`=== true`) where it counts: V8 tests an unknown value in ten steps.
import { EngineError, invariant } from '../base/errors.ts'
import { NONE, type Slot } from './slot.ts'

/** As much of the ledger as roots are made with. */
export interface RootLedger {
  root(source: number, place: number): Slot
  reopen(slot: Slot): void
}

// Places made at the first root: many sources of an executor may never have one.
const PLACES = 16
// As many as a ledger has slots.
const PLACES_MAX = 1 << 27
// A root ends at the second rotation after it was made or renewed: after one to two periods.
const ROTATIONS = 2
const ROTATION_MASK = 0x3fffffff
// In the column of births: not open.
const CLOSED = -1

// The columns of sources that never had a root: an empty one of its own costs each of them 900 bytes.
const NO_COLUMN = new Int32Array(0)
const NO_STAMPS = new Float64Array(0)

export class RootTable {
  /** Outcome of the root that `take` gave last. */
  wasDone = false
  private readonly ledger: RootLedger
  private readonly source: number
  // Columns by place. The slot is NONE while the place has no row of the ledger.
  private slots = NO_COLUMN
  private ids: unknown[] = []
  private stamps = NO_STAMPS
  // The rotation in which the root was made or renewed.
  private births = NO_COLUMN
  // Places without an open root, a ring: free ones from `head`, then from `told` those whose end is to be told (failed
  // ones as ~place), up to `tail`.
  private ring = NO_COLUMN
  private mask = -1
  private head = 0
  private told = 0
  private tail = 0
  private rotations = 0

  /** `source`: the number of the source task in the ledger. */
  constructor(ledger: RootLedger, source: number) {
    this.ledger = ledger
    this.source = source
  }

  /** Roots that have not ended. */
  get open(): number {
    return this.mask + 1 - ((this.tail - this.head) | 0)
  }

  /** Roots that have ended, to be given out by `take`. */
  get untold(): number {
    return (this.tail - this.told) | 0
  }

  /** Roots that are open, or ended and not told. */
  get pending(): number {
    return this.mask + 1 - ((this.told - this.head) | 0)
  }

  /** A root is emitted: its slot, with one hold. */
  push(stamp: number, id: unknown): Slot {
    const place = this.takeFree()
    this.ids[place] = id
    this.stamps[place] = stamp
    this.births[place] = this.rotations
    const slot = this.slots[place]!
    if (slot === 0) return this.makeRow(place)
    this.ledger.reopen(slot)
    return slot
  }

  /** A root that is done as soon as it is emitted: nothing of it is tracked. */
  pushEnded(id: unknown): void {
    const place = this.takeFree()
    this.ids[place] = id
    this.ring[this.tail & this.mask] = place
    this.tail = (this.tail + 1) | 0
  }

  /** Roots are done, the first `n` of `places`. Each place keeps its row of the ledger. */
  done(places: Int32Array, n: number): void {
    const { births, ring, mask, tail } = this
    for (let i = 0; i < n; i++) {
      const place = places[i]!
      if (births[place] === CLOSED) throw endedTwice(place)
      births[place] = CLOSED
      ring[(tail + i) & mask] = place
    }
    this.tail = (tail + n) | 0
  }

  /** A root has failed. Its row is the ledger's again. */
  fail(place: number): void {
    if (this.births[place] === CLOSED) throw endedTwice(place)
    this.births[place] = CLOSED
    this.slots[place] = NONE
    this.ring[this.tail & this.mask] = ~place
    this.tail = (this.tail + 1) | 0
  }

  /** The id of the root that ended first of those untold; its outcome is `wasDone`. Only while `untold` > 0. */
  take(): unknown {
    const i = this.told & this.mask
    let place = this.ring[i]!
    this.wasDone = place >= 0
    if (place < 0) {
      place = ~place
      this.ring[i] = place
    }
    this.told = (this.told + 1) | 0
    const id = this.ids[place]
    this.ids[place] = undefined
    return id
  }

  /** The slot of an open root, or NONE. */
  slotOf(place: number): Slot {
    return this.isOpen(place) ? this.slots[place]! : NONE
  }

  /** The place of an open root by its slot, or -1. For tests and reports: it looks at every place. */
  placeOf(slot: Slot): number {
    const place = this.slots.indexOf(slot)
    return place >= 0 && this.isOpen(place) ? place : -1
  }

  /** The user's id of an open root, or undefined. */
  idOf(place: number): unknown {
    return this.isOpen(place) ? this.ids[place] : undefined
  }

  /** The lowest stamp of an open root; Infinity when none is open. Looks at every place: about a nanosecond each. */
  lowestStamp(): number {
    let lowest = Infinity
    for (let place = 0, left = this.open; left > 0; place++) {
      if (this.births[place] === CLOSED) continue
      left--
      if (this.stamps[place]! < lowest) lowest = this.stamps[place]!
    }
    return lowest
  }

  /** Keeps a root for another two rotations. */
  renew(place: number): void {
    if (this.isOpen(place)) this.births[place] = this.rotations
  }

  /**
   * A timeout period is over: reports every root that was made, or last renewed, before the rotation before this
   * one. They stay open until they end; report each to the ledger as failed.
   */
  rotate(expired: (place: number, slot: Slot) => void): void {
    this.rotations = (this.rotations + 1) & ROTATION_MASK
    this.each((place, slot) => {
      const age = (this.rotations - this.births[place]!) & ROTATION_MASK
      if (age >= ROTATIONS) expired(place, slot)
    })
  }

  /** Forgets every root: the source task has ended. Each open one is given to `orphan`, so that the ledger forgets it. */
  clear(orphan: (place: number, slot: Slot) => void): void {
    this.each((place, slot) => {
      this.fail(place)
      orphan(place, slot)
    })
    while (this.untold > 0) this.take()
  }

  private takeFree(): number {
    if (this.head === this.told) this.grow()
    const place = this.ring[this.head & this.mask]!
    this.head = (this.head + 1) | 0
    return place
  }

  private isOpen(place: number): boolean {
    return place < this.births.length && this.births[place] !== CLOSED
  }

  // Every open root; one that ends meanwhile is passed over.
  private each(visit: (place: number, slot: Slot) => void): void {
    for (let place = 0; place <= this.mask; place++) {
      if (this.births[place] !== CLOSED) visit(place, this.slots[place]!)
    }
  }

  private makeRow(place: number): Slot {
    const slot = this.ledger.root(this.source, place)
    this.slots[place] = slot
    return slot
  }

  // Twice the places: the new ones are free, those untold stay in their order behind them.
  private grow(): void {
    const { ring, mask, told, untold, slots, stamps, births } = this
    const old = mask + 1
    const places = Math.max(PLACES, old * 2)
    invariant(places <= PLACES_MAX, `more than ${PLACES_MAX} roots of one source are open`)
    this.ring = new Int32Array(places)
    for (let place = old; place < places; place++) this.ring[place - old] = place
    for (let n = 0; n < untold; n++) this.ring[places - old + n] = ring[(told + n) & mask]!
    this.mask = places - 1
    this.head = 0
    this.told = places - old
    this.tail = this.told + untold
    this.slots = new Int32Array(places)
    this.slots.set(slots)
    this.stamps = new Float64Array(places)
    this.stamps.set(stamps)
    this.births = new Int32Array(places).fill(CLOSED)
    this.births.set(births)
    for (let place = old; place < places; place++) this.ids.push(undefined)
  }
}

function endedTwice(place: number): EngineError {
  return new EngineError('BUG', `invariant broken: the root at place ${place} ended twice`)
}
