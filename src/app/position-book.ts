// Where the sources of an application stand: the newest position of each source task, as their executors told it. Given to
// the executor that opens the source next, and to whoever stores it.

/** Task id -> position. */
export type Positions = ReadonlyMap<number, unknown>

export class PositionBook {
  readonly #positions: Map<number, unknown>
  readonly #onChange: ((positions: Positions) => void) | undefined

  constructor(initial: Positions = new Map(), onChange?: (positions: Positions) => void) {
    this.#positions = new Map(initial)
    this.#onChange = onChange
  }

  /** Only from an executor that holds these tasks now: what a fenced one says late is older than it looks. */
  note(positions: Positions): void {
    for (const [task, position] of positions) this.#positions.set(task, position)
    this.#onChange?.(positions)
  }

  of(tasks: readonly number[]): Positions {
    const known = tasks.filter(task => this.#positions.has(task))
    return new Map(known.map(task => [task, this.#positions.get(task)]))
  }
}
