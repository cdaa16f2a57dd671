// The inbox of a task: a growing power-of-two ring of parallel columns (value, slot, and where asked for the edge, the
// emitting task and the link it came over). No object per message. Emitters stop at a depth (flow.ts), so
// the ring grows beyond it only by what one input of each emitter puts out.

const START_CAPACITY = 16

export class Inbox {
  tagged: boolean
  size = 0
  head = 0
  mask = START_CAPACITY - 1
  values: unknown[] = new Array(START_CAPACITY).fill(undefined)
  slots: Int32Array = new Int32Array(START_CAPACITY)
  edges: Int32Array
  sources: Int32Array
  /** Number of the pair it came over a link by; 0 = from this executor. */
  origins: Int32Array

  /** `tagged`: keep edge, source task and origin per message. */
  constructor(tagged: boolean) {
    this.tagged = tagged
    const length = tagged ? START_CAPACITY : 0
    this.edges = new Int32Array(length)
    this.sources = new Int32Array(length)
    this.origins = new Int32Array(length)
  }

  /** From now on edge, source task and origin are kept; of what waits already they are not known. */
  tag(): void {
    if (this.tagged) return
    this.tagged = true
    this.edges = new Int32Array(this.mask + 1).fill(-1)
    this.sources = new Int32Array(this.mask + 1)
    this.origins = new Int32Array(this.mask + 1)
  }

  push(value: unknown, slot: number, edge: number, source: number, origin: number): void {
    if (this.size > this.mask) this.#grow()
    const i = (this.head + this.size) & this.mask
    this.values[i] = value
    this.slots[i] = slot
    if (this.tagged === true) {
      this.edges[i] = edge
      this.sources[i] = source
      this.origins[i] = origin
    }
    this.size++
  }

  #grow(): void {
    const capacity = (this.mask + 1) * 2
    const values: unknown[] = new Array(capacity).fill(undefined)
    for (let i = 0; i < this.size; i++) values[i] = this.values[(this.head + i) & this.mask]
    this.values = values
    this.slots = this.#wider(this.slots, capacity)
    if (this.tagged) {
      this.edges = this.#wider(this.edges, capacity)
      this.sources = this.#wider(this.sources, capacity)
      this.origins = this.#wider(this.origins, capacity)
    }
    this.head = 0
    this.mask = capacity - 1
  }

  #wider(old: Int32Array, capacity: number): Int32Array {
    const column = new Int32Array(capacity)
    for (let i = 0; i < this.size; i++) column[i] = old[(this.head + i) & this.mask]!
    return column
  }
}
