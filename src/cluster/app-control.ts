// What clients have done to an application that runs: pausing, credentials, another number of executors, and calls to its
// app master. Written down first, so that whatever dies meanwhile, the next app master brings it about.
import { EngineError } from '../base/errors.ts'
import type { AppKeeper } from './app-keeper.ts'
import { type AppRegistry, isOver } from './app-registry.ts'
import { checkRoom } from './room.ts'
import { EXECUTORS_MAX } from './scheduler.ts'
import { checkedCredentials } from './submission.ts'
import type { WorkerTable } from './worker-table.ts'

interface Parts {
  readonly registry: AppRegistry
  readonly workers: WorkerTable
  /** Throws APP_NOT_FOUND. */
  readonly keeperOf: (app: number) => AppKeeper
}

export class AppControl {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async setActive(app: number, active: boolean): Promise<void> {
    const record = await this.#parts.registry.change(app, r =>
      isOver(r) ? undefined : { ...r, status: active ? 'active' : 'inactive' },
    )
    if (record === undefined || isOver(record)) throw endedError(app)
    // Without an app master the next one begins as the record says.
    if (this.#parts.keeperOf(app).appMaster !== undefined)
      await this.call(app, 'setActive', [active])
  }

  async setCredentials(app: number, given: Readonly<Record<string, string>>): Promise<void> {
    const credentials = checkedCredentials(given)
    const record = await this.#parts.registry.change(app, r =>
      isOver(r) ? undefined : { ...r, submission: { ...r.submission, credentials } },
    )
    if (record === undefined || isOver(record)) throw endedError(app)
    // Without an app master the next one begins with them.
    const told = this.#parts.keeperOf(app).appMaster !== undefined
    if (told) await this.call(app, 'setCredentials', [credentials])
  }

  async rebalance(app: number, executors: number): Promise<void> {
    if (!Number.isSafeInteger(executors) || executors < 1 || executors > EXECUTORS_MAX)
      throw new EngineError('BAD_INPUT', `executors: a whole number from 1 to ${EXECUTORS_MAX}`)
    const { registry, workers } = this.#parts
    checkRoom(workers, executors, registry.plannedExecutors(app)?.length ?? 0)
    const record = await registry.change(app, r => {
      const { placement } = r.submission
      if (isOver(r) || placement.executors === executors) return undefined
      return { ...r, submission: { ...r.submission, placement: { ...placement, executors } } }
    })
    if (record === undefined || isOver(record)) throw endedError(app)
    await this.call(app, 'rebalance', [executors])
  }

  async call(app: number, method: string, args: unknown[]): Promise<unknown> {
    const record = this.#parts.registry.get(app)
    if (record === undefined || isOver(record)) throw endedError(app)
    const { appMaster } = this.#parts.keeperOf(app)
    if (appMaster !== undefined) return appMaster.ask('call', method, args)
    throw new EngineError(
      'APP_MASTER_ABSENT',
      `application ${app} has no app master at the moment`,
      {
        hint: 'one is being started; ask again',
      },
    )
  }
}

export function endedError(app: number): EngineError {
  return new EngineError('APP_NOT_FOUND', `application ${app} does not run any more`, {
    hint: '`gear app list` shows what became of it',
  })
}
