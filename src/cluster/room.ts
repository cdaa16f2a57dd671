// Room on the workers for the executors of one application: where the strategy puts them, kept for them until they run.
import type { Environment } from '../base/environment.ts'
import { EngineError } from '../base/errors.ts'
import type { Grant } from './messages.ts'
import { type ExecutorRequest, place, type Strategy } from './scheduler.ts'
import type { WorkerTable } from './worker-table.ts'

/** Promised room that nobody took or gave back is free again: longer than a launch may take, whose worker fetches the bundle first. */
const PROMISE_MS = 130_000
const HINT = 'start more workers, or ask for less'

interface Means {
  readonly strategies: ReadonlyMap<string, Strategy>
  readonly environment: Environment
}

/** Throws NO_RESOURCES. */
export function grantRoom(
  workers: WorkerTable,
  request: ExecutorRequest,
  { strategies, environment }: Means,
): Grant[] {
  const { app, count, each } = request
  const placement = place(workers.offers(), request, strategies)
  if ('missing' in placement) {
    const what = `room for ${count} executor${count === 1 ? '' : 's'}`
    const message = `${what}: ${placement.missing} missing: ${placement.reason}`
    throw new EngineError('NO_RESOURCES', message, { hint: HINT })
  }
  return placement.placed.map(workerId => {
    const ticket = workers.promise(workerId, app, each)
    environment.after(PROMISE_MS, () => workers.release(workerId, ticket))
    const { card } = workers.get(workerId)!
    return { workerId, worker: card.address, host: card.host }
  })
}

/** Whether an application that has so many executors could have that many instead. Throws NO_RESOURCES. */
export function checkRoom(workers: WorkerTable, wanted: number, has: number): void {
  const up = workers.summaries().filter(({ state }) => state === 'up')
  const free = up.reduce((sum, { slots, slotsUsed }) => sum + Math.max(0, slots - slotsUsed), 0)
  if (wanted <= has + free) return
  const message = `${wanted} executors: there is room for ${has + free}`
  throw new EngineError('NO_RESOURCES', message, { hint: HINT })
}
