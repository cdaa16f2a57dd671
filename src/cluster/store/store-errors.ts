// The refusals of a store, worded once for all kinds of it.
import { EngineError } from '../../base/errors.ts'
import type { Fence, Outcome } from './store.ts'

/** The fence is not the leader's. `outcome` is unknown only when an earlier try of the same commit was not answered. */
export function fenced(fence: Fence, why: string, outcome: Outcome = 'none'): EngineError {
  const doubt = outcome === 'unknown' ? '; whether its last write went in before is not known' : ''
  return new EngineError(
    'STORE_FENCED',
    `${fence.holder} does not lead any more, its write was refused: ${why}${doubt}`,
    {
      hint: 'this master stops deciding; the leader of now goes on with what the store holds',
      details: { holder: fence.holder, fence: fence.revision, outcome },
    },
  )
}

export function conflict(key: string, expected: number, found: number): EngineError {
  const is = found === 0 ? 'it does not exist' : `it is at revision ${found}`
  const wanted = expected === 0 ? 'it should not exist' : `revision ${expected} was expected`
  return new EngineError('STORE_CONFLICT', `key ${key} has changed meanwhile: ${wanted}, ${is}`, {
    hint: 'nothing was written; read it again and decide anew',
    details: { key, expected, found },
  })
}

export function unavailable(
  message: string,
  options: { outcome: Outcome; hint?: string; cause?: unknown; lasting?: boolean },
): EngineError {
  const { outcome, cause, lasting } = options
  const doubt = outcome === 'unknown' ? '; the outcome is unknown' : ''
  return new EngineError('STORE_UNAVAILABLE', `${message}${doubt}`, {
    hint: options.hint ?? 'it is tried again by whoever needs it; look at the store if this lasts',
    details: lasting === true ? { outcome, lasting } : { outcome },
    ...(cause === undefined ? {} : { cause }),
  })
}

/** Whether what failed with `error` may have been applied. Errors that are not a store's say nothing: unknown. */
export function outcomeOf(error: unknown): Outcome {
  return error instanceof EngineError && error.details.outcome === 'none' ? 'none' : 'unknown'
}

/** Not answered, and another try may be: it was neither refused for good, nor is it another kind of error. */
export function mayPass(error: unknown): error is EngineError {
  return isStoreError(error, 'STORE_UNAVAILABLE') && error.details.lasting !== true
}

export function isStoreError(
  error: unknown,
  code: 'STORE_FENCED' | 'STORE_CONFLICT' | 'STORE_UNAVAILABLE',
): error is EngineError {
  return error instanceof EngineError && error.code === code
}

/** What a call on a closed store gets. */
export function closed(): EngineError {
  return unavailable('the store is closed', {
    outcome: 'none',
    hint: 'this process is shutting down',
  })
}
