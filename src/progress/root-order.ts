// The open roots of one source task, in the order they were emitted: slot, stamp and the user's id by ordinal. It
// answers what the source's clock needs (the lowest open stamp), times roots out by two-period rotation as Storm
// does, and lets exactly one of complete and fail win. Memory follows the number of open roots. Ordinals are names
// in the ledger, 32 bits, and wrap; one still open is never given out again, however old it is.
import { invariant } from '../base/errors.ts'
import { PositionRing, type PositionRingOptions } from './position-ring.ts'
import { NONE, type Slot } from './slot.ts'

const ROWS = 64
// As many as a ledger has slots.
const ROWS_MAX = 1 << 27
// A root ends at the second rotation after it was made or renewed: after one to two periods.
const ROTATIONS = 2
// Ordinals still open after 2^32 roots are looked for once per so many, a power of two.
const BLOCK = 1 << 16

export class RootOrder {
  // Ordinal -> row. Row 0 stays unused: the ring cannot hold it.
  private readonly ring: PositionRing
  private slots = new Int32Array(ROWS)
  private stamps = new Float64Array(ROWS)
  // Column: the rotation a root was made or renewed in.
  private born = new Int32Array(ROWS)
  private readonly ids: unknown[] = [undefined]
  // Free rows are a list through `slots`.
  private free = NONE
  private used = 1
  private rotations = 0
  // The ordinal due at the last rotation: roots below it are older than that.
  private mark: number
  // Whether an ordinal of this block is still open from 2^32 roots ago, so that its name must be passed over.
  private crowded = false

  constructor(first = 0, options?: PositionRingOptions) {
    this.ring = new PositionRing(first, options)
    this.mark = first | 0
  }

  get open(): number {
    return this.ring.open
  }

  /** The ordinal that the next push will return: the ledger's `root` wants it before there is a slot to push. */
  get next(): number {
    if ((this.ring.next & (BLOCK - 1)) === 0) this.crowded = this.ring.asideWithin(BLOCK)
    if (this.crowded) while (this.ring.peek(this.ring.next) !== NONE) this.ring.pass()
    return this.ring.next
  }

  /** A root was emitted. Stamps must not fall. The slot is made with the ordinal `next`. */
  push(slot: Slot, stamp: number, id: unknown): number {
    let row = this.free
    if (row !== NONE) this.free = this.slots[row]!
    else {
      if (this.used === this.slots.length) this.grow()
      row = this.used++
    }
    this.slots[row] = slot
    this.stamps[row] = stamp
    this.born[row] = this.rotations
    this.ids[row] = id
    const ordinal = this.next
    this.ring.push(row)
    return ordinal
  }

  /** The root's slot, or NONE when it has ended. */
  slotOf(ordinal: number): Slot {
    const row = this.ring.peek(ordinal)
    return row === NONE ? NONE : this.slots[row]!
  }

  /** The user's id of an open root; undefined when it has ended. */
  idOf(ordinal: number): unknown {
    return this.ids[this.ring.peek(ordinal)]
  }

  /** Ends a root, and says whether this call did: the first of complete and fail wins. */
  end(ordinal: number): boolean {
    const row = this.ring.take(ordinal)
    if (row === NONE) return false
    this.ids[row] = undefined
    this.slots[row] = this.free
    this.free = row
    return true
  }

  /** The lowest stamp of an open root; Infinity when none is open. */
  lowestStamp(): number {
    return this.ring.open === 0 ? Infinity : this.stamps[this.ring.peek(this.ring.lowest())]!
  }

  /** Keeps a root for another two rotations. */
  renew(ordinal: number): void {
    const row = this.ring.peek(ordinal)
    if (row !== NONE) this.born[row] = this.rotations
  }

  /**
   * A timeout period is over: reports every root that was made, or last renewed, before the rotation before this
   * one. They stay open until `end`; report each to the ledger as failed.
   */
  rotate(expired: (ordinal: number, slot: Slot) => void): void {
    this.rotations = (this.rotations + 1) | 0
    const due = this.ring.positions(this.mark).filter(ordinal => {
      const age = (this.rotations - this.born[this.ring.peek(ordinal)]!) | 0
      return age >= ROTATIONS
    })
    this.mark = this.ring.next
    this.report(due, expired)
  }

  /** Forgets every root: the source task has ended. Each is given to `orphan`, so that the ledger forgets it too. */
  clear(orphan: (ordinal: number, slot: Slot) => void): void {
    this.report(this.ring.positions(), (ordinal, slot) => {
      this.end(ordinal)
      orphan(ordinal, slot)
    })
  }

  private report(ordinals: readonly number[], tell: (ordinal: number, slot: Slot) => void): void {
    for (const ordinal of ordinals) {
      const slot = this.slotOf(ordinal)
      if (slot !== NONE) tell(ordinal, slot)
    }
  }

  private grow(): void {
    const rows = this.slots.length * 2
    invariant(rows <= ROWS_MAX, `a source task has more than ${ROWS_MAX} open roots`)
    const { slots, stamps, born } = this
    this.slots = new Int32Array(rows)
    this.slots.set(slots)
    this.stamps = new Float64Array(rows)
    this.stamps.set(stamps)
    this.born = new Int32Array(rows)
    this.born.set(born)
  }
}
