// Runs one task alone: push inputs, read outputs, move time. The task runs in the engine's own runner, so that what a test
// sees (who is released, who fails, what is anchored to what) is what a run would do.
import { every } from '../base/environment.ts'
import { NONE, type Slot } from '../progress/slot-ledger.ts'
import type { Task } from '../task/task.ts'
import { RunnerContext } from '../task/task-context.ts'
import { TaskRunner } from '../task/task-runner.ts'
import { ManualEnvironment } from './manual-environment.ts'
import { type Emission, OpenPorts, type PlaceOptions, placeOf, TestHost } from './test-host.ts'

export interface TaskTestOptions extends PlaceOptions {
  environment?: ManualEnvironment
}

/**
 * `waiting`: the task has not taken it. `running`: in `onNext`, or waiting for its promise. `held`: by a hold of the
 * task. `released` or `failed`: ended. `untracked`: nobody waits for it.
 */
export type InputState = 'waiting' | 'running' | 'held' | 'released' | 'failed' | 'untracked'

/** One message that the test has pushed. */
export interface TestInput {
  readonly value: unknown
  readonly state: InputState
  /** How often the task has asked for more time for it. */
  readonly renewals: number
}

export interface TaskOutput {
  readonly value: unknown
  readonly port: string
  /** Task id, for `outputTo`. */
  readonly to: number | undefined
  /** The inputs it is anchored to. */
  readonly anchors: readonly TestInput[]
}

class Input implements TestInput {
  readonly value: unknown
  readonly #stateOf: (input: Input) => InputState
  slot: Slot = NONE
  ended: 'released' | 'failed' | undefined = undefined
  renewals = 0

  constructor(value: unknown, stateOf: (input: Input) => InputState) {
    this.value = value
    this.#stateOf = stateOf
  }

  get state(): InputState {
    return this.ended ?? this.#stateOf(this)
  }
}

/** A task under test. Made by `testTask`. */
export class TaskTest<In> {
  readonly environment: ManualEnvironment
  /** The context that the task was given. */
  readonly context: RunnerContext
  readonly #task: Task<In, never>
  readonly #host: TestHost
  readonly #runner: TaskRunner<RunnerContext>
  readonly #ports: OpenPorts
  readonly #inputs: Input[] = []
  readonly #outputs: TaskOutput[] = []
  #rotation: { cancel(): void } | undefined = undefined

  constructor(task: Task<In, never>, options: TaskTestOptions = {}) {
    this.environment = options.environment ?? new ManualEnvironment()
    this.#task = task
    this.#host = new TestHost(
      this.environment,
      {
        rootsDone: (_, ordinals, n) => {
          for (const ordinal of ordinals.subarray(0, n)) this.#ended(ordinal, 'released')
        },
        rootFailed: (_, ordinal) => this.#ended(ordinal, 'failed'),
        renewRoot: (_, ordinal) => {
          this.#inputs[ordinal]!.renewals++
        },
      },
      options.profile,
    )
    const place = placeOf(options)
    this.#runner = new TaskRunner(this.#host, { taskId: place.taskId, level: 1, tagged: true })
    this.#ports = new OpenPorts(this.#host, this.#runner, emission => this.#note(emission))
    this.context = new RunnerContext(this.#runner, { place, outlets: this.#ports })
    this.context.onSelf = message => task.onMessage?.(message, this.context as never)
  }

  async start(): Promise<void> {
    await this.#task.onStart?.(this.context as never)
    this.#runner.begin(this.#task as Task<unknown, unknown>, this.context)
    const { timeoutMs } = this.#host.profile
    if (timeoutMs > 0)
      this.#rotation = every(this.environment, timeoutMs, () => this.#runner.rotate())
  }

  /** Gives the task a message and lets it run. */
  push(
    value: In,
    options: { tracked?: boolean; sourceTask?: number; edge?: number } = {},
  ): TestInput {
    const input = new Input(value, of => this.#stateOf(of))
    const ledger = this.#host.ledger
    const ordinal = this.#inputs.push(input) - 1
    if (options.tracked !== false) input.slot = ledger.root(0, ordinal)
    // An arrival's slot counts its inbox entry already: the root's first hold is that entry's.
    this.#runner.arrive(value, input.slot, {
      edge: options.edge ?? 0,
      source: options.sourceTask ?? 0,
      origin: 0,
      straight: false,
    })
    this.environment.run()
    return input
  }

  /** Values emitted on a port so far. */
  outputs(port = 'default'): unknown[] {
    return this.#outputs.filter(output => output.port === port).map(output => output.value)
  }

  /** Everything emitted so far, with its anchors. */
  get emitted(): readonly TaskOutput[] {
    return this.#outputs
  }

  /** Everything pushed so far. */
  get inputs(): readonly TestInput[] {
    return this.#inputs
  }

  /** What the task threw or reported. */
  get errors(): readonly Error[] {
    return this.#host.errors
  }

  get lines(): readonly { level: string; text: string }[] {
    return this.#host.lines
  }

  metric(name: string): unknown {
    return this.#host.metrics.get(name)
  }

  /** Lets time pass: timers fire, promises settle, time-out periods end. */
  advance(ms: number): Promise<void> {
    return this.environment.advance(ms)
  }

  /** Tells the app clock, µs since 1970. */
  clock(clockUs: number): void {
    this.#host.appClockUs = clockUs
    if (this.#task.onClock !== undefined) {
      this.#runner.call(() => this.#task.onClock!(clockUs, this.context as never))
    }
    this.environment.run()
  }

  /** Makes all consumers full (true) or gives them room. */
  setFull(full: boolean): void {
    this.#ports.setFull(full)
    this.environment.run()
  }

  /** Ends the task: `onStop`, then everything it still has fails. */
  async stop(): Promise<void> {
    this.#rotation?.cancel()
    await this.#runner.stop()
    this.environment.run()
  }

  #ended(ordinal: number, how: 'released' | 'failed'): void {
    const input = this.#inputs[ordinal]!
    input.ended ??= how
    input.slot = NONE
  }

  #stateOf(input: Input): InputState {
    if (input.slot === NONE) return 'untracked'
    const number = this.#inputs.indexOf(input) + 1
    const taken = this.#inputs.length - this.#runner.inbox.size
    if (number > taken) return 'waiting'
    return number === taken && this.#runner.inInput && this.#runner.heldBy === undefined
      ? 'running'
      : 'held'
  }

  #note({ port, value, to, slot }: Emission): void {
    const slots = this.#host.ledger.anchorsOf(slot)
    const anchors = this.#inputs.filter(input => input.slot !== NONE && slots.includes(input.slot))
    this.#outputs.push({ port, value, to, anchors })
  }
}

/**
 * Starts a task alone, in virtual time.
 *
 * @example
 * const split = await testTask(new Split())
 * const input = split.push('to be')
 * t.deepEqual(split.outputs(), ['to', 'be'])
 * t.is(input.state, 'released')
 */
export async function testTask<In, Out>(
  task: Task<In, Out>,
  options: TaskTestOptions = {},
): Promise<TaskTest<In>> {
  const test = new TaskTest<In>(task as unknown as Task<In, never>, options)
  await test.start()
  return test
}
