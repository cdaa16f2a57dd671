// What goes to one other executor: the out session (positions of tracked messages), the frame that is being filled, and
// frames waiting for a connection. Frames leave when they are full or when the loop ends its turn: a lone
// message leaves at once, nobody waits for more. Nothing here waits for credit: that gates only whether a task is
// given its next input (flow.ts).
import { asError } from '../base/errors.ts'
import { OutLink } from '../progress/out-link.ts'
import { NONE, type Slot, type SlotLedger } from '../progress/slot-ledger.ts'
import { DataFrameBuilder, type ProgressFrame, type Session } from '../transport/frame.ts'
import type { FramePool } from '../transport/frame-pool.ts'
import type { Link } from '../transport/link.ts'
import type { Serialisers } from '../transport/serialisers.ts'
import { type Emitter, type Gate, Pair, type Target } from './flow.ts'
import type { Way } from './inbox.ts'
import type { RunnerHost } from './runner-host.ts'

/** Target id of a message that is meant for every task of its edge's target in the receiving executor. */
export const ALL_LOCAL = -1

// An imported constant is looked up at each use, a module's own is not.
const UNTRACKED: Slot = NONE

export class Outbox {
  readonly executorId: number
  readonly #host: RunnerHost
  readonly #ledger: SlotLedger
  readonly #frameMessages: number
  readonly #builder: DataFrameBuilder
  #out: OutLink
  #session: Session
  #link: Link | undefined = undefined
  #waiting: Buffer[] = []
  #pairs: Pair[] = []
  #firstPosition: number
  /** Monotonic ms of the last frame from that executor, for the heartbeat. */
  lastHeardMs: number

  /** `pool`: where the memory of frames comes from; the transport must give it back there. */
  constructor(host: RunnerHost, executorId: number, serialisers: Serialisers, pool?: FramePool) {
    this.#host = host
    this.#ledger = host.ledger
    this.#frameMessages = host.profile.frameMessages
    this.executorId = executorId
    this.#builder = new DataFrameBuilder(serialisers, pool === undefined ? {} : { pool })
    this.#out = this.#newOut()
    this.#session = { executor: host.executorId, counter: 0 }
    this.#firstPosition = this.#out.nextPosition
    this.lastHeardMs = host.environment.monotonicMs()
  }

  #newOut(): OutLink {
    const first = this.#host.firstNumber ?? 0
    const out = new OutLink(first)
    out.nextFrame = first >>> 0
    out.nextProgress = first >>> 0
    return out
  }

  get session(): Session {
    return this.#session
  }

  get openPositions(): number {
    return this.#out.sent.open
  }

  /** Nothing sent is unfinished, nothing waits to be sent. */
  get quiet(): boolean {
    return this.openPositions === 0 && this.#builder.count === 0 && this.#waiting.length === 0
  }

  /** The credit of those that talk to tasks over there. */
  get pairs(): readonly Pair[] {
    return this.#pairs
  }

  get connected(): boolean {
    return this.#link !== undefined
  }

  append(target: number, edge: number, source: number, value: unknown, slot: Slot): void {
    const tracked = slot !== UNTRACKED
    const builder = this.#builder
    builder.append(target, edge, source, value, tracked)
    if (tracked) this.#ledger.send(this.#out, slot)
    const { count } = builder
    if (count >= this.#frameMessages || builder.full) this.flush()
    // The first of a frame sees to it that the turn, whose end sends the frame, comes.
    else if (count === 1) this.#host.loop.wake()
  }

  /** Credit of an emitter with one task over there; made when they first talk. */
  pair(from: Emitter, targetTask: number): Pair {
    const last = from.lastPair
    if (last !== undefined && last.targetTask === targetTask && last.box === this) return last
    from.pairs ??= new Map()
    let pair = from.pairs.get(targetTask)
    if (pair === undefined || pair.box !== this) {
      pair = new Pair(from.taskId, targetTask, this.#host.profile.creditWindow, this)
      from.pairs.set(targetTask, pair)
      this.#pairs.push(pair)
    }
    from.lastPair = pair
    return pair
  }

  flush(): void {
    if (this.#builder.count > 0) this.#sendData()
  }

  /** An empty frame: asks the receiver to tell its progress, and finds a lost last frame. */
  heartbeat(): void {
    if (this.expectsAnswer) this.#sendData()
  }

  /** Something sent is not known finished, or a task here waits for credit: the peer must be heard of. */
  get expectsAnswer(): boolean {
    return this.#out.sent.open > 0 || this.#pairs.some(pair => pair.gate.watched)
  }

  #sendData(): void {
    const frame = this.#builder.finish(this.#session, this.#out.nextFrame, 0, this.#firstPosition)
    this.#out.nextFrame = (this.#out.nextFrame + 1) >>> 0
    this.#firstPosition = this.#out.nextPosition
    this.#send(frame)
  }

  #send(frame: Buffer): void {
    if (this.#link === undefined) this.#waiting.push(frame)
    else this.#link.send(frame)
  }

  /** Sends a control frame (PROGRESS, GAP); dropped without a connection: its session ends with it. */
  sendControl(frame: Buffer): void {
    this.#link?.send(frame)
  }

  // ---- what comes back

  progress(frame: ProgressFrame): void {
    if (
      frame.session.executor !== this.#session.executor ||
      frame.session.counter !== this.#session.counter
    )
      return
    if (frame.number !== this.#out.nextProgress) {
      this.fence()
      return
    }
    this.#out.nextProgress = (this.#out.nextProgress + 1) >>> 0
    this.#credit(frame.credits)
    try {
      this.#host.ledger.applyProgress(this.#out, frame)
    } catch (error) {
      this.#host.report(0, asError(error))
      this.fence()
    }
  }

  #credit(triples: readonly number[]): void {
    for (let i = 0; i + 2 < triples.length; i += 3) {
      const key = triples[i]! * 0x1_0000_0000 + triples[i + 1]!
      this.#byKey()
        .get(key)
        ?.consumed(triples[i + 2]!)
    }
  }

  #index: Map<number, Pair> | undefined = undefined
  #byKey(): Map<number, Pair> {
    if (this.#index === undefined || this.#index.size !== this.#pairs.length) {
      this.#index = new Map(this.#pairs.map(p => [p.sourceTask * 0x1_0000_0000 + p.targetTask, p]))
    }
    return this.#index
  }

  gap(session: Session): void {
    if (session.executor === this.#session.executor && session.counter === this.#session.counter)
      this.fence()
  }

  renewed(session: Session, positions: readonly number[]): void {
    if (session.counter !== this.#session.counter) return
    for (const position of positions) this.#host.ledger.renewSent(this.#out, position)
  }

  // ---- connection

  /** Takes a link into use. One that was in use is over, though its end was not heard of. */
  attach(link: Link): void {
    if (this.#link !== undefined) this.close()
    this.#link = link
    this.lastHeardMs = this.#host.environment.monotonicMs()
    for (const frame of this.#waiting) link.send(frame)
    this.#waiting = []
  }

  /** A link has ended. False: it is not the one in use. */
  detach(link: Link): boolean {
    if (this.#link !== link) return false
    this.#link = undefined
    this.fence()
    return true
  }

  close(): void {
    this.#link?.close()
    this.#link = undefined
    this.fence()
  }

  /** The session is lost: all it carried and that is not known finished has failed. A new one begins. */
  fence(): void {
    this.#builder.reset()
    this.#waiting = []
    const old = this.#out
    this.#out = this.#newOut()
    this.#firstPosition = this.#out.nextPosition
    this.#session = { executor: this.#host.executorId, counter: this.#session.counter + 1 }
    this.#host.ledger.fence(old)
    // The pairs stay: their emitters keep them, and credit of the new session counts on them.
    for (const pair of this.#pairs) pair.reset()
    // What failed here may have to be told to other peers, at the end of a turn.
    this.#host.loop.wake()
  }
}

/** A task in another executor, as the edges here see it. The executor may change: `outbox` is replaced then. */
export class RemoteTask implements Target {
  readonly taskId: number
  outbox: Outbox

  constructor(taskId: number, outbox: Outbox) {
    this.taskId = taskId
    this.outbox = outbox
  }

  deliver(value: unknown, slot: Slot, way: Way, from: Emitter): boolean {
    const pair = this.outbox.pair(from, this.taskId)
    this.outbox.append(this.taskId, way.edge, way.source, value, slot)
    pair.pending++
    return pair.pending >= pair.window
  }

  isFull(from: Emitter): boolean {
    const pair = this.outbox.pair(from, this.taskId)
    return pair.pending >= pair.window
  }

  depth(from: Emitter): number {
    return this.outbox.pair(from, this.taskId).pending
  }

  gate(from: Emitter): Gate {
    return this.outbox.pair(from, this.taskId).gate
  }
}
