// An executor: the tasks of one application that share an event loop, their ledger, and the links to other executors. It
// is told what to do (start, go, a peer has died) and carries it out; it decides nothing about placement.

import { alignedMs, type Environment, every, type Timer } from '../base/environment.ts'
import type { LogLine } from '../base/log.ts'
import { SlotLedger } from '../progress/slot-ledger.ts'
import { CycleGuard } from '../task/flow.ts'
import { RunLoop } from '../task/run-loop.ts'
import type { RunnerHost } from '../task/runner-host.ts'
import type { SourceRunnerContext } from '../task/source-context.ts'
import type { SourceRunner } from '../task/source-runner.ts'
import type { Credentials, Source, Task } from '../task/task.ts'
import type { RunnerContext } from '../task/task-context.ts'
import type { TaskRunner } from '../task/task-runner.ts'
import type { FramePool } from '../transport/frame-pool.ts'
import { Serialisers } from '../transport/serialisers.ts'
import type { Application } from './application.ts'
import type { ExecutorStatus, TaskFigures } from './figures.ts'
import { Peers } from './peers.ts'
import type { Plan } from './plan.ts'
import { PositionReports } from './position-reports.ts'
import { buildRunners, type Runners } from './runners.ts'
import { StallLooks, type Stalls } from './stalls.ts'
import { awaited, notMade, startFailed, tallied } from './user-calls.ts'

/** Source clocks are told to the app master at this pace; while nothing is emitted, less and less often. */
const CLOCK_PERIOD_MS = 100
const CLOCK_PERIOD_IDLE_MS = 1500 // a multiple of WAKE_GRID_MS

export interface ExecutorOptions {
  readonly environment: Environment
  readonly application: Application
  readonly plan: Plan
  readonly credentials?: Credentials | undefined
  readonly executorId: number
  /** Memory of frames, shared with the transport. */
  readonly pool?: FramePool | undefined
  readonly events: ExecutorEvents
  /** Where the 32-bit counters begin: 0 but for simulations that look at the wrap. */
  readonly firstNumber?: number
}

/** What an executor tells its app master without being asked. Task 0 = the engine itself. */
export interface ExecutorEvents {
  /** An error of a task, for the operator. */
  error(taskId: number, processor: string, error: Error): void
  log(taskId: number, processor: string, level: LogLine['level'], text: string): void
  metric(taskId: number, processor: string, name: string, value: unknown): void
  /** Source clocks (task id, µs), each 100 ms. */
  clock(clocks: ReadonlyMap<number, number>): void
  /** Too much waits on edges that close a cycle, or no more. */
  overflow(overflowing: boolean): void
  /** Where sources stand (task id -> position): those that have changed, each second and before the end. */
  positions(positions: ReadonlyMap<number, unknown>): void
}

export class Executor implements RunnerHost {
  readonly environment: Environment
  readonly loop: RunLoop
  readonly ledger: SlotLedger
  readonly profile: Application['profile']
  readonly cycleGuard: CycleGuard
  readonly executorId: number
  readonly firstNumber: number
  readonly peers: Peers
  appClockUs = 0
  credentials: Credentials
  readonly #options: ExecutorOptions
  readonly #runners: Runners
  readonly #positions: PositionReports
  readonly #stallLooks = new StallLooks()
  /** Open sources, with how each is told of other credentials. */
  readonly #opened = new Map<SourceRunner<SourceRunnerContext>, () => unknown>()
  #timers: Timer[] = []
  #clockTimer: Timer | undefined = undefined
  #emittedAtClock = 0
  // Tasks that have not yet heard of the last clock.
  readonly #clockPending = new Set<number>()
  #closed = false
  readonly #madeMs: number

  constructor(options: ExecutorOptions) {
    this.#options = options
    this.#madeMs = options.environment.monotonicMs()
    this.environment = options.environment
    this.executorId = options.executorId
    this.credentials = options.credentials ?? {}
    this.firstNumber = options.firstNumber ?? 0
    this.profile = options.application.profile
    this.loop = new RunLoop(options.environment, () => this.#afterTurn())
    this.ledger = new SlotLedger({
      rootsDone: (source, places, n) => this.#runners.sources[source]!.rootsEnded(places, n),
      rootFailed: (source, place) => this.#runners.sources[source]!.rootFailed(place),
      renewRoot: (source, place) => this.#runners.sources[source]!.roots.renew(place),
    })
    this.cycleGuard = new CycleGuard(paused => options.events.overflow(paused))
    const serialisers = new Serialisers(options.application.serialisers)
    this.peers = new Peers(this, options.plan, serialisers, options.pool)
    this.#runners = buildRunners(this, options.application, options.plan, this.peers)
    this.peers.tasks = this.#runners
    this.#positions = new PositionReports({
      environment: this.environment,
      sources: this.#runners.sources as unknown as readonly SourceRunner<never>[],
      tell: positions => options.events.positions(positions),
      report: (taskId, error) => this.report(taskId, error),
    })
  }

  /** What runs here; for tests and stall reports. */
  get runners(): Runners {
    return this.#runners
  }

  #afterTurn(): void {
    // Joins of very many anchors end in slices.
    if (this.ledger.backlog) {
      this.ledger.resume()
      this.loop.wake()
    }
    this.peers.flush()
  }

  consumed(origin: number): void {
    this.peers.credits.consumed(origin)
  }

  report(taskId: number, error: Error): void {
    this.#options.events.error(taskId, this.#nameOf(taskId), error)
  }

  log(taskId: number, level: LogLine['level'], text: string): void {
    this.#options.events.log(taskId, this.#nameOf(taskId), level, text)
  }

  metric(taskId: number, name: string, value: unknown): void {
    this.#options.events.metric(taskId, this.#nameOf(taskId), name, value)
  }

  #nameOf(taskId: number): string {
    return this.#runners.names.get(taskId) ?? 'engine'
  }

  // ---- life

  /** Makes the tasks and starts them, the most downstream first. Throws TASK_START_FAILED with the reason. */
  async start(): Promise<void> {
    for (const entry of this.#runners.tasksDownstreamFirst()) {
      if (this.#closed) return
      await this.#startTask(entry.runner, entry.context, entry.create)
    }
    if (this.#closed) return
    if (this.profile.timeoutMs > 0) {
      this.#timers.push(every(this.environment, this.profile.timeoutMs, () => this.#rotate()))
      this.#timers.push(
        every(this.environment, this.profile.timeoutMs / 2, () => this.peers.startHalfPeriod()),
      )
    }
  }

  async #startTask(
    runner: TaskRunner<RunnerContext>,
    context: RunnerContext,
    create: () => unknown,
  ): Promise<void> {
    let task: Task<unknown, unknown>
    try {
      task = create() as Task<unknown, unknown>
      if (typeof task?.onNext !== 'function') throw notMade('onNext')
      if (task.needsOrigin === true) runner.inbox.tag()
      context.onSelf = message => task.onMessage?.(message, context as never)
      const started = task.onStart?.(context as never)
      if (started !== undefined) await awaited(this, runner.taskId, 'onStart', started)
    } catch (error) {
      throw startFailed(context, error)
    }
    // Closed meanwhile: nobody else knows that it has started.
    if (this.#closed) return void (await task.onStop?.())
    this.#runners.started.set(runner.taskId, task)
    runner.begin(task, context)
  }

  /** Opens the sources, at their positions: from now on data flows. `floorUs`: no root is stamped below it. */
  async go(
    active: boolean,
    floorUs: number,
    positions: ReadonlyMap<number, unknown> = new Map(),
  ): Promise<void> {
    for (const entry of this.#runners.sourceEntries) {
      if (this.#closed) return
      entry.runner.setActive(active)
      entry.context.position = structuredClone(positions.get(entry.runner.taskId))
      await this.#openSource(entry.runner, entry.context, entry.create, floorUs)
    }
    if (this.#closed) return
    this.#armClock(CLOCK_PERIOD_MS)
  }

  async #openSource(
    runner: SourceRunner<SourceRunnerContext>,
    context: SourceRunnerContext,
    create: () => unknown,
    floorUs: number,
  ): Promise<void> {
    let source: Source<unknown>
    try {
      source = create() as Source<unknown>
      if (typeof source?.next !== 'function') throw notMade('next')
      const opened = source.open?.(context as never)
      if (opened !== undefined) await awaited(this, runner.taskId, 'open', opened)
    } catch (error) {
      throw startFailed(context, error)
    }
    if (this.#closed) return void (await source.close?.())
    runner.clock.admit(floorUs)
    this.#opened.set(runner, () => source.onCredentials?.(this.credentials, context as never))
    runner.begin(source, context)
  }

  setActive(active: boolean): void {
    for (const source of this.#runners.sources) source.setActive(active)
  }

  /** Pauses or resumes all sources, whatever the user has said. */
  suspendSources(suspended: boolean): void {
    for (const source of this.#runners.sources) source.suspend(suspended)
  }

  /** Each task and each source hears of them on a turn of its own. */
  setCredentials(credentials: Credentials): void {
    this.credentials = credentials
    for (const [taskId, task] of this.#runners.started) {
      if (task.onCredentials === undefined) continue
      const context = this.#runners.contexts.get(taskId)!
      const tell = () => task.onCredentials!(this.credentials, context as never)
      this.#runners.task(taskId)!.call(tell)
    }
    for (const [runner, tell] of this.#opened) runner.call(tell)
  }

  /** See ExecutorControl. */
  failOpen(): void {
    // Those of this half of the time-out, and those of the last one.
    for (const source of this.#runners.sources) {
      source.rotate()
      source.rotate()
    }
  }

  /** Sources first, then tasks, links last. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const timer of this.#timers) timer.cancel()
    this.#clockTimer?.cancel()
    this.#timers = []
    this.#positions.last()
    const { sources } = this.#runners
    await Promise.all(sources.map(one => awaited(this, one.taskId, 'close', one.stop())))
    const tasks = this.#runners.all()
    await Promise.all(tasks.map(one => awaited(this, one.taskId, 'onStop', one.stop())))
    this.peers.close()
  }

  // ---- clock and time-outs

  publish(clockUs: number): void {
    if (clockUs <= this.appClockUs) return
    this.appClockUs = clockUs
    for (const [taskId, task] of this.#runners.started) {
      if (task.onClock === undefined) continue
      const runner = this.#runners.task(taskId)!
      const context = this.#runners.contexts.get(taskId)!
      // A task that is busy for long hears of the last clock only.
      if (this.#clockPending.has(taskId)) continue
      this.#clockPending.add(taskId)
      runner.call(() => {
        this.#clockPending.delete(taskId)
        return task.onClock!(this.appClockUs, context as never)
      })
    }
  }

  #armClock(periodMs: number): void {
    const waitMs = alignedMs(this.environment.monotonicMs(), periodMs)
    this.#clockTimer = this.environment.after(waitMs, () => {
      this.#tellClock()
      this.#positions.tick(waitMs)
      const emitted = this.#runners.sources.reduce((sum, source) => sum + source.emitted, 0)
      const busy =
        emitted !== this.#emittedAtClock || this.#runners.sources.some(s => s.rootsPending > 0)
      this.#emittedAtClock = emitted
      this.#armClock(busy ? CLOCK_PERIOD_MS : Math.min(periodMs * 2, CLOCK_PERIOD_IDLE_MS))
    })
  }

  #tellClock(): void {
    const clocks = new Map<number, number>()
    for (const source of this.#runners.sources) {
      clocks.set(source.taskId, source.readClock())
      const deafness = source.deafness()
      if (deafness !== undefined) this.log(source.taskId, 'warn', deafness)
    }
    // Without a source too: nothing is published before every executor has been heard.
    this.#options.events.clock(clocks)
  }

  #rotate(): void {
    for (const source of this.#runners.sources) source.rotate()
    for (const runner of this.#runners.all()) runner.rotate()
  }

  // ---- figures

  status(): ExecutorStatus {
    const nowMs = this.environment.monotonicMs()
    const sources = this.#runners.sources
    const settled = sources.every(source => source.settled)
    const idle = this.#runners.all().every(runner => runner.inFlight === 0 && runner.idle)
    return {
      executorId: this.executorId,
      tasks: this.figures(),
      quiet: settled && idle && this.peers.quiet,
      exhausted: sources.every(source => source.exhausted),
      idleMs: Math.min(
        ...sources.map(s => (s.exhausted ? Infinity : nowMs - s.lastActivityMs)),
        Number.MAX_SAFE_INTEGER,
      ),
      upMs: nowMs - this.#madeMs,
    }
  }

  /** See `StallLooks`. */
  stalls(): Stalls {
    return this.#stallLooks.look({
      nowMs: this.environment.monotonicMs(),
      nowUs: this.environment.nowUs(),
      tasks: this.#runners.all() as unknown as readonly TaskRunner<never>[],
      sources: this.#runners.sources as unknown as readonly SourceRunner<never>[],
      nameOf: task => this.#nameOf(task),
    })
  }

  figures(): TaskFigures[] {
    const figures: TaskFigures[] = this.#runners.sources.map(source => ({
      task: source.taskId,
      processor: this.#runners.names.get(source.taskId)!,
      emitted: source.emitted,
      received: 0,
      acked: source.rootsDone,
      failed: source.rootsFailed,
      inFlight: source.rootsPending,
      busyMs: Math.max(0, source.busyMs), // a difference of samples, see RunLoop.endLook
      blockedMs: source.blockedTotalMs(),
      roots: {
        emitted: source.rootsEmitted,
        acked: source.rootsDone,
        failed: source.rootsFailed,
        pending: source.rootsPending,
        lost: source.rootsLost,
        unresolved: source.failedIds.size + (source.failedIds.overflowed ? 1 : 0),
      },
      tally: tallied(this, source.taskId, () => source.readTally()),
    }))
    for (const runner of this.#runners.all()) {
      figures.push({
        task: runner.taskId,
        processor: this.#runners.names.get(runner.taskId)!,
        emitted: runner.emitted,
        received: runner.received,
        acked: runner.acked + runner.holds.acked,
        failed: runner.failed + runner.holds.failed,
        inFlight: runner.inFlight,
        busyMs: Math.max(0, runner.busyMs),
        blockedMs: runner.blockedTotalMs(),
        roots: undefined,
        tally: tallied(this, runner.taskId, () =>
          this.#runners.started.get(runner.taskId)?.tally?.(),
        ),
      })
    }
    return figures
  }
}
