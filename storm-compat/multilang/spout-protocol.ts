// A spout's side of the shell protocol, as a state machine over messages. A child handles one command at a time: each
// `next`, `ack`, `fail`, `activate` and `deactivate` is a turn of its own that ends with the child's `sync`, and inside
// an open turn nothing is sent but the task ids it asks for. Message ids are any JSON value and go back as they came.
import { asError } from 'gearpump/spi'
import type { SpoutOutputCollector } from '../component/api.ts'
import { protocolError, readEmit, type ShellMessage } from './commands.ts'
import type { ShellRole } from './shell-role.ts'
import type { WireWriter } from './wire.ts'

/** What the protocol needs of the host. */
export interface SpoutLink {
  readonly up: boolean
  readonly writer: WireWriter
  nowMs(): number
  flushSoon(): void
}

/**
 * How long `activate` and `deactivate` wait for their `sync`. Libraries from before these commands never answer them;
 * a child that only takes longer reads the next command when it is done.
 */
export const ACTIVATION_MS = 1_000

interface Turn {
  readonly message: { readonly command: string; readonly id: unknown }
  readonly done: () => void
}

const DONE = Promise.resolve()

export class SpoutProtocol implements ShellRole {
  private readonly link: SpoutLink
  private readonly collector: SpoutOutputCollector
  /** Turns that wait for the open one. The runner holds its calls, so this is seldom more than one. */
  private waiting: Turn[] = []
  private open: Turn | undefined
  private openSinceMs = 0
  private active = false
  private parked: (() => void)[] = []
  private abandoned = false

  constructor(link: SpoutLink, collector: SpoutOutputCollector) {
    this.link = link
    this.collector = collector
  }

  /** One `next` turn; resolves at its `sync`, or when the process was lost. Only while the link is up. */
  next(): Promise<void> {
    return this.turn('next', '')
  }

  ack(messageId: unknown): Promise<void> {
    return this.turn('ack', messageId)
  }

  fail(messageId: unknown): Promise<void> {
    return this.turn('fail', messageId)
  }

  activate(): Promise<void> {
    this.active = true
    return this.turn('activate', '')
  }

  deactivate(): Promise<void> {
    this.active = false
    return this.turn('deactivate', '')
  }

  /** Resolves when a process is up, or release() is called. */
  untilUp(): Promise<void> {
    if (this.link.up || this.abandoned) return DONE
    return new Promise(resolve => this.parked.push(resolve))
  }

  /** Lets every waiting call go. */
  release(): void {
    const parked = this.parked
    this.parked = []
    for (const resolve of parked) resolve()
  }

  /** Ends every turn and every wait: the component is closing. */
  abandon(): void {
    this.abandoned = true
    this.release()
    this.endTurns()
  }

  started(): void {
    // A successor is told what its predecessor was.
    if (this.active) this.waiting.unshift(turnOf('activate', '', () => undefined))
    this.release()
  }

  fill(): boolean {
    if (this.open !== undefined) return false
    const turn = this.waiting.shift()
    if (turn === undefined) return false
    this.open = turn
    this.openSinceMs = this.link.nowMs()
    this.link.writer.add(turn.message)
    return false
  }

  owesSinceMs(): number | undefined {
    return this.open === undefined ? undefined : this.openSinceMs
  }

  // Spouts get no heartbeats: their turns show whether they live.
  beat(nowMs: number): void {
    const command = this.open?.message.command
    if (command !== 'activate' && command !== 'deactivate') return
    if (nowMs - this.openSinceMs >= ACTIVATION_MS) this.sync()
  }

  lost(): void {
    // Before the turns end: a runner that goes on must not find roots of the dead process.
    this.collector.orphanAll()
    this.endTurns()
  }

  command(command: string, message: ShellMessage): void {
    switch (command) {
      case 'emit':
        this.emit(message)
        break
      case 'sync':
        this.sync()
        break
      default:
        throw protocolError(`sent the command "${command}", which a spout does not have`)
    }
  }

  // A process that is not up gets nothing: what is active is told to its successor, and the rest was never its.
  private turn(command: string, id: unknown): Promise<void> {
    if (!this.link.up) return DONE
    return new Promise(resolve => {
      this.waiting.push(turnOf(command, id, resolve))
      this.link.flushSoon()
    })
  }

  private endTurns(): void {
    const ended = this.open === undefined ? this.waiting : [this.open, ...this.waiting]
    this.open = undefined
    this.waiting = []
    for (const turn of ended) turn.done()
  }

  private sync(): void {
    const turn = this.open
    if (turn === undefined) return
    this.open = undefined
    turn.done()
  }

  private emit(message: ShellMessage): void {
    const { values, stream, id, task, wantsTaskIds } = readEmit(message)
    let ids: readonly number[] = []
    try {
      if (task === undefined) ids = this.collector.emit(values, id, stream)
      else this.collector.emitDirect(task, values, id, stream)
    } catch (thrown) {
      throw protocolError(
        `emitted on stream "${stream}" in vain: ${asError(thrown).message}`,
        thrown,
      )
    }
    if (wantsTaskIds && this.link.up) this.link.writer.add(ids)
  }
}

function turnOf(command: string, id: unknown, done: () => void): Turn {
  return { message: { command, id }, done }
}
