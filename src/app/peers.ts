// The other executors of the application as this one sees them: an outbox, an inlet and a link each; heartbeats on
// sessions with open positions; fencing of those that died, fell silent or lost their connection.
import { everyAligned, type Timer, WAKE_GRID_MS } from '../base/environment.ts'
import { asError, EngineError } from '../base/errors.ts'
import { Credits } from '../task/credits.ts'
import { Inlet, type LocalTasks } from '../task/inlet.ts'
import { Outbox, RemoteTask } from '../task/outbox.ts'
import type { RunnerHost } from '../task/runner-host.ts'
import { decodeFrame, FrameKind } from '../transport/frame.ts'
import type { FramePool } from '../transport/frame-pool.ts'
import type { Link, LinkHandler } from '../transport/link.ts'
import type { Serialisers } from '../transport/serialisers.ts'
import type { Plan } from './plan.ts'

/** Sessions with open positions send an empty frame when so long nothing else did. */
const HEARTBEAT_MS = 4 * WAKE_GRID_MS
/** A peer silent for so long, while something is expected of it, is fenced without asking anybody. */
const SILENT_MAX_MS = 10_000

interface Peer {
  readonly executorId: number
  readonly outbox: Outbox
  readonly inlet: Inlet
}

export class Peers {
  readonly credits: Credits
  tasks!: LocalTasks
  readonly #host: RunnerHost
  readonly #serialisers: Serialisers
  readonly #pool: FramePool | undefined
  readonly #peers = new Map<number, Peer>()
  readonly #remotes = new Map<number, RemoteTask>()
  #list: Peer[] = []
  // The largest id known. Ids only grow, and new ones are told of in their order.
  #newestId = 0
  #heartbeat: Timer | undefined = undefined

  constructor(host: RunnerHost, plan: Plan, serialisers: Serialisers, pool?: FramePool) {
    this.#pool = pool
    this.#host = host
    this.#serialisers = serialisers
    this.credits = new Credits(host.profile.creditWindow)
    for (const [task, executor] of plan.placement) {
      if (executor === host.executorId) continue
      this.#remotes.set(task, new RemoteTask(task, this.#peer(executor).outbox))
    }
    for (const executor of plan.executors) if (executor !== host.executorId) this.#peer(executor)
    if (plan.executors.length > 1) {
      this.#heartbeat = everyAligned(host.environment, HEARTBEAT_MS, () => this.#beat())
    }
  }

  #peer(executorId: number): Peer {
    let peer = this.#peers.get(executorId)
    if (peer === undefined) {
      const outbox = new Outbox(this.#host, executorId, this.#serialisers, this.#pool)
      // The inlet reads `tasks` when frames arrive, which is after the runners are built.
      const tasks: LocalTasks = {
        task: id => this.tasks.task(id),
        ofEdge: edge => this.tasks.ofEdge(edge),
        misdirected: (...args) => this.tasks.misdirected(...args),
      }
      peer = { executorId, outbox, inlet: new Inlet(this.#host, tasks, this.credits, outbox) }
      this.#peers.set(executorId, peer)
      this.#newestId = Math.max(this.#newestId, executorId)
      this.#list = [...this.#peers.values()]
    }
    return peer
  }

  remote(taskId: number): RemoteTask {
    return this.#remotes.get(taskId)!
  }

  /** Nothing sent and unfinished, or waiting to be sent. */
  get quiet(): boolean {
    return this.#list.every(peer => peer.outbox.quiet)
  }

  get outboxes(): readonly Outbox[] {
    return this.#list.map(peer => peer.outbox)
  }

  get connectedIds(): number[] {
    return this.#list.filter(peer => peer.outbox.connected).map(peer => peer.executorId)
  }

  /** End of a turn: watermarks first, they cost nothing to handle; then data. */
  flush(): void {
    for (const peer of this.#list) {
      peer.inlet.flush()
      peer.outbox.flush()
    }
  }

  /** Whether that executor was replaced by another: what it still has to say is not heard. */
  isGone(executorId: number): boolean {
    return executorId <= this.#newestId && !this.#peers.has(executorId)
  }

  /** A link to that executor is up. Returns what handles its frames. */
  attach(executorId: number, link: Link): LinkHandler {
    const peer = this.#peer(executorId)
    if (peer.outbox.connected) peer.inlet.close()
    peer.outbox.attach(link)
    return {
      onFrame: (kind, body) => this.#onFrame(peer, kind, body),
      onClose: reason => {
        if (this.#peers.get(executorId) !== peer || !peer.outbox.detach(link)) return
        peer.inlet.close()
        if (reason !== undefined) this.#host.report(0, linkLost(executorId, reason))
      },
      onDrain: () => undefined,
    }
  }

  #onFrame(peer: Peer, kind: number, body: Buffer): void {
    peer.outbox.lastHeardMs = this.#host.environment.monotonicMs()
    const frame = decodeFrame(kind, body, this.#serialisers)
    switch (frame.kind) {
      case FrameKind.DATA:
        peer.inlet.data(frame)
        peer.inlet.flushIfMuch()
        return
      case FrameKind.PROGRESS:
        peer.outbox.progress(frame)
        this.#host.loop.wake()
        return
      case FrameKind.GAP:
        peer.outbox.gap(frame.session)
        return
      case FrameKind.RENEW:
        peer.outbox.renewed(frame.session, frame.positions)
        this.#host.loop.wake()
        return
      case FrameKind.HELLO:
        return
    }
  }

  /** The app master says: `dead` is gone, its tasks run in `fresh` (0 = nowhere). */
  replace(dead: number, fresh: number): void {
    const old = this.#peers.get(dead)
    this.#peers.delete(dead)
    const outbox = fresh === 0 ? undefined : this.#peer(fresh).outbox
    this.#list = [...this.#peers.values()]
    if (old === undefined) return
    if (outbox !== undefined) {
      for (const remote of this.#remotes.values()) {
        if (remote.outbox === old.outbox) remote.outbox = outbox
      }
    }
    old.inlet.close()
    old.outbox.close()
  }

  /** Peers that another executor stands for in `plan`, as [here, there]. */
  differences(plan: Plan): (readonly [dead: number, fresh: number])[] {
    const found = new Map<number, number>()
    for (const [task, executor] of plan.placement) {
      const here = this.#remotes.get(task)?.outbox.executorId
      if (here !== undefined && here !== executor) found.set(here, executor)
    }
    return [...found]
  }

  startHalfPeriod(): void {
    for (const peer of this.#list) peer.inlet.startHalfPeriod()
  }

  #beat(): void {
    const nowMs = this.#host.environment.monotonicMs()
    for (const peer of this.#list) {
      if (!peer.outbox.expectsAnswer) {
        peer.outbox.lastHeardMs = nowMs
        continue
      }
      if (nowMs - peer.outbox.lastHeardMs > SILENT_MAX_MS) {
        peer.outbox.lastHeardMs = nowMs
        peer.outbox.fence()
        continue
      }
      peer.outbox.heartbeat()
    }
  }

  close(): void {
    this.#heartbeat?.cancel()
    for (const peer of this.#list) {
      peer.inlet.close()
      peer.outbox.close()
    }
    this.#peers.clear()
    this.#list = []
  }
}

function linkLost(executorId: number, reason: Error): EngineError {
  return new EngineError(
    'LINK_LOST',
    `the link to executor ${executorId} was lost: ${reason.message}`,
    {
      cause: asError(reason),
      hint: 'what it carried fails at its sources and is emitted again',
    },
  )
}
