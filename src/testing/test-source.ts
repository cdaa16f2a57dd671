// Runs one source alone: let it emit, say how each of its messages ended, read what it was told. The source runs in the
// engine's own runner; what it emits stays open until the test ends it.
import { positionText } from '../app/position-reports.ts'
import { every } from '../base/environment.ts'
import { NONE, type Slot } from '../progress/slot-ledger.ts'
import { SourceRunnerContext } from '../task/source-context.ts'
import { SourceRunner } from '../task/source-runner.ts'
import type { Source } from '../task/task.ts'
import { ManualEnvironment } from './manual-environment.ts'
import { OpenPorts, type PlaceOptions, placeOf, TestHost } from './test-host.ts'

export interface SourceTestOptions extends PlaceOptions {
  environment?: ManualEnvironment
  /** What the source finds in `context.position`, as one that is opened again. */
  position?: unknown
  /** First wait after `next` has said that there is nothing, ms. 1 if not given. */
  idleWaitMs?: number
}

/** One message of the source. */
export interface SourceOutput {
  readonly value: unknown
  readonly port: string
  /** Undefined: it is not tracked. */
  readonly id: unknown
  /** `open` until the test or a time-out ends it. */
  readonly state: 'open' | 'done' | 'failed' | 'untracked'
}

interface Root {
  readonly value: unknown
  readonly port: string
  readonly id: unknown
  state: SourceOutput['state']
  slot: Slot
}

/** A source under test. Made by `testSource`. */
export class SourceTest {
  readonly environment: ManualEnvironment
  /** The context that the source was given. */
  readonly context: SourceRunnerContext
  readonly #source: Source<never>
  readonly #host: TestHost
  readonly #runner: SourceRunner<SourceRunnerContext>
  readonly #ports: OpenPorts
  readonly #roots: Root[] = []
  // By place among the open roots.
  readonly #open = new Map<number, Root>()
  #calls = 0
  #rotation: { cancel(): void } | undefined = undefined

  constructor(source: Source<never>, options: SourceTestOptions = {}) {
    this.environment = options.environment ?? new ManualEnvironment()
    this.#source = source
    this.#host = new TestHost(
      this.environment,
      {
        rootsDone: (_, places, n) => this.#done(places, n),
        rootFailed: (_, place) => this.#failed(place),
        renewRoot: (_, place) => this.#runner.roots.renew(place),
      },
      options.profile,
    )
    const place = placeOf(options)
    const { maxOpenRoots } = this.#host.profile
    const settings = {
      number: 0,
      taskId: place.taskId,
      maxOpenRoots,
      idleWaitMs: options.idleWaitMs ?? 1,
    }
    this.#runner = new SourceRunner(this.#host, settings)
    this.#ports = new OpenPorts(this.#host, this.#runner, ({ port, value, slot }) =>
      this.#note(port, value, slot),
    )
    this.context = new SourceRunnerContext(this.#runner, { place, outlets: this.#ports })
    this.context.position = options.position
  }

  async start(): Promise<void> {
    await this.#source.open?.(this.context as never)
    const counted: Source<never> = {
      next: out => {
        this.#calls++
        return this.#source.next(out)
      },
      ...(this.#source.done === undefined ? {} : { done: id => this.#source.done!(id) }),
      ...(this.#source.fail === undefined ? {} : { fail: id => this.#source.fail!(id) }),
      onActive: active => this.#source.onActive?.(active),
      close: () => this.#source.close?.(),
    }
    this.#runner.begin(counted as Source<unknown>, this.context)
    const { timeoutMs } = this.#host.profile
    if (timeoutMs > 0)
      this.#rotation = every(this.environment, timeoutMs, () => this.#runner.rotate())
  }

  /** Lets the source emit until it has nothing or may not emit more, and returns what came since the last pull. */
  pull(): SourceOutput[] {
    this.environment.run()
    const from = this.#pulled
    this.#pulled = this.#roots.length
    return this.#roots.slice(from)
  }
  #pulled = 0

  /** Values emitted on a port so far. */
  outputs(port = 'default'): unknown[] {
    return this.#roots.filter(root => root.port === port).map(root => root.value)
  }

  get emitted(): readonly SourceOutput[] {
    return this.#roots
  }

  /** Ids of the messages that are open. */
  get open(): unknown[] {
    return [...this.#open.values()].map(root => root.id)
  }

  /** How often `next` was called. */
  get calls(): number {
    return this.#calls
  }

  /** Whether the source has said that no more will come. */
  get ended(): boolean {
    return this.#runner.exhausted
  }

  get errors(): readonly Error[] {
    return this.#host.errors
  }

  get lines(): readonly { level: string; text: string }[] {
    return this.#host.lines
  }

  metric(name: string): unknown {
    return this.#host.metrics.get(name)
  }

  /** Finishes the oldest open message with this id; without an id, all. The source is told on its next turn. */
  done(...ids: unknown[]): void {
    for (const root of this.#chosen(ids)) this.#host.ledger.release(root.slot)
    this.environment.run()
  }

  /** As `done`, but they have failed. */
  fail(...ids: unknown[]): void {
    for (const root of this.#chosen(ids)) this.#host.ledger.fail(root.slot)
    this.environment.run()
  }

  /**
   * Where the source says that it stands now, as it is when it has been stored; undefined = nothing to keep. Throws when it
   * is nothing that can be stored.
   */
  position(): unknown {
    const json = positionText(this.#source.position?.())
    return json === undefined ? undefined : JSON.parse(json)
  }

  setActive(active: boolean): void {
    this.#runner.setActive(active)
    this.environment.run()
  }

  /** Makes all consumers full (true) or gives them room. */
  setFull(full: boolean): void {
    this.#ports.setFull(full)
    this.environment.run()
  }

  advance(ms: number): Promise<void> {
    return this.environment.advance(ms)
  }

  async stop(): Promise<void> {
    this.#rotation?.cancel()
    await this.#runner.stop()
  }

  #note(port: string, value: unknown, slot: Slot): void {
    // The test owns this hold.
    if (slot === NONE) {
      this.#roots.push({ port, value, id: undefined, state: 'untracked', slot })
      return
    }
    const { roots } = this.#runner
    const place = roots.placeOf(slot)
    const root: Root = { port, value, id: roots.idOf(place), state: 'open', slot }
    this.#host.ledger.add(slot)
    this.#roots.push(root)
    this.#open.set(place, root)
  }

  #done(places: Int32Array, n: number): true {
    for (const place of places.subarray(0, n)) this.#end(place, 'done')
    return this.#runner.rootsEnded(places, n)
  }

  #failed(place: number): void {
    this.#end(place, 'failed')
    this.#runner.rootFailed(place)
  }

  #end(place: number, state: 'done' | 'failed'): void {
    const root = this.#open.get(place)
    if (root !== undefined) root.state = state
    this.#open.delete(place)
  }

  #chosen(ids: readonly unknown[]): Root[] {
    const open = [...this.#open.values()]
    if (ids.length === 0) return open
    return ids.map(id => {
      const root = open.find(one => one.id === id)
      if (root === undefined) throw new Error(`no message with id ${String(id)} is open`)
      open.splice(open.indexOf(root), 1)
      return root
    })
  }
}

/**
 * Starts a source alone, in virtual time. What it emits with an id stays open until `done` or `fail`.
 *
 * @example
 * const lines = await testSource(new Lines(['a', 'b']))
 * t.deepEqual(lines.pull().map(line => line.value), ['a', 'b'])
 * lines.fail(0)
 * t.deepEqual(lines.pull().map(line => line.value), ['a'])
 */
export async function testSource<Out>(
  source: Source<Out>,
  options: SourceTestOptions = {},
): Promise<SourceTest> {
  const test = new SourceTest(source as unknown as Source<never>, options)
  await test.start()
  return test
}
