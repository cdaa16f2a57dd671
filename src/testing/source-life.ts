// One life of a source task in the conformance kit, and the world that it lives in. The scenarios are in conformance-source.ts.
import type { Source } from '../task/task.ts'
import { ManualEnvironment } from './manual-environment.ts'
import { type SourceOutput, SourceTest } from './test-source.ts'

/** Where a source under test gets its messages from. A new one for each scenario. */
export interface SourceWorld {
  /** A new task of the source. After a crash another one is made in the same world. */
  create(): Source<unknown>
  /** Puts `count` messages there, and returns how `keyOf` will know them, in their order. */
  populate(count: number): readonly string[] | Promise<readonly string[]>
  /** The process of the task made last is gone: what it did not give back is lost. */
  crash?(): void | Promise<void>
  /** Files, connections and the like that the task has open. */
  handles?(): number
  /** Real time for real input; not needed where promises settle by themselves. */
  settle?(): Promise<void>
  close?(): void | Promise<void>
}

export interface SourceConformance {
  readonly world: () => SourceWorld | Promise<SourceWorld>
  /** Identity of a message; its value as text if not given. */
  readonly keyOf?: (value: unknown) => string
  /** Messages that may be open at most, by the source's own bound. */
  readonly openMax: number
  /**
   * What may come again after a crash. `exact`: only what was not told done. `from-first`: everything from the first message
   * that was not told done; for positions that are one offset.
   */
  readonly replays?: 'exact' | 'from-first'
  /** Whether it ends when all is done. */
  readonly ends?: boolean
  /** Declarations that are wrong: each must throw a UserError at once. */
  readonly misconfigured?: readonly (() => unknown)[]
  /** Of the random choices. 1 if not given. */
  readonly seed?: number
}

/** Looks in vain, each of so many virtual ms, after which nothing more is thought to come. */
const QUIET_LOOKS = 60
const LOOK_MS = 20
const LOOKS_MAX = 3000

/** One life of a source task, from open to crash or end. */
export class SourceLife {
  readonly test: SourceTest
  readonly #world: SourceWorld
  readonly #keyOf: (value: unknown) => string

  private constructor(kit: SourceConformance, world: SourceWorld, position: unknown) {
    this.#world = world
    this.#keyOf = kit.keyOf ?? String
    this.test = new SourceTest(world.create() as Source<never>, {
      environment: new ManualEnvironment({ seed: kit.seed ?? 1 }),
      position,
      profile: { timeoutMs: 0 },
    })
  }

  static async open(
    kit: SourceConformance,
    world: SourceWorld,
    position?: unknown,
  ): Promise<SourceLife> {
    const life = new SourceLife(kit, world, position)
    const started = life.test.start()
    let open = true
    const settled = () => {
      open = false
    }
    started.then(settled, settled)
    for (let looks = 0; open && looks < LOOKS_MAX; looks++) await life.look()
    if (open) throw new Error('open() did not come to an end')
    await started
    return life
  }

  async look(): Promise<void> {
    await this.test.advance(LOOK_MS)
    await this.#world.settle?.()
  }

  key(output: SourceOutput): string {
    return this.#keyOf(output.value)
  }

  /** Keys in the order in which they were emitted. */
  get keys(): string[] {
    return this.test.emitted.map(output => this.key(output))
  }

  /** Lets it go on until nothing has come for a while; `each` is called after every look. */
  async quiet(each: () => void = () => undefined): Promise<void> {
    let still = 0
    for (let looks = 0; looks < LOOKS_MAX && still < QUIET_LOOKS; looks++) {
      const before = this.test.emitted.length
      await this.look()
      each()
      still = this.test.emitted.length === before ? still + 1 : 0
    }
  }

  async allDone(): Promise<void> {
    await this.quiet(() => {
      if (this.test.open.length > 0) this.test.done()
    })
  }

  async stop(): Promise<void> {
    await this.test.environment.awaiting(this.test.stop())
    await this.#world.settle?.()
  }
}

export async function inWorld<T>(
  kit: SourceConformance,
  fn: (world: SourceWorld) => Promise<T>,
): Promise<T> {
  const world = await kit.world()
  try {
    return await fn(world)
  } finally {
    await world.close?.()
  }
}
