// The real process of a shell component. It runs in a process group of its own, so that ending it ends what it started
// too; its stderr is always read, since a child that cannot write there stops; and writing to it after its death is no
// error, because its death is told by another way. Nothing outlives stop().
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import type { ShellClock } from './clock.ts'
import { kernelPipe } from './kernel-pipe.ts'
import { emptyPidDir, livingPids } from './pid-files.ts'
import {
  type ShellExit,
  type ShellProcess,
  type ShellProcessEvents,
  type ShellSpawnOptions,
  STDERR_LINES_KEPT,
} from './shell-process.ts'

/** Time between SIGTERM and SIGKILL: enough for a child to write its last lines, short enough for a kill to be quick. */
export const KILL_GRACE_MS = 2_000

/** How long output is still read after the process has gone; only its own descendants can hold the pipe open. */
const OUTPUT_AFTER_EXIT_MS = 1_000

/** A child that closed its stdin or stdout can do no more work; it gets this long to end by itself. */
const HALF_CLOSED_MS = 1_000

/** A longer stderr line is cut: the tail is for people, and a line without end must not fill our memory. */
const STDERR_LINE_MAX = 8 * 1024

/** Starts the process. Throws where nothing can be tried at all; a program not found is told by `startFailed`. */
export function spawnShell(options: ShellSpawnOptions, events: ShellProcessEvents): ShellProcess {
  return new NodeShellProcess(options, events)
}

class NodeShellProcess implements ShellProcess {
  private readonly child: ChildProcess
  private readonly stdout: Readable
  // Of the process with its stderr, and of its stdout where that is a pipe of ours.
  private endsMissing = 1
  private readonly events: ShellProcessEvents
  private readonly clock: ShellClock
  private readonly pidDir: string
  private readonly stderrTail: string[] = []
  private exit: { code: number | null; signal: string | null } | undefined
  private over = false
  private stopping: Promise<void> | undefined
  private readonly onOver: (() => void)[] = []
  private readonly timers: (() => void)[] = []
  private readonly stderrDecoder = new StringDecoder('utf8')
  private stderrRest = ''
  // Not the 'drain' event: that one only comes after a write beyond the high-water mark.
  private readonly onWritten = (): void => {
    if (!this.over && this.unwrittenBytes === 0) this.events.drained()
  }

  constructor(options: ShellSpawnOptions, events: ShellProcessEvents) {
    this.events = events
    this.clock = options.clock
    this.pidDir = options.pidDir
    emptyPidDir(options.pidDir)
    const [program = '', ...rest] = options.command
    const pipe = kernelPipe(join(options.pidDir, 'stdout'))
    try {
      this.child = spawn(program, rest, {
        cwd: options.changeChildCwd ? options.resources : process.cwd(),
        env: childEnvironment(options.env),
        detached: true,
        stdio: ['pipe', pipe?.fd ?? 'pipe', 'pipe'],
      })
    } catch (error) {
      pipe?.reader.destroy()
      throw error
    } finally {
      if (pipe !== undefined) closeSync(pipe.fd)
    }
    this.stdout = pipe?.reader ?? this.child.stdout!
    this.listen()
    if (pipe !== undefined) {
      this.endsMissing++
      pipe.reader.on('close', () => this.endOf())
    }
  }

  get pid(): number | undefined {
    return this.child.pid
  }

  get unwrittenBytes(): number {
    return this.child.stdin!.writableLength
  }

  write(data: string | Buffer): void {
    const stdin = this.child.stdin!
    if (!stdin.writable) return
    stdin.write(data, this.onWritten)
  }

  pause(paused: boolean): void {
    if (paused) this.stdout.pause()
    else this.stdout.resume()
  }

  stop(): Promise<void> {
    this.stopping ??= this.stopNow()
    return this.stopping
  }

  private listen(): void {
    const { child, events, stdout } = this
    child.on('error', error => {
      if (child.pid !== undefined || this.over) return
      this.finish()
      events.startFailed(error)
    })
    child.on('exit', (code, signal) => {
      this.exit = { code, signal }
      // Paused output would hold back the end of the stream, and what was said before the death counts.
      stdout.resume()
      this.later(OUTPUT_AFTER_EXIT_MS, () => this.end())
    })
    child.on('close', () => this.endOf())
    stdout.on('data', (chunk: Buffer) => events.output(chunk))
    stdout.on('end', () => this.endSoon())
    stdout.on('error', () => this.endSoon())
    // EPIPE: the child no longer reads. Either it is dead, or it is to be ended.
    child.stdin!.on('error', () => this.endSoon())
    child.stderr!.on('error', () => this.endSoon())
    child.stderr!.on('data', (chunk: Buffer) => this.stderr(this.stderrDecoder.write(chunk)))
  }

  private stderr(text: string): void {
    const lines = (this.stderrRest + text).split(/\r?\n/)
    const rest = lines.pop() ?? ''
    for (const line of lines) this.stderrLine(line)
    this.stderrRest = rest
    if (rest.length <= STDERR_LINE_MAX) return
    this.stderrRest = ''
    this.stderrLine(rest)
  }

  private stderrLine(line: string): void {
    const text = line.length > STDERR_LINE_MAX ? `${line.slice(0, STDERR_LINE_MAX)}…` : line
    this.stderrTail.push(text)
    if (this.stderrTail.length > STDERR_LINES_KEPT) this.stderrTail.shift()
    this.events.stderrLine(text)
  }

  // A pipe was closed by the other side: without an exit soon after, the process is of no more use.
  private endSoon(): void {
    if (this.over || this.exit !== undefined) return
    this.later(HALF_CLOSED_MS, () => {
      if (!this.over && this.exit === undefined) void this.stop()
    })
  }

  private endOf(): void {
    if (--this.endsMissing === 0) this.end()
  }

  private end(): void {
    if (this.over || this.exit === undefined) return
    // What the child left running belongs to it and goes with it.
    this.signalAll('SIGKILL')
    if (this.stderrRest !== '') this.stderr('\n')
    const exit: ShellExit = { ...this.exit, stderrTail: [...this.stderrTail] }
    this.finish()
    this.events.ended(exit)
  }

  private finish(): void {
    this.over = true
    for (const cancel of this.timers) cancel()
    this.child.stdin?.destroy()
    this.stdout.destroy()
    this.child.stderr?.destroy()
    for (const resolve of this.onOver) resolve()
  }

  private async stopNow(): Promise<void> {
    if (this.over) return
    const gone = new Promise<void>(resolve => this.onOver.push(resolve))
    // Paused output would hold back the end of the stream.
    this.stdout.resume()
    this.child.stdin!.end()
    this.signalAll('SIGTERM')
    this.later(KILL_GRACE_MS, () => this.signalAll('SIGKILL'))
    await gone
  }

  private signalAll(signal: 'SIGTERM' | 'SIGKILL'): void {
    const pid = this.child.pid
    if (pid === undefined) return
    sendSignal(-pid, signal)
    for (const other of livingPids(this.pidDir)) if (other !== pid) sendSignal(other, signal)
  }

  private later(delayMs: number, action: () => void): void {
    this.timers.push(this.clock.after(delayMs, action))
  }
}

function sendSignal(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch (thrown) {
    // ESRCH: gone already, which is what is wanted. EPERM: it became somebody else's (a setuid program).
    const code = (thrown as NodeJS.ErrnoException).code
    if (code !== 'ESRCH' && code !== 'EPERM') throw thrown
  }
}

/** Our environment with the component's on top; its PATH is added behind ours, as Storm does. */
export function childEnvironment(
  env: Readonly<Record<string, string>>,
  ours: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const merged: NodeJS.ProcessEnv = { ...ours, ...env }
  if (env.PATH !== undefined && ours.PATH !== undefined && ours.PATH !== '') {
    merged.PATH = `${ours.PATH}:${env.PATH}`
  }
  return merged
}
