// The errors of the whole project. Three kinds: a bug (`invariant`), an operating error (`EngineError` with a code
// of its own), and a user's mistakes (`UserError`: all of them at once, each with its place). Every code has an
// entry in docs/errors.md; a test compares the two.

/** What can go wrong while running. The code names the kind; `hint` says what to do next. */
export type ErrorCode =
  // the engine
  | 'BUG'
  | 'TASK_FAILED'
  | 'TASK_START_FAILED'
  | 'EXECUTOR_DIED'
  | 'EXECUTOR_START_FAILED'
  | 'EXECUTOR_LOST_PARENT'
  | 'ANCHOR_CLOSED'
  | 'UNKNOWN_PORT'
  | 'UNKNOWN_TARGET'
  | 'VALUE_NOT_SERIALISABLE'
  | 'FRAME_INVALID'
  | 'FRAME_TOO_LARGE'
  | 'LINK_LOST'
  // the control plane
  | 'ASK_TIMED_OUT'
  | 'ACTOR_NOT_FOUND'
  | 'ACTOR_EXISTS'
  | 'ACTOR_FAILED'
  | 'UNKNOWN_METHOD'
  | 'NODE_UNREACHABLE'
  | 'UNAUTHORIZED'
  | 'CALL_TOO_LARGE'
  | 'OVERLOADED'
  // what the user gave
  | 'BAD_INPUT'
  | 'FILE_NOT_FOUND'
  | 'MODULE_NOT_LOADED'
  | 'APP_NOT_FOUND'
  | 'APP_EXISTS'
  // the cluster
  | 'STORE_FENCED'
  | 'STORE_CONFLICT'
  | 'STORE_UNAVAILABLE'
  | 'STORE_TOO_LARGE'
  | 'STORE_LOCKED'
  | 'STORE_CORRUPT'
  | 'STORE_START_FAILED'
  | 'MASTER_NAME_TAKEN'
  | 'NO_MASTER'
  | 'NOT_LEADER'
  | 'NO_QUORUM'
  | 'NO_RESOURCES'
  | 'FENCED'
  | 'WORKER_NAME_TAKEN'
  | 'WORKER_STOPPING'
  | 'APP_MASTER_ABSENT'
  | 'APP_MASTER_DIED'
  | 'APP_FAILED'
  | 'SETTINGS_INVALID'
  | 'SECURITY_REQUIRED'
  | 'STRATEGY_FAILED'
  | 'BUNDLE_REFUSED'
  | 'BUNDLE_CORRUPT'
  | 'BLOB_NOT_FOUND'
  | 'BLOB_STORE_FULL'
  | 'BLOB_FETCH_FAILED'
  | 'CODE_NOT_PORTABLE'
  // the Storm layer
  | 'TOPOLOGY_INVALID'
  | 'FLUX_INVALID'
  | 'SHELL_START_FAILED'
  | 'SHELL_DIED'
  | 'SHELL_TIMED_OUT'
  | 'SHELL_PROTOCOL'
  | 'SERIALIZER_UNKNOWN'
  | 'JAVA_NOT_FOUND'
  | 'STORM_JARS_NOT_FOUND'
  | 'JAVA_HOST_DIED'
  | 'JAVA_COMPONENT_FAILED'
  // connectors
  | 'FILE_FAILED'
  | 'LINE_TOO_LONG'
  | 'KAFKA_UNREACHABLE'
  | 'KAFKA_REFUSED'
  | 'KAFKA_FAILED'
  | 'KAFKA_OFFSET_GONE'
  | 'KAFKA_RECORD_INVALID'
  | 'JAVA_STREAM_INVALID'
  | 'THRIFT_INVALID'
  | 'THRIFT_CALL_FAILED'
  | 'NIMBUS_UNREACHABLE'
  | 'DRPC_UNREACHABLE'
  | 'DRPC_FAILED'
  | 'JAR_INVALID'

export interface ErrorOptionsOf {
  /** One sentence: what the reader can do next. */
  hint?: string
  /** Plain values that identify the place: component, task, pid, file. */
  details?: Record<string, unknown>
  cause?: unknown
}

/** An operating error: says what happened and where, and in `hint` what to do next. */
export class EngineError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly details: Record<string, unknown>

  constructor(code: ErrorCode, message: string, options: ErrorOptionsOf = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'EngineError'
    this.code = code
    this.hint = options.hint
    this.details = options.details ?? {}
  }
}

/** One mistake in what the user wrote. `place` is `file:line:column`, `component X`, or a setting's path. */
export interface Problem {
  place: string
  message: string
  hint?: string
}

/** All mistakes found in one input, reported together. */
export class UserError extends EngineError {
  readonly problems: readonly Problem[]

  constructor(code: ErrorCode, what: string, problems: readonly Problem[]) {
    super(
      code,
      `${what}: ${problems.length} problem${problems.length === 1 ? '' : 's'}\n${listProblems(problems)}`,
    )
    this.name = 'UserError'
    this.problems = problems
  }
}

function listProblems(problems: readonly Problem[]): string {
  return problems
    .map(p => `  ${p.place}: ${p.message}${p.hint === undefined ? '' : ` (${p.hint})`}`)
    .join('\n')
}

/** States what must be true at this point; if it is not, this is our bug and the task that ran into it ends. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new EngineError('BUG', `invariant broken: ${message}`)
}

/** Ends a `switch` over a union: the compiler proves that no case is missing. */
export function assertNever(value: never): never {
  throw new EngineError('BUG', `unexpected variant ${JSON.stringify(value)}`)
}

/** Of a thing that was thrown and is no error, as much as tells what it is. */
const SHOWN_CHARS_MAX = 2000

/**
 * An unknown thrown thing as an Error whose name, message and stack are texts. Whatever was thrown, this does not throw: it
 * is called where an error of user code is taken in, and nobody stands behind.
 */
export function asError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error && isReadable(thrown)) return thrown
    if (typeof thrown === 'object' && thrown !== null) return shownError(thrown)
    return new Error(String(thrown))
  } catch {
    // A getter, or what the thing says of itself, threw as well: there is nothing more to be had.
    return new Error('something was thrown that cannot be shown')
  }
}

function isReadable({ name, message, stack }: Error): boolean {
  const stackIsText = stack === undefined || typeof stack === 'string'
  return typeof name === 'string' && typeof message === 'string' && stackIsText
}

// An error that is only partly readable, or of another realm, keeps its texts; of any other object its contents are all there
// is to know. Where this is called tells nothing about where it was thrown: no stack of ours.
function shownError(thrown: object): Error {
  const { message, stack } = thrown as { message?: unknown; stack?: unknown }
  const isError = thrown instanceof Error
  if (typeof message === 'string' && (isError || typeof stack === 'string')) {
    const error = new Error(message)
    error.stack = typeof stack === 'string' ? stack : `Error: ${message}`
    return error
  }
  const contents = isError ? { ...thrown, message } : thrown
  const error = new Error(contentsOf(contents).slice(0, SHOWN_CHARS_MAX))
  error.stack = `an object was thrown that is no error: ${error.message}`
  return error
}

function contentsOf(thrown: object): string {
  const shown = (_: string, value: unknown) => {
    if (typeof value === 'bigint') return `${value}n`
    return typeof value === 'function' ? 'a function' : value
  }
  try {
    return JSON.stringify(thrown, shown)
  } catch {
    // It contains itself, or a part of it throws.
    return `an object with ${Object.keys(thrown).join(', ')}`
  }
}

/** The name in `known` closest to `name` (at most a third of its letters changed), or undefined. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase(), bestDistance)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

// Levenshtein distance in two rows, given up at `limit`.
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      current.push(Math.min(previous[j]! + 1, current[j - 1]! + 1, swap))
    }
    previous = current
  }
  return previous[b.length]!
}
