// Roots that have ended and whose source was not told yet: ids and outcomes, first in first out. Its columns are used
// again and again: at full speed nothing is allocated per root. Bounded by the roots that may be open.

const START_CAPACITY = 64

export class EndedRoots {
  #ids: unknown[] = new Array(START_CAPACITY).fill(undefined)
  #done = new Uint8Array(START_CAPACITY)
  #next = 0
  #end = 0
  /** Outcome of the root that `take` gave last. */
  wasDone = false

  get size(): number {
    return this.#end - this.#next
  }

  push(id: unknown, done: boolean): void {
    if (this.#end === this.#done.length) this.#makeRoom()
    this.#ids[this.#end] = id
    this.#done[this.#end] = done ? 1 : 0
    this.#end++
  }

  /** The id of the next one; its outcome is `wasDone`. Only while `size` > 0. */
  take(): unknown {
    const i = this.#next++
    const id = this.#ids[i]
    this.#ids[i] = undefined
    this.wasDone = this.#done[i] === 1
    if (this.#next === this.#end) {
      this.#next = 0
      this.#end = 0
    }
    return id
  }

  clear(): void {
    this.#ids.fill(undefined, this.#next, this.#end)
    this.#next = 0
    this.#end = 0
  }

  // Half of it was taken: what is left moves to the front. Else twice the room.
  #makeRoom(): void {
    const size = this.size
    if (this.#next >= size) {
      this.#ids.copyWithin(0, this.#next, this.#end)
      this.#ids.fill(undefined, size, this.#end)
      this.#done.copyWithin(0, this.#next, this.#end)
      this.#next = 0
      this.#end = size
      return
    }
    const done = new Uint8Array(this.#done.length * 2)
    done.set(this.#done)
    this.#done = done
    for (let i = this.#ids.length; i < done.length; i++) this.#ids.push(undefined)
  }
}
