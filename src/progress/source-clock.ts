// The clock of one source task, in microseconds. It stamps roots and says how far the task has come. Clocks told are
// promises: no stamp will lie below one, though the wall clock step back. Stamps are times and never names; several
// roots may share one.

export class SourceClock {
  protected last: number

  /** `floor`: what the app clock admitted the task at. */
  constructor(floor = 0) {
    this.last = floor
  }

  /** Nothing from now on lies below `floor`. */
  admit(floor: number): void {
    this.last = Math.max(this.last, floor)
  }

  /** The stamp of a new root. */
  stamp(nowUs: number): number {
    this.last = Math.max(nowUs, this.last)
    return this.last
  }

  /** Every root with a lower stamp has ended. `lowestStamp` is that of the open roots, Infinity when none is open. */
  read(nowUs: number, lowestStamp: number): number {
    this.last = Math.max(nowUs, this.last)
    return Math.min(this.last, lowestStamp)
  }
}
