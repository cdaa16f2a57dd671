// The context a task is given: a thin face of its runner. Ports are compiled once; `output` on the default port is a
// field away. Translation layers get the same object and use `outlet`, `emitAnchored` and `hold(into)`.
import { EngineError, nearestName } from '../base/errors.ts'
import type { LogLine } from '../base/log.ts'
import type { Slot } from '../progress/slot-ledger.ts'
import { Hold } from './hold.ts'
import type { PortOutlet } from './out-edge.ts'
import type { Emitting, Outlet, Place, TaskContext } from './task.ts'
import type { TaskRunner } from './task-runner.ts'

export const DEFAULT_PORT = 'default'

/** What both contexts are built from. */
export interface ContextParts {
  readonly place: Place
  readonly outlets: ReadonlyMap<string, PortOutlet>
}

export class RunnerContext implements TaskContext<unknown>, Emitting {
  readonly taskId: number
  readonly processor: string
  readonly index: number
  readonly parallelism: number
  readonly executorId: number
  readonly config: Readonly<Record<string, unknown>>
  readonly #runner: TaskRunner<RunnerContext>
  readonly #outlets: ReadonlyMap<string, PortOutlet>
  readonly #default: PortOutlet | undefined

  constructor(runner: TaskRunner<RunnerContext>, { place, outlets }: ContextParts) {
    this.taskId = place.taskId
    this.processor = place.processor
    this.index = place.index
    this.parallelism = place.parallelism
    this.executorId = place.executorId
    this.config = place.config
    this.#runner = runner
    this.#outlets = outlets
    this.#default = outlets.get(DEFAULT_PORT)
  }

  output(value: unknown, port?: string): void {
    const outlet = port === undefined ? this.#default : this.#outlets.get(port)
    if (outlet !== undefined) outlet.emit(value, this.#runner.slot)
    else if (port !== undefined && port !== DEFAULT_PORT)
      throw unknownPort(this, port, this.#outlets)
  }

  outputTo(taskId: number, value: unknown, port = DEFAULT_PORT): void {
    const outlet = this.#outlets.get(port)
    if (outlet === undefined && port !== DEFAULT_PORT) throw unknownPort(this, port, this.#outlets)
    if (outlet?.emitTo(taskId, value, this.#runner.slot) !== true) {
      throw new EngineError(
        'UNKNOWN_TARGET',
        `${this.processor}[${this.index}] has no edge to task ${taskId}`,
        {
          hint: 'emit to a task of a processor that an edge of this port leads to',
        },
      )
    }
  }

  outlet(port: string): Outlet | undefined {
    return this.#outlets.get(port)
  }

  /** Emits anchored to `holds` (all of this task). Returns as `Outlet.emit`. */
  emitAnchored(outlet: Outlet, value: unknown, holds: readonly Hold[]): number {
    const list = this.#runner.holds
    const slot = list.anchor(holds)
    if (!list.joined) return outlet.emit(value, slot)
    try {
      return outlet.emit(value, slot)
    } finally {
      list.ledger.release(slot)
    }
  }

  emitAnchoredTo(outlet: Outlet, taskId: number, value: unknown, holds: readonly Hold[]): boolean {
    const list = this.#runner.holds
    const slot = list.anchor(holds)
    const joined = list.joined
    try {
      return outlet.emitTo(taskId, value, slot)
    } finally {
      if (joined) list.ledger.release(slot)
    }
  }

  /** The slot of the current input: what `output` anchors to. */
  get slot(): Slot {
    return this.#runner.slot
  }

  hold(into: Hold = new Hold()): Hold {
    const runner = this.#runner
    if (!runner.inInput || runner.heldBy !== undefined) {
      throw new EngineError(
        'BUG',
        `${this.processor}[${this.index}] holds an input outside onNext, or twice`,
        {
          hint: 'call hold() once, inside onNext',
        },
      )
    }
    runner.heldBy = into
    runner.holds.add(into, runner.slot)
    return into
  }

  /** Keeps an untracked thing (a tick) in the books like an input. */
  holdUntracked(into: Hold): Hold {
    this.#runner.holds.add(into, 0)
    return into
  }

  self(message: unknown): void {
    this.#runner.call(() => this.onSelf?.(message))
  }

  /** Set by the executor: hands a message to the task's `onMessage`. */
  onSelf: ((message: unknown) => unknown) | undefined = undefined

  /** Runs `fn` on this task's own turn, soon. May be called from any callback. */
  call(fn: () => unknown): void {
    this.#runner.call(fn)
  }

  schedule(periodMs: number, fn: () => void): { cancel(): void } {
    return this.#runner.timers.schedule(periodMs, fn)
  }

  scheduleOnce(delayMs: number, fn: () => void): { cancel(): void } {
    return this.#runner.timers.scheduleOnce(delayMs, fn)
  }

  /** The task starts anew: what it held has failed. */
  failHolds(): void {
    this.#runner.holds.failAll()
  }

  /** Calls `fn` after `delayMs`, on no turn: for waiting inside a promise that parks the task. */
  after(delayMs: number, fn: () => void): { cancel(): void } {
    return this.#runner.timers.after(delayMs, fn)
  }

  ready(): Promise<void> {
    return this.#runner.ready() ?? Promise.resolve()
  }

  /** As `ready`, but undefined when there is room now. */
  room(): Promise<void> | undefined {
    return this.#runner.ready()
  }

  get upstreamClock(): number {
    return this.#runner.host.appClockUs
  }

  get sourceTask(): number {
    return this.#runner.sourceTask
  }

  get edge(): number {
    return this.#runner.edge
  }

  report(error: Error): void {
    this.#runner.host.report(this.taskId, error)
  }

  log(level: LogLine['level'], text: string): void {
    this.#runner.host.log(this.taskId, level, text)
  }

  metric(name: string, value: unknown): void {
    this.#runner.host.metric(this.taskId, name, value)
  }
}

export function unknownPort(
  place: Place,
  port: string,
  outlets: ReadonlyMap<string, PortOutlet>,
): EngineError {
  const near = nearestName(port, outlets.keys())
  return new EngineError(
    'UNKNOWN_PORT',
    `${place.processor}[${place.index}] emits on port "${port}", where nothing listens`,
    { hint: near === undefined ? 'add an edge with this port' : `did you mean "${near}"?` },
  )
}
