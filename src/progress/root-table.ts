// The roots of one source task, from the emit until the source is told of the end. A place names an open root in the
// ledger: slot, stamp and the user's id stand there. What has ended is a queue of ids, in the order of the ends. The table
// answers what the source's clock needs (the lowest open stamp), and times roots out by two-period rotation as Storm
// does. Memory follows the most roots that were open, or untold, at once.
//
// This is the hot path. Most roots end within their own emit. The root of the emit in progress therefore stands beside the
// columns, under a place and a row of the ledger that wait for it, and is written into them only when it outlives the emit
// or somebody asks (`settle`): otherwise all that it leaves is its id in the queue of ends. A place keeps its row as
// long as its roots are done; one that fails leaves the row to its descendants, who may hold it for long. Here and in the
// runners a boolean is compared (`=== true`) where it counts: V8 tests an unknown value in ten steps.
import { EngineError, invariant } from '../base/errors.ts'
import { NONE, type Slot } from './slot.ts'

/** As much of the ledger as roots are made with. */
export interface RootLedger {
  readonly count: Int32Array
  root(source: number, place: number): Slot
  reopen(slot: Slot): void
  shut(slot: Slot): void
  isLastHold(slot: Slot): boolean
}

// Places, and room for ends, made at the first root: many sources of an executor may never have one.
const PLACES = 16
// As many as a ledger has slots.
const PLACES_MAX = 1 << 27
// A root ends at the second rotation after it was made or renewed: after one to two periods.
const ROTATIONS = 2
const ROTATION_MASK = 0x3fffffff
// Behind the last of the free places.
const NOWHERE = 0x7fffffff
const DONE = 0
const FAILED = 1

// The columns of sources that never had a root: an empty one of its own costs each of them 900 bytes.
const NO_COLUMN = new Int32Array(0)
const NO_STAMPS = new Float64Array(0)
const NO_OUTCOMES = new Uint8Array(0)

export class RootTable {
  /** Outcome of the root that `take` gave last. */
  wasDone = false
  private readonly ledger: RootLedger
  private readonly source: number
  // Columns by place. The slot is NONE while the place has no row of the ledger.
  private slots = NO_COLUMN
  private ids: unknown[] = []
  private stamps = NO_STAMPS
  // The rotation in which the root was made or renewed. Below 0 = not open, and ~ the next free place.
  private births = NO_COLUMN
  private free = NOWHERE
  // Those whose end is to be told, a ring: ids and outcomes, from `told` up to `ended`. All other ids in it are undefined, but
  // for one: that of the root of the emit in progress stands at `ended`.
  private endedIds: unknown[] = []
  private outcomes = NO_OUTCOMES
  private mask = -1
  private told = 0
  private ended = 0
  // How many of the untold have failed.
  private untoldFailed = 0
  // Open roots in the columns.
  private settled = 0
  private rotations = 0
  // The root of the emit in progress, or the place and slot, with one hold, for the next one; slot NONE = none yet.
  private place = NOWHERE
  private slot: Slot = NONE
  private stamp = 0
  // The ledger's column of holds as it was seen last. One that the ledger has replaced holds zeros.
  private holds: Int32Array = NO_COLUMN

  /** `source`: the number of the source task in the ledger. */
  constructor(ledger: RootLedger, source: number) {
    this.ledger = ledger
    this.source = source
  }

  /** Roots that have not ended. */
  get open(): number {
    return this.isEmitting() ? this.settled + 1 : this.settled
  }

  /** Roots that have ended, to be given out by `take`. */
  get untold(): number {
    return (this.ended - this.told) | 0
  }

  /** Roots that are open, or ended and not told. */
  get pending(): number {
    return this.open + this.untold
  }

  /** The stamp of the roots that are emitted from now on. */
  stampBy(stamp: number): void {
    this.settle()
    this.stamp = stamp
  }

  /** A root is emitted: its slot, with one hold, until `endAlone`. The id is not undefined. */
  push(id: unknown): Slot {
    const i = this.ended & this.mask
    if (this.slot === 0 || this.endedIds[i] !== undefined) return this.pushSlowly(id)
    this.endedIds[i] = id
    return this.slot
  }

  /**
   * The emit of a root is over. If nobody else has a hold on it, it is done, and the emit's hold is the next root's.
   * Otherwise returns false, and that hold is the caller's to let go.
   */
  endAlone(slot: Slot): boolean {
    if (this.slot !== slot || this.endedIds[this.ended & this.mask] === undefined) return false
    if (this.holds[slot] !== 1 && !this.isLastHold(slot)) {
      this.settle()
      return false
    }
    this.ended = (this.ended + 1) | 0
    return true
  }

  /** No emit is in progress, and none may come for long: gives back what was kept for the next root. */
  rest(): void {
    if (this.slot === NONE || this.isEmitting()) return
    this.ledger.shut(this.slot)
    this.slot = NONE
    this.births[this.place] = ~this.free
    this.free = this.place
  }

  /** A root that is done as soon as it is emitted: nothing of it is tracked. */
  pushEnded(id: unknown): void {
    this.settle()
    this.noteEnd(id, DONE)
  }

  /** A root is done. Its place keeps its row of the ledger. */
  done(place: number): void {
    this.settle()
    this.noteEnd(this.close(place), DONE)
  }

  /** A root has failed. Its row is the ledger's again. */
  fail(place: number): void {
    this.settle()
    const id = this.close(place)
    this.slots[place] = NONE
    this.noteEnd(id, FAILED)
  }

  /** The id of the root that ended first of those untold; its outcome is `wasDone`. Only while `untold` > 0. */
  take(): unknown {
    const i = this.told & this.mask
    const id = this.endedIds[i]
    this.endedIds[i] = undefined
    this.told = (this.told + 1) | 0
    this.wasDone = this.untoldFailed === 0 || this.tookDone(i)
    return id
  }

  /** The slot of an open root, or NONE. */
  slotOf(place: number): Slot {
    return this.isOpen(place) ? this.slots[place]! : NONE
  }

  /** The place of an open root by its slot, or -1. For tests and reports: it looks at every place. */
  placeOf(slot: Slot): number {
    this.settle()
    const place = this.slots.indexOf(slot)
    return place >= 0 && this.isOpen(place) ? place : -1
  }

  /** The user's id of an open root, or undefined. */
  idOf(place: number): unknown {
    return this.isOpen(place) ? this.ids[place] : undefined
  }

  /** The lowest stamp of an open root; Infinity when none is open. Looks at every place: about a nanosecond each. */
  lowestStamp(): number {
    this.settle()
    let lowest = Infinity
    for (let place = 0, left = this.settled; left > 0; place++) {
      if (this.births[place]! < 0) continue
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
    this.settle()
    this.rotations = (this.rotations + 1) & ROTATION_MASK
    this.each((place, slot) => {
      const age = (this.rotations - this.births[place]!) & ROTATION_MASK
      if (age >= ROTATIONS) expired(place, slot)
    })
  }

  /** Forgets every root: the source task has ended. Each open one is given to `orphan`, so that the ledger forgets it. */
  clear(orphan: (place: number, slot: Slot) => void): void {
    this.each((place, slot) => {
      this.close(place)
      this.slots[place] = NONE
      orphan(place, slot)
    })
    while (this.untold > 0) this.take()
  }

  // Something is missing: room, a place and a row, or the end of an emit in the middle of which this one is.
  private pushSlowly(id: unknown): Slot {
    this.settle()
    if (this.untold > this.mask) this.makeRoom()
    if (this.slot === NONE) this.reserve()
    this.endedIds[this.ended & this.mask] = id
    return this.slot
  }

  // Where there is no more room the id at `ended` is the oldest of the untold.
  private isEmitting(): boolean {
    if (this.slot === NONE || this.untold > this.mask) return false
    return this.endedIds[this.ended & this.mask] !== undefined
  }

  // A place and a row for the next root. Where the ledger refuses the row all is as before: it refuses it each time.
  private reserve(): void {
    if (this.free === NOWHERE) this.makePlaces()
    const place = this.free
    let slot = this.slots[place]!
    if (slot === NONE) slot = this.ledger.root(this.source, place)
    else this.ledger.reopen(slot)
    this.slots[place] = slot
    this.holds = this.ledger.count
    this.slot = slot
    this.place = place
    this.free = ~this.births[place]!
  }

  // From now on the root of the emit in progress, if there is one, is like the others.
  private settle(): void {
    if (!this.isEmitting()) return
    const { place } = this
    this.slot = NONE
    this.settled++
    const i = this.ended & this.mask
    this.ids[place] = this.endedIds[i]
    this.endedIds[i] = undefined
    this.stamps[place] = this.stamp
    this.births[place] = this.rotations
  }

  // Frees the place of an open root; returns its id.
  private close(place: number): unknown {
    const { births, ids } = this
    if (!(births[place]! >= 0)) throw endedTwice(place)
    const id = ids[place]
    ids[place] = undefined
    births[place] = ~this.free
    this.free = place
    this.settled--
    return id
  }

  private isLastHold(slot: Slot): boolean {
    this.holds = this.ledger.count
    return this.ledger.isLastHold(slot)
  }

  // A failed one leaves its mark until it is told; the others need none.
  protected noteEnd(id: unknown, outcome: number): void {
    if (this.untold > this.mask) this.makeRoom()
    const i = this.ended & this.mask
    this.endedIds[i] = id
    this.ended = (this.ended + 1) | 0
    if (outcome === DONE) return
    this.outcomes[i] = outcome
    this.untoldFailed++
  }

  private tookDone(i: number): boolean {
    if (this.outcomes[i] === DONE) return true
    this.outcomes[i] = DONE
    this.untoldFailed--
    return false
  }

  private isOpen(place: number): boolean {
    this.settle()
    return this.births[place]! >= 0
  }

  // Every open root; one that ends meanwhile is passed over.
  private each(visit: (place: number, slot: Slot) => void): void {
    this.settle()
    for (let place = 0; place < this.births.length; place++) {
      if (this.births[place]! >= 0) visit(place, this.slots[place]!)
    }
  }

  // Twice the places. The new ones are free, the lowest first.
  private makePlaces(): void {
    const { slots, stamps, births } = this
    const old = births.length
    const places = Math.max(PLACES, old * 2)
    invariant(places <= PLACES_MAX, `more than ${PLACES_MAX} roots of one source are open`)
    this.slots = new Int32Array(places)
    this.slots.set(slots)
    this.stamps = new Float64Array(places)
    this.stamps.set(stamps)
    this.births = new Int32Array(places)
    this.births.set(births)
    for (let place = places - 1; place >= old; place--) {
      this.births[place] = ~this.free
      this.free = place
    }
    for (let place = old; place < places; place++) this.ids.push(undefined)
  }

  // Twice the room for ends, which stay in their order.
  private makeRoom(): void {
    const { endedIds, outcomes, mask, told, untold } = this
    const room = Math.max(PLACES, (mask + 1) * 2)
    invariant(room <= PLACES_MAX, `more than ${PLACES_MAX} ends of one source are to be told`)
    this.outcomes = new Uint8Array(room)
    this.endedIds = []
    for (let n = 0; n < room; n++) {
      const i = (told + n) & mask
      this.endedIds.push(n < untold ? endedIds[i] : undefined)
      if (n < untold) this.outcomes[n] = outcomes[i]!
    }
    this.mask = room - 1
    this.told = 0
    this.ended = untold
  }
}

function endedTwice(place: number): EngineError {
  return new EngineError('BUG', `invariant broken: the root at place ${place} ended twice`)
}
