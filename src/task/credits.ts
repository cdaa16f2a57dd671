// The receiving side of credit: how many messages of each (source task, target task) pair that came over a link have
// been taken by their task. Sparse: a pair has a row only once it has talked. Rows are told back in PROGRESS frames, a
// part of the window at a time.
import { UNKNOWN_WAY, type Way } from './inbox.ts'

/**
 * A row is told when this part of the window was taken since it was told last. An emitter goes on at half of it: two
 * frames do that, and the other half keeps its consumer busy meanwhile. More frames would only wake it up in vain.
 */
export const TELL_PART = 4

export class Credits {
  readonly #tellAt: number
  // Row 0 is never used: it means "not from a link".
  #links: (object | undefined)[] = [undefined]
  #pairs: { sourceTask: number; targetTask: number }[] = [{ sourceTask: 0, targetTask: 0 }]
  // Differences, not totals, which would wrap: arrived and not taken; taken and not told.
  #waiting = new Int32Array(64)
  #untold = new Int32Array(64)
  // How messages of a row came last: one object for all of them, of which millions may wait.
  #ways: Way[] = [UNKNOWN_WAY]
  #free: number[] = []
  readonly #due = new Map<object, number[]>()
  #isDue = new Uint8Array(64)

  constructor(window: number) {
    this.#tellAt = Math.max(1, Math.floor(window / TELL_PART))
  }

  /** The row of a pair on a link, for one message that has arrived. */
  arrived(link: LinkRows, sourceTask: number, targetTask: number): number {
    let row = link.lastRow
    const last = this.#pairs[row]!
    if (row === 0 || last.sourceTask !== sourceTask || last.targetTask !== targetTask) {
      row = this.#rowOf(link, sourceTask, targetTask)
      link.lastRow = row
    }
    this.#waiting[row]!++
    return row
  }

  /** The way of messages of this row over an edge. */
  way(row: number, edge: number): Way {
    const known = this.#ways[row]!
    if (known.edge === edge) return known
    const source = this.#pairs[row]!.sourceTask
    const made: Way = { edge, source, origin: row, straight: false }
    this.#ways[row] = made
    return made
  }

  /** A task has taken one message of this row. */
  consumed(row: number): void {
    const waiting = --this.#waiting[row]!
    const link = this.#links[row]
    if (link === undefined) {
      // Its session is closed: nobody to tell. The row is free when its last message was taken.
      if (waiting === 0) this.#recycle(row)
      return
    }
    if (++this.#untold[row]! < this.#tellAt || this.#isDue[row] === 1) return
    this.#isDue[row] = 1
    const due = this.#due.get(link)
    if (due === undefined) this.#due.set(link, [row])
    else due.push(row)
  }

  hasDue(link: LinkRows): boolean {
    return this.#due.has(link)
  }

  /** (source task, target task, count taken since told last) triples that are due for this link. */
  takeDue(link: LinkRows): number[] {
    const due = this.#due.get(link)
    if (due === undefined) return []
    this.#due.delete(link)
    const triples: number[] = []
    for (const row of due) {
      const pair = this.#pairs[row]!
      triples.push(pair.sourceTask, pair.targetTask, this.#untold[row]!)
      this.#untold[row] = 0
      this.#isDue[row] = 0
    }
    return triples
  }

  /** The session of this link is over. */
  close(link: LinkRows): void {
    this.#due.delete(link)
    for (const row of link.rows) {
      this.#isDue[row] = 0
      this.#links[row] = undefined
      if (this.#waiting[row] === 0) this.#recycle(row)
    }
    link.rows.length = 0
    link.bySource.clear()
    link.lastRow = 0
  }

  #rowOf(link: LinkRows, sourceTask: number, targetTask: number): number {
    let byTarget = link.bySource.get(sourceTask)
    if (byTarget === undefined) {
      byTarget = new Map()
      link.bySource.set(sourceTask, byTarget)
    }
    let row = byTarget.get(targetTask)
    if (row === undefined) {
      row = this.#free.pop() ?? this.#pairs.length
      if (row === this.#waiting.length) this.#grow()
      this.#pairs[row] = { sourceTask, targetTask }
      this.#links[row] = link
      this.#ways[row] = UNKNOWN_WAY
      this.#waiting[row] = 0
      this.#untold[row] = 0
      byTarget.set(targetTask, row)
      link.rows.push(row)
    }
    return row
  }

  #recycle(row: number): void {
    this.#pairs[row] = { sourceTask: 0, targetTask: 0 }
    this.#untold[row] = 0
    this.#free.push(row)
  }

  #grow(): void {
    const wider = (old: Int32Array) => {
      const column = new Int32Array(old.length * 2)
      column.set(old)
      return column
    }
    this.#waiting = wider(this.#waiting)
    this.#untold = wider(this.#untold)
    const isDue = new Uint8Array(this.#isDue.length * 2)
    isDue.set(this.#isDue)
    this.#isDue = isDue
  }
}

/** The rows of one in session. */
export class LinkRows {
  readonly bySource = new Map<number, Map<number, number>>()
  readonly rows: number[] = []
  lastRow = 0
}
