// The hold that each emit of a source has on its root while it emits. Within one run of the source they are let go
// together: most of these roots are done by then, and end together.
import { NONE, type Slot, type SlotLedger } from '../progress/slot-ledger.ts'

// An imported constant is looked up at each use, a module's own is not.
const UNTRACKED: Slot = NONE

export class EmitHolds {
  readonly #ledger: SlotLedger
  #running = false
  // How many of the ledger's list for a run wait.
  #waiting = 0

  constructor(ledger: SlotLedger) {
    this.#ledger = ledger
  }

  /** A run of the source begins. */
  begin(): void {
    this.#running = true
  }

  /** It is over. */
  end(): void {
    this.#running = false
    this.#letGo()
  }

  /** An emit is over. */
  release(slot: Slot): void {
    if (slot === UNTRACKED) return
    if (this.#running === false) {
      this.#ledger.release(slot)
      return
    }
    const { finished } = this.#ledger
    finished[this.#waiting++] = slot
    if (this.#waiting === finished.length) this.#letGo()
  }

  #letGo(): void {
    const waiting = this.#waiting
    this.#waiting = 0
    this.#ledger.releaseFinished(waiting)
  }
}
