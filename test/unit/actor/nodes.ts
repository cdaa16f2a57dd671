// Nodes for tests: several actor systems in one process, on manual time, over a network that a seed makes faulty.
import { ActorSystem, type ActorSystemOptions } from '../../../src/actor/actor-system.ts'
import type { EngineError } from '../../../src/base/errors.ts'
import type { LogLine } from '../../../src/base/log.ts'
import { ManualEnvironment, type ManualProcess } from '../../../src/testing/manual-environment.ts'
import { seededRandom } from '../../../src/testing/seeded-random.ts'
import { type Faults, FaultyNetwork } from '../../../src/transport/faulty-transport.ts'

export interface Node {
  system: ActorSystem
  environment: ManualProcess
}

export class Nodes {
  readonly environment: ManualEnvironment
  readonly network: FaultyNetwork
  readonly lines: LogLine[] = []
  readonly #nodes = new Map<string, Node>()

  constructor({ seed = 1, faults = {} }: { seed?: number; faults?: Partial<Faults> } = {}) {
    this.environment = new ManualEnvironment({ seed })
    this.network = new FaultyNetwork({
      random: seededRandom(seed + 1),
      time: {
        now: () => this.environment.now(),
        after: (delayMs, fn) => {
          this.environment.after(delayMs, fn)
        },
      },
      faults,
    })
  }

  /** A node that listens under its name; again under the same name, another process there. */
  async start(name: string, options: Partial<ActorSystemOptions> = {}): Promise<ActorSystem> {
    const system = this.silent(name, options)
    await system.listen()
    return system
  }

  /** A node that does not listen. */
  silent(name: string, options: Partial<ActorSystemOptions> = {}): ActorSystem {
    const environment = this.environment.process()
    const system = new ActorSystem({
      environment,
      name,
      transport: this.network.transport(name),
      log: { write: line => this.lines.push(line) },
      ...options,
    })
    this.#nodes.set(name, { system, environment })
    return system
  }

  /** As `kill -9` does. */
  kill(name: string): void {
    this.#nodes.get(name)?.environment.kill()
    this.network.kill(name)
  }

  /** What a promise ends with, while time passes. */
  async outcome(promise: Promise<unknown>, withinMs = 60_000): Promise<Outcome> {
    const ended: Promise<Outcome> = promise.then(
      value => ({ value }),
      error => ({ error: error as EngineError }),
    )
    return this.environment.awaiting(ended, withinMs)
  }
}

export interface Outcome {
  value?: unknown
  error?: EngineError
}
