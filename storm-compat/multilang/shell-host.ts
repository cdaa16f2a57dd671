// Keeps one shell component alive: starts its process, shakes hands, passes messages between it and the component's
// protocol (bolt-protocol.ts or spout-protocol.ts), watches over silence, and starts a new process when one has ended.
// Only the process ends, never the task: what a death means for tuples is the protocol's matter. One chunk read from
// the child is one turn: all its messages are handled, then all answers leave in one write.
import { join } from 'node:path'
import { alignedMs, asError, EngineError } from 'gearpump/spi'
import type { Conf, TopologyContext } from '../component/api.ts'
import { spawnShell } from './child-process.ts'
import { type ShellClock, systemClock } from './clock.ts'
import { levelOf, protocolError, type ShellMessage, textOf } from './commands.ts'
import { deathError, shellError, startError } from './death-report.ts'
import { handshake } from './handshake.ts'
import { RestartBackoff } from './restart-backoff.ts'
import { chooseSerializer } from './serializers.ts'
import { type Life, newLife } from './shell-life.ts'
import type { ShellCommand, ShellExit, ShellProcessEvents, SpawnShell } from './shell-process.ts'
import type { ShellDependencies, ShellRole } from './shell-role.ts'
import { messageBytesMax, subprocessTimeoutMs } from './shell-settings.ts'
import type { Serializer, WireWriter } from './wire.ts'

/** The beat: Storm's heartbeat timer. */
export const BEAT_MS = 1_000

/**
 * Answers (task ids) a child has not read. They must never wait for back pressure, so only this bound is left: a child
 * that emits this much without reading what it asked for does not work any more.
 */
export const UNREAD_BYTES_MAX = 64 * 1024 * 1024

/** An `error` is told as the cause of a death that follows so soon. */
const LAST_ERROR_MS = 10_000

/** A beat later than this was held up by us, and the time must not be held against the child. */
const LATE_BEAT_MS = 500

/** A longer stray line is cut in the log; it is there for people. */
const STRAY_MAX = 8 * 1024

export interface ShellHostOptions {
  readonly shell: ShellCommand
  readonly conf: Conf
  readonly context: TopologyContext
  readonly reportError: (error: Error) => void
  readonly dependencies?: Partial<ShellDependencies> | undefined
}

export class ShellHost {
  readonly clock: ShellClock
  readonly serializer: Serializer
  private readonly options: ShellHostOptions
  private readonly role: ShellRole
  private readonly spawn: SpawnShell
  private readonly pidDir: string
  private readonly backoff = new RestartBackoff()
  private readonly timeoutMs: number
  private life: Life | undefined
  private closed = false
  private flushScheduled = false
  private cancelTimer: () => void = () => undefined
  private cancelBeat: () => void = () => undefined
  private first: { resolve: () => void; reject: (error: Error) => void } | undefined

  constructor(role: ShellRole, options: ShellHostOptions) {
    this.role = role
    this.options = options
    this.clock = options.dependencies?.clock ?? systemClock
    this.spawn = options.dependencies?.spawn ?? spawnShell
    this.serializer = chooseSerializer(options.conf, options.shell.command)
    this.timeoutMs = subprocessTimeoutMs(options.conf)
    // A directory of its own: what lies in it is this child's, and ends with it.
    this.pidDir = join(
      options.context.pidDir,
      `${encodeURIComponent(options.context.componentId)}-${options.context.taskId}`,
    )
  }

  /**
   * Starts the first process. Resolves when it has shaken hands, so that nothing is sent before it can be handled; but
   * also when it has died, takes long, or the host was closed: one component must not keep the others from running. A
   * child may load for as long as it likes. Rejects with SHELL_START_FAILED when there is no such program.
   */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.first = { resolve, reject }
      this.launch()
    })
  }

  /** Whether a process is there that has shaken hands and is not being ended. */
  get up(): boolean {
    return this.life?.upSinceMs !== undefined && this.life.verdict === undefined && !this.closed
  }

  /** Where answers are added during a turn. Only while `up`. */
  get writer(): WireWriter {
    return this.life!.writer
  }

  /** Bytes written to the process and not yet taken by its pipe. */
  get unwrittenBytes(): number {
    return this.life?.process?.unwrittenBytes ?? 0
  }

  /** Has fill() called at the end of this turn of the event loop. */
  flushSoon(): void {
    if (this.flushScheduled) return
    this.flushScheduled = true
    queueMicrotask(() => {
      this.flushScheduled = false
      this.flush()
    })
  }

  flush(): void {
    const life = this.life
    const process = life?.process
    if (life === undefined || process === undefined || life.verdict !== undefined || this.closed)
      return
    for (;;) {
      const more = life.upSinceMs !== undefined && process.unwrittenBytes === 0 && this.role.fill()
      const data = life.writer.take()
      if (data === undefined) return
      process.write(data)
      if (process.unwrittenBytes > UNREAD_BYTES_MAX) {
        this.condemn(
          life,
          protocolError(`does not read its stdin: ${process.unwrittenBytes} bytes wait for it`),
        )
        return
      }
      if (!more) return
    }
  }

  /** Stops and resumes reading; silence while stopped is not the child's. */
  pause(paused: boolean): void {
    const life = this.life
    if (life === undefined) return
    life.lastHeardMs = this.clock.nowMs()
    life.process?.pause(paused)
  }

  /** Ends the process for what it did; a new one is started as after any death. */
  fail(error: EngineError): void {
    if (this.life !== undefined) this.condemn(this.life, error)
  }

  /** Ends the process and all it started, and waits for that. Idempotent. */
  async close(): Promise<void> {
    this.closed = true
    this.cancelTimer()
    this.cancelBeat()
    await this.life?.process?.stop()
    this.begun()
  }

  private begun(): void {
    this.first?.resolve()
    this.first = undefined
  }

  private launch(): void {
    const { shell, conf, context } = this.options
    const life = newLife(this.serializer, messageBytesMax(conf), this.clock.nowMs())
    this.life = life
    const spawnOptions = {
      ...shell,
      resources: context.resources,
      pidDir: this.pidDir,
      clock: this.clock,
    }
    try {
      life.writer.add(handshake(conf, context, this.pidDir))
      life.process = this.spawn(spawnOptions, this.eventsOf(life))
    } catch (thrown) {
      this.startFailed(life, asError(thrown))
      return
    }
    life.pid = life.process.pid
    this.flush()
    this.cancelTimer = this.clock.after(this.timeoutMs, () => {
      context.log.write('warn', `still waiting for the pid of ${shell.command.join(' ')}`)
      this.begun()
    })
  }

  private eventsOf(life: Life): ShellProcessEvents {
    return {
      output: chunk => this.output(life, chunk),
      drained: () => {
        if (this.life === life) this.flush()
      },
      stderrLine: line => this.options.context.log.write('info', line),
      ended: exit => this.ended(life, exit),
      startFailed: error => this.startFailed(life, error),
    }
  }

  private output(life: Life, chunk: Buffer): void {
    if (this.life !== life || life.verdict !== undefined || this.closed) return
    life.lastHeardMs = this.clock.nowMs()
    try {
      life.reader.push(chunk, {
        message: value => {
          if (life.verdict === undefined) this.message(life, value)
        },
        stray: text => this.stray(life, text),
      })
    } catch (thrown) {
      this.condemn(life, verdictOf(thrown))
    }
    this.flush()
  }

  private message(life: Life, value: unknown): void {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.stray(life, textOf(value))
      return
    }
    const message = value as ShellMessage
    const command = message.command
    if (typeof command === 'string') {
      this.spoken(life, command)
      this.command(life, command, message)
    } else if ('pid' in message) this.handshakeDone(life, message.pid)
    else throw protocolError(`sent a message without a command: ${textOf(value).slice(0, 200)}`)
  }

  private command(life: Life, command: string, message: ShellMessage): void {
    switch (command) {
      case 'log':
        this.log(life, levelOf(message.level), textOf(message.msg))
        break
      case 'error': {
        const text = textOf(message.msg)
        life.lastError = { text, atMs: this.clock.nowMs() }
        this.options.reportError(shellError(text))
        break
      }
      case 'metrics':
        this.options.context.metric(textOf(message.name), message.params)
        break
      default:
        this.role.command(command, message)
    }
  }

  // Storm takes whatever comes first for the answer to its handshake, so there are children that never say their pid.
  // One that only talks may be loading still, which takes as long as it takes.
  private spoken(life: Life, command: string): void {
    const talks = command === 'log' || command === 'error' || command === 'metrics'
    if (!talks) life.loading = false
    if (life.upSinceMs !== undefined) return
    life.loading = talks
    this.begin(life)
  }

  private handshakeDone(life: Life, pid: unknown): void {
    if (typeof pid === 'number') life.pid = pid
    life.loading = false
    if (life.upSinceMs === undefined) this.begin(life)
  }

  private begin(life: Life): void {
    const nowMs = this.clock.nowMs()
    life.upSinceMs = nowMs
    this.cancelTimer()
    this.armBeat(life, nowMs)
    this.role.started()
    this.begun()
  }

  private beat(life: Life, dueMs: number): void {
    if (this.life !== life || life.verdict !== undefined || this.closed) return
    const nowMs = this.clock.nowMs()
    // Our own event loop stood still: what the child said meanwhile is still unread.
    if (nowMs - dueMs > LATE_BEAT_MS) life.lastHeardMs += nowMs - dueMs
    const owesSinceMs = life.loading ? undefined : this.role.owesSinceMs()
    if (
      owesSinceMs !== undefined &&
      nowMs - Math.max(owesSinceMs, life.lastHeardMs) > this.timeoutMs
    ) {
      this.condemn(
        life,
        new EngineError('SHELL_TIMED_OUT', `gave no sign of life for ${this.timeoutMs / 1000} s`, {
          hint: 'Raise topology.subprocess.timeout.secs if it may be busy for so long; see its last stderr lines if not.',
        }),
      )
      return
    }
    this.armBeat(life, nowMs)
    this.role.beat(nowMs)
    this.flush()
  }

  // The beats of all children come at the same moments: an idle process wakes up once for all of them.
  private armBeat(life: Life, nowMs: number): void {
    const waitMs = alignedMs(nowMs, BEAT_MS)
    this.cancelBeat = this.clock.after(waitMs, () => this.beat(life, nowMs + waitMs))
  }

  private condemn(life: Life, verdict: EngineError): void {
    if (this.life !== life || life.verdict !== undefined) return
    life.verdict = verdict
    this.cancelTimer()
    this.cancelBeat()
    this.role.lost()
    // Its end is told by the event; stop() itself has nothing to say.
    void life.process?.stop()
  }

  private ended(life: Life, exit: ShellExit): void {
    if (this.life !== life) return
    this.cancelBeat()
    if (this.closed) {
      this.life = undefined
      return
    }
    const nowMs = this.clock.nowMs()
    if (life.verdict === undefined) this.role.lost()
    const { lastError } = life
    const error = deathError({
      componentId: this.options.context.componentId,
      taskId: this.options.context.taskId,
      command: this.options.shell.command,
      pid: life.pid,
      exit,
      verdict: life.verdict,
      lastError:
        lastError !== undefined && nowMs - lastError.atMs <= LAST_ERROR_MS
          ? lastError.text
          : undefined,
      leftover: life.reader.leftover(),
      handshakeDone: life.upSinceMs !== undefined,
    })
    this.options.reportError(error)
    this.begun()
    this.launchLater(life.upSinceMs === undefined ? 0 : nowMs - life.upSinceMs)
  }

  private startFailed(life: Life, cause: Error): void {
    if (this.life !== life || this.closed) return
    const { shell, context } = this.options
    const error = startError(
      {
        componentId: context.componentId,
        taskId: context.taskId,
        command: shell.command,
        directory: shell.changeChildCwd ? context.resources : process.cwd(),
      },
      cause,
    )
    if (this.first !== undefined) {
      this.closed = true
      this.life = undefined
      this.first.reject(error)
      return
    }
    this.options.reportError(error)
    this.launchLater(0)
  }

  private launchLater(upForMs: number): void {
    this.life = undefined
    const delayMs = this.backoff.delayAfterMs(upForMs)
    this.cancelTimer()
    if (delayMs === 0) this.launch()
    else this.cancelTimer = this.clock.after(delayMs, () => this.launch())
  }

  private stray(life: Life, text: string): void {
    const shown = text.length > STRAY_MAX ? `${text.slice(0, STRAY_MAX)}…` : text
    this.log(life, 'info', `stdout: ${shown}`)
  }

  private log(life: Life, level: ReturnType<typeof levelOf>, text: string): void {
    const { context } = this.options
    context.log.write(level, `ShellLog pid:${life.pid ?? ''}, name:${context.componentId} ${text}`)
  }
}

// Anything thrown while a child's output is handled ends that child and nothing more, our own mistakes included.
function verdictOf(thrown: unknown): EngineError {
  if (thrown instanceof EngineError) return thrown
  const cause = asError(thrown)
  return new EngineError('BUG', `sent something whose handling failed: ${cause.message}`, { cause })
}
