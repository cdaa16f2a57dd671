// One executor with its connections: listens, greets, connects to the executors it is told of, connects again when a
// link is lost. The same code hosts an executor in a process of its own and, for tests and small runs, in this one.
import { Backoff } from '../base/backoff.ts'
import type { Environment } from '../base/environment.ts'
import { asError, EngineError } from '../base/errors.ts'
import type { Credentials } from '../task/task.ts'
import {
  decodeFrame,
  encodeHello,
  FRAME_BYTES_MAX,
  FrameKind,
  HELLO_BYTES_MAX,
  type HelloFrame,
  PROTOCOL_VERSION,
} from '../transport/frame.ts'
import type { FramePool } from '../transport/frame-pool.ts'
import type { Address, Link, LinkHandler, Transport } from '../transport/link.ts'
import { Serialisers } from '../transport/serialisers.ts'
import type { Application } from './application.ts'
import { inlineLongPaths } from './compiler.ts'
import { Executor, type ExecutorEvents } from './executor.ts'
import type { ExecutorStatus } from './figures.ts'
import type { Plan } from './plan.ts'
import type { Stalls } from './stalls.ts'

/** A peer that accepts a link and does not greet in this time is tried anew: its machine may have gone. */
const GREETING_TIMEOUT_MS = 5000

export interface StartOrder {
  readonly plan: Plan
  /** Executors to connect to, by id; the others connect to this one. */
  readonly addresses: readonly (readonly [executor: number, address: Address])[]
  readonly credentials?: Credentials
}

/** What the app master may ask of an executor, here or in another process. */
export interface ExecutorControl {
  /** Listens; gives the address for the other executors. Undefined when there are none. */
  prepare(): Promise<Address | undefined>
  start(order: StartOrder): Promise<void>
  /** Opens the sources. `positions`: where those that ran before go on, by task id. */
  go(active: boolean, floorUs: number, positions: ReadonlyMap<number, unknown>): Promise<void>
  /** `dead` is gone; its tasks run in `fresh`, at `address` once known. */
  replacePeer(dead: number, fresh: number): Promise<void>
  /** A new app master's plan: whoever was replaced without this executor hearing of it is replaced now. */
  replan(plan: Plan): Promise<void>
  setActive(active: boolean): Promise<void>
  setCredentials(credentials: Credentials): Promise<void>
  suspendSources(suspended: boolean): Promise<void>
  /** Fails every root that is open, as if its time were over: its source hears of it. */
  failOpen(): Promise<void>
  publish(clockUs: number): Promise<void>
  status(): Promise<ExecutorStatus>
  /** What stands still; asked again and again while the app clock does. */
  stalls(): Promise<Stalls>
  close(): Promise<void>
}

export interface ExecutorHostOptions {
  readonly environment: Environment
  readonly application: Application
  readonly executorId: number
  /** Undefined: this executor is alone. */
  readonly transport: Transport | undefined
  /** The pool that the transport gives written frames back to. */
  readonly pool?: FramePool
  /** Shared secret of this run: a peer that does not know it is refused. */
  readonly token: string
  readonly events: ExecutorEvents
  /** See `ExecutorOptions`. */
  readonly firstNumber?: number
}

export class ExecutorHost implements ExecutorControl {
  readonly #options: ExecutorHostOptions
  #executor: Executor | undefined = undefined
  readonly #greeter: Serialisers
  /** Peers that this side connects to, with what is needed to do so again. */
  readonly #connecting = new Map<number, Backoff>()
  readonly #early: { hello: HelloFrame; link: Link; adopt: (handler: LinkHandler) => void }[] = []
  #closed = false

  constructor(options: ExecutorHostOptions) {
    this.#options = options
    this.#greeter = new Serialisers([])
    inlineLongPaths()
  }

  /** The executor, once it was started. */
  get executor(): Executor | undefined {
    return this.#executor
  }

  async prepare(): Promise<Address | undefined> {
    return this.#options.transport?.listen(link => this.#greeted(link))
  }

  async start(order: StartOrder): Promise<void> {
    const { environment, application, executorId, events, firstNumber = 0 } = this.#options
    // Started again because another one was lost meanwhile: what runs here from before must not go on beside it.
    const before = this.#executor
    this.#executor = undefined
    this.#connecting.clear()
    // Without it no turn may pass: who starts an executor finds it at once.
    if (before !== undefined) await before.close()
    if (this.#closed) return
    const executor = new Executor({
      environment,
      application,
      plan: order.plan,
      credentials: order.credentials,
      executorId,
      events,
      firstNumber,
      pool: this.#options.pool,
    })
    this.#executor = executor
    for (const { hello, link, adopt } of this.#early.splice(0)) {
      if (executor.peers.isGone(hello.executor)) link.close()
      else adopt(executor.peers.attach(hello.executor, link))
    }
    for (const [peer, address] of order.addresses) {
      this.#connect(peer, address, new Backoff({ firstMs: 50, maxMs: 1000 }))
    }
    await executor.start()
  }

  async go(
    active: boolean,
    floorUs: number,
    positions: ReadonlyMap<number, unknown>,
  ): Promise<void> {
    await this.#executor?.go(active, floorUs, positions)
  }

  async replacePeer(dead: number, fresh: number): Promise<void> {
    this.#connecting.delete(dead)
    this.#executor?.peers.replace(dead, fresh)
  }

  async replan(plan: Plan): Promise<void> {
    for (const [dead, fresh] of this.#executor?.peers.differences(plan) ?? [])
      await this.replacePeer(dead, fresh)
  }

  async setActive(active: boolean): Promise<void> {
    this.#executor?.setActive(active)
  }

  async setCredentials(credentials: Credentials): Promise<void> {
    this.#executor?.setCredentials(credentials)
  }

  async suspendSources(suspended: boolean): Promise<void> {
    this.#executor?.suspendSources(suspended)
  }

  async failOpen(): Promise<void> {
    this.#executor?.failOpen()
  }

  async publish(clockUs: number): Promise<void> {
    this.#executor?.publish(clockUs)
  }

  async status(): Promise<ExecutorStatus> {
    return (
      this.#executor?.status() ?? {
        executorId: this.#options.executorId,
        tasks: [],
        quiet: false,
        exhausted: false,
        idleMs: 0,
      }
    )
  }

  async stalls(): Promise<Stalls> {
    return this.#executor?.stalls() ?? { tasks: [], sources: [] }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#connecting.clear()
    await this.#executor?.close()
    await this.#options.transport?.close()
  }

  // ---- links

  #hello(): Buffer {
    const { executorId, application, token } = this.#options
    return encodeHello({
      executor: executorId,
      version: PROTOCOL_VERSION,
      application: application.name,
      token,
    })
  }

  // A link that came in says first who it is; until then nothing else is understood.
  #greeted(link: Link): LinkHandler {
    let handler: LinkHandler | undefined
    link.limitFrames?.(HELLO_BYTES_MAX)
    return {
      onFrame: (kind, body) => {
        if (handler !== undefined) {
          handler.onFrame(kind, body)
          return
        }
        const hello = this.#check(kind, body)
        // With TLS the secret alone is not enough: only parts of the cluster have certificates.
        if (link.security?.peerVerified === false)
          throw refused(`its certificate ${link.security.detail}`)
        link.limitFrames?.(FRAME_BYTES_MAX)
        link.send(this.#hello())
        const executor = this.#executor
        if (executor !== undefined) handler = this.#attach(executor, hello.executor, link)
        else this.#early.push({ hello, link, adopt: adopted => (handler = adopted) })
      },
      onClose: reason => handler?.onClose(reason),
      onDrain: () => handler?.onDrain(),
    }
  }

  #check(kind: number, body: Buffer): HelloFrame {
    const frame = decodeFrame(kind, body, this.#greeter)
    const { application, token } = this.#options
    if (frame.kind !== FrameKind.HELLO) throw refused('its first frame is no greeting')
    if (frame.version !== PROTOCOL_VERSION)
      throw refused(`it speaks version ${frame.version}, not ${PROTOCOL_VERSION}`)
    if (frame.application !== application.name) throw refused('it belongs to another application')
    if (frame.token !== token) throw refused('it does not know the secret of this run')
    return frame
  }

  // A greeting may come late, from one that is known to be dead by now.
  #attach(executor: Executor, peer: number, link: Link): LinkHandler {
    if (executor.peers.isGone(peer)) throw refused(`executor ${peer} was replaced by another`)
    return executor.peers.attach(peer, link)
  }

  #connect(peer: number, address: Address, backoff: Backoff): void {
    const { transport, environment } = this.#options
    this.#connecting.set(peer, backoff)
    const again = (error: Error | undefined) => {
      if (this.#closed || this.#connecting.get(peer) !== backoff) return
      const waitMs = Math.max(50, backoff.failed(environment.monotonicMs()))
      if (error !== undefined && backoff.failures === 5)
        this.#options.events.error(0, 'engine', error)
      environment.after(waitMs, () => {
        if (!this.#closed && this.#connecting.get(peer) === backoff)
          this.#connect(peer, address, backoff)
      })
    }
    backoff.started(environment.monotonicMs())
    transport!
      .connect(address, link => this.#greeting(peer, link, again))
      .catch(error => again(asError(error)))
  }

  // A link that we made: we greet, and take it into use when the other side has greeted back.
  #greeting(peer: number, link: Link, again: (error: Error | undefined) => void): LinkHandler {
    let handler: LinkHandler | undefined
    const late = this.#options.environment.after(GREETING_TIMEOUT_MS, () => link.close())
    link.send(this.#hello())
    return {
      onFrame: (kind, body) => {
        if (handler !== undefined) {
          handler.onFrame(kind, body)
          return
        }
        const hello = this.#check(kind, body)
        if (hello.executor !== peer) throw refused(`it is executor ${hello.executor}, not ${peer}`)
        late.cancel()
        handler = this.#attach(this.#executor!, peer, link)
      },
      onClose: reason => {
        late.cancel()
        handler?.onClose(reason)
        again(reason)
      },
      onDrain: () => handler?.onDrain(),
    }
  }
}

function refused(why: string): EngineError {
  return new EngineError('LINK_LOST', `an executor was refused: ${why}`, {
    hint: 'only executors of the same run and version can connect',
  })
}
