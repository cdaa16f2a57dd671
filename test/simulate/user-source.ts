// The source of a simulated world. What it has to emit is kept outside of it, as a queue server would: a source that
// replays opens at what was not done, after a crash as well.
import type { PortOutlet } from '../../src/task/out-edge.ts'
import type { SourceRunnerContext } from '../../src/task/source-context.ts'
import type { Source } from '../../src/task/task.ts'
import type { Root } from './oracle.ts'
import { payloadOf, Sender, type Stage } from './user-code.ts'

/** What one source task has to emit; outlives its executor. */
export class Store {
  next = 0
  readonly done = new Set<number>()
  readonly emitted = new Set<number>()
  /** Root -> id. */
  readonly idOf = new Map<number, number>()
}

const BATCH_MAX = 3

export class SimulatedSource implements Source<unknown> {
  readonly #stage: Stage
  readonly #storeOf: (task: number) => Store
  #context!: SourceRunnerContext
  #store!: Store
  #again: number[] = []
  #busy = false
  #idleUntilMs = 0
  readonly #open = new Set<Root>()
  readonly #outlets = new Map<string, PortOutlet>()
  #sender!: Sender

  constructor(stage: Stage, storeOf: (task: number) => Store) {
    this.#stage = stage
    this.#storeOf = storeOf
  }

  open(context: unknown): void {
    this.#context = context as SourceRunnerContext
    this.#store = this.#storeOf(this.#context.taskId)
    this.#sender = new Sender(this.#context, this.#stage)
    if (this.#stage.scenario.replays) {
      this.#again = [...this.#store.emitted].filter(id => !this.#store.done.has(id))
    }
    for (const port of ['default', 'side', 'direct']) {
      const outlet = this.#context.outlet(port) as PortOutlet | undefined
      if (outlet === undefined) continue
      this.#sender.watch(outlet)
      this.#outlets.set(port, outlet)
    }
  }

  next(): boolean | Promise<boolean> {
    const { chance, scenario } = this.#stage
    if (this.#busy) this.#stage.oracle.broken('a source was asked while it was busy')
    this.#stage.checkFlow(this.#context.taskId)
    if (this.#stage.now() < this.#idleUntilMs) return false
    if (scenario.idles && chance.happens(0.1)) {
      this.#idleUntilMs = this.#stage.now() + chance.between(50, 1500)
      return false
    }
    let emitted = false
    for (let n = 1 + chance.below(BATCH_MAX); n > 0; n--) {
      const id =
        this.#again.shift() ?? (this.#store.next < scenario.ids ? this.#store.next++ : undefined)
      if (id === undefined) break
      emitted = true
      this.#emit(id)
    }
    if (!emitted) return false
    // Now and then it takes its time, in both ways.
    if (chance.happens(0.1)) return this.#later()
    return chance.happens(0.8)
  }

  #later(): Promise<boolean> {
    this.#busy = true
    return new Promise(resolve => {
      this.#stage.later(this.#context, 1 + this.#stage.chance.below(40), () => {
        this.#busy = false
        resolve(true)
      })
    })
  }

  #emit(id: number): void {
    const { chance, oracle, scenario } = this.#stage
    const context = this.#context
    // Unreliable roots are for those that do not replay.
    const reliable = scenario.replays || chance.happens(0.9)
    const root = reliable ? oracle.root(context.taskId) : undefined
    if (root !== undefined) {
      this.#store.emitted.add(id)
      this.#store.idOf.set(root.number, id)
      this.#open.add(root)
    }
    const message = oracle.message(
      root === undefined || !oracle.tracked ? [] : [root],
      scenario.ttl,
    )
    const [port, outlet] = chance.pick([...this.#outlets])
    this.#sender.message = message
    const value = payloadOf(message.number)
    const name =
      root === undefined ? undefined : chance.happens(0.5) ? root.number : { root: root.number }
    if (port === 'direct') {
      context.emitRootTo(
        outlet,
        chance.pick(this.#stage.consumers(context.taskId, port)),
        value,
        name,
      )
    } else context.output(value, name, port)
    this.#sender.message = undefined
  }

  done(name: unknown): void {
    this.#told(name, 'done')
  }

  fail(name: unknown): void {
    const root = this.#told(name, 'failed')
    const id = this.#store.idOf.get(root.number)!
    if (this.#stage.scenario.replays && !this.#store.done.has(id)) this.#again.push(id)
  }

  #told(name: unknown, how: 'done' | 'failed'): Root {
    const { oracle } = this.#stage
    const root = oracle.roots[typeof name === 'number' ? name : (name as { root: number }).root]!
    if (!this.#open.delete(root))
      oracle.broken(`(2) the source was told of root ${root.number} twice`)
    if (!oracle.tracked) oracle.ended(root, how === 'done')
    if (root.end !== how)
      oracle.broken(`the source was told ${how} of root ${root.number}: ${root.end}`)
    if (how === 'done') this.#store.done.add(this.#store.idOf.get(root.number)!)
    return root
  }

  /** Roots emitted here that nobody was told of. */
  get untold(): number {
    return this.#open.size
  }
}
