// Calls of user code that a start or an end waits for: their failures under the name of the task, and those that never come to
// an end named while they are waited for.
import { asError, EngineError } from '../base/errors.ts'
import type { RunnerHost } from '../task/runner-host.ts'
import type { Tally } from '../task/task.ts'

/** Long for any start or end, and shorter than people wait before they ask. */
const TOLD_AFTER_MS = 5000

export async function awaited(
  host: RunnerHost,
  taskId: number,
  method: string,
  work: void | Promise<void>,
): Promise<void> {
  const timer = host.environment.after(TOLD_AFTER_MS, () =>
    host.log(taskId, 'warn', `${method} has not ended after ${TOLD_AFTER_MS / 1000} s`),
  )
  try {
    await work
  } finally {
    timer.cancel()
  }
}

/** Counts of a task. If it throws there are none: what else is known of it must still be told, or no run would ever end. */
export function tallied(
  host: RunnerHost,
  taskId: number,
  tally: () => Tally | undefined,
): Tally | undefined {
  try {
    return tally()
  } catch (error) {
    host.report(taskId, asError(error))
    return undefined
  }
}

/** What a factory made is no task, or no source. */
export function notMade(method: string): EngineError {
  return new EngineError('TASK_START_FAILED', `what its factory makes has no ${method}()`, {
    hint: 'the factory must return a new task, or source, each time',
  })
}

/** As the one who started it hears of it. */
export function startFailed(
  place: { processor: string; index: number; taskId: number },
  thrown: unknown,
): EngineError {
  const cause = asError(thrown)
  const hint = cause instanceof EngineError ? cause.hint : undefined
  return new EngineError(
    'TASK_START_FAILED',
    `${place.processor}[${place.index}] did not start: ${cause.message}`,
    {
      cause,
      details: { processor: place.processor, task: place.taskId },
      ...(hint === undefined ? {} : { hint }),
    },
  )
}
