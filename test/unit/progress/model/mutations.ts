// Rules broken on purpose, one at a time: a checker that does not notice them checks nothing. Those of the ledger
// and the clocks are subclasses here; the others are names that the model world asks for where it plays the part of
// the code around the ledger.
import { AppClock, type ExecutorId, type SourceId } from '../../../../src/progress/app-clock.ts'
import { InLink, type Progress } from '../../../../src/progress/in-link.ts'
import type { OutLink } from '../../../../src/progress/out-link.ts'
import {
  type LedgerEvents,
  NONE,
  type Slot,
  SlotLedger,
} from '../../../../src/progress/slot-ledger.ts'
import { SourceClock } from '../../../../src/progress/source-clock.ts'

const JOIN = -4
const JOIN_ENDED = -5
const SLOTS = 4

export const MUTATIONS = [
  'confirm on receipt',
  'a join holds its first parent only',
  'a failed join fails its first parent only',
  'a fence releases instead of failing',
  'the watermark goes before the failures',
  'a number is used again while slots have it',
  'no session check',
  'no frame numbers',
  'no progress numbers',
  'double acks are not refused',
  'an acked input is an anchor',
  'abandoned inputs stay',
  'renewals stop at the first hop',
  'orphans are not forgotten',
  'an idle clock is not kept',
  'stamps follow the wall clock',
  'published before all have reported',
  'a restarted source has no floor',
  'the floor is what was published',
] as const
export type Mutation = (typeof MUTATIONS)[number] | undefined

class ConfirmsOnReceipt extends SlotLedger {
  override arrival(inLink: number, position: number): Slot {
    this.inLinks[inLink]!.finished(position)
    const nowhere = new InLink(position)
    const slot = super.arrival(this.openIn(nowhere), position)
    nowhere.closed = true
    return slot
  }
}

class HoldsFirstParent extends SlotLedger {
  override join(parents: readonly Slot[]): Slot {
    return super.join([parents[0]!, parents[0]!])
  }
}

class FailsFirstParent extends SlotLedger {
  override markFailed(slot: Slot): void {
    if (this.owner[slot] === JOIN) {
      this.owner[slot] = JOIN_ENDED
      this.markFailed(this.anchors.parent[this.ref[slot]!]!)
    } else super.markFailed(slot)
  }
}

class FencesByRelease extends SlotLedger {
  override fence(out: OutLink): void {
    out.closed = true
    for (const slot of out.sent.takeAll()) this.release(slot)
  }
}

class WatermarkFirst extends SlotLedger {
  override applyProgress(out: OutLink, { through, runs, failed }: Progress): void {
    super.applyProgress(out, { through, runs, failed: [] })
    super.applyProgress(out, { through, runs: [], failed })
  }
}

class RecyclesEarly extends SlotLedger {
  override closeIn(inLink: number): void {
    this.inLinks[inLink]!.closed = true
    this.freeInLinks.push(inLink)
  }
}

export function makeLedger(mutation: Mutation, events: LedgerEvents): SlotLedger {
  switch (mutation) {
    case 'confirm on receipt':
      return new ConfirmsOnReceipt(events, SLOTS)
    case 'a join holds its first parent only':
      return new HoldsFirstParent(events, SLOTS)
    case 'a failed join fails its first parent only':
      return new FailsFirstParent(events, SLOTS)
    case 'a fence releases instead of failing':
      return new FencesByRelease(events, SLOTS)
    case 'the watermark goes before the failures':
      return new WatermarkFirst(events, SLOTS)
    case 'a number is used again while slots have it':
      return new RecyclesEarly(events, SLOTS)
    default:
      return new SlotLedger(events, SLOTS)
  }
}

class Forgetful extends SourceClock {
  override read(nowUs: number, lowestStamp: number): number {
    return Math.min(Math.max(nowUs, this.last), lowestStamp)
  }
}

class Obedient extends SourceClock {
  override stamp(nowUs: number): number {
    return nowUs
  }
}

export function makeSourceClock(mutation: Mutation, floor: number): SourceClock {
  if (mutation === 'an idle clock is not kept') return new Forgetful(floor)
  if (mutation === 'stamps follow the wall clock') return new Obedient(floor)
  return new SourceClock(mutation === 'a restarted source has no floor' ? 0 : floor)
}

class FloorFromMemory extends AppClock {
  override admit(task: SourceId, id: ExecutorId): number {
    super.admit(task, id)
    return this.published
  }
}

export function makeAppClock(mutation: Mutation, executors: number[], reserved: number): AppClock {
  const expected = mutation === 'published before all have reported' ? [] : executors
  const options = { executors: expected, reserved }
  return mutation === 'the floor is what was published'
    ? new FloorFromMemory(options)
    : new AppClock(options)
}

/** A second release of a slot that somebody else may have by now. */
export function releaseAgain(ledger: SlotLedger, slot: Slot): void {
  if (slot !== NONE && ledger.count[slot]! > 0) ledger.release(slot)
}
