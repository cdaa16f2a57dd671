// The place of one executor in an application, as its app master keeps it: who lives there now, under which id, and how
// often its predecessors died. The id changes with each death, the slot stays.
import { Backoff } from '../base/backoff.ts'
import { EngineError } from '../base/errors.ts'
import type { Address } from '../transport/link.ts'
import type { ExecutorStatus } from './figures.ts'
import type { LaunchedExecutor } from './launcher.ts'

export interface ExecutorSlot {
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

export function executorSlot(id: number): ExecutorSlot {
  return {
    id,
    launched: undefined,
    address: undefined,
    backoff: new Backoff(),
    deathsBeforeUp: 0,
    status: undefined,
    connects: new Set(),
  }
}

export function neverUp(deaths: number, reason: string): EngineError {
  return new EngineError(
    'EXECUTOR_DIED',
    `an executor died ${deaths} times in a row before it was up again, last: ${reason}`,
    { hint: 'look for the first error above; the application has ended' },
  )
}
