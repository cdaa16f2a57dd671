// The JVM host beside one executor: started for the first Java task, ended with the last one, started anew when it has died. It
// carries the records of tasks (java-bolt.ts, java-spout.ts) to their counterparts and back. A death fails what the host
// held and nothing else; all its tasks are opened again in the next process.
import { EngineError } from 'gearpump/spi'
import { systemClock } from '../multilang/clock.ts'
import { RestartBackoff } from '../multilang/restart-backoff.ts'
import { Frames } from './frames.ts'
import {
  type HostCommand,
  type HostExit,
  type HostProcess,
  type SpawnHost,
  spawnHost,
} from './host-process.ts'
import { FRAME, HOST_FRAME } from './host-protocol.ts'
import type { StormLine } from './java-line.ts'
import { type ChannelHost, type SidecarTask, TaskChannel } from './task-channel.ts'
import { WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

/** A JVM that has not read its setup after so long hangs; a cold one on a busy machine takes some seconds. */
const READY_MS = 60_000
/** A host that says nothing for so many looks, though it is asked at each, hangs: after a minute, as when it starts. */
const LOOK_MS = 10_000
const SILENT_LOOKS_MAX = 6

/** What is known when the first task needs the host. Throws when there is no Java, or no jars of the line. */
export interface HostPlan {
  readonly command: HostCommand
  /** Plain data: the topology, the jars. */
  readonly setup: unknown
  readonly line: StormLine
}

export interface SidecarOptions {
  readonly plan: () => HostPlan
  readonly spawn?: SpawnHost
  readonly clock?: typeof systemClock
}

export class Sidecar implements ChannelHost {
  readonly #options: SidecarOptions
  readonly #clock: typeof systemClock
  /** By task. */
  readonly #channels = new Map<number, TaskChannel>()
  /** Those that are open in the host, by their numbers there. */
  readonly #open = new Map<number, TaskChannel>()
  #lastNumber = 0
  readonly #backoff = new RestartBackoff()
  readonly #writer = new WireWriter()
  readonly #reader = new WireReader()
  #queue: TaskChannel[] = []
  #process: HostProcess | undefined = undefined
  #plan: HostPlan | undefined = undefined
  #ready = false
  #readyMs = 0
  #verdict: EngineError | undefined = undefined
  #cancelTimer: () => void = () => undefined
  #cancelLook: () => void = () => undefined
  #heard = false
  #silentLooks = 0
  #stopping: Promise<void> = Promise.resolve()

  constructor(options: SidecarOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  get up(): boolean {
    return this.#ready
  }

  /** Of the jars that are used; known once a task was attached. */
  get line(): StormLine | undefined {
    return this.#plan?.line
  }

  /** Adds a task and starts the host if it is the first. Throws when a host cannot be started here at all. */
  attach(task: SidecarTask): TaskChannel {
    const channel = new TaskChannel(this, task)
    this.#plan ??= this.#options.plan()
    if (this.#ready) this.open(channel)
    this.#channels.set(task.context.taskId, channel)
    if (this.#ready) return channel
    if (this.#channels.size === 1) this.#start()
    return channel
  }

  /** Takes a task away; the host ends with the last one. */
  async detach(channel: TaskChannel): Promise<void> {
    const { taskId } = channel.task.context
    if (this.#channels.get(taskId) !== channel) return
    this.#channels.delete(taskId)
    if (this.#channels.size > 0) {
      // What was written last, and nothing that comes.
      this.#flush()
      this.shut(channel)
      return
    }
    this.#cancelTimer()
    this.#down()
    const process = this.#process
    this.#process = undefined
    if (process !== undefined) this.#stopping = process.stop()
    await this.#stopping
  }

  // ---- to the host

  shut(channel: TaskChannel): void {
    channel.open = false
    this.#open.delete(channel.number)
  }

  open(channel: TaskChannel): void {
    this.shut(channel)
    const number = ++this.#lastNumber
    this.#frame(FRAME.OPEN, writer => {
      writer.i32(number)
      writer.value(channel.task.opening())
    })
    channel.number = number
    channel.open = true
    channel.empty()
    this.#open.set(number, channel)
    this.#write()
  }

  send(kind: number, channel: number, write: (writer: WireWriter) => void): void {
    if (!this.#open.has(channel)) return
    this.#frame(kind, writer => {
      writer.i32(channel)
      write(writer)
    })
    this.#write()
  }

  queue(channel: TaskChannel): void {
    this.#queue.push(channel)
    if (this.#queue.length === 1) queueMicrotask(() => this.#flush())
  }

  #frame(kind: number, write: (writer: WireWriter) => void): void {
    const writer = this.#writer
    const start = writer.beginFrame(kind)
    // Settings are Longs in Java, as JSON's integers are there.
    writer.longs = true
    try {
      write(writer)
    } catch (thrown) {
      // A frame that is cut would make nonsense of all that follow.
      writer.reset(start)
      throw thrown
    }
    writer.endFrame(start)
  }

  #flush(): void {
    const queue = this.#queue
    this.#queue = []
    const parts: Buffer[] = []
    for (const channel of queue) {
      channel.queued = false
      if (channel.isEmpty || !channel.open) continue
      channel.writer.endFrame(0)
      parts.push(channel.writer.content)
    }
    if (parts.length > 0) this.#process?.write(Buffer.concat(parts))
    for (const channel of queue) if (!channel.isEmpty) channel.empty()
  }

  #write(): void {
    const writer = this.#writer
    if (writer.size === 0) return
    // A copy: the socket keeps what it could not write at once.
    this.#process?.write(Buffer.from(writer.content))
    writer.reset(0)
  }

  // ---- the process

  #start(): void {
    const { command, setup } = this.#plan!
    const frames = new Frames((bytes, start, end) => this.#frameTold(bytes, start, end))
    this.#verdict = undefined
    const process = (this.#options.spawn ?? spawnHost)(command, {
      data: chunk => {
        if (this.#process === process) this.#data(frames, chunk)
      },
      line: text => this.#anyTask()?.context.log.write('info', text),
      ended: exit => {
        if (this.#process === process) this.#died(deathError(command, exit, this.#verdict))
      },
      startFailed: error => {
        if (this.#process === process) this.#died(startError(command, error))
      },
    })
    this.#process = process
    this.#frame(FRAME.SETUP, writer => writer.value(setup))
    this.#write()
    this.#cancelTimer = this.#clock.after(READY_MS, () =>
      this.#condemn(new EngineError('JAVA_HOST_DIED', `is not ready after ${READY_MS / 1000} s`)),
    )
  }

  #data(frames: Frames, chunk: Buffer): void {
    // What follows something that cannot be read has no meaning.
    if (this.#verdict !== undefined) return
    this.#heard = true
    try {
      frames.push(chunk)
    } catch (thrown) {
      this.#condemn(
        thrown instanceof EngineError
          ? thrown
          : new EngineError('BUG', String(thrown), { cause: thrown }),
      )
    }
  }

  #condemn(verdict: EngineError): void {
    this.#verdict ??= verdict
    // Its end is told by the event; stop() has nothing more to say.
    void this.#process?.stop()
  }

  #frameTold(bytes: Buffer, start: number, end: number): void {
    const reader = this.#reader
    reader.over(bytes, start, end)
    const kind = reader.u8()
    if (kind === HOST_FRAME.READY) {
      this.#becomeReady(reader.value())
      return
    }
    if (kind === HOST_FRAME.PONG) return
    const channel = this.#open.get(reader.i32())
    if (channel === undefined) return
    if (kind === HOST_FRAME.BATCH) channel.task.batch(reader)
    else if (kind === HOST_FRAME.LOG) {
      const level = reader.text() === 'error' ? 'warn' : 'info'
      channel.task.context.log.write(level, reader.text())
    } else throw new EngineError('BUG', `the JVM host sent a frame of the unknown kind ${kind}`)
  }

  #becomeReady(failure: unknown): void {
    if (typeof failure === 'string') {
      this.#condemn(new EngineError('JAVA_HOST_DIED', `cannot use Storm's jars: ${failure}`))
      return
    }
    this.#cancelTimer()
    this.#ready = true
    this.#readyMs = this.#clock.nowMs()
    this.#heard = true
    this.#silentLooks = 0
    this.#lookSoon()
    for (const channel of this.#channels.values()) this.open(channel)
  }

  // Looks are counted, and not the time between them: while this process is stopped it hears nothing either.
  #lookSoon(): void {
    this.#cancelLook = this.#clock.after(LOOK_MS, () => {
      this.#silentLooks = this.#heard ? 0 : this.#silentLooks + 1
      this.#heard = false
      if (this.#silentLooks >= SILENT_LOOKS_MAX) {
        const text = `has said nothing for ${(LOOK_MS * SILENT_LOOKS_MAX) / 1000} s`
        this.#condemn(new EngineError('JAVA_HOST_DIED', text))
        return
      }
      this.#frame(FRAME.PING, () => undefined)
      this.#write()
      this.#lookSoon()
    })
  }

  #down(): void {
    this.#ready = false
    this.#cancelLook()
    for (const channel of this.#open.values()) channel.open = false
    this.#open.clear()
    this.#writer.reset(0)
  }

  #died(error: EngineError): void {
    const upForMs = this.#ready ? this.#clock.nowMs() - this.#readyMs : 0
    this.#cancelTimer()
    this.#down()
    this.#process = undefined
    const tasks = [...this.#channels.values()]
    tasks[0]?.task.reportError(error)
    for (const channel of tasks) {
      channel.empty()
      channel.task.lost()
    }
    if (this.#channels.size === 0) return
    this.#cancelTimer = this.#clock.after(this.#backoff.delayAfterMs(upForMs), () => this.#start())
  }

  #anyTask(): SidecarTask | undefined {
    for (const { task } of this.#channels.values()) return task
    return undefined
  }
}

function startError({ command }: HostCommand, cause: Error): EngineError {
  return new EngineError('JAVA_NOT_FOUND', `${command} cannot be started: ${cause.message}`, {
    hint: 'install a Java runtime (8 or later), and set JAVA_HOME or gearpump.jvm.home to it',
    cause,
  })
}

function deathError(
  command: HostCommand,
  exit: HostExit,
  verdict: EngineError | undefined,
): EngineError {
  const how = exit.signal === null ? `exit code ${exit.code}` : exit.signal
  const said = exit.lastLines.length === 0 ? '' : `; it said last:\n${exit.lastLines.join('\n')}`
  const why = verdict === undefined ? `ended (${how})` : verdict.message
  const memory = exit.lastLines.some(line => line.includes('OutOfMemoryError'))
  return new EngineError('JAVA_HOST_DIED', `the JVM of the Java components ${why}${said}`, {
    hint: memory
      ? 'raise gearpump.jvm.heap.mb'
      : 'its tuples fail and its components start anew; see what it said, and the log of the components',
    details: { command: command.command, code: exit.code, signal: exit.signal },
    ...(verdict === undefined ? {} : { cause: verdict }),
  })
}
