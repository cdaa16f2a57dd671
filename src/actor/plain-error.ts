// Errors on their way between nodes: to plain data and back, so that the asker gets code, message, hint, details, a
// user's problems and the stack of the place where it was thrown. What was thrown is not trusted to be plain, nor are
// the bytes that arrive.

import { asError, EngineError, type ErrorCode, type Problem, UserError } from '../base/errors.ts'

export interface PlainError {
  name: string
  message: string
  stack: string | undefined
  code: string | undefined
  hint: string | undefined
  details: Record<string, unknown>
  problems: readonly Problem[] | undefined
  cause: PlainError | undefined
}

/** Causes of causes that travel: a chain that is longer, or closed, ends here. */
const CAUSES_MAX = 4

/** A text longer than this tells nothing more, and could make the error itself too large to send. */
const TEXT_CHARS_MAX = 8 * 1024

/** The error as data. `details` may hold anything: the sender drops them if they cannot be encoded. */
export function plainError(thrown: unknown, causes = CAUSES_MAX): PlainError {
  const error = asError(thrown)
  const engine = error instanceof EngineError ? error : undefined
  return {
    name: error.name,
    message: error.message.slice(0, TEXT_CHARS_MAX),
    stack: error.stack?.slice(0, TEXT_CHARS_MAX),
    code: engine?.code,
    hint: engine?.hint?.slice(0, TEXT_CHARS_MAX),
    details: engine?.details ?? {},
    problems: error instanceof UserError ? error.problems : undefined,
    cause:
      error.cause === undefined || causes === 0 ? undefined : plainError(error.cause, causes - 1),
  }
}

/** The same without what may not be encodable. Causes stay: the place in user code is in the stack of one of them. */
export function bareError(plain: PlainError): PlainError {
  const cause = plain.cause === undefined ? undefined : bareError(plain.cause)
  return { ...plain, details: {}, problems: undefined, cause }
}

/** The error again: an EngineError or UserError if it was one. */
export function revivedError(data: unknown, causes = CAUSES_MAX): Error {
  const plain = (typeof data === 'object' && data !== null ? data : {}) as Partial<PlainError>
  const message = typeof plain.message === 'string' ? plain.message : 'an error that cannot be read'
  const cause =
    plain.cause === undefined || causes === 0 ? undefined : revivedError(plain.cause, causes - 1)
  const error = revived(plain, message, cause)
  if (typeof plain.stack === 'string') error.stack = plain.stack
  return error
}

function revived(plain: Partial<PlainError>, message: string, cause: Error | undefined): Error {
  const { code, hint, details, problems } = plain
  if (typeof code !== 'string') {
    const error = new Error(message, cause === undefined ? undefined : { cause })
    if (typeof plain.name === 'string') error.name = plain.name
    return error
  }
  // Nodes of one protocol version have the same codes.
  const known = code as ErrorCode
  if (Array.isArray(problems)) {
    const error = new UserError(known, '', problems as Problem[])
    error.message = message
    return error
  }
  return new EngineError(known, message, {
    ...(typeof hint === 'string' ? { hint } : {}),
    ...(typeof details === 'object' && details !== null ? { details } : {}),
    ...(cause === undefined ? {} : { cause }),
  })
}
