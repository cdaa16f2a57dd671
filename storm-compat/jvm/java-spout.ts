// A spout that works in the JVM host. The host is asked for as many tuples at a time as may be open, so that a turn costs one frame.
// Message ids are numbers here; the objects stay in the host. When it has died, what it had emitted is forgotten, since
// its successor could not know the ids.
import { asError, EngineError } from 'gearpump/spi'
import type {
  Conf,
  Credentials,
  OutputFieldsDeclarer,
  Spout,
  SpoutOutputCollector,
  TopologyContext,
} from '../component/api.ts'
import { systemClock } from '../multilang/clock.ts'
import type { JavaObjectSource } from '../topology/topology.ts'
import { EMIT_FLAG, ORDER, TOLD } from './host-protocol.ts'
import type { ChosenTasks, JavaGrouping } from './java-groupings.ts'
import { type JavaRole, JavaTask } from './java-task.ts'
import type { Sidecar } from './sidecar.ts'
import type { WireReader } from './wire-reader.ts'

/** Tuples that one turn asks for: enough to make the turn's cost small, few enough not to run ahead of consumers. */
const ASKED_MAX = 256
const CREDIT_EMITS = 1_024
const CREDIT_BYTES = 1024 * 1024
/** How long a call waits for the next host before it returns with nothing, so that a kill need not wait for it. */
const PARK_MS = 1_000
/** How long a deactivation waits for a spout that is busy in its turn. */
const DEACTIVATE_MS = 3_000

export interface JavaSpoutOptions {
  readonly sidecar: Sidecar
  readonly object: JavaObjectSource
  readonly className: string
  readonly groupings: readonly JavaGrouping[]
  readonly chosen: ChosenTasks
}

export class JavaSpout implements Spout, JavaRole {
  readonly #options: JavaSpoutOptions
  #task!: JavaTask
  #credentials: Credentials = {}
  #begun = false
  #collector!: SpoutOutputCollector
  #pendingMax = Number.POSITIVE_INFINITY
  #pending = 0
  #uncredited = 0
  #uncreditedBytes = 0
  #active = false
  #asked: (() => void) | undefined = undefined
  #called: (() => void) | undefined = undefined

  constructor(options: JavaSpoutOptions) {
    this.#options = options
  }

  /** Before it is begun, and whenever there are others. */
  setCredentials(credentials: Credentials): void {
    this.#credentials = credentials
    if (this.#begun) this.#task.setCredentials(credentials)
  }

  open(conf: Conf, context: TopologyContext, collector: SpoutOutputCollector): Promise<void> {
    this.#collector = collector
    const pendingMax = conf['topology.max.spout.pending']
    if (typeof pendingMax === 'number') this.#pendingMax = pendingMax
    this.#task = new JavaTask(this, {
      ...this.#options,
      conf,
      context,
      kind: 'spout',
      more: {},
      credentials: this.#credentials,
      reportError: error => collector.reportError(error),
    })
    this.#begun = true
    return this.#task.start()
  }

  nextTuple(): Promise<void> {
    return new Promise(resolve => {
      this.#asked = resolve
      if (this.#task.up) this.#ask()
      else {
        systemClock.after(PARK_MS, () => {
          if (this.#asked === resolve && !this.#task.up) this.#answer()
        })
      }
    })
  }

  #ask(): void {
    const { channel } = this.#task
    channel.writer.u8(ORDER.NEXT)
    channel.writer.i32(Math.max(1, Math.min(ASKED_MAX, this.#pendingMax - this.#pending)))
    channel.flushSoon()
  }

  #answer(): void {
    const answer = this.#asked
    this.#asked = undefined
    answer?.()
  }

  ack(messageId: unknown): void {
    this.#ended(ORDER.DONE, messageId as number)
  }

  fail(messageId: unknown): void {
    this.#ended(ORDER.FAILED, messageId as number)
  }

  #ended(order: number, id: number): void {
    this.#pending--
    if (!this.#task.up) return
    const { channel } = this.#task
    channel.writer.u8(order)
    channel.writer.i32(id)
    channel.flushSoon()
  }

  activate(): void {
    this.#active = true
    if (this.#task.up) this.#order(ORDER.ACTIVATE)
  }

  async deactivate(): Promise<void> {
    this.#active = false
    if (!this.#task.up) return
    const done = new Promise<void>(resolve => {
      this.#called = resolve
    })
    this.#order(ORDER.DEACTIVATE)
    let cancel: () => void = () => undefined
    const late = new Promise<void>(resolve => {
      cancel = systemClock.after(DEACTIVATE_MS, resolve)
    })
    await Promise.race([done, late])
    cancel()
  }

  #order(order: number): void {
    const { channel } = this.#task
    channel.writer.u8(order)
    channel.flushSoon()
  }

  // ---- from the host

  opened(): void {
    if (this.#active) this.#order(ORDER.ACTIVATE)
    if (this.#asked !== undefined) this.#ask()
  }

  lost(): void {
    this.#pending = 0
    this.#uncredited = 0
    this.#uncreditedBytes = 0
    this.#collector.orphanAll()
    this.#answer()
    this.#called?.()
  }

  told(record: number, reader: WireReader): void {
    switch (record) {
      case TOLD.EMIT:
        this.#emit(reader)
        return
      case TOLD.ASKED:
        this.#answer()
        return
      case TOLD.CALLED:
        this.#called?.()
        return
      default:
        throw new Error(`a Java spout was told the unknown record ${record}`)
    }
  }

  #emit(reader: WireReader): void {
    // The record's kind was read before.
    const start = reader.at - 1
    const flags = reader.u8()
    const number = reader.count()
    const stream = this.#task.streams[number]!
    const task = (flags & EMIT_FLAG.DIRECT) === 0 ? undefined : reader.i32()
    const id = (flags & EMIT_FLAG.WITH_ID) === 0 ? undefined : reader.i32()
    if ((flags & EMIT_FLAG.CHOSEN) !== 0) this.#task.readChosen(number, reader)
    const values = reader.values()
    if (id !== undefined) this.#pending++
    let ids: readonly number[] = []
    try {
      if (task === undefined) ids = this.#collector.emit(values, id, stream)
      else this.#collector.emitDirect(task, values, id, stream)
    } catch (thrown) {
      const error = asError(thrown)
      this.#task.reportError(error)
      // Refused before there was a root: nobody else will tell how the id ended.
      if (id !== undefined && isRefused(error)) this.#ended(ORDER.FAILED, id)
    }
    this.#task.answered(ids)
    this.#uncreditedBytes += reader.at - start
    // The bound on what is open does the rest.
    if (++this.#uncredited < CREDIT_EMITS && this.#uncreditedBytes < CREDIT_BYTES) return
    this.#task.channel.credit(this.#uncredited, this.#uncreditedBytes)
    this.#uncredited = 0
    this.#uncreditedBytes = 0
  }

  async close(): Promise<void> {
    this.#answer()
    await this.#task?.close(ORDER.CLOSE)
  }

  /** Streams are declared by the topology. */
  declareOutputFields(_declarer: OutputFieldsDeclarer): void {
    return
  }
}

// An emit that the topology does not allow; see Outputs. Whatever goes wrong later fails the root that is open by then.
function isRefused(error: Error): boolean {
  return error instanceof EngineError && error.code === 'TOPOLOGY_INVALID'
}
