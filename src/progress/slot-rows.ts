// The rows of a ledger: three Int32 columns, the free list through one of them, and what a row is in words. The ledger,
// which is made of them, says what they mean; see there.
import { EngineError, invariant } from '../base/errors.ts'
import { widened } from './anchor-lists.ts'
import { NONE, type Slot } from './slot.ts'

// Column `owner`. At 0 and above: the number of an in link. At ROOT_BASE and below: a root of source ROOT_BASE - owner.
export const FREE = -1
export const ENDED = -2 // failed, and upstream knows; the row waits for its last hold
export const UNTRACKED = -3 // slot 0
export const JOIN = -4
export const JOIN_ENDED = -5
export const ROOT_BASE = -16

const SLOTS = 64
// 1.5 GB in three columns: past it the open roots of this executor have no bound, which is the application's fault.
const SLOTS_MAX = 1 << 27
// Holds of slot 0, so that adding to it and releasing it need no branch.
export const UNTRACKED_HOLDS = 1 << 30

export class SlotRows {
  /** Column: open holds. Replaced when the ledger grows: one that was kept has zeros from then on. */
  readonly count: Int32Array
  protected owner: Int32Array
  // Column: ordinal of the root, position of the arrival, first parent of the join, or the next free row.
  protected ref: Int32Array
  private free: Slot = NONE
  protected used = 1

  constructor(slots: number = SLOTS) {
    invariant(slots >= 2, `a ledger of ${slots} slots`)
    this.count = new Int32Array(slots)
    this.owner = new Int32Array(slots)
    this.ref = new Int32Array(slots)
    this.count[NONE] = UNTRACKED_HOLDS
    this.owner[NONE] = UNTRACKED
  }

  /** Slots in use, 0 when the executor is idle. Looks at every row. */
  get live(): number {
    let live = 0
    for (let slot = 1; slot < this.used; slot++) if (this.count[slot]! > 0) live++
    return live
  }

  /** A slot in words, for error messages and stall reports. */
  describe(slot: Slot): string {
    const owner = this.owner[slot]
    const holds = `${this.count[slot]} holds`
    if (owner === undefined || slot >= this.used) return `slot ${slot} (never made)`
    if (owner >= 0) return `slot ${slot} (position ${this.ref[slot]} of in link ${owner}, ${holds})`
    if (owner <= ROOT_BASE) {
      return `slot ${slot} (root ${this.ref[slot]} of source ${ROOT_BASE - owner}, ${holds})`
    }
    const names: Record<number, string> = {
      [FREE]: 'free',
      [ENDED]: 'failed',
      [UNTRACKED]: 'untracked',
      [JOIN]: 'join',
      [JOIN_ENDED]: 'failed join',
    }
    return `slot ${slot} (${names[owner]}, ${holds})`
  }

  /** The next root of a row that was kept after its end (`shut`, `rootsDone`), with one hold. */
  reopen(slot: Slot): void {
    if (this.count[slot] !== 0) throw this.misused(slot, 'held or released')
    this.count[slot] = 1
  }

  /** Lets go of the only hold of a root, which nobody is told of. The row is kept for `reopen`. */
  shut(slot: Slot): void {
    if (!this.isLastHold(slot)) throw this.misused(slot, 'shut')
    this.count[slot] = 0
  }

  /** Whether there is one hold left. */
  isLastHold(slot: Slot): boolean {
    const holds = this.count[slot]!
    if (holds === 1) return true
    if (holds < 1) throw this.misused(slot, 'released')
    return false
  }

  protected allocate(owner: number, ref: number): Slot {
    let slot = this.free
    if (slot !== NONE) {
      if (this.count[slot] !== 0) throw this.misused(slot, 'held or released')
      this.free = this.ref[slot]!
    } else {
      slot = this.used
      if (slot === this.count.length) this.grow()
      this.used = slot + 1
    }
    this.owner[slot] = owner
    this.ref[slot] = ref
    this.count[slot] = 1
    return slot
  }

  private grow(): void {
    const slots = this.count.length * 2
    invariant(slots <= SLOTS_MAX, `more than ${SLOTS_MAX} unfinished things in one executor`)
    const self = this as { count: Int32Array }
    const old = this.count
    self.count = widened(old, slots)
    // Whoever still looks there is not to believe what it says.
    old.fill(0)
    this.owner = widened(this.owner, slots)
    this.ref = widened(this.ref, slots)
  }

  protected misused(slot: Slot, what: string): EngineError {
    return new EngineError(
      'BUG',
      `invariant broken: ${this.describe(slot)} was ${what} after its end`,
    )
  }

  protected recycleRow(slot: Slot): void {
    this.owner[slot] = FREE
    this.ref[slot] = this.free
    this.free = slot
  }
}
