// The place of one executor in an application, as its app master keeps it: who lives there now, under which id, and how
// often its predecessors died. The id changes with each death, the slot stays.
import { Backoff, RESTART_BACKOFF } from '../base/backoff.ts'
import type { Environment } from '../base/environment.ts'
import { asError, EngineError } from '../base/errors.ts'
import { type Log, log } from '../base/log.ts'
import type { Address } from '../transport/link.ts'
import type { ExecutorControl } from './executor-host.ts'
import type { ExecutorStatus } from './figures.ts'
import type { LaunchedExecutor } from './launcher.ts'
import { NO_LIMIT, RestartBudget, type RestartLimits } from './restart-budget.ts'

/** How long a closing executor may take before it is killed. */
const CLOSE_TIMEOUT_MS = 8000

export interface ExecutorSlot {
  id: number
  launched: LaunchedExecutor | undefined
  address: Address | undefined
  readonly backoff: Backoff
  readonly budget: RestartBudget
  status: ExecutorStatus | undefined
  /** It is being closed, to be replaced: its end is no death. */
  retiring: boolean
  /** Executors that it was told to connect to; of each pair one is told. */
  readonly connects: Set<number>
}

export function executorSlot(id: number, limits: RestartLimits = NO_LIMIT): ExecutorSlot {
  return {
    id,
    launched: undefined,
    address: undefined,
    backoff: new Backoff(RESTART_BACKOFF),
    budget: new RestartBudget(limits),
    status: undefined,
    retiring: false,
    connects: new Set(),
  }
}

/** Throws when it has died since it was launched. */
export function controlOf({ id, launched }: ExecutorSlot): ExecutorControl {
  if (launched !== undefined) return launched.control
  throw new EngineError('EXECUTOR_START_FAILED', `executor ${id} took a place and is not up yet`, {
    hint: 'the one before it died while the application was being started; this is tried again',
  })
}

/** Ends it in order; at once if that takes too long. */
export async function closeExecutor(
  { id, launched }: ExecutorSlot,
  { environment, log: lines }: { readonly environment: Environment; readonly log: Log },
): Promise<void> {
  if (launched === undefined) return
  const timer = environment.after(CLOSE_TIMEOUT_MS, () => launched.kill())
  try {
    await Promise.race([launched.control.close(), launched.ended])
  } catch (error) {
    log(lines, 'debug', `executor ${id}`, asError(error).message)
  }
  timer.cancel()
  launched.kill()
  await launched.ended
}

/** Each that listens now, but for those that were told to connect here: what starts later looks after itself. */
export function connectTo(
  slot: ExecutorSlot,
  all: readonly ExecutorSlot[],
): (readonly [executor: number, address: Address])[] {
  const others = all.filter(other => other !== slot && !other.connects.has(slot.id))
  const addresses = others.flatMap(({ id, address }) =>
    address === undefined ? [] : [[id, address] as const],
  )
  for (const [other] of addresses) slot.connects.add(other)
  return addresses
}

/** One that does not answer has died or is about to: its end is handled where it is noticed. */
export async function told(
  { id, launched }: ExecutorSlot,
  ask: (control: ExecutorControl) => Promise<void>,
  lines: Log,
): Promise<void> {
  try {
    if (launched !== undefined) await ask(launched.control)
  } catch (error) {
    log(lines, 'debug', `executor ${id}`, asError(error).message)
  }
}

/** Ends it in order, for others to take its tasks. */
export function retire(
  slot: ExecutorSlot,
  options: { readonly environment: Environment; readonly log: Log },
): Promise<void> {
  slot.retiring = true
  return closeExecutor(slot, options)
}

export function startedLate(id: number): EngineError {
  return new EngineError('EXECUTOR_START_FAILED', `executor ${id} was started while the run ended`)
}
