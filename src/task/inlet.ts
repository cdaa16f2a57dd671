// What comes from one other executor: the in session. Each tracked message gets a slot of its own here, whose end is told
// back as a watermark. A frame whose number is not the expected one, or of a session unknown in mid-flow, is refused
// by a GAP: its sender fails what the session carried and opens a new one.

import { InLink } from '../progress/in-link.ts'
import { NONE, type Slot } from '../progress/slot-ledger.ts'
import {
  type DataFrame,
  encodeGap,
  encodeProgress,
  encodeRenew,
  type Session,
} from '../transport/frame.ts'
import { type Credits, LinkRows } from './credits.ts'
import { UNKNOWN_WAY, type Way } from './inbox.ts'
import { ALL_LOCAL, type Outbox } from './outbox.ts'
import type { RunnerHost } from './runner-host.ts'
import type { TaskRunner } from './task-runner.ts'

/** The tasks of this executor, as arriving frames find them. */
export interface LocalTasks {
  task(taskId: number): TaskRunner<never> | undefined
  /** Those that an edge leads to in this executor. */
  ofEdge(edge: number): readonly TaskRunner<never>[]
  /** A tracked message for a task that is not here: passed on where it went, or failed. */
  misdirected(taskId: number, edge: number, source: number, value: unknown, slot: Slot): void
}

/** PROGRESS leaves at the end of the turn, and within a turn when so many positions have finished. */
const UNTOLD_MAX = 4096

export class Inlet {
  readonly #host: RunnerHost
  readonly #tasks: LocalTasks
  readonly #credits: Credits
  readonly #rows = new LinkRows()
  /** Frames back to the sender go the same way as our own data. */
  readonly #back: Outbox
  #in: InLink | undefined = undefined
  #number = 0
  #session: Session | undefined = undefined
  #tellAnyway = false
  #last: TaskRunner<never> | undefined = undefined
  #way: Way = UNKNOWN_WAY
  /** Counter of the last session opened; counters of a peer only grow. */
  #newest: number | undefined = undefined

  constructor(host: RunnerHost, tasks: LocalTasks, credits: Credits, back: Outbox) {
    this.#host = host
    this.#tasks = tasks
    this.#credits = credits
    this.#back = back
  }

  data(frame: DataFrame): void {
    if (!this.#admit(frame)) {
      this.#back.sendControl(encodeGap({ session: frame.session }))
      return
    }
    if (frame.count === 0) {
      this.#tellAnyway = true
      this.#host.loop.wake()
      return
    }
    const tracked = frame.tracked
    let position = frame.firstPosition
    for (let i = 0; i < frame.count; i++) {
      let slot: Slot = NONE
      if (tracked === 'all' || (tracked !== 'none' && (tracked[i >> 3]! & (1 << (i & 7))) !== 0)) {
        slot = this.#host.ledger.arrival(this.#number, position)
        position = (position + 1) | 0
      }
      this.#deliver(frame, i, slot)
    }
    this.#host.loop.wake()
  }

  #deliver(frame: DataFrame, i: number, slot: Slot): void {
    const taskId = frame.targets[i]!
    const source = frame.sources[i]!
    const edge = frame.edges[i]!
    const value = frame.values[i]
    if (taskId === ALL_LOCAL) {
      this.#deliverAll(edge, source, value, slot)
      return
    }
    const target = this.#taskOf(taskId)
    if (target === undefined) {
      this.#tasks.misdirected(taskId, edge, source, value, slot)
      return
    }
    target.arrive(value, slot, this.#wayOf(edge, source, taskId))
  }

  // The messages of one frame came mostly the same way.
  #wayOf(edge: number, source: number, taskId: number): Way {
    const origin = this.#credits.arrived(this.#rows, source, taskId)
    const last = this.#way
    if (last.edge === edge && last.source === source && last.origin === origin) return last
    this.#way = this.#credits.way(origin, edge)
    return this.#way
  }

  // The messages of one frame go to few tasks, mostly one after the other to the same.
  #taskOf(taskId: number): TaskRunner<never> | undefined {
    if (this.#last?.taskId !== taskId) this.#last = this.#tasks.task(taskId)
    return this.#last
  }

  #deliverAll(edge: number, source: number, value: unknown, slot: Slot): void {
    const ledger = this.#host.ledger
    const targets = this.#tasks.ofEdge(edge)
    if (targets.length === 0) {
      if (slot !== NONE) ledger.fail(slot)
      return
    }
    if (slot !== NONE && targets.length > 1) ledger.addMany(slot, targets.length - 1)
    for (const target of targets) {
      target.arrive(value, slot, this.#wayOf(edge, source, target.taskId))
    }
  }

  // Whether the frame is the next one of its session; opens a session at its first frame.
  #admit(frame: DataFrame): boolean {
    const known = this.#session
    if (known?.executor !== frame.session.executor || known.counter !== frame.session.counter) {
      const first = (this.#host.firstNumber ?? 0) >>> 0
      if (frame.number !== first || !this.#isNew(frame.session)) return false
      this.close()
      this.#in = new InLink(frame.firstPosition)
      this.#in.nextFrame = first
      this.#in.nextProgress = first
      this.#number = this.#host.ledger.openIn(this.#in)
      this.#session = frame.session
      this.#newest = frame.session.counter
    }
    if (this.#in === undefined) return false
    if (this.#in.acceptFrame(frame.number)) return true
    this.close()
    // Remembered as refused: later frames of it are no new session.
    this.#session = frame.session
    return false
  }

  // A first frame that comes late, or once more, must not open again what is over: later sessions may be open.
  #isNew(session: Session): boolean {
    return this.#newest === undefined || ((session.counter - this.#newest) | 0) > 0
  }

  /** Tells the sender what has finished, once per turn. */
  flush(): void {
    const link = this.#in
    if (link === undefined || !this.#back.connected) return
    const session = this.#session!
    const renewed = link.takeRenewed()
    if (renewed.length > 0) this.#back.sendControl(encodeRenew({ session, positions: renewed }))
    if (!link.dirty && !this.#tellAnyway && !this.#credits.hasDue(this.#rows)) return
    this.#tellAnyway = false
    const progress = link.takeProgress()
    const number = link.takeProgressNumber()
    const credits = this.#credits.takeDue(this.#rows)
    this.#back.sendControl(encodeProgress({ session, number, credits, ...progress }))
  }

  /** Half of a time-out period is over: positions may be renewed anew. */
  startHalfPeriod(): void {
    this.#in?.startHalfPeriod()
    if (this.#in?.renewing === true) this.#host.loop.wake()
  }

  /** As `flush`, in mid-turn, when much is untold. */
  flushIfMuch(): void {
    if (this.#in !== undefined && this.#in.untold >= UNTOLD_MAX) this.flush()
  }

  /** The session is over: its slots live on and tell nobody. */
  close(): void {
    if (this.#in !== undefined) this.#host.ledger.closeIn(this.#number)
    this.#in = undefined
    this.#session = undefined
    this.#credits.close(this.#rows)
  }
}
