// The actors of one node by name, as calls and watches find them, from this process or over a link.

import type { Environment } from '../base/environment.ts'
import { EngineError, nearestName } from '../base/errors.ts'
import type { LogLine } from '../base/log.ts'
import type {
  ActorAddress,
  ActorRef,
  Call,
  Make,
  OnDown,
  Principal,
  SpawnOptions,
  Watch,
} from './actor.ts'
import { ActorCell, type CellHost } from './actor-cell.ts'
import { actorNotFound, notOpen } from './failures.ts'
import { NAME_CHARS_MAX } from './node-frames.ts'
import { Watcher } from './watcher.ts'

/** One step of a name: what reads well in logs and addresses. */
const NAME = /^[\w.@~+:-]{1,128}$/

/** Where links deliver what comes for actors here. */
export interface LocalActors {
  deliver(name: string, incarnation: string | undefined, call: Call): void
  /** Watches an actor here for `principal`. `onDown` is never called from inside. */
  watchLocal(
    name: string,
    incarnation: string | undefined,
    principal: Principal,
    onDown: OnDown,
  ): { watch: Watch; incarnation: string | undefined }
}

/** What the cells leave to the system. */
export interface CellsHost {
  readonly environment: Environment
  readonly nodeName: string
  /** Of this process; an actor's incarnation is this and a number. */
  readonly incarnation: string
  localRef<P>(name: string, incarnation: string): ActorRef<P>
  ref<P>(address: ActorAddress): ActorRef<P>
  addressOf(name: string, incarnation: string): ActorAddress
  watch(address: ActorAddress, onDown: OnDown): Watch
  log(level: LogLine['level'], where: string, text: string): void
}

export class ActorCells implements CellHost, LocalActors {
  readonly #host: CellsHost
  readonly #cells = new Map<string, ActorCell>()
  // Actors without a parent, in the order of their start.
  readonly #top = new Set<ActorCell>()
  #spawned = 0
  #closed = false

  constructor(host: CellsHost) {
    this.#host = host
  }

  get environment(): Environment {
    return this.#host.environment
  }

  get nodeName(): string {
    return this.#host.nodeName
  }

  spawn<P extends object>(
    parent: ActorCell | undefined,
    name: string,
    make: Make<P>,
    options: SpawnOptions = {},
  ): ActorRef<P> {
    const full = parent === undefined ? name : `${parent.name}/${name}`
    if (!NAME.test(name) || full.length > NAME_CHARS_MAX) {
      throw new EngineError('BAD_INPUT', `${JSON.stringify(name)} is no name for an actor`, {
        hint: `use at most 128 letters, digits and . @ ~ + : - _; with its parents' names at most ${NAME_CHARS_MAX}`,
        details: { name },
      })
    }
    if (this.#closed) throw actorNotFound(full, this.nodeName, 'its node closes')
    if (this.#cells.has(full)) {
      throw new EngineError('ACTOR_EXISTS', `an actor ${full} is on ${this.nodeName} already`, {
        hint: 'choose another name, or wait until the other has stopped',
        details: { actor: full },
      })
    }
    const incarnation = `${this.#host.incarnation}.${++this.#spawned}`
    const cell = new ActorCell(this, { name: full, incarnation, parent, make, options })
    this.#cells.set(full, cell)
    if (parent === undefined) this.#top.add(cell)
    cell.start()
    return this.#host.localRef(full, incarnation)
  }

  find(name: string, incarnation: string | undefined): ActorCell | undefined {
    const cell = this.#cells.get(name)
    if (cell === undefined) return undefined
    return incarnation === undefined || incarnation === cell.incarnation ? cell : undefined
  }

  deliver(name: string, incarnation: string | undefined, call: Call): void {
    const cell = this.find(name, incarnation)
    if (cell !== undefined && (cell.open || call.sender.principal === 'role')) {
      cell.deliver(call)
      return
    }
    const error = cell === undefined ? this.#missing(name, call.sender.principal) : notOpen(name)
    if (call.reply !== undefined) call.reply.fail(error)
    else this.log('debug', name, `${call.method} dropped: ${error.message}`)
  }

  watchLocal(
    name: string,
    incarnation: string | undefined,
    principal: Principal,
    onDown: OnDown,
  ): { watch: Watch; incarnation: string | undefined } {
    const cell = this.find(name, incarnation)
    if (cell !== undefined && (cell.open || principal === 'role')) {
      return { watch: cell.watched(onDown), incarnation: cell.incarnation }
    }
    const error = cell === undefined ? this.#missing(name, principal) : notOpen(name)
    const watcher = new Watcher(onDown)
    this.environment.defer(() => watcher.tell(error.message))
    return { watch: watcher, incarnation: undefined }
  }

  /** Stops all actors, the youngest first; no new ones can be started. */
  async close(): Promise<void> {
    this.#closed = true
    for (const cell of [...this.#top].reverse()) await cell.stopped('its node closes')
  }

  // ---- for the cells

  addressOf(cell: ActorCell): ActorAddress {
    return this.#host.addressOf(cell.name, cell.incarnation)
  }

  ref<P>(address: ActorAddress): ActorRef<P> {
    return this.#host.ref(address)
  }

  watch(address: ActorAddress, onDown: OnDown): Watch {
    return this.#host.watch(address, onDown)
  }

  log(level: LogLine['level'], where: string, text: string): void {
    this.#host.log(level, where, text)
  }

  removed(cell: ActorCell): void {
    this.#cells.delete(cell.name)
    this.#top.delete(cell)
  }

  // Clients are not told what else is here.
  #missing(name: string, principal: Principal): EngineError {
    if (this.#cells.has(name)) return actorNotFound(name, this.nodeName, 'it is another one since')
    const near = principal === 'role' ? nearestName(name, this.#cells.keys()) : undefined
    const why = near === undefined ? 'it has stopped or never was' : `did you mean ${near}?`
    return actorNotFound(name, this.nodeName, why)
  }
}
