// The naive side of a model world: follows every tuple of every root by hand, and knows what the ledger may say. It
// checks three of the five invariants as things happen: (1) a root completes only when each of its tuples was acked,
// (2) it ends once, and never fails without a cause.

export class Violation extends Error {
  readonly invariant: number

  constructor(invariant: number, message: string) {
    super(`(${invariant}) ${message}`)
    this.invariant = invariant
  }
}

export interface Tuple {
  number: number
  roots: Root[]
  state: 'open' | 'acked' | 'failed' | 'lost'
  /** Emits anchored to it go this much deeper. */
  hopsLeft: number
  passedOn: number
}

export interface Root {
  number: number
  source: number
  stamp: number
  tuples: Tuple[]
  /** Something has happened that may fail it. */
  cause: boolean
  /** Its source is gone: nobody may hear of it. */
  orphan: boolean
  end: 'done' | 'failed' | undefined
  /** Ids of the executors its tuples have come to. */
  visited: Set<number>
}

export class Oracle {
  readonly roots: Root[] = []
  tuples = 0
  completed = 0
  failed = 0

  newRoot({ source, stamp, executor }: { source: number; stamp: number; executor: number }): Root {
    const root: Root = {
      number: this.roots.length,
      source,
      stamp,
      tuples: [],
      cause: false,
      orphan: false,
      end: undefined,
      visited: new Set([executor]),
    }
    this.roots.push(root)
    return root
  }

  newTuple(roots: readonly Root[], hopsLeft: number): Tuple {
    const own = [...new Set(roots)]
    const tuple: Tuple = { number: this.tuples++, roots: own, state: 'open', hopsLeft, passedOn: 0 }
    for (const root of own) {
      if (root.end === 'done')
        throw new Violation(1, `root ${root.number} grows after it completed`)
      root.tuples.push(tuple)
    }
    return tuple
  }

  /** The source of these roots is gone. */
  orphan(source: number): void {
    for (const root of this.roots) {
      if (root.source === source && root.end === undefined) root.orphan = true
    }
  }

  acked(tuple: Tuple): void {
    tuple.state = 'acked'
  }

  failedAt(tuple: Tuple): void {
    tuple.state = 'failed'
    this.mayFail(tuple)
  }

  lost(tuple: Tuple): void {
    if (tuple.state !== 'open') return
    tuple.state = 'lost'
    this.mayFail(tuple)
  }

  mayFail(tuple: Tuple): void {
    for (const root of tuple.roots) root.cause = true
  }

  end(root: Root, how: 'done' | 'failed'): void {
    if (root.orphan) throw new Violation(2, `root ${root.number} of a dead source ended`)
    if (root.end !== undefined) {
      throw new Violation(2, `root ${root.number} ended twice: ${root.end}, then ${how}`)
    }
    root.end = how
    if (how === 'failed') {
      this.failed++
      if (!root.cause) throw new Violation(2, `root ${root.number} failed without a cause`)
      return
    }
    this.completed++
    const open = root.tuples.find(tuple => tuple.state !== 'acked')
    if (open === undefined) return
    throw new Violation(
      1,
      `root ${root.number} completed while tuple ${open.number} is ${open.state}`,
    )
  }

  /** (4) With all quiet, what is open waits for an open tuple, and what has failed was told. */
  checkQuiet(): void {
    for (const root of this.roots) {
      if (root.end !== undefined || root.orphan) continue
      const states = root.tuples.map(tuple => tuple.state)
      if (states.includes('failed') || states.includes('lost')) {
        throw new Violation(4, `root ${root.number} has a failed or lost tuple but did not fail`)
      }
      if (!states.includes('open')) {
        throw new Violation(4, `root ${root.number} is finished but did not complete`)
      }
    }
  }
}
