// A JVM host that is no process: it keeps what is written to it, and says what a test has it say. Time is moved by hand.
import type { LogLevel, TopologyContext } from '../../../../storm-compat/component/api.ts'
import { Frames } from '../../../../storm-compat/jvm/frames.ts'
import type { HostEvents, SpawnHost } from '../../../../storm-compat/jvm/host-process.ts'
import { FRAME, HOST_FRAME } from '../../../../storm-compat/jvm/host-protocol.ts'
import { Sidecar } from '../../../../storm-compat/jvm/sidecar.ts'
import { WireReader } from '../../../../storm-compat/jvm/wire-reader.ts'
import { WireWriter } from '../../../../storm-compat/jvm/wire-writer.ts'

export class ManualClock {
  #nowMs = 0
  #timers: { atMs: number; action: () => void }[] = []

  nowMs = (): number => this.#nowMs

  after = (delayMs: number, action: () => void): (() => void) => {
    const timer = { atMs: this.#nowMs + delayMs, action }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter(other => other !== timer)
    }
  }

  move(byMs: number): void {
    const untilMs = this.#nowMs + byMs
    for (;;) {
      const [next] = this.#timers.sort((a, b) => a.atMs - b.atMs)
      if (next === undefined || next.atMs > untilMs) break
      this.#timers.shift()
      this.#nowMs = next.atMs
      next.action()
    }
    this.#nowMs = untilMs
  }
}

/** One process of the host. */
export class FakeHost {
  readonly events: HostEvents
  stopped = false
  /** Frames that were written to it: kind, and what follows. */
  readonly frames: { kind: number; content: Buffer }[] = []
  readonly #cut = new Frames((bytes, start, end) => {
    this.frames.push({ kind: bytes[start]!, content: Buffer.from(bytes.subarray(start + 1, end)) })
  })

  constructor(events: HostEvents) {
    this.events = events
  }

  write(bytes: Buffer): void {
    this.#cut.push(bytes)
  }

  says(...frames: readonly Buffer[]): void {
    this.events.data(Buffer.concat(frames))
  }

  ready(): void {
    this.says(frame(HOST_FRAME.READY, writer => writer.value(null)))
  }

  ends(): void {
    this.events.ended({ code: 1, signal: null, lastLines: [] })
  }

  /** Channels of the openings, in their order. */
  opened(): number[] {
    return this.frames.filter(({ kind }) => kind === FRAME.OPEN).map(channelOf)
  }

  /** The records of all batches for a channel, one after the other. */
  records(channel: number): WireReader {
    const batches = this.frames.filter(
      written => written.kind === FRAME.BATCH && channelOf(written) === channel,
    )
    const bytes = Buffer.concat(batches.map(({ content }) => content.subarray(4)))
    const reader = new WireReader()
    reader.over(bytes, 0, bytes.length)
    return reader
  }

  count(kind: number): number {
    return this.frames.filter(written => written.kind === kind).length
  }
}

function channelOf({ content }: { content: Buffer }): number {
  return content.readInt32BE(0)
}

export function frame(kind: number, write: (writer: WireWriter) => void): Buffer {
  const writer = new WireWriter()
  const start = writer.beginFrame(kind)
  write(writer)
  writer.endFrame(start)
  return Buffer.from(writer.content)
}

export function batch(channel: number, write: (writer: WireWriter) => void): Buffer {
  return frame(HOST_FRAME.BATCH, writer => {
    writer.i32(channel)
    write(writer)
  })
}

/** A sidecar with hosts of these; `hosts` is all that were started. */
export function fakeSidecar(): { sidecar: Sidecar; hosts: FakeHost[]; clock: ManualClock } {
  const hosts: FakeHost[] = []
  const clock = new ManualClock()
  const spawn: SpawnHost = (_command, events) => {
    const host = new FakeHost(events)
    hosts.push(host)
    return {
      pid: hosts.length,
      write: bytes => host.write(bytes),
      stop: () => {
        host.stopped = true
        return Promise.resolve()
      },
    }
  }
  const command = { command: 'java', args: [], env: {}, cwd: '/' }
  const plan = () => ({ command, setup: {}, line: '2' as const })
  return { sidecar: new Sidecar({ plan, spawn, clock }), hosts, clock }
}

/** As much of a context as the Java side looks at. */
export function contextOf(taskId: number, componentId = 'count'): TopologyContext {
  const shuffle = new Map([['default', { type: 'SHUFFLE' as const }]])
  return {
    taskId,
    componentId,
    streams: new Map([['default', ['word']]]),
    targets: new Map([['default', new Map([['next', { type: 'SHUFFLE' as const }]])]]),
    sources: new Map([['words', shuffle]]),
    log: { write: (_level: LogLevel, _text: string) => undefined },
    metric: () => undefined,
  } as unknown as TopologyContext
}
