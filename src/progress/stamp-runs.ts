// The stamps of a source's roots. Roots of one turn share a stamp, so a stamp is kept per run of ordinals and not per
// root: the first ordinal of each run, and its stamp. Runs below the oldest root of interest are dropped as time goes on.

// Dropped runs are cut off when so many have gathered and they are half of all.
const CUT_AT = 1024

export class StampRuns {
  private firsts: number[] = []
  private stamps: number[] = []
  // Runs before this one are over.
  private start = 0

  /** From this ordinal on roots have this stamp. Ordinals and stamps only grow. */
  begin(ordinal: number, stamp: number): void {
    const last = this.firsts.length - 1
    if (last >= this.start && this.firsts[last] === ordinal) {
      this.stamps[last] = stamp // no root had the stamp before
      return
    }
    this.firsts.push(ordinal)
    this.stamps.push(stamp)
  }

  /** The stamp of a root that is not below one given to `drop`. */
  stampOf(ordinal: number): number {
    let low = this.start
    let high = this.firsts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (((ordinal - this.firsts[middle]!) | 0) >= 0) low = middle
      else high = middle - 1
    }
    return this.stamps[low]!
  }

  /** No root below this ordinal is asked for any more. */
  drop(ordinal: number): void {
    const { firsts } = this
    while (this.start + 1 < firsts.length && ((ordinal - firsts[this.start + 1]!) | 0) >= 0) {
      this.start++
    }
    if (this.start < CUT_AT || this.start * 2 < firsts.length) return
    this.firsts = firsts.slice(this.start)
    this.stamps = this.stamps.slice(this.start)
    this.start = 0
  }
}
