// The other nodes, as far as links lead to them or should: connects and accepts, and gives each link that has come up
// to the peer it belongs to. Strangers, who have connected and not greeted yet, are few and have little time.

import type { Environment } from '../base/environment.ts'
import { asError, EngineError } from '../base/errors.ts'
import type { LogLine } from '../base/log.ts'
import {
  type Address,
  addressText,
  type Link,
  type LinkHandler,
  type Transport,
} from '../transport/link.ts'
import type { LocalActors } from './actor-cells.ts'
import { nodeUnreachable } from './failures.ts'
import type { Credentials, Identity } from './greeting.ts'
import type { NodeFrames } from './node-frames.ts'
import { type LinkEnd, NodeLink } from './node-link.ts'
import { Peer, type PeerHost } from './peer.ts'
import { ServedNode } from './served-node.ts'

/** Connections that have not greeted. Peers greet at once, so a few are enough for a cluster that starts. */
export const STRANGERS_MAX = 64

/** Peers remembered beyond their use, so that trying again waits; more than this are looked through. */
const PEERS_KEPT = 256

/** Refused strangers are worth a line, but they must not be able to fill a disk with them. */
const REFUSAL_LOG_PERIOD_MS = 1_000

export interface RemoteNodesOptions {
  environment: Environment
  frames: NodeFrames
  actors: LocalActors
  credentials: Credentials
  transport: Transport | undefined
  identity(): Identity
  pingMs: number
  unreachableMs: number
  log(level: LogLine['level'], where: string, text: string): void
}

export class RemoteNodes {
  readonly #options: RemoteNodesOptions
  readonly #peers = new Map<string, Peer>()
  // Whose link it is, for links that have come up.
  readonly #owners = new Map<NodeLink, Peer>()
  readonly #strangers = new Set<NodeLink>()
  #refusalLoggedMs = Number.NEGATIVE_INFINITY
  #closed = false

  constructor(options: RemoteNodesOptions) {
    this.#options = options
  }

  /** The node at this address, to call or watch. */
  at(address: Address): Peer {
    const text = addressText(address)
    let peer = this.#peers.get(text)
    if (peer === undefined) {
      this.#sweep()
      peer = new Peer(this.#hostOf(text), address)
      this.#peers.set(text, peer)
    }
    return peer
  }

  /** Takes links from others from now on. */
  listen(transport: Transport): Promise<Address> {
    return transport.listen(link => this.#accept(link))
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const peer of [...this.#peers.values()]) {
      peer.close(nodeUnreachable(peer.address, 'this node closes'))
    }
    for (const stranger of [...this.#strangers]) stranger.fail('this node closes')
    await this.#options.transport?.close()
  }

  #accept(link: Link): LinkHandler {
    if (this.#closed || this.#strangers.size >= STRANGERS_MAX) {
      this.#refusal(`${link.peer} turned away: ${this.#strangers.size} others have not greeted yet`)
      link.close()
      return DEAF
    }
    const stranger = this.#nodeLink(link, undefined, (ended, end) => {
      this.#strangers.delete(ended)
      if (end !== undefined) this.#refusal(`${link.peer} turned away: ${end.error.message}`)
    })
    this.#strangers.add(stranger)
    return stranger
  }

  #dial(address: Address, over: (end: LinkEnd | undefined) => void): void {
    const { transport } = this.#options
    const failed = (error: Error): void => {
      const why = error instanceof EngineError ? error.message : asError(error).message
      over({ error: nodeUnreachable(address, why, error), silent: false, refused: false })
    }
    if (transport === undefined) {
      // Not at once: who asks must not be answered from inside the ask.
      this.#options.environment.defer(() => failed(new Error('this node has no transport')))
      return
    }
    transport
      .connect(address, link => this.#nodeLink(link, address, (_, end) => over(end)))
      .then(
        () => undefined,
        error => failed(asError(error)),
      )
  }

  // `over` is told how the greeting ended: with the link up, or not.
  #nodeLink(
    link: Link,
    dialed: Address | undefined,
    over: (link: NodeLink, end: LinkEnd | undefined) => void,
  ): NodeLink {
    const { actors, credentials, environment, frames, identity, pingMs, unreachableMs } =
      this.#options
    return new NodeLink({
      link,
      environment,
      frames,
      pingMs,
      unreachableMs,
      dialed,
      clientTokens: credentials.clientTokens ?? [],
      cluster: identity().cluster,
      greeting: () =>
        dialed === undefined
          ? frames.welcome(identity())
          : frames.hello(identity(), credentials.token ?? ''),
      serve: (up, sender) =>
        new ServedNode({ frames, actors, sender, send: frame => up.send(frame) }),
      onUp: up => {
        const peer = this.at(up.address)
        this.#owners.set(up, peer)
        peer.adopt(up)
        over(up, undefined)
      },
      onEnd: (ended, end) => {
        const peer = this.#owners.get(ended)
        this.#owners.delete(ended)
        if (peer === undefined) over(ended, end)
        else peer.ended(ended, end)
      },
    })
  }

  #hostOf(text: string): PeerHost {
    const { environment, frames, unreachableMs, log } = this.#options
    return {
      environment,
      frames,
      unreachableMs,
      dial: (address, over) => this.#dial(address, over),
      debug: line => log('debug', text, line),
      warn: line => log('warn', text, line),
      idle: peer => {
        if (this.#peers.get(text) === peer) this.#peers.delete(text)
      },
    }
  }

  #sweep(): void {
    if (this.#peers.size < PEERS_KEPT) return
    for (const [text, peer] of this.#peers) if (peer.unused) this.#peers.delete(text)
  }

  #refusal(text: string): void {
    const { environment, log } = this.#options
    const nowMs = environment.monotonicMs()
    const quiet = nowMs - this.#refusalLoggedMs < REFUSAL_LOG_PERIOD_MS
    if (!quiet) this.#refusalLoggedMs = nowMs
    log(quiet ? 'debug' : 'warn', 'links', text)
  }
}

// Of a link that was turned away: it is ending.
const DEAF: LinkHandler = {
  onFrame: () => undefined,
  onClose: () => undefined,
  onDrain: () => undefined,
}
