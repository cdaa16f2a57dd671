// The open roots of one source task, in the order they were emitted: slot, stamp and the user's id by ordinal. It
// answers what the source's clock needs (the lowest open stamp), times roots out by two-period rotation as Storm
// does, and lets exactly one of complete and fail win. Memory follows the number of open roots: the few that stay open
// behind many ended ones are put aside. Ordinals are names in the ledger, 32 bits, and wrap; one still open is never
// given out again, however old it is. This is the hot path: two columns are written per root.
import { invariant } from '../base/errors.ts'
import type { PositionRingOptions } from './position-ring.ts'
import { NONE, type Slot } from './slot.ts'
import { StampRuns } from './stamp-runs.ts'

const PLACES = 64
// The ring may be as wide as this; what is older goes aside.
const PLACES_MAX = 1 << 24
// As many as a ledger has slots.
const OPEN_MAX = 1 << 27
// A root ends at the second rotation after it was made or renewed: after one to two periods.
const ROTATIONS = 2

interface Aside {
  readonly slot: Slot
  readonly stamp: number
  readonly id: unknown
}

export class RootOrder {
  private readonly placesMax: number
  // Columns by `ordinal & mask`, from `head` to `tail`. A slot of NONE: ended. The head may lag behind: it moves over
  // ended roots only when somebody asks for the oldest, or when room is needed.
  private mask: number
  private slots: Int32Array
  private ids: unknown[]
  private head: number
  private tail: number
  private inRing = 0
  private stamp = -1
  private readonly stamps = new StampRuns()
  // Older than `head`, in the order of their ordinals.
  private readonly aside = new Map<number, Aside>()
  private anyAside = false
  private rotations = 0
  // The ordinal due at the last rotation: roots below it are older than that. And those that were given more time since:
  // ordinal -> rotation.
  private mark: number
  private readonly renewed = new Map<number, number>()
  private anyRenewed = false

  constructor(first = 0, options: PositionRingOptions = {}) {
    const places = options.places ?? PLACES
    this.placesMax = options.placesMax ?? PLACES_MAX
    this.mask = places - 1
    this.slots = new Int32Array(places)
    this.ids = new Array(places).fill(undefined)
    this.head = first | 0
    this.tail = first | 0
    this.mark = first | 0
  }

  get open(): number {
    return this.inRing + this.aside.size
  }

  /** The ordinal that the next push will return: a root's slot is made with it before the root is pushed. */
  get next(): number {
    if (this.anyAside) this.passOpen()
    return this.tail
  }

  /** A root was emitted. Stamps must not fall. The slot is made with the ordinal `next`. */
  push(slot: Slot, stamp: number, id: unknown): number {
    if (this.anyAside) this.passOpen()
    if (((this.tail - this.head) | 0) > this.mask) this.makeRoom()
    const ordinal = this.tail
    if (stamp !== this.stamp) {
      this.stamp = stamp
      this.stamps.begin(ordinal, stamp)
    }
    const i = ordinal & this.mask
    this.slots[i] = slot
    this.ids[i] = id
    this.tail = (ordinal + 1) | 0
    this.inRing++
    return ordinal
  }

  /** The root's slot, or NONE when it has ended. */
  slotOf(ordinal: number): Slot {
    if (this.inside(ordinal)) return this.slots[ordinal & this.mask]!
    return this.aside.get(ordinal)?.slot ?? NONE
  }

  /** The user's id of an open root; undefined when it has ended. */
  idOf(ordinal: number): unknown {
    if (this.inside(ordinal)) return this.ids[ordinal & this.mask]
    return this.aside.get(ordinal)?.id
  }

  /** Ends a root, and says whether this call did: the first of complete and fail wins. */
  end(ordinal: number): boolean {
    const open = this.open
    this.take(ordinal)
    return this.open !== open
  }

  /** As `end`, with the user's id of the root for an answer; undefined when it had ended before. */
  take(ordinal: number): unknown {
    if (this.anyRenewed) this.forgetRenewal(ordinal)
    if (!this.inside(ordinal)) return this.takeAside(ordinal)
    const i = ordinal & this.mask
    if (this.slots[i] === NONE) return undefined
    const id = this.ids[i]
    this.slots[i] = NONE
    this.ids[i] = undefined
    this.inRing--
    return id
  }

  /** The lowest stamp of an open root; Infinity when none is open. */
  lowestStamp(): number {
    for (const root of this.aside.values()) return root.stamp
    this.skipEnded()
    return this.inRing === 0 ? Infinity : this.stamps.stampOf(this.head)
  }

  /** Keeps a root for another two rotations. */
  renew(ordinal: number): void {
    if (this.slotOf(ordinal) === NONE) return
    this.renewed.set(ordinal, this.rotations)
    this.anyRenewed = true
  }

  /**
   * A timeout period is over: reports every root that was made, or last renewed, before the rotation before this
   * one. They stay open until `end`; report each to the ledger as failed.
   */
  rotate(expired: (ordinal: number, slot: Slot) => void): void {
    this.rotations = (this.rotations + 1) | 0
    const due = this.ordinalsBelow(this.mark).filter(ordinal => {
      const renewed = this.renewed.get(ordinal)
      return renewed === undefined || ((this.rotations - renewed) | 0) >= ROTATIONS
    })
    this.mark = this.tail
    this.report(due, expired)
  }

  /** Forgets every root: the source task has ended. Each is given to `orphan`, so that the ledger forgets it too. */
  clear(orphan: (ordinal: number, slot: Slot) => void): void {
    const all = [...this.aside.keys(), ...this.ordinalsBelow(this.tail)]
    this.report(all, (ordinal, slot) => {
      this.end(ordinal)
      orphan(ordinal, slot)
    })
  }

  // Whether an ordinal lies in the ring, from head to tail.
  private inside(ordinal: number): boolean {
    const head = this.head
    return (ordinal - head) >>> 0 < (this.tail - head) >>> 0
  }

  private takeAside(ordinal: number): unknown {
    const root = this.aside.get(ordinal)
    if (root === undefined) return undefined
    this.aside.delete(ordinal)
    this.anyAside = this.aside.size > 0
    return root.id
  }

  private forgetRenewal(ordinal: number): void {
    this.renewed.delete(ordinal)
    this.anyRenewed = this.renewed.size > 0
  }

  private skipEnded(): void {
    const { slots, mask, tail } = this
    let head = this.head
    while (head !== tail && slots[head & mask] === NONE) head = (head + 1) | 0
    this.head = head
    this.stamps.drop(head)
  }

  private ordinalsBelow(limit: number): number[] {
    const found = [...this.aside.keys()].filter(ordinal => ((ordinal - limit) | 0) < 0)
    this.skipEnded()
    for (let p = this.head; ((p - limit) | 0) < 0; p = (p + 1) | 0) {
      if (this.slots[p & this.mask] !== NONE) found.push(p)
    }
    return found
  }

  private report(ordinals: readonly number[], tell: (ordinal: number, slot: Slot) => void): void {
    for (const ordinal of ordinals) {
      const slot = this.slotOf(ordinal)
      if (slot !== NONE) tell(ordinal, slot)
    }
  }

  // A root may be open for longer than ordinals last: its name is passed over.
  private passOpen(): void {
    while (this.aside.has(this.tail)) {
      if (((this.tail - this.head) | 0) > this.mask) this.makeRoom()
      this.slots[this.tail & this.mask] = NONE
      this.tail = (this.tail + 1) | 0
    }
  }

  // Mostly open: twice the places. Mostly ended behind a slow root: the open ones of the older half are put aside.
  private makeRoom(): void {
    this.skipEnded()
    const places = this.mask + 1
    if (((this.tail - this.head) | 0) <= places >> 1) return
    if (this.inRing * 4 >= places && places < this.placesMax) {
      this.grow(places * 2)
      return
    }
    invariant(this.aside.size < OPEN_MAX, `more than ${OPEN_MAX} roots of one source are open`)
    for (let left = places >> 1; left > 0; left--) this.putAside()
    this.skipEnded()
  }

  private putAside(): void {
    const i = this.head & this.mask
    const slot = this.slots[i]!
    if (slot !== NONE) {
      this.aside.set(this.head, { slot, stamp: this.stamps.stampOf(this.head), id: this.ids[i] })
      this.anyAside = true
      this.slots[i] = NONE
      this.ids[i] = undefined
      this.inRing--
    }
    this.head = (this.head + 1) | 0
  }

  private grow(places: number): void {
    const { slots, ids, mask } = this
    this.mask = places - 1
    this.slots = new Int32Array(places)
    this.ids = new Array(places).fill(undefined)
    for (let p = this.head; p !== this.tail; p = (p + 1) | 0) {
      this.slots[p & this.mask] = slots[p & mask]!
      this.ids[p & this.mask] = ids[p & mask]
    }
  }
}
