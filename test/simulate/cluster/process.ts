// One process of a simulated cluster: its own time, which ends and pauses with it, its own actors, its endpoints. The
// actors it spawns can be looked at, and their doors changed, by whoever watches the world.
import type { ActorRef, Make, SpawnOptions } from '../../../src/actor/actor.ts'
import { ActorSystem } from '../../../src/actor/actor-system.ts'
import type { Log } from '../../../src/base/log.ts'
import type { Transport } from '../../../src/transport/link.ts'
import { type Chance, ProcessEnvironment, type VirtualTime } from '../virtual-time.ts'
import type { Network } from './network.ts'

/** What stands between callers and an actor: returns the door that is called instead. */
export type DoorWatch = (process: SimulatedProcess, actor: string, door: object) => object

export interface ProcessParts {
  readonly time: VirtualTime
  readonly chance: Chance
  readonly network: Network
  readonly log: Log
  readonly watchDoor: DoorWatch
  /** How far the wall clock of a process may be off. */
  readonly skewMs: number
}

export class SimulatedProcess {
  readonly name: string
  readonly host: string
  readonly environment: ProcessEnvironment
  readonly system: ActorSystem
  /** Its host lost power: not even its kernel says goodbye. */
  powerless = false
  readonly #parts: ProcessParts
  readonly #transport: Transport
  readonly #onEnd: ((reason: string) => void)[] = []

  constructor(parts: ProcessParts, { name, host }: { name: string; host: string }) {
    const { time, chance, network, log, watchDoor, skewMs } = parts
    this.#parts = parts
    this.name = name
    this.host = host
    this.environment = new ProcessEnvironment(time, chance, chance.between(-skewMs, skewMs) * 1000)
    this.#transport = network.transport(name, this)
    this.system = new WatchedSystem(
      { environment: this.environment, log, name, transport: this.#transport },
      (actor, door) => watchDoor(this, actor, door),
    )
  }

  get killed(): boolean {
    return this.environment.killed
  }

  /** Another endpoint, for links of data. */
  endpoint(name: string): Transport {
    return this.#parts.network.transport(`${this.name}/${name}`, this)
  }

  /** Tells of the end, a little after it. */
  onEnd(told: (reason: string) => void): void {
    this.#onEnd.push(told)
  }

  kill(reason: string): void {
    if (this.killed) return
    const { time, chance, network } = this.#parts
    this.environment.killed = true
    network.died(this)
    time.after(chance.between(1, 30), () => {
      for (const told of this.#onEnd.splice(0)) told(reason)
    })
  }

  /** Its host has lost power. */
  vanish(): void {
    this.powerless = true
    this.kill('its host lost power')
  }

  pause(forMs: number): void {
    const { environment } = this
    const untilMs = this.#parts.time.now() + forMs
    environment.stalledUntilMs = Math.max(environment.stalledUntilMs, untilMs)
  }
}

class WatchedSystem extends ActorSystem {
  readonly #watchDoor: (actor: string, door: object) => object

  constructor(
    options: ConstructorParameters<typeof ActorSystem>[0],
    watchDoor: (actor: string, door: object) => object,
  ) {
    super(options)
    this.#watchDoor = watchDoor
  }

  override spawn<P extends object>(
    name: string,
    make: Make<P>,
    options: SpawnOptions = {},
  ): ActorRef<P> {
    const watched: Make<P> = context => {
      const made = make(context)
      if (made instanceof Promise) return made
      return this.#watchDoor(name, made) as P
    }
    return super.spawn(name, watched, options)
  }
}
