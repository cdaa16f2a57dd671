// What one opening of a Java task and its counterpart in the JVM host say to each other goes through a channel: the records of a
// turn are collected here, and sent by the sidecar at the end of it. Each opening has a number of its own, so that
// nothing a former one still says is heard.
import type { TopologyContext } from '../component/api.ts'
import { FRAME } from './host-protocol.ts'
import type { WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

/** Length, kind and channel: what a batch has before its records. */
const BATCH_HEADER_BYTES = 9

/** A task as its sidecar sees it. */
export interface SidecarTask {
  readonly context: TopologyContext
  /** What the host is told to open it; plain data. */
  opening(): unknown
  /** Records of one batch. */
  batch(reader: WireReader): void
  /** The host has gone: nothing will be heard of what it had. */
  lost(): void
  reportError(error: Error): void
}

/** What a channel needs of the sidecar. */
export interface ChannelHost {
  readonly up: boolean
  queue(channel: TaskChannel): void
  send(kind: number, channel: number, write: (writer: WireWriter) => void): void
  open(channel: TaskChannel): void
  shut(channel: TaskChannel): void
}

/** What a task writes to: its records of this turn. */
export class TaskChannel {
  readonly writer = new WireWriter()
  readonly task: SidecarTask
  readonly #host: ChannelHost
  /** Under which the host knows this opening of the task; 0 = it does not. */
  number = 0
  /** Whether what comes under that number is still heard. */
  open = false
  queued = false

  constructor(host: ChannelHost, task: SidecarTask) {
    this.#host = host
    this.task = task
    this.empty()
  }

  /** Forgets what was written: a batch without records is left. */
  empty(): void {
    const { writer } = this
    writer.reset(0)
    writer.beginFrame(FRAME.BATCH)
    writer.i32(this.number)
  }

  get isEmpty(): boolean {
    return this.writer.size === BATCH_HEADER_BYTES
  }

  /** Has what was written sent at the end of this turn. */
  flushSoon(): void {
    if (this.queued) return
    this.queued = true
    this.#host.queue(this)
  }

  /** Whether a host is there that knows the task. */
  get up(): boolean {
    return this.#host.up
  }

  /** Emits for which there was room, and how long their records were. */
  credit(emits: number, bytes: number): void {
    this.#host.send(FRAME.CREDIT, this.number, writer => {
      writer.i32(emits)
      writer.i32(bytes)
    })
  }

  /** Where an emit went. */
  tasks(emit: number, ids: readonly number[]): void {
    this.#host.send(FRAME.TASKS, this.number, writer => {
      writer.i32(emit)
      writer.values(ids)
    })
  }

  /** Has the task opened in the host that is there. */
  reopen(): void {
    this.#host.open(this)
  }

  /** Hears no more of what the host says of this opening. */
  shut(): void {
    this.#host.shut(this)
  }
}
