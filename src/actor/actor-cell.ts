// One actor: its mail, its current instance, its children, and what happens when it fails. Turns are taken in deferred
// batches, so that calls never run inside the caller's; mail waits while an instance is being made or made anew.

import type { Environment, Timer } from '../base/environment.ts'
import { asError, EngineError } from '../base/errors.ts'
import type { LogLine } from '../base/log.ts'
import type {
  ActorAddress,
  ActorContext,
  ActorRef,
  Call,
  Make,
  OnDown,
  Sender,
  SpawnOptions,
  Watch,
} from './actor.ts'
import { ActorInstance, type InstanceHost, isPromise } from './actor-instance.ts'
import { actorFailed, actorNotFound, overloaded, unknownMethod } from './failures.ts'
import { Mailbox } from './mailbox.ts'
import { DEFAULT_POLICY, Supervisor } from './supervision.ts'
import { Watcher } from './watcher.ts'

/** Calls of one actor that wait or run. Beyond it the actor does not keep up, and callers are told so. */
export const MAILBOX_CALLS_MAX = 10_000

/** What the arguments of those calls may take: a client that floods must not take the memory of a node. */
export const MAILBOX_BYTES_MAX = 64 * 1024 * 1024

/** Turns in a row before others get theirs. */
const BATCH_TURNS = 64

/** What a cell needs of its system. */
export interface CellHost {
  readonly environment: Environment
  readonly nodeName: string
  addressOf(cell: ActorCell): ActorAddress
  ref<P>(address: ActorAddress): ActorRef<P>
  watch(address: ActorAddress, onDown: OnDown): Watch
  spawn<P extends object>(
    parent: ActorCell | undefined,
    name: string,
    make: Make<P>,
    options?: SpawnOptions,
  ): ActorRef<P>
  log(level: LogLine['level'], where: string, text: string): void
  /** The cell has stopped: its name is free. */
  removed(cell: ActorCell): void
}

export interface CellOptions {
  name: string
  incarnation: string
  parent: ActorCell | undefined
  make: (context: ActorContext) => unknown
  options: SpawnOptions
}

export class ActorCell implements InstanceHost {
  readonly name: string
  readonly incarnation: string
  /** Whether clients may call it. */
  readonly open: boolean
  readonly #host: CellHost
  readonly #parent: ActorCell | undefined
  readonly #make: (context: ActorContext) => unknown
  readonly #supervisor: Supervisor
  readonly #children = new Set<ActorCell>()
  readonly #watchers = new Set<Watcher>()
  readonly #mail = new Mailbox<Call>()
  #state: 'starting' | 'running' | 'restarting' | 'stopping' | 'stopped' = 'starting'
  #instance: ActorInstance
  #actor: Record<string, unknown> | undefined
  #sender: Sender | undefined
  // Calls that wait for something; with those in the mail, and the bytes of both, they are bounded.
  #running = 0
  #bytes = 0
  #scheduled = false
  #pause: Timer | undefined
  #end: Promise<void> | undefined

  constructor(host: CellHost, options: CellOptions) {
    this.#host = host
    this.name = options.name
    this.incarnation = options.incarnation
    this.open = options.options.open ?? false
    this.#parent = options.parent
    this.#make = options.make
    this.#supervisor = new Supervisor(options.options.policy ?? DEFAULT_POLICY)
    this.#instance = new ActorInstance(this)
    if (options.parent !== undefined) options.parent.#children.add(this)
  }

  // ---- from outside

  /** Makes the first instance. Apart from the constructor, so that the cell can be found meanwhile. */
  start(): void {
    this.#supervisor.started(this.environment.monotonicMs())
    let made: unknown
    try {
      made = this.#make(this.#instance)
    } catch (error) {
      this.fail(asError(error), this.#instance)
      return
    }
    const instance = this.#instance
    if (!isPromise(made)) this.#made(made, instance)
    else {
      made.then(
        actor => this.#made(actor, instance),
        error => this.fail(asError(error), instance),
      )
    }
  }

  deliver(call: Call): void {
    if (this.#state === 'stopping' || this.#state === 'stopped') {
      this.#refuse(call, actorNotFound(this.name, this.#host.nodeName, 'it has stopped'))
      return
    }
    if (this.#mail.size + this.#running >= MAILBOX_CALLS_MAX) {
      this.#refuse(call, overloaded(`${this.name} does not keep up`, MAILBOX_CALLS_MAX))
      return
    }
    if (this.#bytes + call.bytes > MAILBOX_BYTES_MAX) {
      this.#refuse(call, overloaded(`${this.name} has too many bytes to read`, MAILBOX_BYTES_MAX))
      return
    }
    this.#bytes += call.bytes
    this.#mail.push(call)
    this.#schedule()
  }

  /** Tells `onDown` of this actor's end, once. */
  watched(onDown: OnDown): Watch {
    const watcher: Watcher = new Watcher(onDown, () => this.#watchers.delete(watcher))
    this.#watchers.add(watcher)
    return watcher
  }

  /** Resolves when it has stopped, its children before it. Never rejects. Idempotent. */
  stopped(reason: string): Promise<void> {
    this.#end ??= this.#stop(reason)
    return this.#end
  }

  // ---- for its instance

  get environment(): Environment {
    return this.#host.environment
  }

  get address(): ActorAddress {
    return this.#host.addressOf(this)
  }

  get sender(): Sender | undefined {
    return this.#sender
  }

  spawnChild<P extends object>(name: string, make: Make<P>, options?: SpawnOptions): ActorRef<P> {
    return this.#host.spawn(this, name, make, options)
  }

  ref<P>(address: ActorAddress): ActorRef<P> {
    return this.#host.ref(address)
  }

  watch(address: ActorAddress, onDown: OnDown): Watch {
    return this.#host.watch(address, onDown)
  }

  log(level: LogLine['level'], text: string): void {
    this.#host.log(level, this.name, text)
  }

  stop(reason: string): void {
    this.stopped(reason).then(undefined, error => this.log('error', asError(error).message))
  }

  /** The actor has failed: the policy decides. Failures of an instance that is gone change nothing more. */
  fail(error: Error, instance: ActorInstance): void {
    const late = instance !== this.#instance
    if (late || (this.#state !== 'running' && this.#state !== 'starting')) {
      this.log('warn', `failed after its end: ${error.message}`)
      return
    }
    const made = this.#state === 'running'
    const decision = this.#supervisor.failed(this.environment.monotonicMs(), made)
    this.log('error', `failed (${decision.kind}): ${error.stack ?? error.message}`)
    switch (decision.kind) {
      case 'resume':
        return
      case 'restart':
        this.#restart(decision.waitMs)
        return
      case 'stop':
        this.stop(`${decision.why}: ${error.message}`)
        return
      case 'escalate':
        this.stop(`it failed: ${error.message}`)
        if (this.#parent !== undefined) this.#parent.fail(error, this.#parent.#instance)
    }
  }

  // ---- turns

  #made(actor: unknown, instance: ActorInstance): void {
    if (instance !== this.#instance || this.#state !== 'starting') return
    this.#actor = actor as Record<string, unknown>
    this.#state = 'running'
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || this.#state !== 'running' || this.#mail.size === 0) return
    this.#scheduled = true
    this.environment.defer(() => {
      this.#scheduled = false
      for (let turns = 0; turns < BATCH_TURNS && this.#state === 'running'; turns++) {
        const call = this.#mail.shift()
        if (call === undefined) return
        if (this.#turn(call) === 'over') this.#bytes -= call.bytes
      }
      this.#schedule()
    })
  }

  #turn(call: Call): 'over' | 'running' {
    const { method: name, reply } = call
    const actor = this.#actor!
    const method = callable(actor, name) ? actor[name] : undefined
    if (method === undefined) {
      this.#refuse(call, unknownMethod(this.name, name, methodsOf(actor)))
      return 'over'
    }
    const instance = this.#instance
    this.#sender = call.sender
    let result: unknown
    try {
      result = (method as (...args: readonly unknown[]) => unknown).apply(actor, [...call.args])
    } catch (error) {
      this.#threw(asError(error), call, instance)
      return 'over'
    } finally {
      this.#sender = undefined
    }
    if (!isPromise(result)) {
      reply?.answer(result)
      return 'over'
    }
    this.#running++
    const over = (): void => {
      this.#running--
      this.#bytes -= call.bytes
    }
    result.then(
      value => {
        over()
        reply?.answer(value)
      },
      error => {
        over()
        this.#threw(asError(error), call, instance)
      },
    )
    return 'running'
  }

  #threw(error: Error, call: Call, instance: ActorInstance): void {
    if (call.reply !== undefined && error instanceof EngineError && error.code !== 'BUG') {
      call.reply.fail(error)
      return
    }
    call.reply?.fail(actorFailed(this.name, call.method, error))
    this.fail(error, instance)
  }

  #refuse(call: Call, error: EngineError): void {
    if (call.reply !== undefined) call.reply.fail(error)
    else this.log('debug', `${call.method} from ${call.sender.nodeName} dropped: ${error.message}`)
  }

  // ---- ends

  #restart(waitMs: number): void {
    this.#state = 'restarting'
    const again = () => {
      if (this.#state !== 'restarting') return
      this.#state = 'starting'
      this.#instance = new ActorInstance(this)
      this.start()
    }
    const wait = () => {
      if (this.#state !== 'restarting') return
      if (waitMs === 0) again()
      else this.#pause = this.environment.after(waitMs, again)
    }
    this.#endInstance('its parent restarts').then(wait, error =>
      this.log('error', asError(error).message),
    )
  }

  async #stop(reason: string): Promise<void> {
    this.#state = 'stopping'
    this.#pause?.cancel()
    const gone = actorNotFound(this.name, this.#host.nodeName, 'it has stopped')
    for (const call of this.#mail.drain()) this.#refuse(call, gone)
    await this.#endInstance('its parent stopped')
    this.#state = 'stopped'
    this.#host.removed(this)
    if (this.#parent !== undefined) this.#parent.#children.delete(this)
    this.log('debug', `stopped: ${reason}`)
    for (const watcher of [...this.#watchers]) watcher.tell(reason)
  }

  async #endInstance(reason: string): Promise<void> {
    const instance = this.#instance
    this.#actor = undefined
    instance.end()
    await Promise.all([...this.#children].map(child => child.stopped(reason)))
    await instance.stopped()
  }
}

// Methods of the actor's own object or class; what every object has is none of them.
function callable(actor: object, name: string): boolean {
  return (
    !(name in Object.prototype) && typeof (actor as Record<string, unknown>)[name] === 'function'
  )
}

function* methodsOf(actor: object): Generator<string> {
  for (
    let level: object | null = actor;
    level !== null && level !== Object.prototype;
    level = Object.getPrototypeOf(level) as object | null
  ) {
    for (const name of Object.getOwnPropertyNames(level)) if (callable(actor, name)) yield name
  }
}
