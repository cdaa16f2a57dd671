// Task ids sent ahead of the emits that they answer. Storm's own storm.py and storm.rb wait in `emit` for the ids of the
// tuple: two wake-ups and two system calls for each tuple of the child. Both keep ids that come before they are asked for,
// and take them in the order of their emits; so where the answers are known beforehand (component/foresight.ts), some are
// always under way and the child never waits. What was sent is a promise: the tuple then goes to exactly these tasks.
import type { Foresight } from '../component/foresight.ts'
import type { WireWriter } from './wire.ts'

/** Answers a child has in hand at most. Half of them lasts until more have come, and costs us one write per 128 emits. */
export const AHEAD_MAX = 256

/** Task ids in all those answers at most: with many targets a list is long, and what is sent ahead must fit into a pipe. */
export const AHEAD_IDS_MAX = 2_048

export class IdsAhead {
  readonly foresight: Foresight
  /** What the child of today was sent and has not used, in the order of its emits. */
  private told: (readonly number[])[] = []
  private toldIds = 0

  constructor(foresight: Foresight) {
    this.foresight = foresight
  }

  /** The answer that the child already has for the emit in hand; undefined when it waits for one. */
  next(): readonly number[] | undefined {
    const ids = this.told.shift()
    if (ids !== undefined) this.toldIds -= ids.length
    return ids
  }

  /** Sends more, when half of it is used up: fewer and larger writes. */
  fill(writer: WireWriter): void {
    if (this.told.length > AHEAD_MAX / 2 || this.toldIds > AHEAD_IDS_MAX / 2) return
    while (this.told.length < AHEAD_MAX && this.toldIds < AHEAD_IDS_MAX) {
      const ids = this.foresight.take()
      this.told.push(ids)
      this.toldIds += ids.length
      writer.add(ids)
    }
  }

  /** The child is gone, and what it was promised with it. */
  forget(): void {
    this.told = []
    this.toldIds = 0
  }
}
