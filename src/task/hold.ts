// Holds: inputs that a task keeps beyond `onNext`. Each has one owner who lets go exactly once; a second time is
// noticed by the open flag and does nothing. All holds of a task stand in one list in the order of their birth, so that a
// rotation finds those abandoned (never let go) from its foot, and a task's death can fail them all.
import { EngineError } from '../base/errors.ts'
import { NONE, type Slot, type SlotLedger } from '../progress/slot-ledger.ts'

/** An input kept by its task. Let go once, by `release` (done) or `fail`. Translation layers may extend it. */
export class Hold {
  /** For the runtime: the ledger's slot, 0 = untracked. */
  slot: Slot = NONE
  /** False once it was let go: no anchor any more. */
  open = false
  born = 0
  list: HoldList | undefined = undefined
  previous: Hold | undefined = undefined
  next: Hold | undefined = undefined

  /** The input is finished. Returns false when it was let go before. */
  release(): boolean {
    if (this.open === false) return false
    this.list!.remove(this)
    this.list!.acked++
    if (this.slot !== NONE) this.list!.ledger.release(this.slot)
    this.list!.loop.wake()
    return true
  }

  /** The input failed: its roots fail at their sources. Returns false when it was let go before. */
  fail(): boolean {
    if (this.open === false) return false
    this.list!.remove(this)
    this.list!.failed++
    if (this.slot !== NONE) this.list!.ledger.fail(this.slot)
    this.list!.loop.wake()
    return true
  }

  /** Starts the time-out of its roots, and its own, anew. */
  renew(): void {
    if (!this.open) return
    const list = this.list!
    if (this.slot !== NONE) list.ledger.renew(this.slot)
    list.loop.wake()
    list.remove(this)
    list.add(this, this.slot)
  }
}

/** A hold is kept through two whole periods and failed at the third rotation: a root is never younger than it. */
const ROTATIONS_KEPT = 2

export class HoldList {
  readonly ledger: SlotLedger
  readonly loop: { wake(): void }
  size = 0
  acked = 0
  failed = 0
  #rotation = 0
  #first: Hold | undefined = undefined
  #last: Hold | undefined = undefined

  /** `loop`: holds may be let go outside a turn; what that means is told at the end of one. */
  constructor(ledger: SlotLedger, loop: { wake(): void }) {
    this.ledger = ledger
    this.loop = loop
  }

  /** The hold that is open for longest; undefined when there is none. */
  get oldest(): Hold | undefined {
    return this.#first
  }

  add(hold: Hold, slot: Slot): void {
    hold.slot = slot
    hold.open = true
    hold.born = this.#rotation
    hold.list = this
    hold.previous = this.#last
    hold.next = undefined
    if (this.#last === undefined) this.#first = hold
    else this.#last.next = hold
    this.#last = hold
    this.size++
  }

  remove(hold: Hold): void {
    hold.open = false
    if (hold.previous === undefined) this.#first = hold.next
    else hold.previous.next = hold.next
    if (hold.next === undefined) this.#last = hold.previous
    else hold.next.previous = hold.previous
    hold.previous = undefined
    hold.next = undefined
    this.size--
  }

  /** One period has passed: fails what was held through two whole ones. Returns how many. */
  rotate(): number {
    this.#rotation++
    let abandoned = 0
    while (this.#first !== undefined && this.#first.born < this.#rotation - ROTATIONS_KEPT) {
      this.#first.fail()
      abandoned++
    }
    return abandoned
  }

  failAll(): void {
    while (this.#first !== undefined) this.#first.fail()
  }

  /**
   * The slot to emit under, for a tuple anchored to `holds`: NONE, the slot of one, or a join of several, which the
   * caller releases after the emit (`joined` tells). Throws when one of them was let go before: its slot may
   * already be another root's.
   */
  anchor(holds: readonly Hold[]): Slot {
    this.joined = false
    let slot = NONE
    let slots: Slot[] | undefined
    for (let i = 0; i < holds.length; i++) {
      const hold = holds[i]!
      if (!hold.open) throw anchorClosed()
      const other = hold.slot
      if (other === NONE || other === slot) continue
      if (slot === NONE) slot = other
      else if (slots === undefined) slots = [slot, other]
      else if (!slots.includes(other)) slots.push(other)
    }
    if (slots === undefined) return slot
    this.joined = true
    return this.ledger.join(slots)
  }

  joined = false
}

export function anchorClosed(): EngineError {
  return new EngineError(
    'ANCHOR_CLOSED',
    'an emit is anchored to an input that was acked or failed before',
    {
      hint: 'emit before you ack or fail the input, or emit without an anchor',
    },
  )
}
