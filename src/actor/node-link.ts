// One link between two nodes: greeting first, then calls, answers, watches and pings in both directions. Its asks end
// with it. What must outlive a link (watches, mail for a node that is being connected to) is the peer's business.

import type { Environment, Timer } from '../base/environment.ts'
import { EngineError } from '../base/errors.ts'
import { frameInvalid } from '../transport/byte-reader.ts'
import { type Address, addressText, type Link, type LinkHandler } from '../transport/link.ts'
import type { Principal, Sender } from './actor.ts'
import type { Ask } from './asks.ts'
import { nodeUnreachable, outcomeUnknown, overloaded } from './failures.ts'
import {
  admit,
  GREETING_BYTES_MAX,
  type Greeting,
  nodeText,
  readGreeting,
  unlistening,
} from './greeting.ts'
import { NodeFrameKind, type NodeFrames, stampNumber } from './node-frames.ts'
import { revivedError } from './plain-error.ts'
import { Pulse } from './pulse.ts'
import type { ServedNode } from './served-node.ts'

/** A peer that is there greets within this; a stranger has no more time to cost us a connection. */
export const GREETING_TIMEOUT_MS = 5_000

/** Bytes that may wait for a peer to read them. Beyond it the peer does not keep up. */
export const LINK_BYTES_MAX = 16 * 1024 * 1024

/** Why a link ended. */
export interface LinkEnd {
  error: EngineError
  /** The peer said nothing for too long: no sense in waiting for it to come back. */
  silent: boolean
  /** The peer has refused us: it would again. */
  refused: boolean
}

export interface NodeLinkOptions {
  link: Link
  environment: Environment
  frames: NodeFrames
  pingMs: number
  unreachableMs: number
  /** Our own HELLO or WELCOME. */
  greeting: () => Buffer
  clientTokens: readonly string[]
  cluster: string
  /** The address we have connected to; undefined for a link that we have accepted. */
  dialed: Address | undefined
  /** Made once we know who is there: carries the peer's calls out. */
  serve(link: NodeLink, sender: Sender): ServedNode
  onUp(link: NodeLink): void
  /** Once, for each link; also for one that never came up. */
  onEnd(link: NodeLink, end: LinkEnd): void
}

/** Told of what comes for the watches of a peer. */
export interface WatchEvents {
  readonly watching: boolean
  onWatched(id: number, incarnation: string): void
  onDown(id: number, reason: string): void
}

export class NodeLink implements LinkHandler {
  /** Who hears of watches: the peer whose link this is. */
  peer: WatchEvents | undefined
  readonly #options: NodeLinkOptions
  readonly #link: Link
  readonly #frames: NodeFrames
  readonly #pulse: Pulse
  // Sent over this link and not answered yet. Bounded by the system's open asks.
  readonly #asks = new Map<number, Ask>()
  readonly #greetingTimer: Timer
  #state: 'greeting' | 'up' | 'ended' = 'greeting'
  #sent = 0
  #received = 0
  #remote: Greeting | undefined
  #principal: Principal = 'client'
  #served: ServedNode | undefined

  constructor(options: NodeLinkOptions) {
    const { link, environment, pingMs, unreachableMs, frames, dialed } = options
    this.#options = options
    this.#link = link
    this.#frames = frames
    this.#pulse = new Pulse({
      environment,
      pingMs,
      unreachableMs,
      needed: () => this.#asks.size > 0 || this.peer?.watching === true,
      ping: () => this.send(frames.ping()),
      silent: ms => {
        this.#end({
          error: nodeUnreachable(this.address, `it has said nothing for ${Math.round(ms)} ms`),
          silent: true,
          refused: false,
        })
      },
    })
    const limitMs =
      dialed === undefined ? GREETING_TIMEOUT_MS : Math.min(GREETING_TIMEOUT_MS, unreachableMs)
    this.#greetingTimer = environment.after(limitMs, () => {
      this.fail(`it has not greeted within ${limitMs} ms`)
    })
    // A greeting and its frame's number; nothing else is looked at before it is accepted.
    link.limitFrames?.(GREETING_BYTES_MAX + 64)
    if (dialed !== undefined) this.#transmit(options.greeting())
  }

  /** Where its calls are to be sent back to; of a dialed link, the address that was dialed. */
  get address(): Address {
    const { dialed } = this.#options
    if (dialed !== undefined) return dialed
    const remote = this.#remote
    if (remote === undefined) return { kind: 'memory', name: this.#link.peer }
    // A client could claim the address of a master, and get what is meant for that.
    const claimed = this.#principal === 'role' ? remote.listens : undefined
    return claimed ?? unlistening(remote.incarnation)
  }

  get incarnation(): string {
    return this.#remote?.incarnation ?? ''
  }

  /** The node at the other end, for people. */
  get text(): string {
    return this.#remote === undefined ? this.#link.peer : nodeText(this.#remote)
  }

  get up(): boolean {
    return this.#state === 'up'
  }

  // ---- sending

  /** Sends a call; with an ask, its outcome will be that of the ask. Throws OVERLOADED. */
  call(frame: Buffer, ask: Ask | undefined): void {
    if (this.#link.bufferedBytes + frame.length > LINK_BYTES_MAX) {
      throw overloaded(`${this.text} does not read what it is sent`, LINK_BYTES_MAX)
    }
    if (ask !== undefined) {
      this.#asks.set(ask.id, ask)
      ask.onEnd = () => this.#asks.delete(ask.id)
      this.#pulse.start()
    }
    this.#transmit(frame)
  }

  /** Sends what must not be left out: a peer that does not read it is given up. */
  send(frame: Buffer): void {
    if (this.#state !== 'up') return
    if (this.#link.bufferedBytes + frame.length > LINK_BYTES_MAX) {
      this.fail(`it does not read what it is sent: ${LINK_BYTES_MAX} bytes wait for it`)
      return
    }
    this.#transmit(frame)
  }

  /** A watch of the peer depends on this link from now on. */
  beat(): void {
    if (this.#state === 'up') this.#pulse.start()
  }

  /** Ends the link, with a reason for whoever waits for answers. */
  fail(why: string, cause?: Error): void {
    const error = nodeUnreachable(this.address, why, cause)
    this.#end({ error, silent: false, refused: false })
  }

  #transmit(frame: Buffer): void {
    stampNumber(frame, this.#sent)
    this.#sent = (this.#sent + 1) >>> 0
    this.#link.send(frame)
  }

  // ---- as the handler of its link

  onFrame(kind: number, body: Buffer): void {
    if (this.#state === 'ended') return
    const { number, input } = this.#frames.open(body)
    const ahead = (number - this.#received) | 0
    // One that came before: a copy.
    if (ahead < 0) return
    if (ahead > 0) throw new EngineError('LINK_LOST', `${ahead} frames were lost on the way`)
    this.#received = (this.#received + 1) >>> 0
    this.#pulse.heard()
    if (this.#state === 'up') this.#take(kind, body.length)
    else if (this.#options.dialed === undefined) this.#greeted(kind, readHello(kind, input))
    else if (kind === NodeFrameKind.REFUSED) {
      const hint = { message: input.text(), hint: input.text() }
      this.#refused(hint.message, hint.hint)
    } else this.#welcomed(kind, readHello(kind, input))
  }

  onClose(reason: Error | undefined): void {
    const ended = reason?.message ?? 'it ended the link'
    if (this.#state !== 'greeting') this.fail(ended, reason)
    else if (this.#link.security !== undefined) this.fail(`${ended}, before it greeted`, reason)
    else this.fail(`${ended}, before it greeted: is TLS on at one end only?`, reason)
  }

  onDrain(): void {
    // Nothing waits for room: what finds too much waiting is refused.
  }

  // ---- greeting

  #greeted(kind: number, greeting: Greeting): void {
    if (kind !== NodeFrameKind.HELLO) throw frameInvalid('a link that does not begin with HELLO')
    const { clientTokens, cluster } = this.#options
    const { security } = this.#link
    const admitted = admit(greeting, { security, clientTokens, cluster })
    if (admitted instanceof EngineError) {
      this.#transmit(this.#frames.refused(admitted))
      // The reason goes out before the end; what else the peer sends is not looked at.
      this.#end({ error: admitted, silent: false, refused: true })
      return
    }
    this.#principal = admitted
    this.#remote = greeting
    this.#transmit(this.#options.greeting())
    this.#open()
  }

  #welcomed(kind: number, greeting: Greeting): void {
    if (kind !== NodeFrameKind.WELCOME) throw frameInvalid('a greeting without an answer')
    // We chose whom to connect to, and with TLS have verified that it is part of the cluster.
    this.#principal = 'role'
    this.#remote = greeting
    this.#open()
  }

  #open(): void {
    this.#state = 'up'
    this.#greetingTimer.cancel()
    this.#link.limitFrames?.(this.#frames.frameBytesMax)
    const remote = this.#remote!
    this.#served = this.#options.serve(this, {
      principal: this.#principal,
      node: this.address,
      nodeName: remote.name,
    })
    this.#options.onUp(this)
  }

  #refused(message: string, hint: string): void {
    const { dialed } = this.#options
    const error = new EngineError('UNAUTHORIZED', `${addressText(dialed!)} refused: ${message}`, {
      ...(hint === '' ? {} : { hint }),
    })
    this.#end({ error, silent: false, refused: true })
  }

  // ---- after it

  #take(kind: number, bytes: number): void {
    const frame = this.#frames.read(kind)
    switch (frame.kind) {
      case NodeFrameKind.CALL:
        this.#served!.call(frame, bytes)
        return
      case NodeFrameKind.ANSWER:
        this.#asks.get(frame.id)?.answer(frame.value)
        return
      case NodeFrameKind.FAILED:
        this.#asks.get(frame.id)?.fail(revivedError(frame.error))
        return
      case NodeFrameKind.WATCH:
        this.#served!.watch(frame)
        return
      case NodeFrameKind.UNWATCH:
        this.#served!.unwatch(frame.id)
        return
      case NodeFrameKind.WATCHED:
        this.peer?.onWatched(frame.id, frame.incarnation)
        return
      case NodeFrameKind.DOWN:
        this.peer?.onDown(frame.id, frame.reason)
        return
      case NodeFrameKind.PING:
        this.send(this.#frames.pong())
        return
      case NodeFrameKind.PONG:
        return
    }
  }

  #end(end: LinkEnd): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#greetingTimer.cancel()
    this.#pulse.stop()
    this.#served?.end()
    this.#link.close()
    for (const ask of [...this.#asks.values()]) {
      ask.fail(outcomeUnknown(this.text, ask.actor, ask.method, end.error))
    }
    this.#options.onEnd(this, end)
  }
}

function readHello(kind: number, input: ReturnType<NodeFrames['open']>['input']): Greeting {
  if (kind !== NodeFrameKind.HELLO && kind !== NodeFrameKind.WELCOME) {
    throw frameInvalid(`kind ${kind} before the greeting is over`)
  }
  return readGreeting(input)
}
