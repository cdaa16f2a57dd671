// A shell component's process for tests: in memory, scripted, with every write kept and time moved by hand. It speaks
// the real wire format, so framing is part of what is tested. Give `shell.spawn` and a ManualClock to a ShellBolt or
// ShellSpout as its dependencies.
import type { ShellClock } from './clock.ts'
import { jsonSerializer } from './json-framing.ts'
import type {
  ShellExit,
  ShellProcess,
  ShellProcessEvents,
  ShellSpawnOptions,
  SpawnShell,
} from './shell-process.ts'
import type { Serializer, WireReader } from './wire.ts'

/** What a child does with one message from the host: typically answers by `child.send`. */
export type FakeScript = (
  child: FakeChild,
  message: Record<string, unknown> | readonly number[],
) => void

/** Starts fake children, one after the other, and keeps them all. */
export class FakeShell {
  readonly children: FakeChild[] = []
  /** Set to have the next starts fail, as with a program that is not there. */
  startError: Error | undefined
  private readonly script: FakeScript
  private readonly serializer: Serializer

  constructor(script: FakeScript = sayPid, serializer: Serializer = jsonSerializer) {
    this.script = script
    this.serializer = serializer
  }

  /** The latest child. */
  get child(): FakeChild {
    const child = this.children.at(-1)
    if (child === undefined) throw new Error('no child was started yet')
    return child
  }

  readonly spawn: SpawnShell = (options, events) => {
    const { startError } = this
    const child = new FakeChild(1001 + this.children.length, options, events, {
      serializer: this.serializer,
      script: this.script,
    })
    if (startError === undefined) this.children.push(child)
    else queueMicrotask(() => events.startFailed(startError))
    return child
  }
}

/** The least script: answers the handshake, and nothing else. */
export function sayPid(
  child: FakeChild,
  message: Record<string, unknown> | readonly number[],
): void {
  if ('pidDir' in message) child.send({ pid: child.pid })
}

export class FakeChild implements ShellProcess {
  readonly pid: number
  readonly options: ShellSpawnOptions
  /** Messages from the host, decoded. */
  readonly received: (Record<string, unknown> | readonly number[])[] = []
  /** The host's writes as they were made, one entry each. */
  readonly writes: (string | Buffer)[] = []
  /** How often the host asked to have the reading of stdout stopped or resumed. */
  readonly pauses: boolean[] = []
  /** Whether it ignores being stopped until exit() is called. */
  stubborn = false
  private readonly events: ShellProcessEvents
  private readonly reader: WireReader
  private readonly serializer: Serializer
  private readonly script: FakeScript
  private held: (string | Buffer)[] | undefined
  private readonly stderrTail: string[] = []
  private over = false
  private onOver: (() => void)[] = []

  constructor(
    pid: number,
    options: ShellSpawnOptions,
    events: ShellProcessEvents,
    behaviour: { serializer: Serializer; script: FakeScript },
  ) {
    this.pid = pid
    this.options = options
    this.events = events
    this.serializer = behaviour.serializer
    this.reader = behaviour.serializer.reader()
    this.script = behaviour.script
  }

  get unwrittenBytes(): number {
    return (this.held ?? []).reduce((sum, data) => sum + data.length, 0)
  }

  get ended(): boolean {
    return this.over
  }

  write(data: string | Buffer): void {
    if (this.over) return
    this.writes.push(data)
    if (this.held === undefined) this.read(data)
    else this.held.push(data)
  }

  /** Sends messages to the host, all in one chunk. */
  send(...messages: unknown[]): void {
    const writer = this.serializer.writer()
    for (const message of messages) writer.add(message)
    this.sendRaw(writer.take() ?? '')
  }

  /** Sends bytes to the host as one chunk. */
  sendRaw(data: string | Uint8Array): void {
    if (!this.over) this.events.output(Buffer.from(data as string))
  }

  stderr(line: string): void {
    this.stderrTail.push(line)
    this.events.stderrLine(line)
  }

  /** Stops reading its stdin: writes pile up as unwritten bytes. */
  hold(): void {
    this.held ??= []
  }

  /** Reads what piled up, and goes on reading. */
  readOn(): void {
    const held = this.held ?? []
    this.held = undefined
    for (const data of held) this.read(data)
    this.events.drained()
  }

  exit(code: number | null, signal: string | null = null): void {
    if (this.over) return
    this.over = true
    const exit: ShellExit = { code, signal, stderrTail: this.stderrTail }
    this.events.ended(exit)
    for (const resolve of this.onOver) resolve()
  }

  pause(paused: boolean): void {
    this.pauses.push(paused)
  }

  async stop(): Promise<void> {
    if (this.over) return
    const gone = new Promise<void>(resolve => this.onOver.push(resolve))
    if (!this.stubborn) queueMicrotask(() => this.exit(null, 'SIGTERM'))
    await gone
  }

  // The script runs after the host's call, as a real child would answer later.
  private read(data: string | Buffer): void {
    this.reader.push(Buffer.from(data as string), {
      message: value => {
        const message = value as Record<string, unknown>
        this.received.push(message)
        queueMicrotask(() => {
          if (!this.over) this.script(this, message)
        })
      },
      stray: text => {
        throw new Error(`the host wrote something that is no message: ${text}`)
      },
    })
  }
}

/** Time that stands still until advance() is called; timers fire in order, each at its own time. */
export class ManualClock implements ShellClock {
  private now = 0
  private timers: { atMs: number; action: () => void }[] = []

  nowMs(): number {
    return this.now
  }

  after(delayMs: number, action: () => void): () => void {
    const timer = { atMs: this.now + delayMs, action }
    this.timers.push(timer)
    return () => {
      this.timers = this.timers.filter(other => other !== timer)
    }
  }

  advance(ms: number): void {
    const until = this.now + ms
    for (;;) {
      const due = this.timers
        .filter(timer => timer.atMs <= until)
        .sort((a, b) => a.atMs - b.atMs)[0]
      if (due === undefined) break
      this.timers = this.timers.filter(other => other !== due)
      this.now = Math.max(this.now, due.atMs)
      due.action()
    }
    this.now = until
  }

  /** Moves the time without firing: what a process sees that was held up. The timers are late then. */
  skip(ms: number): void {
    this.now += ms
  }
}
