// The errors that calls end with, in one place, so that each says which actor, what happened and what to do next.

import { EngineError, nearestName } from '../base/errors.ts'
import { type Address, addressText } from '../transport/link.ts'

export function askTimedOut(actor: string, method: string, timeoutMs: number): EngineError {
  return new EngineError(
    'ASK_TIMED_OUT',
    `${actor} gave no answer to ${method} within ${timeoutMs} ms`,
    {
      hint: 'it may have been carried out: ask for the state before trying again',
      details: { actor, method, timeoutMs },
    },
  )
}

export function actorNotFound(name: string, node: string, why: string): EngineError {
  return new EngineError('ACTOR_NOT_FOUND', `no actor ${name} on ${node}: ${why}`, {
    hint: 'look its address up again: it has stopped, moved, or was never started there',
    details: { actor: name, node },
  })
}

/** The actor failed in a call: an error of its own kind, so that it does not count as a failure of the asker too. */
export function actorFailed(actor: string, method: string, cause: Error): EngineError {
  return new EngineError('ACTOR_FAILED', `${actor} failed in ${method}: ${cause.message}`, {
    hint: 'see the log of its node for the stack; its supervisor decides what becomes of it',
    details: { actor, method },
    cause,
  })
}

export function unknownMethod(actor: string, method: string, known: Iterable<string>): EngineError {
  const nearest = nearestName(method, known)
  return new EngineError('UNKNOWN_METHOD', `${actor} has no method ${method}`, {
    hint:
      nearest === undefined
        ? 'check that both nodes run the same version'
        : `did you mean ${nearest}? Check that both nodes run the same version`,
    details: { actor, method },
  })
}

/** Nothing was sent. */
export function nodeUnreachable(node: Address, why: string, cause?: Error): EngineError {
  return new EngineError('NODE_UNREACHABLE', `cannot reach ${addressText(node)}: ${why}`, {
    hint: 'check that it runs and that its host and port can be reached from here',
    details: { node: addressText(node) },
    ...(cause === undefined ? {} : { cause }),
  })
}

/** The call was sent, and then the link was lost. */
export function outcomeUnknown(
  node: string,
  actor: string,
  method: string,
  cause: Error,
): EngineError {
  return new EngineError(
    'NODE_UNREACHABLE',
    `the link to ${node} was lost before ${actor} answered ${method}: ${cause.message}`,
    {
      hint: 'it is not known whether it was carried out: ask for the state before trying again',
      details: { node, actor, method },
      cause,
    },
  )
}

export function notOpen(name: string): EngineError {
  return new EngineError('UNAUTHORIZED', `clients may not call ${name}`, {
    hint: 'call it from a part of the cluster, or with a client certificate',
    details: { actor: name },
  })
}

export function overloaded(what: string, bound: number): EngineError {
  return new EngineError('OVERLOADED', `${what}: the bound is ${bound}`, {
    hint: 'try again later; if it comes again, look for what does not keep up',
    details: { bound },
  })
}
