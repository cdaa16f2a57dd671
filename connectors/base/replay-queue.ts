// What failed and is to be emitted again, by its id: at once the first time, later each time after. For sources that keep what
// is open in memory. As long as what it is given is bounded, so is this.

/** After the second failure it waits so long, doubled each time up to a bound. */
const WAIT_FIRST_MS = 250
const WAITS = 8

export class ReplayQueue {
  readonly #due: number[] = []
  // Those that wait, by how often they failed. One timer for each: the later ones of it wait a little less.
  readonly #waiting: number[][] = Array.from({ length: WAITS }, () => [])
  readonly #later: (delayMs: number, fn: () => void) => void

  /** `later` calls a function after a delay, on the source's own turn. */
  constructor(later: (delayMs: number, fn: () => void) => void) {
    this.#later = later
  }

  /** `failures`: how often it has failed by now. */
  add(id: number, failures: number): void {
    if (failures <= 1) {
      this.#due.push(id)
      return
    }
    const level = Math.min(failures - 1, WAITS) - 1
    const waiting = this.#waiting[level]!
    waiting.push(id)
    if (waiting.length > 1) return
    this.#later(WAIT_FIRST_MS * 2 ** level, () => {
      // One by one: as arguments of one call, more than some 100,000 do not fit on the stack.
      for (const due of waiting.splice(0)) this.#due.push(due)
    })
  }

  /** Id of one that is to be emitted again now, or undefined. */
  take(): number | undefined {
    return this.#due.pop()
  }
}
