// The context a task is given: a thin face of its runner. Ports are compiled once; `output` on the default port is a
// field away. Translation layers get the same object and use `outlet`, `emitAnchored` and `hold(into)`.
import { EngineError } from '../base/errors.ts'
import { DEFAULT_PORT } from '../dag/processor.ts'
import type { Slot } from '../progress/slot-ledger.ts'
import { BaseContext } from './base-context.ts'
import { Hold } from './hold.ts'
import type { Outlet, TaskContext } from './task.ts'
import type { TaskRunner } from './task-runner.ts'

export class RunnerContext
  extends BaseContext<TaskRunner<RunnerContext>>
  implements TaskContext<unknown>
{
  output(value: unknown, port?: string): void {
    const outlet = port === undefined ? this.defaultOutlet : this.outletOf(port)
    outlet?.emit(value, this.runner.slot)
  }

  outputTo(taskId: number, value: unknown, port = DEFAULT_PORT): void {
    if (this.outletOf(port)?.emitTo(taskId, value, this.runner.slot) !== true) {
      throw new EngineError(
        'UNKNOWN_TARGET',
        `${this.processor}[${this.index}] has no edge to task ${taskId}`,
        {
          hint: 'emit to a task of a processor that an edge of this port leads to',
        },
      )
    }
  }

  /** Emits anchored to `holds` (all of this task). Returns as `Outlet.emit`. */
  emitAnchored(outlet: Outlet, value: unknown, holds: readonly Hold[]): number {
    const list = this.runner.holds
    const slot = list.anchor(holds)
    if (!list.joined) return outlet.emit(value, slot)
    try {
      return outlet.emit(value, slot)
    } finally {
      list.ledger.release(slot)
    }
  }

  emitAnchoredTo(outlet: Outlet, taskId: number, value: unknown, holds: readonly Hold[]): boolean {
    const list = this.runner.holds
    const slot = list.anchor(holds)
    const joined = list.joined
    try {
      return outlet.emitTo(taskId, value, slot)
    } finally {
      if (joined) list.ledger.release(slot)
    }
  }

  /** As emitAnchored, to the tasks of a reservation. */
  emitAnchoredReserved(
    outlet: Outlet,
    taskIds: readonly number[],
    value: unknown,
    holds: readonly Hold[],
  ): void {
    const list = this.runner.holds
    const slot = list.anchor(holds)
    const joined = list.joined
    try {
      outlet.emitReserved(taskIds, value, slot)
    } finally {
      if (joined) list.ledger.release(slot)
    }
  }

  /** The slot of the current input: what `output` anchors to. */
  get slot(): Slot {
    return this.runner.slot
  }

  hold(into: Hold = new Hold()): Hold {
    const runner = this.runner
    if (!runner.inInput || runner.heldBy !== undefined) {
      throw new EngineError(
        'BUG',
        `${this.processor}[${this.index}] holds an input outside onNext, or twice`,
        {
          hint: 'call hold() once, inside onNext',
        },
      )
    }
    runner.own()
    runner.heldBy = into
    runner.holds.add(into, runner.slot)
    return into
  }

  /** Keeps an untracked thing (a tick) in the books like an input. */
  holdUntracked(into: Hold): Hold {
    this.runner.holds.add(into, 0)
    return into
  }

  self(message: unknown): void {
    this.runner.call(() => this.onSelf?.(message))
  }

  /** Set by the executor: hands a message to the task's `onMessage`. */
  onSelf: ((message: unknown) => unknown) | undefined = undefined

  /** The task starts anew: what it held has failed. */
  failHolds(): void {
    this.runner.holds.failAll()
  }

  /** Calls `fn` after `delayMs`, on no turn: for waiting inside a promise that parks the task. */
  after(delayMs: number, fn: () => void): { cancel(): void } {
    return this.runner.timers.after(delayMs, fn)
  }

  ready(): Promise<void> {
    return this.runner.ready() ?? Promise.resolve()
  }

  /** Inputs handed to the task so far. */
  get received(): number {
    return this.runner.received
  }

  /** Inputs that were finished, and holds that were let go as done. */
  get acked(): number {
    return this.runner.acked + this.runner.holds.acked
  }

  get sourceTask(): number {
    return this.runner.way.source
  }

  get edge(): number {
    return this.runner.way.edge
  }
}
