// The receiving side of a session: what is finished, and what of it the sender has not been told. The watermark
// `through` says that every position below it is finished; what finishes ahead of it is kept as one bit, and told as
// runs. A position that waits for ever costs one bit for each later one, up to a cap, where the ledger fails it.
import { invariant } from '../base/errors.ts'

/** What goes back to the sender. Positions are absolute here; the codec writes them relative to the last `through`. */
export interface Progress {
  /** Everything below is finished. */
  through: number
  /** Finished at or above `through`: start, length, start, length... */
  runs: number[]
  /** Failed since the last frame. They count as finished too. */
  failed: number[]
}

// Positions from the watermark to the newest arrival: 16 MB of bits. At 1 M messages a second it is two minutes
// behind one tuple, four times the usual message timeout.
const SPAN_MAX = 1 << 27
const WORDS = 64
// A bitmap wider than this (4 kB) is given back when nothing is ahead of the watermark.
const WORDS_KEPT = 1024

export class InLink {
  /** Everything below this position is finished, with all it caused. */
  through: number
  /** Set by `SlotLedger.closeIn`: what is still unfinished is told to nobody. */
  closed = false
  /** Number expected on the next DATA frame: 32 bits without a sign, wraps. */
  nextFrame = 0
  /** Number of the next PROGRESS frame. */
  nextProgress = 0
  /** Slots in the ledger that belong to this link. Kept by the ledger. */
  liveSlots = 0
  /** Positions finished since the last `takeProgress`. */
  untold = 0
  /** The largest distance from `through` to an arrival. */
  readonly spanMax: number
  private bits: Int32Array
  private mask: number
  // Finished positions ahead of `through`, and those of them not told yet (some may be behind it by now).
  private aheadCount = 0
  private newly: number[] = []
  private failures: number[] = []
  // Renewals: to be told; told in this half period; asked for again in this half period.
  private renewals: number[] = []
  private readonly renewed = new Set<number>()
  private readonly renewedAgain = new Set<number>()

  constructor(first = 0, options: { words?: number; spanMax?: number } = {}) {
    this.through = first | 0
    this.bits = new Int32Array(options.words ?? WORDS)
    this.mask = this.bits.length * 32 - 1
    this.spanMax = options.spanMax ?? SPAN_MAX
  }

  /** Whether there is something to tell the sender. */
  get dirty(): boolean {
    return this.untold > 0
  }

  /** Finished positions that wait for a lower one. */
  get ahead(): number {
    return this.aheadCount
  }

  /** Bytes of the bitmap. */
  get bitmapBytes(): number {
    return this.bits.byteLength
  }

  /** Whether a DATA frame with this number is the one due. When it is not, the session must be closed. */
  acceptFrame(number: number): boolean {
    if (number !== this.nextFrame) return false
    this.nextFrame = (number + 1) >>> 0
    return true
  }

  /** The number for the PROGRESS frame about to be sent. */
  takeProgressNumber(): number {
    const number = this.nextProgress
    this.nextProgress = (number + 1) >>> 0
    return number
  }

  /** A position is finished, with all it caused. Once for each position. */
  finished(position: number): void {
    this.untold++
    if (position === this.through) {
      this.through = (position + 1) | 0
      if (this.aheadCount > 0) this.absorb()
    } else this.mark(position)
  }

  /** A position has failed. It is finished by that: what becomes of its descendants changes nothing any more. */
  failed(position: number): void {
    this.failures.push(position)
    this.finished(position)
  }

  /** What the sender does not know yet. Sent with `takeProgressNumber`, or the sender must fence. */
  takeProgress(): Progress {
    const { through, failures, newly } = this
    const progress = {
      through,
      runs: newly.length === 0 ? [] : this.runsOf(newly),
      failed: failures,
    }
    this.untold = 0
    if (newly.length > 0) this.newly = []
    if (failures.length > 0) this.failures = []
    if (this.aheadCount === 0 && this.bits.length > WORDS_KEPT) this.resize(WORDS)
    return progress
  }

  /** A tuple at this position asked for more time. */
  renew(position: number): void {
    if (this.renewed.has(position)) this.renewedAgain.add(position)
    else {
      this.renewed.add(position)
      this.renewals.push(position)
    }
  }

  /** Whether `takeRenewed` has something to give. */
  get renewing(): boolean {
    return this.renewals.length > 0
  }

  /** Positions to send RENEW for now: each at once when first asked for, then not again in the same half period. */
  takeRenewed(): number[] {
    const { renewals } = this
    if (renewals.length > 0) this.renewals = []
    return renewals
  }

  /** A half of a timeout period is over: positions may be renewed anew, and what was asked for again is due. */
  startHalfPeriod(): void {
    const again = [...this.renewedAgain]
    this.renewed.clear()
    this.renewedAgain.clear()
    for (const position of again) this.renew(position)
  }

  private mark(position: number): void {
    const distance = (position - this.through) | 0
    if (distance > this.mask) this.widen(distance)
    const i = position & this.mask
    this.bits[i >> 5]! |= 1 << (i & 31)
    this.aheadCount++
    this.newly.push(position)
  }

  // Moves the watermark over what finished ahead of it.
  private absorb(): void {
    const { bits, mask } = this
    let through = this.through
    for (;;) {
      const i = through & mask
      const bit = 1 << (i & 31)
      if ((bits[i >> 5]! & bit) === 0) break
      bits[i >> 5]! ^= bit
      through = (through + 1) | 0
      if (--this.aheadCount === 0) break
    }
    this.through = through
  }

  private runsOf(newly: readonly number[]): number[] {
    const runs: number[] = []
    let end = 0
    for (const position of newly) {
      if (((position - this.through) | 0) < 0) continue // the watermark tells it
      if (runs.length > 0 && position === end) runs[runs.length - 1]!++
      else runs.push(position, 1)
      end = (position + 1) | 0
    }
    return runs
  }

  private widen(distance: number): void {
    invariant(distance < this.spanMax, `position ${distance} ahead of the watermark, past the cap`)
    let words = this.bits.length
    while (distance >= words * 32) words *= 2
    this.resize(words)
  }

  private resize(words: number): void {
    const { bits: old, mask: oldMask } = this
    this.bits = new Int32Array(words)
    this.mask = words * 32 - 1
    for (let n = 0, left = this.aheadCount; left > 0; n++) {
      const p = (this.through + n) | 0
      const o = p & oldMask
      if ((old[o >> 5]! & (1 << (o & 31))) === 0) continue
      const i = p & this.mask
      this.bits[i >> 5]! |= 1 << (i & 31)
      left--
    }
  }
}
