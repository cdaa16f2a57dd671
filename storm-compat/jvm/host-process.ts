// The process of a JVM host, from its start to its end. The host speaks over a socket that it inherits as file descriptor 3; what
// is printed on stdout and stderr is read as lines, always, since a process that cannot write there stops. It ends by
// itself when the socket closes, so nothing is left behind when we die.
import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'

/** Time between the closing of the socket and SIGKILL: the host ends at once, unless it hangs. */
const END_GRACE_MS = 2_000
/** Last lines that are kept for the report of a death. */
const LINES_KEPT = 30
/** A longer line is cut; it is there for people. */
const LINE_MAX = 8 * 1024
/** How long output is still read after the process has gone; only what it started can hold the pipe open. */
const OUTPUT_AFTER_EXIT_MS = 1_000

export interface HostCommand {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
}

export interface HostExit {
  readonly code: number | null
  readonly signal: string | null
  readonly lastLines: readonly string[]
}

export interface HostEvents {
  /** A chunk from the socket. */
  data(chunk: Buffer): void
  /** What was printed. */
  line(text: string): void
  /** Told exactly once, when the process has gone and all was told; not after startFailed. */
  ended(exit: HostExit): void
  startFailed(error: Error): void
}

export interface HostProcess {
  readonly pid: number | undefined
  /** Never throws, not even after the death. */
  write(bytes: Buffer): void
  /** Ends it. Resolves when it has gone. */
  stop(): Promise<void>
}

export type SpawnHost = (command: HostCommand, events: HostEvents) => HostProcess

/** Starts the process. A program that is not there is told by `startFailed`. */
export const spawnHost: SpawnHost = (command, events) => new NodeHostProcess(command, events)

class NodeHostProcess implements HostProcess {
  readonly #child: ChildProcess
  readonly #socket: Socket
  readonly #events: HostEvents
  readonly #lines: string[] = []
  #over = false
  #exit: { code: number | null; signal: string | null } | undefined = undefined
  #stopping: Promise<void> | undefined = undefined
  #killing: NodeJS.Timeout | undefined = undefined
  readonly #onOver: (() => void)[] = []

  constructor({ command, args, env, cwd }: HostCommand, events: HostEvents) {
    this.#events = events
    this.#child = spawn(command, [...args], {
      cwd,
      env: { ...process.env, ...env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    })
    this.#socket = this.#child.stdio[3] as unknown as Socket
    this.#listen()
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  write(bytes: Buffer): void {
    if (this.#socket.writable) this.#socket.write(bytes)
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stopNow()
    return this.#stopping
  }

  #listen(): void {
    const child = this.#child
    child.on('error', error => {
      if (child.pid !== undefined || this.#over) return
      this.#finish()
      this.#events.startFailed(error)
    })
    child.on('exit', (code, signal) => {
      this.#exit = { code, signal }
      setTimeout(() => this.#end(), OUTPUT_AFTER_EXIT_MS).unref()
    })
    child.on('close', () => this.#end())
    this.#socket.on('data', (chunk: Buffer) => this.#events.data(chunk))
    // The end of the process tells more than the end of its socket, and comes at once, with what it says last. One that
    // closed only the socket is of no use.
    this.#socket.on('error', () => this.#killLate())
    this.#socket.on('end', () => this.#killLate())
    for (const stream of [child.stdout!, child.stderr!]) {
      createInterface({ input: stream }).on('line', line => this.#line(line))
    }
  }

  #line(line: string): void {
    const text = line.length > LINE_MAX ? `${line.slice(0, LINE_MAX)}…` : line
    this.#lines.push(text)
    if (this.#lines.length > LINES_KEPT) this.#lines.shift()
    this.#events.line(text)
  }

  #end(): void {
    if (this.#over || this.#exit === undefined) return
    // What user code left running in its group goes with it.
    this.#kill()
    this.#finish()
    this.#events.ended({ ...this.#exit, lastLines: this.#lines })
  }

  #finish(): void {
    this.#over = true
    clearTimeout(this.#killing)
    this.#socket?.destroy()
    for (const resolve of this.#onOver) resolve()
  }

  async #stopNow(): Promise<void> {
    if (this.#over) return
    const gone = new Promise<void>(resolve => this.#onOver.push(resolve))
    this.#socket.end()
    this.#killLate()
    await gone
  }

  #killLate(): void {
    if (!this.#over) this.#killing ??= setTimeout(() => this.#kill(), END_GRACE_MS)
  }

  #kill(): void {
    const { pid } = this.#child
    if (pid === undefined) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch (thrown) {
      // ESRCH: gone already, which is what is wanted; EPERM: gone, and its number is another's.
      const { code } = thrown as NodeJS.ErrnoException
      if (code !== 'ESRCH' && code !== 'EPERM') throw thrown
    }
  }
}
