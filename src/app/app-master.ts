// The app master of one application: has executors started, plans which task runs where, keeps the app clock, and
// replaces an executor that died, with its tasks. In local mode it lives in the process that the user started.
import { randomBytes } from 'node:crypto'
import { Backoff } from '../base/backoff.ts'
import type { Environment } from '../base/environment.ts'
import { asError, EngineError } from '../base/errors.ts'
import { type Log, log } from '../base/log.ts'
import { AppClock, type ClockDecision } from '../progress/app-clock.ts'
import type { Address } from '../transport/link.ts'
import type { AppReport, ExecutorInfo } from './app-report.ts'
import type { Application } from './application.ts'
import { Books } from './books.ts'
import type { ExecutorEvents } from './executor.ts'
import type { ExecutorControl } from './executor-host.ts'
import { FigurePoll } from './figure-poll.ts'
import type { ExecutorStatus, RunFigures } from './figures.ts'
import type { AppMasterMemory, LaunchedExecutor, Launcher, Resumption } from './launcher.ts'
import { makePlan, type Plan, replaceExecutor, sourcesOn } from './plan.ts'
import { PositionBook, type Positions } from './position-book.ts'
import { NO_LIMIT, RestartBudget, type RestartLimits } from './restart-budget.ts'

/** How long a closing executor may take before it is killed. */
const CLOSE_TIMEOUT_MS = 8000

export interface AppMasterOptions {
  readonly environment: Environment
  readonly application: Application
  readonly executors: number
  readonly launcher: Launcher
  readonly log: Log
  /** Secret of the links between the executors; by default a new one. */
  readonly token?: string
  /** How often each executor may die; by default as often as it was up in between. */
  readonly restarts?: RestartLimits | undefined
  readonly memory?: AppMasterMemory
  /** Given: executors of an earlier app master run, and are taken over. */
  readonly resume?: Resumption | undefined
  /** The floor of the app clock, where the application ran before; part of `resume` too. */
  readonly reservedUs?: number
  /** Where the sources of an earlier run stood, by task id. */
  readonly positions?: Positions
  /** Called with the positions that have changed, to store them. */
  readonly onPositions?: (positions: Positions) => void
}

interface Slot {
  id: number
  launched: LaunchedExecutor | undefined
  address: Address | undefined
  readonly backoff: Backoff
  readonly budget: RestartBudget
  status: ExecutorStatus | undefined
  /** Executors that it was told to connect to; of each pair one is told. */
  readonly connects: Set<number>
}

export class AppMaster {
  readonly application: Application
  readonly #options: AppMasterOptions
  readonly #token: string
  readonly #slots: Slot[]
  readonly #clock: AppClock
  readonly #books: Books
  readonly #positions: PositionBook
  #plan: Plan
  #nextId: number
  #active = true
  #closing = false
  #overflowing = new Set<number>()
  readonly #poll: FigurePoll
  #fail: (error: Error) => void = () => undefined
  /** Rejects when the application cannot go on. Never resolves. */
  readonly failure: Promise<never>

  constructor(options: AppMasterOptions) {
    this.#options = options
    this.application = options.application
    const { resume, environment, application } = options
    const ids = resume?.plan.executors ?? Array.from({ length: options.executors }, (_, i) => i + 1)
    this.#token = options.token ?? randomBytes(16).toString('hex')
    this.#nextId = resume?.nextId ?? ids.length + 1
    this.#plan = resume?.plan ?? makePlan(application.dag, ids)
    this.#slots = ids.map(id => ({
      id,
      launched: undefined,
      address: undefined,
      backoff: new Backoff(),
      budget: new RestartBudget(options.restarts ?? NO_LIMIT),
      status: undefined,
      connects: new Set(),
    }))
    this.#clock = new AppClock({
      executors: ids,
      reserved: resume?.reservedUs ?? options.reservedUs ?? 0,
    })
    this.#books = new Books(options.log, resume?.books)
    this.#poll = new FigurePoll({
      environment,
      log: options.log,
      books: this.#books,
      slots: this.#slots,
      timeoutMs: application.profile.timeoutMs,
    })
    this.#positions = new PositionBook(options.positions, options.onPositions)
    this.failure = new Promise((_, reject) => {
      this.#fail = reject
    })
    this.failure.catch(() => undefined)
  }

  /** Starts everything; data flows when it resolves. Rejects with the reason when a task cannot start. */
  async start(active = true): Promise<void> {
    this.#active = active
    if (this.#options.resume !== undefined) {
      await Promise.all(this.#slots.map(slot => this.#takeOver(slot)))
      this.#poll.start()
      return
    }
    try {
      await this.#keepPlan()
      await Promise.all(this.#slots.map(slot => this.#launch(slot)))
      await this.#keepPlan()
      // The last connect to the first: tasks are dealt out in the order of the DAG, and the side that connects reads with
      // less copying (socket-transport.ts), which helps most where the most messages arrive.
      await Promise.all([...this.#slots].reverse().map(slot => this.#startTasks(slot)))
      await Promise.all(this.#slots.map(slot => this.#go(slot)))
    } catch (error) {
      await this.close()
      throw error
    }
    this.#poll.start()
  }

  async #launch(slot: Slot): Promise<void> {
    const id = slot.id
    const { launcher } = this.#options
    const launched = await launcher.launch(id, this.#token, this.#eventsOf(slot, id))
    if (this.#closing) {
      // Nobody else knows of it yet.
      launched.kill()
      throw new EngineError(
        'EXECUTOR_START_FAILED',
        `executor ${id} was started while the run ended`,
      )
    }
    this.#have(slot, id, launched)
    slot.address = await launched.control.prepare()
  }

  #have(slot: Slot, id: number, launched: LaunchedExecutor): void {
    slot.launched = launched
    void launched.ended.then(reason => this.#died(slot, id, reason))
  }

  #eventsOf(slot: Slot, id: number): ExecutorEvents {
    return {
      error: (taskId, processor, error) => this.#books.error(taskId, processor, error),
      log: (taskId, processor, level, text) => this.#books.line(taskId, processor, level, text),
      metric: (taskId, processor, name, value) =>
        this.#books.metric(taskId, processor, name, value),
      clock: clocks => {
        if (slot.id === id) this.#decided(this.#clock.report(id, 0, clocks))
      },
      overflow: overflowing => this.#overflow(id, overflowing),
      positions: positions => {
        if (slot.id === id) this.#positions.note(positions)
      },
    }
  }

  // The executor flows, and has not noticed that its app master is another one. If it cannot be reached it has died.
  async #takeOver(slot: Slot): Promise<void> {
    const id = slot.id
    const kept = this.#options.resume!.places.find(([executor]) => executor === id)
    const launched =
      kept?.[1] === undefined
        ? undefined
        : await this.#options.launcher.adopt?.(id, kept[1], this.#eventsOf(slot, id))
    if (launched === undefined) {
      this.#died(slot, id, 'the new app master did not find it')
      return
    }
    this.#have(slot, id, launched)
    slot.address = kept![2]
    // What changed while there was no app master: others may have been replaced, the user may have paused the sources.
    this.#tell(slot, control => control.replan(this.#plan))
    this.#tell(slot, control => control.setActive(this.#active))
  }

  #keepPlan(): Promise<void> {
    const { memory } = this.#options
    if (memory === undefined) return Promise.resolve()
    return memory.savePlan({
      plan: this.#plan,
      nextId: this.#nextId,
      places: this.#slots.map(({ id, launched, address }) => [id, launched?.place, address]),
      books: this.#books.memory(),
    })
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
    const sources = sourcesOn(this.application.dag, this.#plan, slot.id)
    for (const task of sources) floor = Math.max(floor, this.#clock.admit(task, slot.id))
    if (this.#overflowing.size > 0) await slot.launched!.control.suspendSources(true)
    await slot.launched!.control.go(this.#active, floor, this.#positions.of(sources))
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
    const over = slot.budget.died(nowMs, reason)
    if (over !== undefined) {
      this.#fail(over)
      return
    }
    this.#overflow(id, false)
    this.#decided(this.#clock.fence(id))
    const fresh = this.#nextId++
    slot.id = fresh
    this.#plan = replaceExecutor(this.#plan, id, fresh)
    const waitMs = slot.backoff.failed(nowMs)
    const go = () => {
      if (this.#closing || slot.id !== fresh) return
      for (const other of this.#slots) {
        if (other !== slot) this.#tell(other, control => control.replacePeer(id, fresh))
      }
      environment.after(waitMs, () => void this.#revive(slot, fresh))
    }
    // The new id is kept before anybody hears of it: no later app master may give it to another.
    if (this.#options.memory === undefined) go()
    else this.#keepPlan().then(go, error => this.#fail(asError(error)))
  }

  async #revive(slot: Slot, id: number): Promise<void> {
    if (this.#closing || slot.id !== id) return
    slot.backoff.started(this.#options.environment.monotonicMs())
    try {
      await this.#launch(slot)
      await this.#keepPlan()
      await this.#startTasks(slot)
      await this.#go(slot)
      slot.budget.up()
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
    const { store } = decision
    if (store === undefined) return
    const { memory } = this.#options
    // In a run without a cluster what is reserved lives in this process: it is stored when it is known here. That may
    // let the clock go on, so it comes last.
    if (memory === undefined) this.#decided(this.#clock.stored(store))
    else
      memory.saveClock(store).then(
        () => this.#decided(this.#clock.stored(store)),
        error => this.#fail(asError(error)),
      )
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

  /** What people ask of an application, all at once. Plain data. */
  async report(): Promise<AppReport> {
    const names = this.application.dag.processors.map(processor => processor.name)
    const { environment } = this.#options
    return {
      clockUs: this.clockUs,
      executors: this.executors(),
      figures: await this.figures(),
      errors: Object.fromEntries(names.map(name => [name, this.#books.errorsOf(name)])),
      deaths: this.#books.deaths,
      restarts: Math.max(...this.#slots.map(slot => slot.budget.used(environment.monotonicMs()))),
    }
  }

  get errors(): Books {
    return this.#books
  }

  get clockUs(): number {
    return this.#clock.published
  }

  executors(): ExecutorInfo[] {
    return this.#slots.map(slot => ({
      id: slot.id,
      pid: slot.launched?.pid,
      ...(slot.launched?.where === undefined ? {} : { where: slot.launched.where }),
      tasks: this.#plan.placement
        .filter(([, executor]) => executor === slot.id)
        .map(([task]) => task),
    }))
  }

  /** Fresh figures of the whole application, dead executors included. */
  figures(): Promise<RunFigures> {
    return this.#poll.figures()
  }

  /** See `FigurePoll.isDrained`. */
  isDrained(idleMs: number): Promise<boolean> {
    return this.#poll.isDrained(idleMs)
  }

  // ---- end

  /** Ends all executors: sources first, then tasks. What is unfinished is left. Idempotent. */
  async close(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    this.#poll.stop()
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
