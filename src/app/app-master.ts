// The app master of one application: has executors started, plans which task runs where, keeps the app clock, and
// replaces an executor that died, with its tasks. In local mode it lives in the process that the user started.
import { randomBytes } from 'node:crypto'
import { asError } from '../base/errors.ts'
import { log } from '../base/log.ts'
import type { Credentials } from '../task/task.ts'
import { type AppReport, type ExecutorInfo, executorInfos, reportOf } from './app-report.ts'
import type { Application } from './application.ts'
import { Books } from './books.ts'
import { ClockKeeper } from './clock-keeper.ts'
import type { ExecutorEvents } from './executor.ts'
import type { ExecutorControl } from './executor-host.ts'
import {
  closeExecutor,
  connectTo,
  controlOf,
  type ExecutorSlot,
  executorSlot,
  retire,
  startedLate,
  told,
} from './executor-slot.ts'
import { FigurePoll } from './figure-poll.ts'
import type { RunFigures } from './figures.ts'
import { type AppMasterOptions, ElsewhereError, type LaunchedExecutor } from './launcher.ts'
import { dealAnew, makePlan, type Plan, replaceExecutor, sourcesOn } from './plan.ts'
import { PositionBook } from './position-book.ts'
import { Rebalances, restAll } from './rebalance.ts'
import { StallWatch } from './stall-watch.ts'

export class AppMaster {
  readonly application: Application
  readonly #options: AppMasterOptions
  readonly #token: string
  readonly #slots: ExecutorSlot[]
  readonly #clock: ClockKeeper
  readonly #books: Books
  readonly #positions: PositionBook
  #plan: Plan
  #nextId: number
  #active = true
  #credentials: Credentials
  /** The sources rest, whatever the user says. */
  #resting = false
  readonly #rebalances = new Rebalances(executors => this.#moveTo(executors))
  #closing = false
  #overflowing = new Set<number>()
  readonly #poll: FigurePoll
  readonly #stalls: StallWatch
  /** Resolves when it is known which executors of an earlier app master live. */
  readonly #survivors: Promise<void>
  #takenOver: () => void = () => undefined
  #fail: (error: Error) => void = () => undefined
  /** Rejects when the application cannot go on. Never resolves. */
  readonly failure: Promise<never>

  constructor(options: AppMasterOptions) {
    this.#options = options
    this.application = options.application
    this.#credentials = options.credentials ?? {}
    const { resume, environment, application } = options
    const ids = resume?.plan.executors ?? Array.from({ length: options.executors }, (_, i) => i + 1)
    this.#token = options.token ?? randomBytes(16).toString('hex')
    this.#nextId = resume?.nextId ?? ids.length + 1
    this.#plan = resume?.plan ?? makePlan(application.dag, ids)
    this.#slots = ids.map(id => executorSlot(id, options.restarts))
    this.#clock = new ClockKeeper({
      executors: ids,
      reserved: resume?.reservedUs ?? options.reservedUs ?? 0,
      publish: clockUs => void this.#tellAll(control => control.publish(clockUs)),
      save: options.memory && (reservedUs => options.memory!.saveClock(reservedUs)),
      fail: error => this.#fail(error),
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
    this.#stalls = new StallWatch({
      environment,
      log: options.log,
      clockUs: () => this.#clock.published,
      slots: this.#slots,
    })
    this.#survivors = new Promise(resolve => {
      this.#takenOver = resolve
      if (resume === undefined) resolve()
    })
    this.failure = new Promise((_, reject) => {
      this.#fail = reject
    })
    this.failure.catch(() => undefined)
  }

  /** Starts everything; data flows when it resolves, unless it was closed meanwhile. Rejects when a task cannot start. */
  async start(active = true): Promise<void> {
    this.#active = active
    if (this.#options.resume !== undefined) {
      await Promise.all(this.#slots.map(slot => this.#takeOver(slot)))
      this.#takenOver()
    } else await this.#startAll()
    if (this.#closing) return
    this.#poll.start()
    this.#stalls.start()
  }

  async #startAll(): Promise<void> {
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
  }

  async #launch(slot: ExecutorSlot, onId: (id: number) => void = () => undefined): Promise<void> {
    const { launcher } = this.#options
    let id = slot.id
    let launched: LaunchedExecutor | undefined
    while (launched === undefined) {
      try {
        launched = await launcher.launch(id, this.#token, this.#eventsOf(slot, id))
      } catch (error) {
        if (!(error instanceof ElsewhereError) || this.#closing || slot.retiring) throw error
        const before = id
        id = this.#renewed(slot)
        onId(id)
        await this.#tellOfFresh(slot, before)
      }
    }
    if (this.#closing || slot.retiring) {
      // Nobody else knows of it yet.
      launched.kill()
      throw startedLate(id)
    }
    this.#have(slot, id, launched)
    const address = await launched.control.prepare()
    // It has died meanwhile, and another has its place.
    if (slot.id !== id) throw startedLate(id)
    slot.address = address
  }

  #have(slot: ExecutorSlot, id: number, launched: LaunchedExecutor): void {
    slot.launched = launched
    void launched.ended.then(reason => this.#died(slot, id, reason, launched.endedWithWorker?.()))
  }

  #eventsOf(slot: ExecutorSlot, id: number): ExecutorEvents {
    return {
      error: (taskId, processor, error) => this.#books.error(taskId, processor, error),
      log: (taskId, processor, level, text) => this.#books.line(taskId, processor, level, text),
      metric: (taskId, processor, name, value) =>
        this.#books.metrics.set(taskId, processor, name, value),
      clock: clocks => {
        if (slot.id === id) this.#clock.report(id, clocks)
      },
      overflow: overflowing => this.#overflow(id, overflowing),
      positions: positions => {
        if (slot.id === id) this.#positions.note(positions)
      },
    }
  }

  // The executor flows, and has not noticed that its app master is another one. If it cannot be reached it has died.
  async #takeOver(slot: ExecutorSlot): Promise<void> {
    const id = slot.id
    const kept = this.#options.resume!.places.find(([executor]) => executor === id)
    // What was stored as undefined comes back as null.
    const place = kept?.[1] ?? undefined
    const launched =
      place === undefined
        ? undefined
        : await this.#options.launcher.adopt?.(id, place, this.#eventsOf(slot, id))
    if (launched === undefined) {
      this.#died(slot, id, 'the new app master did not find it')
      return
    }
    this.#have(slot, id, launched)
    slot.address = kept![2] ?? undefined
    // What changed while there was no app master: others may have been replaced, the user may have paused the sources.
    void this.#told(slot, control => control.replan(this.#plan))
    void this.#told(slot, control => control.setActive(this.#active))
    void this.#told(slot, control => control.setCredentials(this.#credentials))
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

  async #startTasks(slot: ExecutorSlot): Promise<void> {
    const addresses = connectTo(slot, this.#slots)
    await controlOf(slot).start({ plan: this.#plan, addresses, credentials: this.#credentials })
  }

  async #go(slot: ExecutorSlot): Promise<void> {
    let floor = 0
    const sources = sourcesOn(this.application.dag, this.#plan, slot.id)
    for (const task of sources) floor = Math.max(floor, this.#clock.admit(task, slot.id))
    if (this.#overflowing.size > 0) await controlOf(slot).suspendSources(true)
    await controlOf(slot).go(this.#active && !this.#resting, floor, this.#positions.of(sources))
  }

  // ---- deaths

  #died(slot: ExecutorSlot, id: number, reason: string, withWorker = false): void {
    if (this.#closing || slot.id !== id || slot.retiring) return
    const { environment } = this.#options
    const nowMs = environment.monotonicMs()
    this.#books.executorDied(id, slot.status, reason)
    slot.launched = undefined
    slot.address = undefined
    slot.status = undefined
    slot.connects.clear()
    for (const other of this.#slots) other.connects.delete(id)
    const over = withWorker ? undefined : slot.budget.died(nowMs, reason)
    if (over !== undefined) {
      this.#fail(over)
      return
    }
    const fresh = this.#renewed(slot)
    const waitMs = withWorker ? 0 : slot.backoff.failed(nowMs)
    const go = () => void environment.after(waitMs, () => void this.#revive(slot, fresh))
    this.#tellOfFresh(slot, id).then(go, error => this.#fail(asError(error)))
  }

  // Whoever had the slot is out for ever: ids are never used again.
  #renewed(slot: ExecutorSlot): number {
    const id = slot.id
    const fresh = this.#nextId++
    slot.id = fresh
    this.#overflow(id, false)
    this.#plan = replaceExecutor(this.#plan, id, fresh)
    return fresh
  }

  // Kept before anybody hears of it: no later app master may give it away, nor take over the former and its old clock.
  async #tellOfFresh(slot: ExecutorSlot, before: number): Promise<void> {
    const fresh = slot.id
    await this.#keepPlan()
    this.#clock.fence(before)
    if (this.#closing || slot.id !== fresh) return
    for (const other of this.#slots) {
      if (other !== slot) void this.#told(other, control => control.replacePeer(before, fresh))
    }
  }

  async #revive(slot: ExecutorSlot, expected: number): Promise<void> {
    let id = expected
    await this.#survivors
    if (this.#closing || slot.id !== id) return
    slot.backoff.started(this.#options.environment.monotonicMs())
    try {
      await this.#launch(slot, fresh => {
        id = fresh
      })
      await this.#keepPlan()
      if (slot.id === id) await this.#startTasks(slot)
      if (slot.id === id) await this.#go(slot)
      if (slot.id !== id) return
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

  // ---- overflow, active

  #overflow(executorId: number, overflowing: boolean): void {
    const before = this.#overflowing.size
    if (overflowing) this.#overflowing.add(executorId)
    else this.#overflowing.delete(executorId)
    const after = this.#overflowing.size
    if ((before === 0) === (after === 0)) return
    void this.#tellAll(control => control.suspendSources(after > 0))
  }

  async setActive(active: boolean): Promise<void> {
    this.#active = active
    if (!this.#resting) await this.#tellAll(control => control.setActive(active))
  }

  /** Those of before are forgotten. */
  async setCredentials(credentials: Credentials): Promise<void> {
    this.#credentials = credentials
    await this.#tellAll(control => control.setCredentials(credentials))
  }

  #told(slot: ExecutorSlot, ask: (control: ExecutorControl) => Promise<void>): Promise<void> {
    return told(slot, ask, this.#options.log)
  }

  #tellAll(ask: (control: ExecutorControl) => Promise<void>): Promise<unknown> {
    return Promise.all(this.#slots.map(slot => this.#told(slot, ask)))
  }

  // ---- another number of executors

  /**
   * Deals the tasks out anew to so many executors: the sources rest, what is under way ends or fails, and other executors
   * take all tasks. Resolves when those have been started; heard again meanwhile it is the same.
   */
  rebalance(executors: number): Promise<void> {
    return this.#rebalances.to(executors)
  }

  async #moveTo(executors: number): Promise<void> {
    await this.#survivors
    if (this.#closing || this.#slots.length === executors) return
    this.#resting = true
    try {
      await restAll(this.#options, {
        tellAll: ask => this.#tellAll(ask),
        isDrained: () => this.isDrained(0),
        isOver: () => this.#closing,
      })
      const old = [...this.#slots]
      await this.figures()
      await Promise.all(old.map(slot => retire(slot, this.#options)))
      if (this.#closing) return
      for (const slot of old) this.#books.executorLeft(slot.status)
      const fresh = Array.from({ length: executors }, () => this.#nextId++)
      const slots = fresh.map(id => executorSlot(id, this.#options.restarts))
      this.#slots.splice(0, old.length, ...slots)
      this.#plan = dealAnew(this.application.dag, this.#plan, fresh)
      await this.#keepPlan()
      for (const { id } of old) this.#overflow(id, false)
      for (const { id } of old) this.#clock.fence(id)
    } finally {
      this.#resting = false
    }
    await Promise.all(this.#slots.map(slot => this.#revive(slot, slot.id)))
  }

  // ---- figures

  /** What people ask of an application, all at once. Plain data. */
  async report(): Promise<AppReport> {
    const figures = await this.figures()
    const report = reportOf(this, this.#slots, this.#options.environment.monotonicMs())
    return { ...report, figures, tallies: this.#poll.tallies(), stall: this.#stalls.report }
  }

  get errors(): Books {
    return this.#books
  }

  get clockUs(): number {
    return this.#clock.published
  }

  executors(): ExecutorInfo[] {
    return executorInfos(this.#slots, this.#plan)
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
    this.#stalls.stop()
    await Promise.all(this.#slots.map(slot => closeExecutor(slot, this.#options)))
    this.#books.close()
  }
}
