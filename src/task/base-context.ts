// What the contexts of tasks and sources have in common: where the task is, its ports, its timers, what it tells people.
import { inspect } from 'node:util'
import { asError, EngineError, nearestName } from '../base/errors.ts'
import { LEVELS, type LogLine } from '../base/log.ts'
import { DEFAULT_PORT } from '../dag/processor.ts'
import type { PortOutlet } from './out-edge.ts'
import type { RunnerHost } from './runner-host.ts'
import type { Credentials, Emitting, Outlet, Place, Secrets, Telling, Timers } from './task.ts'
import type { TurnTimers } from './turn-timers.ts'

const NO_CREDENTIALS: Credentials = {}

/** What a context is built from. */
export interface ContextParts {
  readonly place: Place
  readonly outlets: ReadonlyMap<string, PortOutlet>
}

/** As much of a runner as both kinds of context use. */
interface Runner {
  readonly emitted: number
  readonly host: RunnerHost
  readonly timers: TurnTimers
  call(fn: () => unknown): void
  ready(): Promise<void> | undefined
}

export class BaseContext<R extends Runner> implements Place, Timers, Telling, Secrets, Emitting {
  readonly taskId: number
  readonly processor: string
  readonly index: number
  readonly parallelism: number
  readonly executorId: number
  readonly config: Readonly<Record<string, unknown>>
  protected readonly runner: R
  protected readonly defaultOutlet: PortOutlet | undefined
  readonly #outlets: ReadonlyMap<string, PortOutlet>

  constructor(runner: R, { place, outlets }: ContextParts) {
    this.taskId = place.taskId
    this.processor = place.processor
    this.index = place.index
    this.parallelism = place.parallelism
    this.executorId = place.executorId
    this.config = place.config
    this.runner = runner
    this.defaultOutlet = outlets.get(DEFAULT_PORT)
    this.#outlets = outlets
  }

  get credentials(): Credentials {
    return this.runner.host.credentials ?? NO_CREDENTIALS
  }

  outlet(port: string): Outlet | undefined {
    return this.#outlets.get(port)
  }

  /** The outlet of a port; undefined for the default port when nothing listens there. Throws UNKNOWN_PORT. */
  protected outletOf(port: string): PortOutlet | undefined {
    const outlet = this.#outlets.get(port)
    if (outlet !== undefined || port === DEFAULT_PORT) return outlet
    const near = nearestName(port, this.#outlets.keys())
    throw new EngineError(
      'UNKNOWN_PORT',
      `${this.processor}[${this.index}] emits on port "${port}", where nothing listens`,
      { hint: near === undefined ? 'add an edge with this port' : `did you mean "${near}"?` },
    )
  }

  /** Runs `fn` on this task's own turn, soon. May be called from any callback. */
  call(fn: () => unknown): void {
    this.runner.call(fn)
  }

  schedule(periodMs: number, fn: () => void): { cancel(): void } {
    this.#checkTimer('schedule', periodMs, fn)
    return this.runner.timers.schedule(periodMs, fn)
  }

  scheduleOnce(delayMs: number, fn: () => void): { cancel(): void } {
    this.#checkTimer('scheduleOnce', delayMs, fn)
    return this.runner.timers.scheduleOnce(delayMs, fn)
  }

  // Node takes what is no number for 1 ms, and the task would do nothing else any more.
  #checkTimer(method: string, ms: unknown, fn: unknown): void {
    if (typeof ms === 'number' && ms >= 0 && typeof fn === 'function') return
    const got = `${method}(${inspect(ms, { depth: 0 })}, ${inspect(fn, { depth: 0 })})`
    const message = `${this.processor}[${this.index}] cannot be called back by ${got}`
    throw new EngineError('BAD_INPUT', message, {
      hint: 'give milliseconds from 0, then the function',
    })
  }

  /** Resolves when every consumer has room again; undefined when there is room now. */
  room(): Promise<void> | undefined {
    return this.runner.ready()
  }

  /** Messages emitted so far. */
  get emitted(): number {
    return this.runner.emitted
  }

  get upstreamClock(): number {
    return this.runner.host.appClockUs
  }

  report(error: Error): void {
    this.runner.host.report(this.taskId, asError(error))
  }

  // From plain JavaScript anything may come. Further on, in another process perhaps, it would be that process's failure.
  log(level: LogLine['level'], text: string): void {
    const known = LEVELS.includes(level) ? level : 'info'
    const shown = typeof text === 'string' ? text : inspect(text)
    this.runner.host.log(this.taskId, known, shown)
  }

  metric(name: string, value: unknown): void {
    this.runner.host.metric(this.taskId, name, value)
  }
}
