// The context a source is given: emits roots, wakes the source, timers on its own turn.
import type { LogLine } from '../base/log.ts'
import type { Slot } from '../progress/slot-ledger.ts'
import type { PortOutlet } from './out-edge.ts'
import type { SourceRunner } from './source-runner.ts'
import type { Emitting, Outlet, SourceContext } from './task.ts'
import { type ContextParts, DEFAULT_PORT, unknownPort } from './task-context.ts'

export class SourceRunnerContext implements SourceContext<unknown>, Emitting {
  readonly taskId: number
  readonly processor: string
  readonly index: number
  readonly parallelism: number
  readonly executorId: number
  readonly config: Readonly<Record<string, unknown>>
  readonly #runner: SourceRunner<SourceRunnerContext>
  readonly #outlets: ReadonlyMap<string, PortOutlet>
  readonly #default: PortOutlet | undefined

  constructor(runner: SourceRunner<SourceRunnerContext>, { place, outlets }: ContextParts) {
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

  output(value: unknown, id?: unknown, port?: string): void {
    const outlet = port === undefined ? this.#default : this.#outlets.get(port)
    if (outlet === undefined && port !== undefined && port !== DEFAULT_PORT) {
      throw unknownPort(this, port, this.#outlets)
    }
    this.emitRoot(outlet, value, id)
  }

  /** Emits a root on an outlet (undefined = nothing listens: it is done at once). Returns as `Outlet.emit`. */
  emitRoot(outlet: Outlet | undefined, value: unknown, id: unknown): number {
    const runner = this.#runner
    const slot: Slot = runner.openRoot(id)
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
    const runner = this.#runner
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

  outlet(port: string): Outlet | undefined {
    return this.#outlets.get(port)
  }

  /** Forgets all open roots: they count as lost, and nobody is told. */
  orphanAll(): void {
    this.#runner.orphanAll()
  }

  wake(): void {
    this.#runner.wake()
  }

  /** Runs `fn` on the source's own turn, soon. */
  call(fn: () => unknown): void {
    this.#runner.call(fn)
  }

  schedule(periodMs: number, fn: () => void): { cancel(): void } {
    return this.#runner.timers.schedule(periodMs, fn)
  }

  scheduleOnce(delayMs: number, fn: () => void): { cancel(): void } {
    return this.#runner.timers.scheduleOnce(delayMs, fn)
  }

  /** Resolves when every consumer has room again; undefined when there is room now. */
  room(): Promise<void> | undefined {
    return this.#runner.ready()
  }

  get active(): boolean {
    return this.#runner.active
  }

  get upstreamClock(): number {
    return this.#runner.host.appClockUs
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
