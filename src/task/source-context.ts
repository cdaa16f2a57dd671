// The context a source is given: emits roots, wakes the source, timers on its own turn.
import type { Slot } from '../progress/slot-ledger.ts'
import { BaseContext } from './base-context.ts'
import type { SourceRunner } from './source-runner.ts'
import type { Outlet, SourceContext } from './task.ts'

export class SourceRunnerContext
  extends BaseContext<SourceRunner<SourceRunnerContext>>
  implements SourceContext<unknown>
{
  /** Set before the source is opened. */
  position: unknown = undefined

  output(value: unknown, id?: unknown, port?: string): void {
    this.emitRoot(port === undefined ? this.defaultOutlet : this.outletOf(port), value, id)
  }

  /** Emits a root on an outlet (undefined = nothing listens: it is done at once). Returns as `Outlet.emit`. */
  emitRoot(outlet: Outlet | undefined, value: unknown, id: unknown): number {
    const runner = this.runner
    const slot = runner.openRoot(id)
    try {
      const target = outlet === undefined ? -1 : outlet.emit(value, slot)
      runner.closeRoot(slot)
      return target
    } catch (error) {
      runner.failRoot(slot)
      throw error
    }
  }

  emitRootTo(outlet: Outlet | undefined, taskId: number, value: unknown, id: unknown): boolean {
    const runner = this.runner
    const slot: Slot = runner.openRoot(id)
    try {
      const found = outlet?.emitTo(taskId, value, slot) ?? false
      runner.closeRoot(slot)
      return found
    } catch (error) {
      runner.failRoot(slot)
      throw error
    }
  }

  /** Forgets all open roots: they count as lost, and nobody is told. */
  orphanAll(): void {
    this.runner.orphanAll()
  }

  wake(): void {
    this.runner.wake()
  }

  /** Roots whose end the source was told, by how they ended. */
  get rootsDone(): number {
    return this.runner.rootsDone
  }

  get rootsFailed(): number {
    return this.runner.rootsFailed
  }

  get active(): boolean {
    return this.runner.active
  }
}
