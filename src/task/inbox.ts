// The inbox of a task: a growing power-of-two ring of parallel columns (value, slot, and where asked for the way it came).
// No object per message: each emitter has one way per edge. Emitters stop at a depth (flow.ts), so the ring grows
// beyond it only by what one input of each emitter puts out.

const START_CAPACITY = 16
/** A ring that has grown to this is a busy one. Those of 10,000 tasks that get little each must stay where they are. */
const BUSY_CAPACITY = 64

/** How a message came. Always made with these fields in this order, as the hot path reads them of every message. */
export interface Way {
  /** Id of the edge. */
  readonly edge: number
  /** Id of the emitting task. */
  readonly source: number
  /** Number of the pair it came over a link by; 0 = from this executor. */
  readonly origin: number
  /** Its task may handle it in the emitter's turn: not over a link, nor over an edge that closes a cycle. */
  readonly straight: boolean
}

/** The way of what was not asked for it in time. */
export const UNKNOWN_WAY: Way = { edge: -1, source: 0, origin: 0, straight: false }

export class Inbox {
  tagged: boolean
  size = 0
  head = 0
  mask = START_CAPACITY - 1
  values: unknown[] = new Array(START_CAPACITY).fill(undefined)
  slots: Int32Array = new Int32Array(START_CAPACITY)
  ways: Way[]
  // Messages taken since the column of values was made.
  #takenSince = 0

  /** `tagged`: keep the way of each message. */
  constructor(tagged: boolean) {
    this.tagged = tagged
    this.ways = new Array(tagged ? START_CAPACITY : 0).fill(UNKNOWN_WAY)
  }

  /** From now on ways are kept; of what waits already they are not known. */
  tag(): void {
    if (this.tagged) return
    this.tagged = true
    this.ways = new Array(this.mask + 1).fill(UNKNOWN_WAY)
  }

  push(value: unknown, slot: number, way: Way): void {
    if (this.size > this.mask) this.#grow()
    const i = (this.head + this.size) & this.mask
    this.values[i] = value
    this.slots[i] = slot
    if (this.tagged === true) this.ways[i] = way
    this.size++
  }

  /**
   * The task has taken `count` messages more. A busy ring is made anew once in each round, when it is empty: the collector
   * must be told of every young value that is stored into an old array, and a ring so young is none.
   */
  taken(count: number): void {
    if (this.mask + 1 < BUSY_CAPACITY) return
    this.#takenSince += count
    if (this.size > 0 || this.#takenSince <= this.mask) return
    this.#takenSince = 0
    this.values = this.values.slice()
  }

  #grow(): void {
    const capacity = (this.mask + 1) * 2
    const { values, slots, ways, head, mask } = this
    this.values = new Array(capacity).fill(undefined)
    this.slots = new Int32Array(capacity)
    if (this.tagged) this.ways = new Array(capacity).fill(UNKNOWN_WAY)
    for (let i = 0; i < this.size; i++) {
      const old = (head + i) & mask
      this.values[i] = values[old]
      this.slots[i] = slots[old]!
      if (this.tagged) this.ways[i] = ways[old]!
    }
    this.head = 0
    this.mask = capacity - 1
  }
}
