// What Java bolts and spouts have in common on the executor's side: opening the task in the host, opening it again when its component
// threw or the host has died, emits with the answers that somebody may ask for, and errors with Java's own stack trace.
import { asError, EngineError } from 'gearpump/spi'
import type { Conf, Credentials, LogLevel, TopologyContext } from '../component/api.ts'
import { systemClock } from '../multilang/clock.ts'
import { RestartBackoff } from '../multilang/restart-backoff.ts'
import type { JavaObjectSource } from '../topology/topology.ts'
import { confOf } from './host-plan.ts'
import { ORDER, TOLD } from './host-protocol.ts'
import type { ChosenTasks, JavaGrouping } from './java-groupings.ts'
import type { Sidecar } from './sidecar.ts'
import type { SidecarTask, TaskChannel } from './task-channel.ts'
import type { WireReader } from './wire-reader.ts'

/** Answers of emits that are kept: whoever asks does so right after the emit. A power of two. */
const ANSWERS_KEPT = 16_384
/** How long a closing component may take for its cleanup. */
const CLOSE_MS = 3_000
const NO_IDS: readonly number[] = []

export interface JavaTaskOptions {
  readonly sidecar: Sidecar
  readonly conf: Conf
  readonly context: TopologyContext
  readonly kind: 'spout' | 'bolt'
  readonly object: JavaObjectSource
  readonly className: string
  readonly more: Readonly<Record<string, unknown>>
  readonly credentials: Credentials
  readonly groupings: readonly JavaGrouping[]
  readonly chosen: ChosenTasks
  readonly reportError: (error: Error) => void
}

/** What a bolt or spout does with the records of its own kind. */
export interface JavaRole {
  told(record: number, reader: WireReader): void
  /** What the component had is lost: it has thrown, or its host has died. */
  lost(): void
  /** It is open, for the first time or again. */
  opened(): void
}

export class JavaTask implements SidecarTask {
  readonly context: TopologyContext
  readonly streams: readonly string[]
  readonly #options: JavaTaskOptions
  readonly #role: JavaRole
  readonly #backoff = new RestartBackoff()
  readonly #answers: (readonly number[])[] = []
  /** By the number of the stream. */
  readonly #groupings: readonly (readonly JavaGrouping[])[]
  /** Given again with each opening. */
  #credentials: Credentials
  /** What the component was told last. */
  #told: Credentials | undefined = undefined
  #channel: TaskChannel | undefined = undefined
  #first: { resolve: () => void; reject: (error: Error) => void } | undefined = undefined
  #closing: (() => void) | undefined = undefined
  #cancel: () => void = () => undefined
  #lastEmit = 0
  #openedMs = 0
  #open = false
  #closed = false

  constructor(role: JavaRole, options: JavaTaskOptions) {
    this.#role = role
    this.#options = options
    this.context = options.context
    this.#credentials = options.credentials
    this.streams = [...options.context.streams.keys()]
    this.#groupings = this.streams.map(id => options.groupings.filter(g => g.stream === id))
  }

  /** Rejects when there is no Java here, or when the component cannot be made, prepared or opened. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#first = { resolve, reject }
      try {
        this.#channel = this.#options.sidecar.attach(this)
      } catch (thrown) {
        this.#failFirst(asError(thrown))
      }
    })
  }

  /** Whether the component is there and takes records. */
  get up(): boolean {
    return this.#open
  }

  /** There are others. A component that is not open hears of them when it is. */
  setCredentials(credentials: Credentials): void {
    this.#credentials = credentials
    if (this.#open) this.#tellCredentials()
  }

  #tellCredentials(): void {
    const credentials = this.#credentials
    this.#told = credentials
    this.channel.writer.u8(ORDER.CREDENTIALS)
    this.channel.writer.value(credentials)
    this.channel.flushSoon()
  }

  get channel(): TaskChannel {
    return this.#channel!
  }

  /** Has the component clean up, and takes it away. */
  async close(order: number): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#cancel()
    const channel = this.#channel
    if (channel === undefined) return
    if (!this.#open) {
      // It may still be preparing; nobody waits for it.
      if (channel.up) {
        channel.writer.u8(order)
        channel.flushSoon()
      }
    } else {
      await new Promise<void>(resolve => {
        const cancel = systemClock.after(CLOSE_MS, resolve)
        this.#closing = () => {
          cancel()
          resolve()
        }
        channel.writer.u8(order)
        channel.flushSoon()
      })
    }
    this.#open = false
    await this.#options.sidecar.detach(channel)
  }

  opening(): unknown {
    const { sidecar, kind, conf, context, object, more } = this.#options
    this.#told = this.#credentials
    return {
      task: context.taskId,
      component: context.componentId,
      kind,
      conf: confOf(conf, sidecar.line!),
      object: sent(object),
      streams: this.streams,
      credentials: this.#credentials,
      heard: conf['topology.debug'] === true ? this.streams : [...context.targets.keys()],
      groupings: this.#groupings.flatMap((list, stream) =>
        list.map(grouping => [stream, grouping.consumer, sent(grouping.object), grouping.targets]),
      ),
      ...more,
    }
  }

  batch(reader: WireReader): void {
    const { channel } = this
    // A component that threw may have threads that still speak.
    while (reader.more && channel.open) this.#record(reader.u8(), reader)
  }

  #record(record: number, reader: WireReader): void {
    switch (record) {
      case TOLD.OPENED:
        this.#opened()
        return
      case TOLD.THREW:
        this.#threw(reader.text())
        return
      case TOLD.CLOSED:
        this.#closing?.()
        return
      case TOLD.REPORT:
        this.reportError(this.#failure('reports', reader.text()))
        return
      case TOLD.METRIC:
        this.context.metric(reader.text(), reader.value())
        return
      case TOLD.WANT_TASKS: {
        const emit = reader.i32()
        this.channel.tasks(emit, this.#answerOf(emit))
        return
      }
      default:
        this.#role.told(record, reader)
        return
    }
  }

  /** Reads which tasks the Java groupings of the stream have chosen for this emit. */
  readChosen(stream: number, reader: WireReader): void {
    for (const { consumer, stream: id } of this.#groupings[stream]!) {
      const tasks: number[] = []
      for (let n = reader.count(); n > 0; n--) tasks.push(reader.i32())
      this.#options.chosen.set(consumer, id, tasks)
    }
  }

  /** Keeps the answer of an emit, in case somebody asks for it. */
  answered(ids: readonly number[]): void {
    this.#lastEmit = (this.#lastEmit + 1) | 0
    this.#answers[this.#lastEmit & (ANSWERS_KEPT - 1)] = ids
  }

  // Of an emit that is long ago the answer is another's by now.
  #answerOf(emit: number): readonly number[] {
    if (((this.#lastEmit - emit) | 0) >= ANSWERS_KEPT) return NO_IDS
    return this.#answers[emit & (ANSWERS_KEPT - 1)] ?? NO_IDS
  }

  reportError(error: Error): void {
    this.#options.reportError(error)
  }

  log(level: LogLevel, text: string): void {
    this.context.log.write(level, text)
  }

  lost(): void {
    this.#reset()
    // Nobody who waits for the first start learns more than that it goes on being tried.
    this.#begun()
  }

  #reset(): void {
    this.#open = false
    this.#lastEmit = 0
    this.#answers.length = 0
    this.#cancel()
    this.#closing?.()
    this.#role.lost()
  }

  #opened(): void {
    this.#open = true
    this.#openedMs = systemClock.nowMs()
    // They may have changed while it was being opened.
    if (this.#told !== this.#credentials) this.#tellCredentials()
    this.#role.opened()
    this.#begun()
  }

  #begun(): void {
    this.#first?.resolve()
    this.#first = undefined
  }

  // In Storm the whole worker would end. Here only this task starts anew: what the component held has failed.
  #threw(text: string): void {
    const upForMs = this.#open ? systemClock.nowMs() - this.#openedMs : 0
    const doing = this.#open
      ? 'threw'
      : this.#options.kind === 'bolt'
        ? 'threw in prepare'
        : 'threw in open'
    const error = this.#failure(doing, text)
    this.channel.shut()
    this.#reset()
    if (this.#closed) return
    if (this.#first !== undefined) {
      this.#failFirst(error)
      return
    }
    this.reportError(error)
    this.#cancel = systemClock.after(this.#backoff.delayAfterMs(upForMs), () => {
      if (this.channel.up) this.channel.reopen()
    })
  }

  #failFirst(error: Error): void {
    const first = this.#first!
    this.#first = undefined
    this.#closed = true
    const channel = this.#channel
    if (channel === undefined) {
      first.reject(error)
      return
    }
    this.#options.sidecar.detach(channel).then(() => first.reject(error), first.reject)
  }

  #failure(doing: string, text: string): EngineError {
    const { componentId: component, taskId: task } = this.context
    const { className } = this.#options
    return new EngineError(
      'JAVA_COMPONENT_FAILED',
      `${component}[task ${task}] (${className}) ${doing}: ${text}`,
      {
        hint: hintOf(text),
        details: { component, task, className },
      },
    )
  }
}

function sent(object: JavaObjectSource): unknown {
  return 'bytes' in object ? object.bytes : object
}

function hintOf(text: string): string {
  if (/ClassNotFoundException|NoClassDefFoundError/.test(text)) {
    return 'put the class into the jar that is submitted, or beside Storm’s own jars'
  }
  if (/InvalidClassException|serialVersionUID/.test(text)) {
    return 'the jars of Storm here are of another line than those the topology was made with: see gearpump.jvm.class.path'
  }
  return 'mend the component; its tuples fail and are replayed, and it starts anew'
}
