// A table from positions to small numbers (slots, rows), where positions only grow and most entries are taken soon
// and nearly in order. It is the memory of an out link: what was sent and is not known finished.
// Push and take are O(1); memory follows the number of open entries, never their span, though one may
// stay open for ever: the open entries behind a slow head are moved aside into a map. Positions are 32 bits and
// wrap; they are compared by difference, so what is compared must lie less than 2^31 apart. The value NONE is not
// storable: it marks an empty place.
import { invariant } from '../base/errors.ts'
import { NONE } from './slot.ts'

// Places made at first: 256 B, so that a link which carries next to nothing costs next to nothing.
const PLACES = 64
// Places at most: 512 MB. It is the span at which an in link gives up the foot, so a healthy peer never needs more.
const PLACES_MAX = 1 << 27
// Entries aside at most. V8 refuses a map of more than 2^24 entries; at half of that we widen the ring instead.
const ASIDE_MAX = 1 << 23

// A full ring is widened when at least 1/4 of it is open. At 1/2, a window worked off in random order sends every
// eighth entry through the map, which costs ten times a place in the ring.
const OPEN_SHARE = 4

export interface PositionRingOptions {
  /** Both are powers of two, `places` at least 2. */
  places?: number
  placesMax?: number
}

export class PositionRing {
  /** How many entries are open. Read only. */
  open = 0
  /** How many of them were moved out of the way of the others. Read only. */
  aside = 0
  // Unless the ring is empty (head = tail) the place at `head` is open.
  protected head: number
  protected tail: number
  private ring: Int32Array
  private mask: number
  private readonly placesMax: number
  // Open entries below `head`, in rising order, because only the head's side is ever moved here.
  private readonly asides = new Map<number, number>()

  constructor(first = 0, { places = PLACES, placesMax = PLACES_MAX }: PositionRingOptions = {}) {
    invariant(places >= 2 && (places & (places - 1)) === 0, `${places} places: want a power of 2`)
    this.head = first | 0
    this.tail = first | 0
    this.ring = new Int32Array(places)
    this.mask = places - 1
    this.placesMax = placesMax
  }

  /** The position that the next push will have. */
  get next(): number {
    return this.tail
  }

  /** Places allocated in the ring. */
  get places(): number {
    return this.ring.length
  }

  /** Appends a value and returns its position. */
  push(value: number): number {
    const position = this.tail
    if (((position - this.head) | 0) > this.mask) this.makeRoom()
    this.ring[position & this.mask] = value
    this.tail = (position + 1) | 0
    this.open++
    return position
  }

  /** Leaves the next position unused. */
  pass(): void {
    this.push(NONE)
    this.open--
    this.skip()
  }

  /** The value at a position, or NONE. It stays open. */
  peek(position: number): number {
    if (((position - this.head) | 0) >= 0 && ((position - this.tail) | 0) < 0) {
      const value = this.ring[position & this.mask]!
      if (value !== NONE) return value
    }
    return this.aside === 0 ? NONE : (this.asides.get(position) ?? NONE)
  }

  /** The value at a position, once; after that, and for positions never pushed, NONE. */
  take(position: number): number {
    if (((position - this.head) | 0) >= 0 && ((position - this.tail) | 0) < 0) {
      const i = position & this.mask
      const value = this.ring[i]!
      if (value !== NONE) {
        this.ring[i] = NONE
        this.open--
        if (position === this.head) this.skip()
        return value
      }
    }
    return this.aside === 0 ? NONE : this.takeAside(position)
  }

  /**
   * Takes the lowest entries in the ring whose positions are below `limit`, as many as `into` holds, and returns their
   * number. Those aside do not count.
   */
  takeHeads(limit: number, into: Int32Array): number {
    const { ring, mask, tail } = this
    let head = this.head
    let n = 0
    while (n < into.length && head !== tail && ((head - limit) | 0) < 0) {
      const value = ring[head & mask]!
      if (value !== NONE) {
        ring[head & mask] = NONE
        into[n++] = value
      }
      head = (head + 1) | 0
    }
    this.head = head
    this.open -= n
    if (head !== tail && ring[head & mask] === NONE) this.skip()
    return n
  }

  /** Takes those aside whose position is below `limit`. */
  takeAsides(limit: number): number[] {
    const values: number[] = []
    for (const [position, value] of this.asides) {
      if (((position - limit) | 0) >= 0) break
      this.asides.delete(position)
      values.push(value)
    }
    this.open -= values.length
    this.aside -= values.length
    return values
  }

  /** Takes everything, in rising order. */
  takeAll(): number[] {
    const asides = [...this.asides.values()]
    this.open -= this.aside
    this.aside = 0
    this.asides.clear()
    const heads = new Int32Array(this.open)
    this.takeHeads(this.tail, heads)
    return [...asides, ...heads]
  }

  /** The lowest open position; the next one when nothing is open. */
  lowest(): number {
    for (const position of this.asides.keys()) return position
    return this.head
  }

  /** The open positions in rising order: all that are aside, and those in the ring below `limit`. */
  positions(limit: number = this.tail): number[] {
    const open = [...this.asides.keys()]
    const end = ((this.tail - limit) | 0) < 0 ? this.tail : limit
    for (let p = this.head; ((p - end) | 0) < 0; p = (p + 1) | 0) {
      if (this.ring[p & this.mask] !== NONE) open.push(p)
    }
    return open
  }

  /** Whether something aside has one of the next `n` positions: then it is 2^32 pushes old. */
  asideWithin(n: number): boolean {
    for (const position of this.asides.keys()) {
      if (((position - this.tail) & -n) === 0) return true
    }
    return false
  }

  private takeAside(position: number): number {
    const value = this.asides.get(position)
    if (value === undefined) return NONE
    this.asides.delete(position)
    this.open--
    this.aside--
    return value
  }

  private skip(): void {
    const { ring, mask, tail } = this
    let head = this.head
    while (head !== tail && ring[head & mask] === NONE) head = (head + 1) | 0
    this.head = head
  }

  private makeRoom(): void {
    const places = this.ring.length
    const worthWidening = (this.open - this.aside) * OPEN_SHARE >= places
    const asideFull = this.aside + places / 2 > ASIDE_MAX
    if ((worthWidening || asideFull) && places < this.placesMax) this.widen()
    else {
      invariant(
        !asideFull,
        `more than ${places} positions and ${ASIDE_MAX} aside are open on one link`,
      )
      this.moveAside(places / 2)
    }
  }

  private widen(): void {
    const { ring: old, mask: oldMask } = this
    this.ring = new Int32Array(old.length * 2)
    this.mask = this.ring.length - 1
    for (let p = this.head; p !== this.tail; p = (p + 1) | 0) {
      this.ring[p & this.mask] = old[p & oldMask]!
    }
  }

  private moveAside(places: number): void {
    for (let n = places; n > 0; n--) {
      const i = this.head & this.mask
      const value = this.ring[i]!
      if (value !== NONE) {
        this.asides.set(this.head, value)
        this.aside++
        this.ring[i] = NONE
      }
      this.head = (this.head + 1) | 0
    }
    this.skip()
  }
}
