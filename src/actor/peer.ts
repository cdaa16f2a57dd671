// Another node, seen from here: the link in use, made on demand and made again with back-off; what waits while there is
// none; and the watches on its actors, which outlive a link and end when the node is really gone.

import { Backoff } from '../base/backoff.ts'
import type { Environment, Timer } from '../base/environment.ts'
import type { EngineError } from '../base/errors.ts'
import type { Address } from '../transport/link.ts'
import type { OnDown, Watch } from './actor.ts'
import type { Ask } from './asks.ts'
import { nodeUnreachable, overloaded } from './failures.ts'
import { checkName, type NodeFrames } from './node-frames.ts'
import type { LinkEnd, NodeLink, WatchEvents } from './node-link.ts'
import { WATCHES_MAX } from './served-node.ts'
import { Watcher } from './watcher.ts'

/** What waits for a node that is being connected to. */
export const WAITING_BYTES_MAX = 4 * 1024 * 1024

// A node that comes back is found soon; one that is down is not hammered.
const BACKOFF = { firstMs: 100, maxMs: 2_000, healthyMs: 10_000 }

/** What a peer needs of its node. */
export interface PeerHost {
  readonly environment: Environment
  readonly frames: NodeFrames
  readonly unreachableMs: number
  /** Begins to connect. `over` is called once: when the link is up, after `adopt`, or with the reason why not. */
  dial(address: Address, over: (end: LinkEnd | undefined) => void): void
  debug(text: string): void
  warn(text: string): void
  /** Nothing keeps this peer: no link, no watch, nothing waiting. */
  idle(peer: Peer): void
}

interface Waiting {
  frame: Buffer
  ask: Ask | undefined
  what: string
}

interface RemoteWatch {
  name: string
  /** Of the actor; learnt from the node if the watcher did not know it. */
  incarnation: string | undefined
  /** The process that was asked to tell us; another one at its address means that the actor is gone. */
  process: string | undefined
  watcher: Watcher
}

export class Peer implements WatchEvents {
  readonly address: Address
  readonly #host: PeerHost
  readonly #backoff = new Backoff(BACKOFF)
  readonly #watches = new Map<number, RemoteWatch>()
  #lastWatchId = 0
  #link: NodeLink | undefined
  // All that are up, that one among them. Both sides may make one at the same time; each then uses its own.
  readonly #links = new Set<NodeLink>()
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #attempt: { limit: Timer } | undefined
  #retry: Timer | undefined
  #notBeforeMs = 0
  // Runs while watches have no link: when it is over the node is gone.
  #lapse: Timer | undefined
  #lastFailure = 'not connected yet'
  #closed = false

  constructor(host: PeerHost, address: Address) {
    this.#host = host
    this.address = address
  }

  /** Nothing would be lost with it: not even that it is too early to try again. */
  get unused(): boolean {
    return (
      this.#links.size === 0 &&
      this.#watches.size === 0 &&
      this.#waiting.length === 0 &&
      this.#attempt === undefined &&
      this.#host.environment.monotonicMs() >= this.#notBeforeMs
    )
  }

  // ---- calls

  /** Sends a call, now or when connected. Throws OVERLOADED. */
  call(frame: Buffer, ask: Ask | undefined, what: string): void {
    if (this.#link !== undefined) {
      this.#link.call(frame, ask)
      return
    }
    if (this.#waitingBytes + frame.length > WAITING_BYTES_MAX) {
      throw overloaded(`too much waits for a link, among it ${what}`, WAITING_BYTES_MAX)
    }
    this.#waiting.push({ frame, ask, what })
    this.#waitingBytes += frame.length
    this.#connect()
  }

  // ---- watches

  get watching(): boolean {
    return this.#watches.size > 0
  }

  watch(name: string, incarnation: string | undefined, onDown: OnDown): Watch {
    const { environment, frames } = this.#host
    if (this.#watches.size >= WATCHES_MAX) {
      throw overloaded(`too many watches on one node, among them on ${name}`, WATCHES_MAX)
    }
    checkName(name)
    const id = this.#nextWatchId()
    const watcher = new Watcher(onDown, () => {
      if (this.#watches.delete(id)) this.#link?.send(frames.unwatch(id))
      this.#settle()
    })
    const watch: RemoteWatch = { name, incarnation, process: undefined, watcher }
    this.#watches.set(id, watch)
    if (this.#link !== undefined) {
      this.#sendWatch(this.#link, id, watch)
      this.#link.beat()
    } else {
      this.#lapse ??= environment.after(this.#host.unreachableMs, () => this.#lapsed())
      this.#connect()
    }
    return watcher
  }

  onWatched(id: number, incarnation: string): void {
    const watch = this.#watches.get(id)
    if (watch !== undefined) watch.incarnation = incarnation
  }

  onDown(id: number, reason: string): void {
    const watch = this.#watches.get(id)
    this.#watches.delete(id)
    watch?.watcher.tell(reason)
  }

  // ---- links

  /** A link with this node has come up, whoever made it. */
  adopt(link: NodeLink): void {
    const old = [...this.#links].filter(({ incarnation }) => incarnation !== link.incarnation)
    for (const one of old) this.#links.delete(one)
    this.#links.add(link)
    if (this.#link !== undefined && old.includes(this.#link)) this.#link = undefined
    for (const one of old) one.fail('another process is at its address')
    if (this.#link === undefined) this.#use(link)
  }

  ended(link: NodeLink, end: LinkEnd): void {
    this.#links.delete(link)
    link.peer = undefined
    if (link === this.#link) {
      this.#link = undefined
      const [next] = this.#links
      if (end.silent) this.#down(end.error.message)
      else if (this.#closed) this.#host.debug(end.error.message)
      else if (next !== undefined) this.#use(next)
      else this.#lost(end)
    }
    this.#settle()
  }

  /** Our node closes: nothing more is sent or told. */
  close(error: EngineError): void {
    this.#closed = true
    this.#refuseWaiting(error)
    for (const { watcher } of [...this.#watches.values()]) watcher.cancel()
    for (const link of [...this.#links]) link.fail('this node closes')
    this.#attempt?.limit.cancel()
    this.#retry?.cancel()
    this.#lapse?.cancel()
  }

  #use(link: NodeLink): void {
    this.#link = link
    link.peer = this
    this.#lapse?.cancel()
    this.#lapse = undefined
    this.#retry?.cancel()
    this.#retry = undefined
    for (const [id, watch] of [...this.#watches]) {
      const known = watch.process ?? link.incarnation
      if (known === link.incarnation) this.#sendWatch(link, id, watch)
      else watch.watcher.tell('its node has been started anew')
    }
    if (this.#watches.size > 0) link.beat()
    for (const { frame, ask } of this.#takeWaiting()) {
      if (ask?.ended === true) continue
      // Less waits than a link may hold: there is room.
      link.call(frame, ask)
    }
  }

  #lost(end: LinkEnd): void {
    this.#failed(end)
    if (this.#watches.size === 0) return
    this.#lapse ??= this.#host.environment.after(this.#host.unreachableMs, () => this.#lapsed())
    this.#connect()
  }

  #sendWatch(link: NodeLink, id: number, watch: RemoteWatch): void {
    watch.process = link.incarnation
    link.send(this.#host.frames.watch(id, watch.name, watch.incarnation))
  }

  #lapsed(): void {
    this.#lapse = undefined
    this.#down(`its node cannot be reached: ${this.#lastFailure}`)
    this.#settle()
  }

  #down(reason: string): void {
    this.#host.warn(`down: ${reason}`)
    const error = nodeUnreachable(this.address, reason)
    if (this.#attempt !== undefined) {
      // Whoever calls next gets an attempt of its own, not the rest of this one.
      this.#attempt.limit.cancel()
      this.#attempt = undefined
      this.#failed({ error, silent: true, refused: false })
    }
    this.#refuseWaiting(error)
    this.#tellAll(reason)
  }

  #tellAll(reason: string): void {
    for (const { watcher } of [...this.#watches.values()]) watcher.tell(reason)
  }

  // ---- connecting

  #connect(): void {
    if (this.#closed || this.#attempt !== undefined || this.#retry !== undefined) return
    const { environment } = this.#host
    const waitMs = this.#notBeforeMs - environment.monotonicMs()
    if (waitMs <= 0) {
      this.#dial()
      return
    }
    this.#retry = environment.after(waitMs, () => {
      this.#retry = undefined
      if (this.#wanted) this.#dial()
      else this.#settle()
    })
  }

  get #wanted(): boolean {
    return this.#watches.size > 0 || this.#waiting.some(({ ask }) => ask?.ended !== true)
  }

  #dial(): void {
    const { environment, unreachableMs } = this.#host
    const limit = environment.after(unreachableMs, () => {
      const error = nodeUnreachable(this.address, `no answer within ${unreachableMs} ms`)
      over({ error, silent: true, refused: false })
    })
    const attempt = { limit }
    const over = (end: LinkEnd | undefined): void => {
      if (this.#attempt !== attempt) return
      this.#attempt = undefined
      limit.cancel()
      // Even if ours has failed: the other side may have made a link meanwhile.
      if (end === undefined || this.#link !== undefined || this.#closed) return
      this.#failed(end)
      this.#refuseWaiting(end.error)
      if (end.refused) this.#tellAll(end.error.message)
      if (this.#watches.size > 0) this.#connect()
      this.#settle()
    }
    this.#attempt = attempt
    this.#backoff.started(environment.monotonicMs())
    this.#host.dial(this.address, over)
  }

  #failed({ error }: LinkEnd): void {
    const { environment } = this.#host
    this.#lastFailure = error.message
    const nowMs = environment.monotonicMs()
    // Half of the wait is drawn: those who have lost the same node do not come back all at once.
    const waitMs = this.#backoff.failed(nowMs) * (0.5 + environment.random() / 2)
    this.#notBeforeMs = nowMs + waitMs
    this.#host.debug(`not linked: ${error.message}`)
  }

  #takeWaiting(): Waiting[] {
    const waiting = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    return waiting
  }

  #refuseWaiting(error: EngineError): void {
    for (const { ask, what } of this.#takeWaiting()) {
      if (ask === undefined) this.#host.debug(`${what} dropped: ${error.message}`)
      else ask.fail(error)
    }
  }

  #settle(): void {
    if (this.#watches.size === 0) {
      this.#lapse?.cancel()
      this.#lapse = undefined
    }
    if (!this.#wanted) {
      // At most asks that have timed out.
      this.#takeWaiting()
      this.#retry?.cancel()
      this.#retry = undefined
    }
    if (this.unused) this.#host.idle(this)
  }

  #nextWatchId(): number {
    do this.#lastWatchId = (this.#lastWatchId + 1) >>> 0
    while (this.#watches.has(this.#lastWatchId))
    return this.#lastWatchId
  }
}
