// The book-keeper of a simulated cluster: what was started, who was obeyed, what was emitted and arrived. Says the
// first thing that is not as it has to be. It knows nothing of how the roles decide.
import type { MemoryWrite } from '../../../src/cluster/store/memory-store.ts'
import type { Ledger } from './application.ts'
import type { Entry } from './machines.ts'

export interface ClusterStats {
  [name: string]: number
}

/** What is known of one application, over all its processes. */
export class AppBook implements Ledger {
  /** By task, by number: how often. */
  readonly #emitted = new Map<number, number[]>()
  readonly #arrived = new Map<number, number[]>()
  /** By task: below it everything was done, as its source has told. */
  readonly lows = new Map<number, number>()
  /** By task: where the source that was opened last stands, and in which executor it is. */
  readonly stands = new Map<number, { readonly executor: number; readonly low: number }>()
  /** By task: where its source was opened last. */
  readonly openedAt = new Map<number, number>()
  readonly started = new Set<number>()
  /** By executor: the highest app master that it obeys. */
  readonly adopted = new Map<number, number>()
  /** By incarnation of the app master: the highest app clock published. */
  readonly published = new Map<number, number>()
  dones = 0
  emits = 0
  /** The longest time between two arrivals. */
  silenceMsMax = 0
  #arrivedMs: number | undefined = undefined
  readonly #app: number
  readonly #oracle: ClusterOracle

  constructor(app: number, oracle: ClusterOracle) {
    this.#app = app
    this.#oracle = oracle
  }

  wants(task: number, number: number): boolean {
    return !this.#oracle.draining || number < (this.#emitted.get(task)?.length ?? 0)
  }

  opened(task: number, low: number, executor: number): void {
    this.#oracle.note('open', this.#app, task, low, executor)
    this.openedAt.set(task, low)
    this.stands.set(task, { executor, low })
    const arrived = this.#arrived.get(task) ?? []
    for (let number = 0; number < low; number++) {
      if ((arrived[number] ?? 0) > 0) continue
      this.#oracle.broken(
        `(2) app ${this.#app}: source ${task} was opened at ${low}, but ${number} never arrived`,
      )
      return
    }
  }

  emitted(task: number, number: number): void {
    this.#oracle.note('emit', this.#app, task, number)
    this.emits++
    const emitted = this.#emitted.get(task) ?? []
    this.#emitted.set(task, emitted)
    emitted[number] = (emitted[number] ?? 0) + 1
  }

  done(task: number, low: number, executor: number): void {
    this.dones++
    if (this.stands.get(task)?.executor === executor) this.stands.set(task, { executor, low })
    this.lows.set(task, Math.max(low, this.lows.get(task) ?? 0))
  }

  /** Time goes on without an arrival. */
  silent(): void {
    if (this.#arrivedMs === undefined) return
    this.silenceMsMax = Math.max(this.silenceMsMax, this.#oracle.now() - this.#arrivedMs)
  }

  arrived(task: number, number: number): void {
    this.#oracle.note('arrive', this.#app, task, number)
    this.silent()
    this.#arrivedMs = this.#oracle.now()
    const arrived = this.#arrived.get(task) ?? []
    this.#arrived.set(task, arrived)
    arrived[number] = (arrived[number] ?? 0) + 1
    const emitted = this.#emitted.get(task)?.[number] ?? 0
    if (arrived[number]! > emitted)
      this.#oracle.broken(
        `(2) app ${this.#app}: number ${number} of source ${task} was emitted ${emitted} times and arrived more often`,
      )
  }

  /** What was emitted and did not arrive. */
  missing(): string | undefined {
    for (const [task, emitted] of this.#emitted) {
      const arrived = this.#arrived.get(task) ?? []
      for (let number = 0; number < emitted.length; number++)
        if ((arrived[number] ?? 0) === 0) return `number ${number} of source ${task}`
    }
    return undefined
  }

  /** Source tasks that still have numbers to be done. */
  unfinished(): number {
    let open = 0
    for (const [task, emitted] of this.#emitted)
      if ((this.lows.get(task) ?? 0) < emitted.length) open++
    return open
  }
}

export class ClusterOracle {
  draining = false
  violation: string | undefined = undefined
  hash = 0x811c9dc5
  readonly stats: ClusterStats = {}
  readonly apps = new Map<number, AppBook>()
  readonly now: () => number
  #historySeen = 0
  #fence = 0
  /** Told of each note; for people. */
  onNote: ((text: string) => void) | undefined = undefined

  constructor(now: () => number) {
    this.now = now
  }

  of(app: number): AppBook {
    let book = this.apps.get(app)
    if (book === undefined) {
      book = new AppBook(app, this)
      this.apps.set(app, book)
    }
    return book
  }

  broken(text: string): void {
    this.violation ??= `${text} (at ${Math.round(this.now())} ms)`
  }

  count(name: string, more = 1): void {
    this.stats[name] = (this.stats[name] ?? 0) + more
  }

  /** Goes into the hash: two runs of a seed have the same. */
  note(...what: (string | number)[]): void {
    this.#mix(this.now())
    for (const part of what) {
      if (typeof part === 'number') this.#mix(part)
      else for (let i = 0; i < part.length; i++) this.#mix(part.charCodeAt(i))
    }
    this.onNote?.(what.join(' '))
  }

  #mix(value: number): void {
    // Times are fractions: both halves of the double count.
    SCRATCH[0] = value
    for (const half of HALVES) this.hash = Math.imul(this.hash ^ half, 0x01000193) >>> 0
  }

  // ---- processes

  started({ kind, app, executor, incarnation, process }: Entry): void {
    this.note('start', process.name)
    this.count(kind === 'executor' ? 'executors' : 'appMasters')
    const { started } = this.of(app)
    const key = kind === 'executor' ? executor : -incarnation
    if (started.has(key))
      this.broken(`(3) app ${app}: ${kind} ${Math.abs(key)} was started twice, now ${process.name}`)
    started.add(key)
  }

  /** An executor has taken an app master for its own. */
  adopted(app: number, executor: number, incarnation: number): void {
    const { adopted } = this.of(app)
    adopted.set(executor, Math.max(incarnation, adopted.get(executor) ?? 0))
  }

  /** An executor has done what an app master told it. `highest`: whom it obeyed when the command came. */
  obeyed(app: number, executor: number, incarnation: number, highest: number): void {
    if (incarnation < highest)
      this.broken(
        `(3) app ${app}: executor ${executor} obeyed app master ${incarnation} after ${highest}`,
      )
  }

  published(app: number, incarnation: number, clockUs: number): void {
    const { published } = this.of(app)
    for (const [other, highest] of published) {
      if (other >= incarnation || highest <= clockUs) continue
      this.broken(
        `(4) app ${app}: app master ${incarnation} published ${clockUs} after ${other} had published ${highest}`,
      )
    }
    published.set(incarnation, Math.max(clockUs, published.get(incarnation) ?? 0))
  }

  /** A worker was told to end these, some time ago. */
  stopped(worker: string, left: readonly Entry[]): void {
    const [entry] = left
    if (entry !== undefined)
      this.broken(`(6) ${worker} was told to stop ${entry.process.name}, which is there still`)
  }

  // ---- the store

  /** Writes of a leader come after those of the one before, and never again after those of the next. */
  look(history: readonly MemoryWrite[]): void {
    for (; this.#historySeen < history.length; this.#historySeen++) {
      const { fence, leader, by, key } = history[this.#historySeen]!
      this.note('write', by, key)
      if (fence === undefined || fence < this.#fence)
        this.broken(`(3) ${by} wrote ${key} under fence ${fence} after ${this.#fence} was used`)
      else if (fence !== leader)
        this.broken(`(3) ${by} wrote ${key} under fence ${fence} when ${leader ?? 'nobody'} led`)
      else this.#fence = fence
    }
  }
}

const SCRATCH = new Float64Array(1)
const HALVES = new Uint32Array(SCRATCH.buffer)
