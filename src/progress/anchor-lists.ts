// The parents of joins, as linked lists in two columns: a join of a million anchors is a million rows here and no
// object anywhere, and its end makes no garbage. Part of the ledger; a list has one owner, the join's slot.
import { invariant } from '../base/errors.ts'
import type { Slot } from './slot.ts'

/** The end of a list, and the empty list. */
export const END = 0
const ROWS = 64
// 1 GB in the two columns. A parent is an open slot, of which there are no more than this.
const ROWS_MAX = 1 << 27

export class AnchorLists {
  /** Column: the slot held. */
  parent = new Int32Array(ROWS)
  /** Column: the rest of the list. Free rows are a list too. */
  next = new Int32Array(ROWS)
  private free = END
  private used = 1

  /** A list of `parent` and, behind it, `rest`. */
  prepend(parent: Slot, rest: number): number {
    let row = this.free
    if (row !== END) this.free = this.next[row]!
    else {
      if (this.used === this.parent.length) this.grow()
      row = this.used++
    }
    this.parent[row] = parent
    this.next[row] = rest
    return row
  }

  /** Frees the first row of a list and returns the rest. */
  drop(row: number): number {
    const rest = this.next[row]!
    this.next[row] = this.free
    this.free = row
    return rest
  }

  private grow(): void {
    const rows = this.parent.length * 2
    invariant(rows <= ROWS_MAX, `open joins have more than ${ROWS_MAX} anchors`)
    this.parent = widened(this.parent, rows)
    this.next = widened(this.next, rows)
  }
}

/** A longer copy of a column; the new part is 0. */
export function widened(column: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const wide = new Int32Array(length)
  wide.set(column)
  return wide
}
