// The ledger of one executor: who still works on what, and what may be told upstream. A slot is a row of Int32
// columns that says "this thing, and all it caused, is unfinished while count > 0". A hold is one reason for that, and has one
// owner (an inbox entry, an input in user code, a position in an out link, a join, the emit in progress), which must
// let go exactly once, by `release` or by `fail`. By its owner a slot is a ROOT (a reliable emit of a local source),
// an ARRIVAL (a tracked message that came over a link), or a JOIN (an output anchored to several slots). When a count
// reaches 0 the root completes, the arrival's position is finished on its in link, or the join's parents are released.
//
// This is the hot path: no object, closure or check per message. What may go wrong is a hold let go twice, or a slot
// used after its end: then a row is freed that somebody still uses. Allocation notices it (a free row has count 0).
import { invariant } from '../base/errors.ts'
import { AnchorLists, END } from './anchor-lists.ts'
import type { InLink, Progress } from './in-link.ts'
import type { OutLink } from './out-link.ts'
import { NONE, type Slot } from './slot.ts'
import {
  ENDED,
  FREE,
  JOIN,
  JOIN_ENDED,
  ROOT_BASE,
  SlotRows,
  UNTRACKED,
  UNTRACKED_HOLDS,
} from './slot-rows.ts'

export { NONE, type Slot } from './slot.ts'

/** Told in the middle of ledger work: note it down and act after the turn. The ledger is consistent at each call. */
export interface LedgerEvents {
  /**
   * Roots of one source, and all their descendants, are finished: the first `n` of `ordinals`. The answer `true` keeps
   * their rows for the next roots of those names, which `reopen` makes; any other frees them.
   */
  rootsDone(source: number, ordinals: Int32Array, n: number): unknown
  /** A root has failed; descendants may still be at work. Nothing more is told of it. */
  rootFailed(source: number, ordinal: number): void
  /** A descendant asked for more time. */
  renewRoot(source: number, ordinal: number): void
}

// An imported constant is looked up at each use, a module's own is not.
const LAST_ROOT = ROOT_BASE
// No owner of any row.
const NO_ROOT = 0x7fffffff

// Inputs of one run of a task.
const RUN_MAX = 128
// Anchors released in one go when a join ends: about half a millisecond. The rest waits for `resume`.
const ANCHORS_PER_SLICE = 1 << 16
// When an in link is full, the lowest 1/8 of its span fails at once: one scan of the ledger for many positions.
const FOOT_SHARE = 8

export class SlotLedger extends SlotRows {
  /** Where a run of a task notes the holds it will let go at its end. No two tasks run at a time. */
  readonly finished = new Int32Array(RUN_MAX)
  // Holds of a link that the peer's watermark has passed.
  private readonly passed = new Int32Array(RUN_MAX)
  // Roots on their way to `rootsDone`.
  private readonly endedSlots = new Int32Array(RUN_MAX)
  private readonly endedRefs = new Int32Array(RUN_MAX)
  protected readonly anchors = new AnchorLists()
  protected readonly events: LedgerEvents
  protected readonly inLinks: (InLink | undefined)[] = []
  protected readonly freeInLinks: number[] = []
  // Lists of parents of ended joins, to be released; a work list and not recursion, since joins of joins may be deep.
  private readonly endedJoins: number[] = []
  private draining = false

  constructor(events: LedgerEvents, slots?: number) {
    super(slots)
    this.events = events
  }

  // ---- making slots

  /** A root with one hold, the emit's own. `source` is a small number for the source task in this executor. */
  root(source: number, ordinal: number): Slot {
    return this.allocate(ROOT_BASE - source, ordinal)
  }

  /** A tracked message that came over a link, with one hold. Positions must come in order, without a gap. */
  arrival(inLink: number, position: number): Slot {
    const link = this.inLinks[inLink]!
    if (((position - link.through) | 0) >= link.spanMax) this.failFoot(inLink)
    link.liveSlots++
    return this.allocate(inLink, position)
  }

  /** An output anchored to several open slots, with one hold. It holds each of them; the list is copied. */
  join(parents: readonly Slot[]): Slot {
    invariant(parents.length >= 2, 'a join of fewer than two slots')
    let list = END
    for (let i = parents.length - 1; i >= 0; i--) {
      const parent = parents[i]!
      if (parent === NONE || !(this.count[parent]! > 0)) throw this.misused(parent, 'joined')
      this.count[parent]!++
      list = this.anchors.prepend(parent, list)
    }
    return this.allocate(JOIN, list)
  }

  // ---- holds

  /** One more hold. */
  add(slot: Slot): void {
    this.count[slot]!++
  }

  addMany(slot: Slot, n: number): void {
    this.count[slot]! += n
  }

  /** Lets go of a hold whose work is done. */
  release(slot: Slot): void {
    if (--this.count[slot]! === 0) this.finish(slot)
  }

  /** Lets go of the first `n` of `finished`. */
  releaseFinished(n: number): void {
    this.releaseMany(this.finished, n)
  }

  // Lets go of the first `n` of `slots`, `RUN_MAX` at most: the roots among them end together, run by run of one source.
  private releaseMany(slots: Int32Array, n: number): void {
    const { count, owner } = this
    let source = NO_ROOT
    let roots = 0
    for (let i = 0; i < n; i++) {
      const slot = slots[i]!
      if (--count[slot]! !== 0) continue
      const own = owner[slot]!
      if (own !== source) {
        if (roots > 0) this.endRoots(source, roots)
        source = own <= LAST_ROOT ? own : NO_ROOT
        roots = 0
        if (source === NO_ROOT) {
          this.finish(slot)
          continue
        }
      }
      this.endedSlots[roots] = slot
      this.endedRefs[roots++] = this.ref[slot]!
    }
    if (roots > 0) this.endRoots(source, roots)
  }

  /** Lets go of a hold whose work has failed. */
  fail(slot: Slot): void {
    this.markFailed(slot)
    this.release(slot)
  }

  /** Tells upstream of a failure, once per slot. All holds stay until their owners let go. */
  markFailed(slot: Slot): void {
    const owner = this.owner[slot]!
    if (owner === JOIN) this.markJoinFailed(slot)
    else this.markOneFailed(slot, owner)
  }

  /** Cuts a root off from its source task, which has restarted: its end is told to nobody. */
  orphan(slot: Slot): void {
    invariant(this.owner[slot]! <= ROOT_BASE, `${this.describe(slot)} is orphaned but is no root`)
    this.owner[slot] = ENDED
  }

  // ---- links

  /** Gives an in link its number in this ledger. Numbers are used again. */
  openIn(link: InLink): number {
    const number = this.freeInLinks.pop() ?? this.inLinks.length
    this.inLinks[number] = link
    return number
  }

  /**
   * Ends a session at the receiver, once: its number may be another's soon. Its slots live on, tell nobody, and free
   * the number with the last of them.
   */
  closeIn(inLink: number): void {
    const link = this.inLinks[inLink]
    if (link === undefined || link.closed) return
    link.closed = true
    if (link.liveSlots === 0) this.recycle(inLink)
  }

  /** Holds a slot for a message on its way to a peer, and returns the message's position. Send in this order. */
  send(out: OutLink, slot: Slot): number {
    this.count[slot]!++
    return out.sent.push(slot)
  }

  /**
   * Takes in what a peer has told. The caller has checked session and number. Throws FRAME_INVALID, changing
   * nothing, when the frame names positions that were never sent: then the session must be fenced.
   */
  applyProgress(out: OutLink, progress: Progress): void {
    if (out.closed) return
    const { through, runs, failed } = progress
    out.check(progress)
    const sent = out.sent
    // Failures come before the watermark, which covers them. A slot is taken once, so runs and watermark may overlap.
    for (let i = 0; i < failed.length; i++) {
      const slot = sent.take(failed[i]!)
      if (slot !== NONE) this.fail(slot)
    }
    for (let i = 0; i < runs.length; i += 2) {
      const end = (runs[i]! + runs[i + 1]!) | 0
      for (let p = runs[i]!; p !== end; p = (p + 1) | 0) {
        const slot = sent.take(p)
        if (slot !== NONE) this.release(slot)
      }
    }
    if (((through - out.through) | 0) <= 0) return
    out.through = through
    if (sent.aside > 0) for (const slot of sent.takeAsides(through)) this.release(slot)
    const { passed } = this
    for (let n = RUN_MAX; n === RUN_MAX; ) {
      n = sent.takeHeads(through, passed)
      this.releaseMany(passed, n)
    }
  }

  /** Ends a session at the sender: whatever it carried and is not known finished has failed. */
  fence(out: OutLink): void {
    out.closed = true
    for (const slot of out.sent.takeAll()) this.fail(slot)
  }

  /** Gives up the oldest unfinished positions of an in link, so that its span stays below the cap. */
  failFoot(inLink: number): void {
    const link = this.inLinks[inLink]
    invariant(link !== undefined && !link.closed, `in link ${inLink} is not open`)
    const share = Math.max(1, Math.floor(link.spanMax / FOOT_SHARE))
    const end = (link.through + share) | 0
    let found = 0
    for (let slot = 1; slot < this.used; slot++) {
      if (this.owner[slot] !== inLink || ((this.ref[slot]! - end) | 0) >= 0) continue
      this.markFailed(slot)
      found++
    }
    invariant(found > 0, `nothing is open at the foot of in link ${inLink}, though it is full`)
  }

  // ---- more time

  /** Asks for more time for a slot's roots: here, or, by way of the in link's renewals, on the hop before. */
  renew(slot: Slot): void {
    const owner = this.owner[slot]!
    if (owner === JOIN) this.renewJoin(slot)
    else this.renewOne(slot, owner)
  }

  /** A RENEW from downstream. */
  renewSent(out: OutLink, position: number): void {
    if (!out.closed) this.renew(out.sent.peek(position))
  }

  // ---- long ends

  /** Whether ended joins still hold parents, for being too long for one go. Then call `resume` in a later turn. */
  get backlog(): boolean {
    return this.endedJoins.length > 0
  }

  /** Releases some more parents of ended joins. */
  resume(anchors: number = ANCHORS_PER_SLICE): void {
    if (!this.draining) this.drain(anchors)
  }

  // ---- inside

  // The count of a slot is 0: tells whoever waits for it, and frees the row.
  protected finish(slot: Slot): void {
    const owner = this.owner[slot]!
    const ref = this.ref[slot]!
    if (owner <= ROOT_BASE) {
      this.endedSlots[0] = slot
      this.endedRefs[0] = ref
      this.endRoots(owner, 1)
    } else if (owner >= 0) {
      this.recycleRow(slot)
      const link = this.inLinks[owner]!
      link.liveSlots--
      if (!link.closed) link.finished(ref)
      else if (link.liveSlots === 0) this.recycle(owner)
    } else this.finishOther(slot, owner, ref)
  }

  private finishOther(slot: Slot, owner: number, ref: number): void {
    if (owner === FREE) throw this.misused(slot, 'released')
    if (owner === UNTRACKED) {
      this.count[slot] = UNTRACKED_HOLDS
      return
    }
    this.recycleRow(slot)
    if (owner === ENDED) return
    this.endedJoins.push(ref)
    if (!this.draining) this.drain(ANCHORS_PER_SLICE)
  }

  private endRoots(owner: number, n: number): void {
    if (this.events.rootsDone(ROOT_BASE - owner, this.endedRefs, n) === true) return
    for (let i = 0; i < n; i++) this.recycleRow(this.endedSlots[i]!)
  }

  private drain(limit: number): void {
    const { endedJoins, anchors } = this
    let left = limit
    this.draining = true
    try {
      while (left > 0 && endedJoins.length > 0) {
        let row = endedJoins.pop()!
        while (row !== END && left > 0) {
          const parent = anchors.parent[row]!
          row = anchors.drop(row)
          left--
          if (--this.count[parent]! === 0) this.finish(parent) // a join goes on the work list
        }
        if (row !== END) endedJoins.push(row)
      }
    } finally {
      this.draining = false
    }
  }

  private markOneFailed(slot: Slot, owner: number): void {
    if (owner <= ROOT_BASE) {
      this.owner[slot] = ENDED
      this.events.rootFailed(ROOT_BASE - owner, this.ref[slot]!)
    } else if (owner >= 0) {
      const link = this.inLinks[owner]!
      this.owner[slot] = ENDED
      link.liveSlots--
      if (!link.closed) link.failed(this.ref[slot]!)
      else if (link.liveSlots === 0) this.recycle(owner)
    }
    // Anything else was told before, or has nobody to tell.
  }

  private markJoinFailed(first: Slot): void {
    const joins = [first]
    this.owner[first] = JOIN_ENDED
    for (let join = joins.pop(); join !== undefined; join = joins.pop()) {
      for (let row = this.ref[join]!; row !== END; row = this.anchors.next[row]!) {
        const parent = this.anchors.parent[row]!
        const owner = this.owner[parent]!
        if (owner === JOIN) {
          this.owner[parent] = JOIN_ENDED
          joins.push(parent)
        } else this.markOneFailed(parent, owner)
      }
    }
  }

  private renewOne(slot: Slot, owner: number): void {
    if (owner <= ROOT_BASE) this.events.renewRoot(ROOT_BASE - owner, this.ref[slot]!)
    else if (owner >= 0) {
      const link = this.inLinks[owner]!
      if (!link.closed) link.renew(this.ref[slot]!)
    }
  }

  private renewJoin(first: Slot): void {
    const joins = [first]
    const seen = new Set(joins)
    for (let join = joins.pop(); join !== undefined; join = joins.pop()) {
      for (let row = this.ref[join]!; row !== END; row = this.anchors.next[row]!) {
        const parent = this.anchors.parent[row]!
        const owner = this.owner[parent]!
        if (owner !== JOIN) this.renewOne(parent, owner)
        else if (!seen.has(parent)) {
          seen.add(parent)
          joins.push(parent)
        }
      }
    }
  }

  private recycle(inLink: number): void {
    this.inLinks[inLink] = undefined
    this.freeInLinks.push(inLink)
  }
}
