// Rules of the engine broken one at a time, by patching a class: to show that the worlds notice. Each returns how to undo
// it. Nothing of this is in the product.

import { Peers } from '../../src/app/peers.ts'
import { InLink } from '../../src/progress/in-link.ts'
import { OutLink } from '../../src/progress/out-link.ts'
import { RootTable } from '../../src/progress/root-table.ts'
import { SlotLedger } from '../../src/progress/slot-ledger.ts'
import { SourceClock } from '../../src/progress/source-clock.ts'
import { Credits } from '../../src/task/credits.ts'
import { Pair } from '../../src/task/flow.ts'
import { Hold, HoldList } from '../../src/task/hold.ts'
import { Outbox, RemoteTask } from '../../src/task/outbox.ts'
import { SourceRunner } from '../../src/task/source-runner.ts'
import { TaskRunner } from '../../src/task/task-runner.ts'

type Undo = () => void

// Replaces a method; `make` gets the one it replaces.
function patch<T extends object, K extends keyof T>(
  target: T,
  name: K,
  make: (original: T[K]) => unknown,
): Undo {
  const original = target[name]
  target[name] = make(original) as T[K]
  return () => {
    target[name] = original
  }
}

export const MUTATIONS: Readonly<Record<string, () => Undo>> = {
  'a lost frame is not noticed': () =>
    patch(
      InLink.prototype,
      'acceptFrame',
      () =>
        function (this: InLink, number: number): boolean {
          this.nextFrame = (number + 1) >>> 0
          return true
        },
    ),
  'frame numbers do not wrap': () =>
    patch(
      InLink.prototype,
      'acceptFrame',
      () =>
        function (this: InLink, number: number): boolean {
          if (number !== this.nextFrame) return false
          this.nextFrame = number + 1
          return true
        },
    ),
  'positions do not wrap': () =>
    patch(
      OutLink.prototype,
      'check',
      () =>
        function (this: OutLink, { through }: { through: number }): void {
          if (through > this.nextPosition) throw new Error('past the end')
        },
    ),
  'a fence releases what it should fail': () =>
    patch(
      SlotLedger.prototype,
      'fence',
      () =>
        function (this: SlotLedger, out: OutLink): void {
          out.closed = true
          for (const slot of out.sent.takeAll()) this.release(slot)
        },
    ),
  'a fence forgets what was sent': () =>
    patch(SlotLedger.prototype, 'fence', () => (out: OutLink): void => {
      out.closed = true
    }),
  'a fence keeps the credit that is out': () =>
    patch(Pair.prototype, 'reset', () => () => undefined),
  'credit is never told': () => patch(Credits.prototype, 'takeDue', () => () => []),
  'credit is told twice': () =>
    patch(
      Pair.prototype,
      'consumed',
      original =>
        function (this: Pair, count: number): void {
          original.call(this, count * 2)
        },
    ),
  'a full inbox stops nobody': () =>
    patch(
      TaskRunner.prototype,
      'deliver',
      original =>
        function (this: TaskRunner<never>, ...args: Parameters<typeof original>): boolean {
          original.apply(this, args)
          return false
        },
    ),
  'an input that is handled at once, and kept, has no hold': () =>
    patch(TaskRunner.prototype, 'own', () => () => undefined),
  'a window that is used up stops nobody': () =>
    patch(
      RemoteTask.prototype,
      'deliver',
      original =>
        function (this: RemoteTask, ...args: Parameters<typeof original>): boolean {
          original.apply(this, args)
          return false
        },
    ),
  'a join holds its first anchor only': () =>
    patch(
      SlotLedger.prototype,
      'join',
      () =>
        function (this: SlotLedger, parents: readonly number[]): number {
          this.add(parents[0]!)
          return parents[0]!
        },
    ),
  'a message is finished when it has arrived': () =>
    patch(
      SlotLedger.prototype,
      'arrival',
      original =>
        function (this: SlotLedger, ...args: Parameters<typeof original>): number {
          this.release(original.apply(this, args))
          return 0
        },
    ),
  'a broadcast over a link counts once': () =>
    patch(SlotLedger.prototype, 'addMany', () => () => undefined),
  'a failure is taken for an end': () =>
    patch(SlotLedger.prototype, 'markFailed', () => () => undefined),
  'the number of a closed link is free at once': () =>
    patch(
      SlotLedger.prototype,
      'closeIn',
      original =>
        function (this: SlotLedger, inLink: number): void {
          const link = (Reflect.get(this, 'inLinks') as (InLink | undefined)[])[inLink]
          const live = link?.liveSlots ?? 0
          if (link !== undefined) link.liveSlots = 0
          original.call(this, inLink)
          if (link !== undefined) link.liveSlots = live
        },
    ),
  'the number of a closed link is never free': () =>
    patch(SlotLedger.prototype, 'recycle' as never, () => () => undefined),
  'an input may be let go twice': () =>
    patch(
      Hold.prototype,
      'release',
      original =>
        function (this: Hold): boolean {
          if (this.open) return original.call(this)
          if (this.slot !== 0) this.list?.ledger.release(this.slot)
          return false
        },
    ),
  'inputs kept for ever are never given up': () =>
    patch(HoldList.prototype, 'rotate', () => () => 0),
  'more time is not asked for on the hop before': () =>
    patch(SlotLedger.prototype, 'renewSent', () => () => undefined),
  'more time does not reach the root': () =>
    patch(RootTable.prototype, 'renew', () => () => undefined),
  'roots time out a period too soon': () =>
    patch(
      RootTable.prototype,
      'rotate',
      original =>
        function (this: RootTable, ...args: Parameters<typeof original>): void {
          original.apply(this, args)
          original.apply(this, args)
        },
    ),
  'a root ends with its emit, whoever else has a hold on it': () =>
    patch(SlotLedger.prototype, 'isLastHold', () => () => true),
  'roots do not time out': () => patch(SourceRunner.prototype, 'rotate', () => () => undefined),
  'a clock told is forgotten': () =>
    patch(
      SourceClock.prototype,
      'read',
      () => (nowUs: number, lowestStamp: number) => Math.min(nowUs, lowestStamp),
    ),
  'a source that starts has no floor': () =>
    patch(SourceClock.prototype, 'admit', () => () => undefined),
  'a dead peer is not fenced': () => patch(Peers.prototype, 'replace', () => () => undefined),
  'a session is never fenced': () => patch(Outbox.prototype, 'fence', () => () => undefined),
  'no heartbeats': () => patch(Outbox.prototype, 'heartbeat', () => () => undefined),
}
