// The tuples that the JVM host has of one bolt, by the numbers under which it knows them. Numbers go up by one, so nearly all of
// them stand in a ring; a tuple that is still held when the ring has come round is moved to a table of elders. A `Map` alone would
// be shorter and cost more than all the rest: each of its rehashes leaves a dead table that is old to the collector, and that
// keeps the tuples in it, and the table that followed it, until the next full collection.

const FIRST_PLACES = 64
/** What a bolt may have unexecuted, several times; beyond it tuples are held for long, as in a join. */
const PLACES_MAX = 8_192
const NUMBER_MAX = 2 ** 31 - 1
/** Elders that were let go by others (timed out) are looked for when there are so many more than last time. */
const SWEEP_ELDERS = 1_024

/** Something that its owner may let go of by other ways. */
export interface Open {
  readonly open: boolean
}

export class HeldTuples<T extends Open> {
  /** 0 = no tuple. */
  #numbers = new Int32Array(FIRST_PLACES)
  #tuples: (T | undefined)[] = new Array(FIRST_PLACES).fill(undefined)
  #mask = FIRST_PLACES - 1
  #last = 0
  readonly #elders = new Map<number, T>()
  #sweepAt = SWEEP_ELDERS
  readonly #placesMax: number

  /** `placesMax`: a power of two, from 64 on. */
  constructor(placesMax = PLACES_MAX) {
    this.#placesMax = placesMax
  }

  /** Tuples that are kept here; some may have been let go of meanwhile. */
  get size(): number {
    let size = this.#elders.size
    for (const tuple of this.#tuples) if (tuple !== undefined) size++
    return size
  }

  /** Keeps a tuple; returns its number, which is positive. */
  add(tuple: T): number {
    const number = this.#last === NUMBER_MAX ? 1 : this.#last + 1
    this.#last = number
    let place = number & this.#mask
    const before = this.#tuples[place]
    if (before?.open === true) {
      if (this.#tuples.length < this.#placesMax) this.#grow()
      else this.#age(this.#numbers[place]!, before)
      place = number & this.#mask
    }
    this.#tuples[place] = tuple
    this.#numbers[place] = number
    return number
  }

  get(number: number): T | undefined {
    const place = number & this.#mask
    if (this.#numbers[place] === number) return this.#tuples[place]
    return this.#elders.size === 0 ? undefined : this.#elders.get(number)
  }

  /** Gives the tuple and forgets it. */
  take(number: number): T | undefined {
    const place = number & this.#mask
    if (this.#numbers[place] === number) {
      const tuple = this.#tuples[place]
      this.#tuples[place] = undefined
      this.#numbers[place] = 0
      return tuple
    }
    if (this.#elders.size === 0) return undefined
    const elder = this.#elders.get(number)
    this.#elders.delete(number)
    return elder
  }

  /** Gives all, oldest first, and forgets them. Their numbers are not given again soon. */
  takeAll(): T[] {
    const all = [...this.#elders.values()]
    this.#elders.clear()
    const { length } = this.#tuples
    for (let i = 1; i <= length; i++) {
      const tuple = this.#tuples[(this.#last + i) & this.#mask]
      if (tuple !== undefined) all.push(tuple)
    }
    this.#tuples.fill(undefined)
    this.#numbers.fill(0)
    return all
  }

  // The places of one ring of numbers are places of their own in one twice as large.
  #grow(): void {
    const [numbers, tuples] = [this.#numbers, this.#tuples]
    const places = tuples.length * 2
    this.#mask = places - 1
    this.#numbers = new Int32Array(places)
    this.#tuples = new Array(places).fill(undefined)
    for (const [i, tuple] of tuples.entries()) {
      if (tuple === undefined) continue
      const place = numbers[i]! & this.#mask
      this.#numbers[place] = numbers[i]!
      this.#tuples[place] = tuple
    }
  }

  #age(number: number, tuple: T): void {
    this.#elders.set(number, tuple)
    if (this.#elders.size < this.#sweepAt) return
    for (const [old, { open }] of this.#elders) if (!open) this.#elders.delete(old)
    this.#sweepAt = 2 * this.#elders.size + SWEEP_ELDERS
  }
}
