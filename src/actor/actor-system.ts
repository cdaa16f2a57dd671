// The actors of one process, and the way from them to those of others: one system per process, a node of the cluster.
// A ref leads to an actor here or elsewhere; whether a call crosses a link is decided at the call. See `actor.ts` for
// what actors promise each other.

import type { Environment } from '../base/environment.ts'
import { EngineError } from '../base/errors.ts'
import type { Log, LogLine } from '../base/log.ts'
import { type Address, addressText, type Transport } from '../transport/link.ts'
import { Serialisers } from '../transport/serialisers.ts'
import {
  type ActorAddress,
  type ActorRef,
  type Answer,
  type Arguments,
  ASK_TIMEOUT_MS,
  type Make,
  type Method,
  type OnDown,
  type Sender,
  type SpawnOptions,
  type Watch,
} from './actor.ts'
import { ActorCells } from './actor-cells.ts'
import { Asks } from './asks.ts'
import { nodeUnreachable } from './failures.ts'
import { type Credentials, type Identity, unlistening } from './greeting.ts'
import { CALL_BYTES_MAX, NodeFrames } from './node-frames.ts'
import { RemoteNodes } from './remote-nodes.ts'
import { Watcher } from './watcher.ts'

/** A pause of the peer that is shorter than this is nobody's business: garbage, a slow disk, a busy machine. */
export const UNREACHABLE_MS = 5_000

/** How often a peer that something depends on is asked for a sign of life. */
export const PING_MS = 1_000

export interface ActorSystemOptions {
  environment: Environment
  log: Log
  /** Of this node, for people: `master`, `worker 3`. */
  name: string
  /** Owned by the system from now on: closed with it. Without one all actors are in this process. */
  transport?: Transport
  /** Name of the cluster that this node is part of: nodes of another one are refused. */
  cluster?: string
  /** What clients show. Parts of the cluster show certificates, which the transport checks. */
  credentials?: Credentials
  pingMs?: number
  /** A node that is silent, or not to be connected to, for so long is declared gone. */
  unreachableMs?: number
  /** Arguments or answer of one call between nodes. The same on all nodes. */
  callBytesMax?: number
}

/**
 * Example: an actor, called in its own process and from another one.
 *
 *     const system = new ActorSystem({ environment, log, name: 'master', transport })
 *     await system.listen()
 *     const counter = system.spawn('counter', () => new Counter())
 *     // elsewhere, with the address of it:
 *     await other.ref<Counter>(counter.address).ask('add', 1)
 */
export class ActorSystem {
  readonly name: string
  /** Random, of this process. */
  readonly incarnation: string
  readonly #cluster: string
  readonly #environment: Environment
  readonly #log: Log
  readonly #transport: Transport | undefined
  readonly #asks: Asks
  readonly #cells: ActorCells
  readonly #frames: NodeFrames
  readonly #nodes: RemoteNodes
  #listens: Address | undefined
  // Addresses of this node, as text.
  readonly #here: Set<string>
  #closed: Promise<void> | undefined
  // Actors that stop may still tell others of it; then nothing more goes out.
  #mute = false

  constructor(options: ActorSystemOptions) {
    const { environment, name, transport } = options
    this.name = name
    this.#cluster = options.cluster ?? ''
    this.incarnation = randomId(environment)
    this.#here = new Set([addressText(unlistening(this.incarnation))])
    this.#environment = environment
    this.#log = options.log
    this.#transport = transport
    this.#asks = new Asks(environment)
    this.#frames = new NodeFrames(new Serialisers(), options.callBytesMax ?? CALL_BYTES_MAX)
    const log = (level: LogLine['level'], where: string, text: string): void =>
      this.#write(level, where, text)
    this.#cells = new ActorCells({
      environment,
      nodeName: name,
      incarnation: this.incarnation,
      localRef: (actor, incarnation) => this.#localRef(actor, incarnation),
      ref: address => this.ref(address),
      addressOf: (actor, incarnation) => this.#addressOf(actor, incarnation),
      watch: (address, onDown) => this.watch(address, onDown),
      log,
    })
    this.#nodes = new RemoteNodes({
      environment,
      frames: this.#frames,
      actors: this.#cells,
      credentials: options.credentials ?? {},
      transport,
      identity: () => this.#identity,
      pingMs: options.pingMs ?? PING_MS,
      unreachableMs: options.unreachableMs ?? UNREACHABLE_MS,
      log,
    })
  }

  /** Where this node is. Before `listen`, and without it, only nodes that this one has called find it. */
  get node(): Address {
    return this.#listens ?? unlistening(this.incarnation)
  }

  /** Lets other nodes connect. Before the first call: addresses sent earlier are not those others can use later. */
  async listen(): Promise<Address> {
    if (this.#transport === undefined) return this.node
    this.#listens = await this.#nodes.listen(this.#transport)
    this.#here.add(addressText(this.#listens))
    return this.#listens
  }

  /** Starts an actor. `make` is called at once; calls wait until it is done. Throws ACTOR_EXISTS. */
  spawn<P extends object>(name: string, make: Make<P>, options: SpawnOptions = {}): ActorRef<P> {
    return this.#cells.spawn(undefined, name, make, options)
  }

  /** The way to an actor anywhere. Finding out whether it is there is left to the first call. */
  ref<P>(address: ActorAddress): ActorRef<P> {
    return new Ref<P>(this.#router, () => address, ASK_TIMEOUT_MS)
  }

  /**
   * Tells once when the actor is gone: stopped, its node gone or started anew or silent; soon if it is not there now.
   * Never from inside this call, and never after `close`.
   */
  watch(address: ActorAddress, onDown: OnDown): Watch {
    const guarded: OnDown = reason => {
      if (this.#closed !== undefined) return
      try {
        onDown(reason)
      } catch (error) {
        this.#write('error', address.name, `a watcher of it failed: ${String(error)}`)
      }
    }
    if (this.#mute) return NOTHING
    if (!this.#isHere(address)) {
      return this.#nodes.at(address.node).watch(address.name, address.incarnation, guarded)
    }
    const watcher: Watcher = new Watcher(guarded, () => watch.cancel())
    const { watch } = this.#cells.watchLocal(address.name, address.incarnation, 'role', reason =>
      watcher.tell(reason),
    )
    return watcher
  }

  /** Stops an actor of this node, its children first. Nothing to do if it is gone. */
  async stop(ref: { readonly address: ActorAddress }, reason = 'it was stopped'): Promise<void> {
    const { address } = ref
    if (!this.#isHere(address)) {
      throw new EngineError('BUG', `${address.name} is stopped by its own node only`)
    }
    await this.#cells.find(address.name, address.incarnation)?.stopped(reason)
  }

  /** Stops all actors, then ends all links and the transport. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    await this.#cells.close()
    this.#mute = true
    await this.#nodes.close()
    this.#asks.failAll(nodeUnreachable(this.node, 'this node closes'))
  }

  // ---- calls

  readonly #router: Router = {
    tell: (address, method, args) => {
      if (this.#isHere(address)) {
        const { name, incarnation } = address
        this.#cells.deliver(name, incarnation, {
          method,
          args,
          sender: this.#self,
          bytes: 0,
          reply: undefined,
        })
        return
      }
      if (this.#mute) return
      const { name, incarnation, node } = address
      const frame = this.#frames.call({ id: 0, name, incarnation, method, args })
      try {
        this.#nodes.at(node).call(frame, undefined, `${method} of ${name}`)
      } catch (error) {
        this.#write('warn', name, `${method} dropped: ${String(error)}`)
      }
    },
    ask: (address, method, args, timeoutMs) => {
      const { name, incarnation, node } = address
      if (this.#mute) {
        return Promise.reject(nodeUnreachable(node, 'this node closes'))
      }
      return this.#asks.open({ actor: name, method, timeoutMs }, ask => {
        if (this.#isHere(address)) {
          this.#cells.deliver(name, incarnation, {
            method,
            args,
            sender: this.#self,
            bytes: 0,
            reply: ask,
          })
          return
        }
        const frame = this.#frames.call({ id: ask.id, name, incarnation, method, args })
        this.#nodes.at(node).call(frame, ask, `${method} of ${name}`)
      })
    },
  }

  get #self(): Sender {
    return { principal: 'role', node: this.node, nodeName: this.name }
  }

  get #identity(): Identity {
    const { name, incarnation } = this
    return { name, incarnation, listens: this.#listens, cluster: this.#cluster }
  }

  #isHere({ node }: ActorAddress): boolean {
    return node === this.#listens || this.#here.has(addressText(node))
  }

  #addressOf(name: string, incarnation: string): ActorAddress {
    return { node: this.node, name, incarnation }
  }

  #localRef<P>(name: string, incarnation: string): ActorRef<P> {
    return new Ref<P>(this.#router, () => this.#addressOf(name, incarnation), ASK_TIMEOUT_MS)
  }

  #write(level: LogLine['level'], where: string, text: string): void {
    const timeMs = this.#environment.nowUs() / 1000
    this.#log.write({ level, where: `${this.name} ${where}`, text, timeMs })
  }
}

// Of a system that has closed.
const NOTHING: Watch = { cancel: () => undefined }

interface Router {
  tell(address: ActorAddress, method: string, args: readonly unknown[]): void
  ask(
    address: ActorAddress,
    method: string,
    args: readonly unknown[],
    timeoutMs: number,
  ): Promise<unknown>
}

class Ref<P> implements ActorRef<P> {
  readonly #router: Router
  readonly #address: () => ActorAddress
  readonly #timeoutMs: number

  constructor(router: Router, address: () => ActorAddress, timeoutMs: number) {
    this.#router = router
    this.#address = address
    this.#timeoutMs = timeoutMs
  }

  get address(): ActorAddress {
    return this.#address()
  }

  tell<M extends Method<P>>(method: M, ...args: Arguments<P, M>): void {
    this.#router.tell(this.#address(), method, args as readonly unknown[])
  }

  ask<M extends Method<P>>(method: M, ...args: Arguments<P, M>): Promise<Answer<P, M>> {
    const { address } = this
    const answer = this.#router.ask(address, method, args as readonly unknown[], this.#timeoutMs)
    return answer as Promise<Answer<P, M>>
  }

  within(timeoutMs: number): ActorRef<P> {
    return new Ref(this.#router, this.#address, timeoutMs)
  }
}

// 64 bits: no two processes at one address have the same.
function randomId(environment: Environment): string {
  const part = () =>
    Math.floor(environment.random() * 2 ** 32)
      .toString(36)
      .padStart(7, '0')
  return part() + part()
}
