// The applications as the store has them, and a copy in the leader's memory. Every change is written under the
// leader's fence first and believed afterwards. A write whose outcome is unknown is read back before anything else
// happens to that application, so that memory never says what the store does not.
import { EngineError, nearestName } from '../base/errors.ts'
import type { AppRecord, StoredPlan, Submission } from './messages.ts'
import type { ClusterStore, Fence } from './store/store.ts'

/** Ended applications that are remembered; the oldest is forgotten first. */
const ENDED_KEPT = 1000
/** Applications that may run at once: each has a process of its own, so that this is far above what a cluster holds. */
const RUNNING_MAX = 10_000

const APPS = 'apps/'

/** What an app master stores, one key each. */
export interface AppMemory {
  readonly plan: StoredPlan | undefined
  readonly reservedUs: number
  readonly positions: readonly (readonly [number, unknown])[]
}

export function isOver(record: AppRecord): boolean {
  return record.status === 'failed' || record.status === 'stopped'
}

export class AppRegistry {
  readonly #store: ClusterStore
  readonly #fence: Fence
  readonly #records = new Map<number, AppRecord>()
  /** Executors of the plan that was stored last. */
  readonly #planned = new Map<number, readonly number[]>()
  /** Writes of one application go one after the other. */
  readonly #tails = new Map<number, Promise<unknown>>()
  #creating: Promise<unknown> = Promise.resolve()
  /** Records whose last write was not answered. */
  readonly #doubtful = new Set<number>()
  #settling: Promise<void> | undefined = undefined
  #nextId = 1

  private constructor(store: ClusterStore, fence: Fence) {
    this.#store = store
    this.#fence = fence
  }

  static async load(store: ClusterStore, fence: Fence): Promise<AppRegistry> {
    const registry = new AppRegistry(store, fence)
    for (const { value } of await store.list(APPS)) {
      const record = JSON.parse(value) as AppRecord
      registry.#records.set(record.id, record)
      registry.#nextId = Math.max(registry.#nextId, record.id + 1)
    }
    for (const { key, value } of await store.list('plans/'))
      registry.#planned.set(
        Number(key.slice('plans/'.length)),
        (JSON.parse(value) as StoredPlan).executors,
      )
    return registry
  }

  all(): AppRecord[] {
    return [...this.#records.values()].sort((a, b) => a.id - b.id)
  }

  get(id: number): AppRecord | undefined {
    return this.#records.get(id)
  }

  /** By id or by name: the running one of that name, else the newest. Throws APP_NOT_FOUND. */
  find(wanted: number | string): AppRecord {
    const records = this.all().reverse()
    const matching = records.filter(r => r.id === wanted || r.submission.name === wanted)
    const found = matching.find(r => !isOver(r)) ?? matching[0]
    if (found !== undefined) return found
    const near = nearestName(String(wanted), new Set(records.map(r => r.submission.name)))
    throw new EngineError('APP_NOT_FOUND', `no application "${wanted}"`, {
      hint:
        near === undefined ? '`gear app list` names those there are' : `did you mean "${near}"?`,
    })
  }

  /** The application that a request has become, if it has. */
  async ofRequest(requestId: string): Promise<AppRecord | undefined> {
    await this.#creating
    await this.settle()
    return [...this.#records.values()].find(r => r.submission.requestId === requestId)
  }

  /** One at a time, so that two submits of one name cannot both find it free. */
  create(submission: Submission, make: (id: number) => AppRecord): Promise<AppRecord> {
    const created = this.#creating.then(() => this.#create(submission, make))
    this.#creating = created.catch(() => undefined)
    return created
  }

  async #create(submission: Submission, make: (id: number) => AppRecord): Promise<AppRecord> {
    await this.settle()
    const running: AppRecord[] = []
    for (const record of this.#records.values()) {
      if (record.submission.requestId === submission.requestId) return record
      if (!isOver(record)) running.push(record)
    }
    const { name } = submission
    const same = running.find(record => record.submission.name === name)
    if (same !== undefined) {
      throw new EngineError(
        'APP_EXISTS',
        `application "${name}" is running already (id ${same.id})`,
        {
          hint: 'kill it first, or choose another name with --name',
        },
      )
    }
    if (running.length >= RUNNING_MAX) {
      throw new EngineError('NO_RESOURCES', `${RUNNING_MAX} applications are running already`)
    }
    const record = make(this.#nextId++)
    await this.#write(record, 0)
    await this.#forgetOldest()
    return record
  }

  /** Writes what `change` makes of the record; undefined = leave it. Returns the record as it is then. */
  change(
    id: number,
    change: (record: AppRecord) => AppRecord | undefined,
  ): Promise<AppRecord | undefined> {
    const before = this.#tails.get(id) ?? Promise.resolve()
    const work = before.then(async () => {
      if (this.#doubtful.has(id)) await this.settle()
      const record = this.#records.get(id)
      const next = record === undefined ? undefined : change(record)
      if (next === undefined) return record
      await this.#write(next, undefined)
      return next
    })
    const tail = work.catch(() => undefined)
    this.#tails.set(id, tail)
    void tail.then(() => {
      if (this.#tails.get(id) === tail) this.#tails.delete(id)
    })
    return work
  }

  async #write(record: AppRecord, ifRevision: number | undefined): Promise<void> {
    const put = { put: APPS + record.id, value: JSON.stringify(record) }
    try {
      await this.#store.commit(this.#fence, [
        ifRevision === undefined ? put : { ...put, ifRevision },
      ])
      this.#records.set(record.id, record)
    } catch (error) {
      this.#doubtful.add(record.id)
      throw error
    }
  }

  /** There are records whose last write was not answered. */
  get inDoubt(): boolean {
    return this.#doubtful.size > 0
  }

  /**
   * Reads back what was written without an answer; nothing is decided before. It may even be on its way still: a write
   * that is in doubt is settled, either way, when a later one has been answered.
   */
  settle(): Promise<void> {
    if (this.#doubtful.size === 0) return Promise.resolve()
    this.#settling ??= this.#readBack().finally(() => {
      this.#settling = undefined
    })
    return this.#settling
  }

  async #readBack(): Promise<void> {
    await this.#flush()
    for (const id of [...this.#doubtful]) {
      const entry = await this.#store.get(APPS + id)
      if (entry === undefined) this.#records.delete(id)
      else this.#records.set(id, JSON.parse(entry.value) as AppRecord)
      this.#doubtful.delete(id)
    }
  }

  // An empty commit: all that were made before it have been carried out or never will be.
  async #flush(): Promise<void> {
    await this.#store.commit(this.#fence, [])
  }

  async #forgetOldest(): Promise<void> {
    const over = this.all().filter(isOver)
    for (const { id } of over.slice(0, Math.max(0, over.length - ENDED_KEPT))) {
      await this.#store.commit(this.#fence, [
        { delete: APPS + id },
        { delete: `plans/${id}` },
        { delete: `clocks/${id}` },
        { delete: `positions/${id}` },
      ])
      this.#records.delete(id)
      this.#planned.delete(id)
    }
  }

  // ---- what app masters keep

  /** With whatever earlier app masters have managed to store. */
  async memoryOf(id: number): Promise<AppMemory> {
    await this.#flush()
    const [plan, clock, positions] = await Promise.all([
      this.#store.get(`plans/${id}`),
      this.#store.get(`clocks/${id}`),
      this.#store.get(`positions/${id}`),
    ])
    return {
      plan: plan === undefined ? undefined : (JSON.parse(plan.value) as StoredPlan),
      reservedUs: clock === undefined ? 0 : Number(clock.value),
      positions: positions === undefined ? [] : JSON.parse(positions.value),
    }
  }

  /** Ids of the executors that an application has; undefined before its first plan. */
  plannedExecutors(id: number): readonly number[] | undefined {
    return this.#planned.get(id)
  }

  async savePlan(id: number, plan: StoredPlan): Promise<void> {
    await this.save('plans', id, plan)
    this.#planned.set(id, plan.executors)
  }

  async save(kind: 'plans' | 'clocks' | 'positions', id: number, value: unknown): Promise<void> {
    await this.#store.commit(this.#fence, [{ put: `${kind}/${id}`, value: JSON.stringify(value) }])
  }
}
