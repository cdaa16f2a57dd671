// The sending side of a session: which slot went out at which position, and how far the peer is known to have
// finished. One per peer executor and life of the connection; a fence closes it for good, and a new session starts
// with a new OutLink. The ledger changes it; the transport reads the numbers of frames from it.
import { EngineError } from '../base/errors.ts'
import type { Progress } from './in-link.ts'
import { PositionRing, type PositionRingOptions } from './position-ring.ts'

export class OutLink {
  /** Position -> slot of what was sent and is not known finished. */
  readonly sent: PositionRing
  /** Everything below this position is finished, with all it caused. */
  through: number
  /** Set by `SlotLedger.fence`; nothing is sent or applied from then on. */
  closed = false
  /** Number of the next DATA frame: 32 bits without a sign, wraps. */
  nextFrame = 0
  /** Number expected on the next PROGRESS frame; any other means that one was lost. */
  nextProgress = 0

  constructor(first = 0, options?: PositionRingOptions) {
    this.sent = new PositionRing(first, options)
    this.through = first | 0
  }

  /** The position that the next tracked message will have. */
  get nextPosition(): number {
    return this.sent.next
  }

  /** The number for the DATA frame about to be sent. */
  takeFrame(): number {
    const number = this.nextFrame
    this.nextFrame = (number + 1) >>> 0
    return number
  }

  /** Whether a PROGRESS frame with this number is the one due. When it is not, the session must be fenced. */
  acceptProgress(number: number): boolean {
    if (number !== this.nextProgress) return false
    this.nextProgress = (number + 1) >>> 0
    return true
  }

  /** Throws FRAME_INVALID when a peer tells of positions that were never sent. Bounds the loops over what it tells. */
  check({ through, runs, failed }: Progress): void {
    const next = this.nextPosition
    const window = (next - this.through) | 0
    let valid = ((next - through) | 0) >= 0 && runs.length % 2 === 0
    for (let i = 0; i < runs.length && valid; i += 2) {
      const length = runs[i + 1]!
      valid = length > 0 && length <= window && ((next - runs[i]! - length) | 0) >= 0
    }
    for (let i = 0; i < failed.length && valid; i++) valid = ((next - 1 - failed[i]!) | 0) >= 0
    if (valid) return
    throw new EngineError('FRAME_INVALID', `the peer reports progress past position ${next}`, {
      hint: 'The two sides disagree on what was sent: fence the session. If it recurs, report a bug.',
      details: { through, next, runs: runs.length / 2, failed: failed.length },
    })
  }
}
