// Tells the app master where the sources of an executor stand, so that one that dies is opened again there. A source is
// asked on its own turn, at most once a second, and only if it has emitted or was told something since; and once more
// when the executor closes. What may go wrong: a position that is no plain data cannot travel, and is reported.
import type { Environment } from '../base/environment.ts'
import { asError, EngineError } from '../base/errors.ts'
import type { SourceRunner } from '../task/source-runner.ts'

/** Bounds what a death costs: as much as a source gets done in this time is emitted again. */
const POSITION_PERIOD_MS = 1000

export interface PositionReportsOptions {
  readonly environment: Environment
  readonly sources: readonly SourceRunner<never>[]
  /** Task id -> position, of those that have changed. */
  readonly tell: (positions: ReadonlyMap<number, unknown>) => void
  readonly report: (taskId: number, error: Error) => void
}

interface Told {
  activity: number
  json: string | undefined
  asked: boolean
}

export class PositionReports {
  readonly #options: PositionReportsOptions
  readonly #told = new Map<number, Told>()
  #changed = new Map<number, unknown>()
  // The first time at once.
  #sinceMs = POSITION_PERIOD_MS

  constructor(options: PositionReportsOptions) {
    this.#options = options
  }

  /** Called each time that so many ms have passed; asks those sources whose turn it is. */
  tick(passedMs: number): void {
    const { environment, sources } = this.#options
    this.#sinceMs += passedMs
    if (this.#sinceMs < POSITION_PERIOD_MS) return
    this.#sinceMs = 0
    for (const source of sources) {
      if (!source.keepsPosition) continue
      const told = this.#of(source.taskId)
      // A source that is parked has not answered yet.
      if (told.asked || told.activity === source.activity) continue
      told.asked = true
      source.call(() => {
        told.asked = false
        if (this.#changed.size === 0) environment.defer(() => this.#flush())
        this.#take(source, told)
      })
    }
  }

  /** Asks all of them now. For the end, just before the sources are closed. */
  last(): void {
    for (const source of this.#options.sources) {
      if (source.keepsPosition) this.#take(source, this.#of(source.taskId))
    }
    this.#flush()
  }

  #of(taskId: number): Told {
    let told = this.#told.get(taskId)
    if (told === undefined) {
      told = { activity: 0, json: undefined, asked: false }
      this.#told.set(taskId, told)
    }
    return told
  }

  #take(source: SourceRunner<never>, told: Told): void {
    const activity = source.activity
    let json: string | undefined
    try {
      json = positionText(source.readPosition())
    } catch (error) {
      this.#options.report(source.taskId, noPosition(error))
      return
    }
    told.activity = activity
    if (json === undefined || json === told.json) return
    told.json = json
    // A copy, in one process too: the source may go on writing in what it gave.
    this.#changed.set(source.taskId, JSON.parse(json))
  }

  #flush(): void {
    if (this.#changed.size === 0) return
    const changed = this.#changed
    this.#changed = new Map()
    this.#options.tell(changed)
  }
}

/** A position as it is stored; undefined = nothing to store. Throws for what would come back as something else. */
export function positionText(position: unknown): string | undefined {
  return JSON.stringify(position, refuseUnlike)
}

// Of these JSON makes {} or null without a word, and the source would be opened at nothing.
function refuseUnlike(key: string, value: unknown): unknown {
  const like = unlikeJson(value)
  if (like === undefined) return value
  throw new TypeError(`${key === '' ? 'it' : `its "${key}"`} is ${like}`)
}

function unlikeJson(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : String(value)
  if (value instanceof Map) return 'a Map: give [...map]'
  if (value instanceof Set) return 'a Set: give [...set]'
  const { then } = (value ?? {}) as { then?: unknown }
  return typeof then === 'function' ? 'a promise: position() must answer at once' : undefined
}

function noPosition(thrown: unknown): EngineError {
  const cause = asError(thrown)
  return new EngineError('BAD_INPUT', `position() gave nothing to be stored: ${cause.message}`, {
    hint: 'a position is plain data, such as JSON can carry; until it is, this source would begin anew',
    cause,
  })
}
