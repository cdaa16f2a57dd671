// The app master of one application: has executors started, plans which task runs where, keeps the app clock, and
// replaces an executor that died, with its tasks. In local mode it lives in the process that the user started.
import { randomBytes } from 'node:crypto'
import { Backoff } from '../base/backoff.ts'
import type { Environment, Timer } from '../base/environment.ts'
import { asError, EngineError } from '../base/errors.ts'
import { type Log, log } from '../base/log.ts'
import { AppClock, type ClockDecision } from '../progress/app-clock.ts'
import type { Address } from '../transport/link.ts'
import type { Application } from './application.ts'
import { Books } from './books.ts'
import type { ExecutorEvents } from './executor.ts'
import type { ExecutorControl } from './executor-host.ts'
import type { ExecutorStatus, RunFigures } from './figures.ts'
import { makePlan, type Plan, replaceExecutor } from './plan.ts'

/** An executor that was launched: what it can be asked, and how it ended. */
export interface LaunchedExecutor {
  readonly control: ExecutorControl
  readonly pid: number | undefined
  /** Resolves with the reason when it has ended, asked for or not. */
  readonly ended: Promise<string>
  /** Ends it at once. Idempotent. */
  kill(): void
}

export interface Launcher {
  launch(executorId: number, token: string, events: ExecutorEvents): Promise<LaunchedExecutor>
}

/** Figures are taken from each executor at this pace: what is shown, and what is known of one that dies. */
const STATUS_PERIOD_MS = 500
/** While nothing changes they are taken less and less often, down to this. */
const STATUS_PERIOD_IDLE_MS = 4000
/** An executor that dies so often in a row without coming up cannot live here: the application ends. */
const DEATHS_BEFORE_UP_MAX = 10
/** How long a closing executor may take before it is killed. */
const CLOSE_TIMEOUT_MS = 8000
/** Stands in for the message time-out where there is none. */
const STILL_MS = 30_000

export interface AppMasterOptions {
  readonly environment: Environment
  readonly application: Application
  readonly executors: number
  readonly launcher: Launcher
  readonly log: Log
}

interface Slot {
  id: number
  launched: LaunchedExecutor | undefined
  address: Address | undefined
  readonly backoff: Backoff
  /** Deaths in a row without having come up in between. */
  deathsBeforeUp: number
  status: ExecutorStatus | undefined
  /** Executors that it was told to connect to; of each pair one is told. */
  readonly connects: Set<number>
}

export interface ExecutorInfo {
  readonly id: number
  readonly pid: number | undefined
  readonly tasks: readonly number[]
}

export class AppMaster {
  readonly application: Application
  readonly #options: AppMasterOptions
  readonly #token = randomBytes(16).toString('hex')
  readonly #slots: Slot[]
  readonly #clock: AppClock
  readonly #books: Books
  #plan: Plan
  #nextId: number
  #active = true
  #closing = false
  #overflowing = new Set<number>()
  #poll: Timer | undefined = undefined
  #polledCounts = 0
  #stillCounts = ''
  #stillSinceMs = 0
  // Counts at the last look, if all was quiet.
  #quietLast: string | undefined = undefined
  #fail: (error: Error) => void = () => undefined
  /** Rejects when the application cannot go on. Never resolves. */
  readonly failure: Promise<never>

  constructor(options: AppMasterOptions) {
    this.#options = options
    this.application = options.application
    const ids = Array.from({ length: options.executors }, (_, i) => i + 1)
    this.#nextId = options.executors + 1
    this.#plan = makePlan(options.application.dag, ids)
    this.#slots = ids.map(id => ({
      id,
      launched: undefined,
      address: undefined,
      backoff: new Backoff(),
      deathsBeforeUp: 0,
      status: undefined,
      connects: new Set(),
    }))
    this.#clock = new AppClock({ executors: ids })
    this.#books = new Books(options.log)
    this.failure = new Promise((_, reject) => {
      this.#fail = reject
    })
    this.failure.catch(() => undefined)
  }

  /** Starts everything; data flows when it resolves. Rejects with the reason when a task cannot start. */
  async start(active = true): Promise<void> {
    this.#active = active
    try {
      await Promise.all(this.#slots.map(slot => this.#launch(slot)))
      // The last connect to the first: tasks are dealt out in the order of the DAG, and the side that connects reads with
      // less copying (socket-transport.ts), which helps most where the most messages arrive.
      await Promise.all([...this.#slots].reverse().map(slot => this.#startTasks(slot)))
      await Promise.all(this.#slots.map(slot => this.#go(slot)))
    } catch (error) {
      await this.close()
      throw error
    }
    this.#armPoll(STATUS_PERIOD_MS)
  }

  async #launch(slot: Slot): Promise<void> {
    const id = slot.id
    const launched = await this.#options.launcher.launch(id, this.#token, {
      error: (taskId, processor, error) => this.#books.error(taskId, processor, error),
      log: (taskId, processor, level, text) => this.#books.line(taskId, processor, level, text),
      metric: (taskId, processor, name, value) =>
        this.#books.metric(taskId, processor, name, value),
      clock: clocks => {
        if (slot.id === id) this.#decided(this.#clock.report(id, 0, clocks))
      },
      overflow: overflowing => this.#overflow(id, overflowing),
    })
    if (this.#closing) {
      // Nobody else knows of it yet.
      launched.kill()
      throw new EngineError(
        'EXECUTOR_START_FAILED',
        `executor ${id} was started while the run ended`,
      )
    }
    slot.launched = launched
    void launched.ended.then(reason => this.#died(slot, id, reason))
    slot.address = await launched.control.prepare()
  }

  async #startTasks(slot: Slot): Promise<void> {
    // Each that listens now, but for those that were told to connect here: what starts later looks after itself.
    const addresses = this.#slots
      .filter(
        other => other !== slot && other.address !== undefined && !other.connects.has(slot.id),
      )
      .map(other => [other.id, other.address!] as const)
    for (const [other] of addresses) slot.connects.add(other)
    await slot.launched!.control.start({ plan: this.#plan, addresses })
  }

  async #go(slot: Slot): Promise<void> {
    let floor = 0
    for (const task of this.#sourcesOf(slot.id))
      floor = Math.max(floor, this.#clock.admit(task, slot.id))
    if (this.#overflowing.size > 0) await slot.launched!.control.suspendSources(true)
    await slot.launched!.control.go(this.#active, floor)
  }

  #sourcesOf(executorId: number): number[] {
    const sources = this.application.dag.processors
      .filter(p => p.kind === 'source')
      .flatMap(p => p.tasks)
    const here = new Set(
      this.#plan.placement.filter(([, executor]) => executor === executorId).map(([task]) => task),
    )
    return sources.filter(task => here.has(task))
  }

  // ---- deaths

  #died(slot: Slot, id: number, reason: string): void {
    if (this.#closing || slot.id !== id) return
    const { environment } = this.#options
    const nowMs = environment.monotonicMs()
    this.#books.executorDied(id, slot.status, reason)
    slot.launched = undefined
    slot.address = undefined
    slot.status = undefined
    slot.connects.clear()
    for (const other of this.#slots) other.connects.delete(id)
    if (++slot.deathsBeforeUp > DEATHS_BEFORE_UP_MAX) {
      this.#fail(neverUp(slot.deathsBeforeUp, reason))
      return
    }
    this.#overflow(id, false)
    this.#decided(this.#clock.fence(id))
    const fresh = this.#nextId++
    slot.id = fresh
    this.#plan = replaceExecutor(this.#plan, id, fresh)
    for (const other of this.#slots) {
      if (other !== slot) this.#tell(other, control => control.replacePeer(id, fresh))
    }
    environment.after(slot.backoff.failed(nowMs), () => void this.#revive(slot, fresh))
  }

  async #revive(slot: Slot, id: number): Promise<void> {
    if (this.#closing || slot.id !== id) return
    slot.backoff.started(this.#options.environment.monotonicMs())
    try {
      await this.#launch(slot)
      await this.#startTasks(slot)
      await this.#go(slot)
      slot.deathsBeforeUp = 0
      log(this.#options.log, 'info', `executor ${id}`, 'took over and runs')
    } catch (error) {
      if (this.#closing || slot.id !== id) return
      const launched = slot.launched as LaunchedExecutor | undefined
      if (launched === undefined) this.#died(slot, id, asError(error).message)
      else {
        this.#books.error(0, `executor ${id}`, asError(error))
        launched.kill()
      }
    }
  }

  // An executor that does not answer has died or is about to: its end is handled where it is noticed.
  #tell(slot: Slot, ask: (control: ExecutorControl) => Promise<void>): void {
    const launched = slot.launched
    if (launched === undefined) return
    ask(launched.control).catch(error => {
      if (!this.#closing)
        log(this.#options.log, 'debug', `executor ${slot.id}`, asError(error).message)
    })
  }

  // ---- clock, overflow, active

  #decided(decision: ClockDecision): void {
    const clockUs = decision.publish
    if (clockUs !== undefined) {
      for (const slot of this.#slots) this.#tell(slot, control => control.publish(clockUs))
    }
    // In a run without a cluster what is reserved lives in this process: it is stored when it is known here. That may
    // let the clock go on, so it comes last.
    if (decision.store !== undefined) this.#decided(this.#clock.stored(decision.store))
  }

  #overflow(executorId: number, overflowing: boolean): void {
    const before = this.#overflowing.size
    if (overflowing) this.#overflowing.add(executorId)
    else this.#overflowing.delete(executorId)
    const after = this.#overflowing.size
    if ((before === 0) === (after === 0)) return
    for (const slot of this.#slots) this.#tell(slot, control => control.suspendSources(after > 0))
  }

  async setActive(active: boolean): Promise<void> {
    this.#active = active
    const ask = async (slot: Slot) => {
      try {
        await slot.launched?.control.setActive(active)
      } catch (error) {
        // It is dying; the one that takes its place begins as was said here.
        log(this.#options.log, 'debug', `executor ${slot.id}`, asError(error).message)
      }
    }
    await Promise.all(this.#slots.map(ask))
  }

  // ---- figures

  get clockUs(): number {
    return this.#clock.published
  }

  get errors(): Books {
    return this.#books
  }

  executors(): ExecutorInfo[] {
    return this.#slots.map(slot => ({
      id: slot.id,
      pid: slot.launched?.pid,
      tasks: this.#plan.placement
        .filter(([, executor]) => executor === slot.id)
        .map(([task]) => task),
    }))
  }

  #armPoll(periodMs: number): void {
    this.#poll = this.#options.environment.after(periodMs, () => {
      void this.#pollAll()
      const sum = this.#books.sum(this.#slots.map(slot => slot.status))
      const counts = Object.values(sum.components).reduce((n, c) => n + c.emitted + c.received, 0)
      const next = counts === this.#polledCounts ? periodMs * 2 : STATUS_PERIOD_MS
      this.#polledCounts = counts
      this.#armPoll(Math.min(next, STATUS_PERIOD_IDLE_MS))
    })
  }

  async #pollAll(): Promise<void> {
    await Promise.all(this.#slots.map(slot => this.#pollOne(slot)))
  }

  async #pollOne(slot: Slot): Promise<void> {
    const id = slot.id
    try {
      const status = await slot.launched?.control.status()
      if (slot.id === id && status !== undefined) slot.status = status
    } catch (error) {
      log(this.#options.log, 'debug', `executor ${id}`, asError(error).message)
    }
  }

  /** Fresh figures of the whole application, dead executors included. */
  async figures(): Promise<RunFigures> {
    await this.#pollAll()
    return this.#books.sum(this.#slots.map(slot => slot.status))
  }

  /**
   * Whether nothing is left to do: every source exhausted, or silent for `idleMs`, every root ended and no message
   * under way. A message nobody waits for may be between two executors while each looks quiet: with several it must
   * have looked so at the last call as well, which should be some 10 ms ago.
   */
  async isDrained(idleMs: number): Promise<boolean> {
    const before = this.#quietLast
    this.#quietLast = await this.#quietFigures(idleMs)
    if (this.#quietLast === undefined) return false
    return this.#slots.length === 1 || this.#quietLast === before
  }

  async #quietFigures(idleMs: number): Promise<string | undefined> {
    if (this.#slots.some(slot => slot.launched === undefined || slot.status === undefined)) {
      await this.#pollAll()
      if (this.#slots.some(slot => slot.launched === undefined)) return undefined
    }
    const figures = await this.figures()
    const statuses = this.#slots.map(slot => slot.status)
    if (!statuses.every(s => s !== undefined && (s.exhausted || s.idleMs >= idleMs)))
      return undefined
    const components = Object.values(figures.components)
    const counts = `${figures.emitted} ${components.map(c => `${c.received}/${c.emitted}`).join(' ')}`
    if (statuses.every(s => s?.quiet === true)) return counts
    return figures.pending === 0 && this.#standsStill(counts, idleMs) ? counts : undefined
  }

  // Every root has ended, and what is under way belongs to none: a task that never comes back must not hold the run for ever.
  #standsStill(counts: string, idleMs: number): boolean {
    const nowMs = this.#options.environment.monotonicMs()
    if (counts !== this.#stillCounts) {
      this.#stillCounts = counts
      this.#stillSinceMs = nowMs
    }
    const timeoutMs = this.application.profile.timeoutMs || STILL_MS
    return nowMs - this.#stillSinceMs >= idleMs + 2 * timeoutMs
  }

  // ---- end

  /** Ends all executors: sources first, then tasks. What is unfinished is left. Idempotent. */
  async close(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    this.#poll?.cancel()
    await Promise.all(this.#slots.map(slot => this.#closeOne(slot)))
  }

  async #closeOne(slot: Slot): Promise<void> {
    const launched = slot.launched
    if (launched === undefined) return
    const timer = this.#options.environment.after(CLOSE_TIMEOUT_MS, () => launched.kill())
    try {
      await Promise.race([launched.control.close(), launched.ended])
    } catch (error) {
      log(this.#options.log, 'debug', `executor ${slot.id}`, asError(error).message)
    }
    timer.cancel()
    launched.kill()
    await launched.ended
  }
}

function neverUp(deaths: number, reason: string): EngineError {
  return new EngineError(
    'EXECUTOR_DIED',
    `an executor died ${deaths} times in a row before it was up again, last: ${reason}`,
    { hint: 'look for the first error above; the application has ended' },
  )
}
