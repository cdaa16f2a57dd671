// A bolt's side of the shell protocol, as a state machine over messages: tuples go out under ids of ours, emits, acks
// and fails come back by those ids, task ids answer emits at once. It starts nothing and waits for nothing; the host
// calls it and carries its messages. What may go wrong: a child that acks what it does not hold ends its process.
import { asError, EngineError } from 'gearpump/spi'
import type { OutputCollector, TopologyContext, Tuple } from '../component/api.ts'
import { protocolError, readEmit, type ShellMessage, textOf } from './commands.ts'
import type { IdsAhead } from './ids-ahead.ts'
import type { ShellRole } from './shell-role.ts'
import type { Serializer, WireWriter } from './wire.ts'

/** Tuples written at one go; larger writes only make the child's first tuple wait for the last one's encoding. */
export const WRITE_BYTES = 64 * 1024

/**
 * Tuples a child may hold without having acked or failed them. Bolts that never ack exist and each tuple is kept for
 * them; the oldest are failed beyond this, which bounds memory where message timeouts are off.
 */
export const HELD_MAX = 1_000_000

/**
 * Emits taken while a consumer has no room, before the child's output is left unread. Feeding stops at once, so only a
 * child that emits from threads of its own comes here.
 */
export const OVERRUN_EMITS_MAX = 10_000

/**
 * A child that has answered so many heartbeats in a row, and has nothing to do, is asked at each fourth beat only: waking it
 * costs more than all else in an idle application.
 */
const QUIET_BEATS = 8
const SELDOM_BEATS = 4

/** What the protocol needs of the host. */
export interface BoltLink {
  readonly up: boolean
  readonly writer: WireWriter
  readonly serializer: Serializer
  /** Bytes written to the process and not yet taken by its pipe. */
  readonly unwrittenBytes: number
  nowMs(): number
  flushSoon(): void
  pause(paused: boolean): void
}

export interface BoltProtocolOptions {
  readonly context: TopologyContext
  readonly collector: OutputCollector
  readonly maxPending: number
  /** How long an unanswered tuple is kept; undefined = for ever (message timeouts are off). */
  readonly forgetAfterMs: number | undefined
  /** False: the child gets no heartbeats and may be silent. */
  readonly heartbeats: boolean
  /** A child without work may be asked for its heartbeat less often. */
  readonly seldomBeats?: boolean
  /** Given when the child's library keeps task ids that it gets before its emits. */
  readonly ahead?: IdsAhead | undefined
  /** Called when the process has died and what it held has failed. */
  readonly onLost?: () => void
}

export class BoltProtocol implements ShellRole {
  private readonly options: BoltProtocolOptions
  private readonly link: BoltLink
  /** Tuples not yet written, from `pendingAt` on. */
  private pending: Tuple[] = []
  private pendingAt = 0
  private room: { promise: Promise<void>; resolve: () => void } | undefined
  /** Tuples the child has, by id, oldest first. */
  private readonly held = new Map<string, Tuple>()
  /** Ids are a counter: unique over all processes of this task, and short, which costs the child least. */
  private lastId = 0
  /** Ids up to this one were failed because the child kept them too long; what it says of them is too late. */
  private forgottenUpTo = 0
  private readonly marks: { atMs: number; id: number }[] = []
  /** Since when the child must show that it lives; undefined while it is not asked to. */
  private owesMs: number | undefined
  private heartbeatUnanswered = false
  /** Beats since it last had something to do. */
  private quietBeats = 0
  private congested = false
  private overrun = 0
  private paused = false

  constructor(link: BoltLink, options: BoltProtocolOptions) {
    this.link = link
    this.options = options
  }

  /** Tuples written and not yet acked or failed. */
  get heldCount(): number {
    return this.held.size
  }

  /** Takes a tuple. A promise means: no more before it resolves. */
  execute(tuple: Tuple): Promise<void> | undefined {
    this.pending.push(tuple)
    if (this.link.up) {
      this.link.flushSoon()
      if (this.pendingCount < this.options.maxPending) return undefined
    }
    if (this.room === undefined) {
      let resolve: () => void = () => undefined
      const promise = new Promise<void>(done => {
        resolve = done
      })
      this.room = { promise, resolve }
    }
    return this.room.promise
  }

  /** Lets every waiting execute() go: the component is closing. */
  release(): void {
    this.room?.resolve()
    this.room = undefined
  }

  started(): void {
    this.owesMs = this.link.nowMs()
    this.heartbeatUnanswered = false
    this.quietBeats = 0
    if (this.pendingCount < this.options.maxPending) this.release()
  }

  fill(): boolean {
    if (this.waitsForConsumers()) return false
    const { writer } = this.link
    while (this.pendingAt < this.pending.length && writer.bytes < WRITE_BYTES) {
      this.write(writer, this.pending[this.pendingAt]!)
      this.pendingAt++
    }
    const more = this.pendingAt < this.pending.length
    if (!more) {
      this.pending = []
      this.pendingAt = 0
    }
    if (this.pendingCount < this.options.maxPending) this.release()
    return more
  }

  owesSinceMs(): number | undefined {
    return this.paused || !this.options.heartbeats ? undefined : this.owesMs
  }

  beat(nowMs: number): void {
    this.forget(nowMs)
    if (!this.options.heartbeats) return
    // One unread heartbeat says all; more would only fill the pipe of a child that is busy.
    if (this.heartbeatUnanswered && this.link.unwrittenBytes > 0) return
    if (this.mayRest()) {
      this.owesMs = undefined
      return
    }
    this.owesMs ??= nowMs
    this.heartbeatUnanswered = true
    this.link.writer.add({
      id: this.nextId(),
      comp: null,
      stream: '__heartbeat',
      task: -1,
      tuple: [],
    })
  }

  lost(): void {
    const held = [...this.held.values()]
    this.held.clear()
    this.marks.length = 0
    this.options.ahead?.forget()
    if (this.paused) this.resume()
    for (const tuple of held) this.options.collector.fail(tuple)
    this.options.onLost?.()
  }

  command(command: string, message: ShellMessage): void {
    switch (command) {
      case 'emit':
        this.emit(message)
        break
      case 'ack':
      case 'fail':
        this.end(command, message)
        break
      case 'sync':
        this.heartbeatUnanswered = false
        return
      default:
        // Unknown commands are ignored in bolts, as Storm does.
        return
    }
    this.quietBeats = 0
  }

  private mayRest(): boolean {
    const { seldomBeats } = this.options
    this.quietBeats++
    if (!seldomBeats || this.heartbeatUnanswered || this.held.size > 0 || this.pendingCount > 0)
      return false
    return this.quietBeats > QUIET_BEATS && this.quietBeats % SELDOM_BEATS !== 0
  }

  private get pendingCount(): number {
    return this.pending.length - this.pendingAt
  }

  private nextId(): string {
    this.lastId++
    return String(this.lastId)
  }

  private write(writer: WireWriter, tuple: Tuple): void {
    const id = this.nextId()
    try {
      writer.addTuple(id, tuple.sourceComponent, tuple.sourceStream, tuple.sourceTask, tuple.values)
    } catch (thrown) {
      this.options.collector.reportError(this.unwritable(tuple, asError(thrown)))
      this.options.collector.fail(tuple)
      return
    }
    this.held.set(id, tuple)
    this.quietBeats = 0
    if (this.held.size > HELD_MAX) this.forgetOldest()
  }

  private unwritable(tuple: Tuple, cause: Error): EngineError {
    const { componentId, taskId } = this.options.context
    const index = tuple.values.findIndex(value => !this.isWritable(value))
    const field = tuple.fields[index] ?? String(index)
    const hint = cause instanceof EngineError ? cause.hint : undefined
    return new EngineError(
      'VALUE_NOT_SERIALISABLE',
      `component "${componentId}" task ${taskId}: field "${field}" of a tuple from "${tuple.sourceComponent}" ` +
        `stream "${tuple.sourceStream}" cannot be sent to its process: ${cause.message}`,
      {
        cause,
        details: { component: componentId, task: taskId, field },
        ...(hint === undefined ? {} : { hint }),
      },
    )
  }

  private isWritable(value: unknown): boolean {
    try {
      this.link.serializer.writer().add([value])
      return true
    } catch {
      // The caller holds the error with its message; here only the place is looked for.
      return false
    }
  }

  private emit(message: ShellMessage): void {
    const { collector, ahead } = this.options
    const { values, stream, anchors, task, wantsTaskIds } = readEmit(message)
    const tuples = anchors.length === 0 ? null : this.anchorsOf(anchors)
    const promised = wantsTaskIds ? ahead?.next() : undefined
    let ids: readonly number[] = []
    try {
      if (promised !== undefined) ahead!.foresight.emit(promised, values, tuples, stream)
      else if (task === undefined) ids = collector.emit(values, tuples, stream)
      else collector.emitDirect(task, values, tuples, stream)
    } catch (thrown) {
      throw protocolError(
        `emitted on stream "${stream}" in vain: ${asError(thrown).message}`,
        thrown,
      )
    }
    if (wantsTaskIds && this.link.up) {
      if (promised === undefined) this.link.writer.add(ids)
      // Libraries that queue ids never say whether they want them: any other emit is not theirs.
      if (message.need_task_ids === undefined) ahead?.fill(this.link.writer)
    }
    if (this.congested) this.countOverrun()
  }

  private anchorsOf(anchors: readonly string[]): Tuple[] {
    const tuples: Tuple[] = []
    for (const id of anchors) {
      const tuple = this.held.get(id)
      if (tuple !== undefined) tuples.push(tuple)
      else if (!this.isForgotten(id)) {
        throw protocolError(
          `anchored an emit to the tuple ${id}, which it does not hold (or acked or failed before)`,
        )
      }
    }
    return tuples
  }

  private end(command: 'ack' | 'fail', message: ShellMessage): void {
    const id = textOf(message.id)
    const tuple = this.held.get(id)
    if (tuple === undefined) {
      if (this.isForgotten(id)) return
      throw protocolError(
        `sent ${command} for the tuple ${id}, which it does not hold (or acked or failed before)`,
      )
    }
    this.held.delete(id)
    if (command === 'ack') this.options.collector.ack(tuple)
    else this.options.collector.fail(tuple)
  }

  // Feeding stops while a consumer is full; answers and everything the child says go on.
  private waitsForConsumers(): boolean {
    if (this.congested) return true
    const ready = this.options.collector.ready()
    if (ready === undefined) return false
    this.congested = true
    this.overrun = 0
    const goOn = (): void => {
      this.congested = false
      if (this.paused) this.resume()
      this.link.flushSoon()
    }
    // A rejection only says that the consumers are gone: their task decides what follows.
    ready.then(goOn, goOn)
    return true
  }

  private countOverrun(): void {
    this.overrun++
    if (this.overrun < OVERRUN_EMITS_MAX || this.paused) return
    this.paused = true
    this.link.pause(true)
  }

  private resume(): void {
    this.paused = false
    this.link.pause(false)
  }

  private isForgotten(id: string): boolean {
    const number = Number(id)
    return number > 0 && number <= this.forgottenUpTo && String(number) === id
  }

  // A tuple that was held for more than two message timeouts has failed at its spout; keeping it serves nobody.
  private forget(nowMs: number): void {
    const { forgetAfterMs } = this.options
    if (forgetAfterMs === undefined) return
    const { marks } = this
    const last = marks.at(-1)
    // Sixteen marks over the time are exact enough, and few.
    if (last === undefined || nowMs - last.atMs >= forgetAfterMs / 16)
      marks.push({ atMs: nowMs, id: this.lastId })
    while (marks.length > 0 && nowMs - marks[0]!.atMs > forgetAfterMs) {
      this.forgetUpTo(marks.shift()!.id)
    }
  }

  private forgetUpTo(idMax: number): void {
    for (const [id, tuple] of this.held) {
      if (Number(id) > idMax) break
      this.held.delete(id)
      this.options.collector.fail(tuple)
    }
    this.forgottenUpTo = Math.max(this.forgottenUpTo, idMax)
  }

  private forgetOldest(): void {
    for (const id of this.held.keys()) {
      this.forgetUpTo(Number(id))
      return
    }
  }
}
