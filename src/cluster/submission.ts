// What a client submits is not believed: it is checked by the leader before anything of it is written, placed or becomes
// part of a path. A client of ours sends nothing that fails here; all that is wrong is told at once.
import { type Problem, UserError } from '../base/errors.ts'
import type { Submission } from './messages.ts'
import { EXECUTORS_MAX } from './scheduler.ts'

/** Longer names are of no use to people, and would not fit into a file's name. */
const NAME_CHARS_MAX = 200
const REQUEST_ID_CHARS_MAX = 100
const TAG_CHARS_MAX = 500
/** They are part of the application's record in the store. */
const CREDENTIALS_BYTES_MAX = 100_000

/** Throws BAD_INPUT. */
export function checkSubmission(submission: Submission): void {
  const problems: Problem[] = []
  const check = (holds: boolean, place: string, message: string): void => {
    if (!holds) problems.push({ place, message })
  }
  const { name, requestId, bundle, placement, restarts, tag } = submission
  check(
    isName(name),
    'name',
    'is no name: 1 to 200 characters, not . or .., and none of / : \\ and controls',
  )
  check(isText(requestId, REQUEST_ID_CHARS_MAX), 'requestId', 'is no short text')
  checkCredentials(submission.credentials, check)
  if (tag !== undefined) check(isText(tag, TAG_CHARS_MAX), 'tag', 'is no short text')
  if (bundle !== undefined) {
    check(/^[0-9a-f]{64}$/.test(String(bundle?.hash)), 'bundle.hash', 'is no SHA-256 in hex')
    check(isCount(bundle?.sizeBytes, 1, Number.MAX_SAFE_INTEGER), 'bundle.sizeBytes', 'is no size')
  }
  const executors = `must be a whole number from 1 to ${EXECUTORS_MAX}`
  check(isCount(placement?.executors, 1, EXECUTORS_MAX), 'placement.executors', executors)
  check(isAmount(placement?.each?.cpu), 'placement.each.cpu', 'must be a number, 0 or more')
  check(
    isAmount(placement?.each?.memoryMb),
    'placement.each.memoryMb',
    'must be a number, 0 or more',
  )
  if (restarts !== undefined) {
    check(isAmount(restarts?.executors), 'restarts.executors', 'must be a number, 0 or more')
    check(isAmount(restarts?.windowMs), 'restarts.windowMs', 'must be a number, 0 or more')
  }
  if (problems.length > 0) throw new UserError('BAD_INPUT', 'the submission', problems)
}

/** Throws BAD_INPUT. */
export function checkedCredentials(credentials: unknown): Readonly<Record<string, string>> {
  const problems: Problem[] = []
  checkCredentials(credentials ?? null, (holds, place, message) => {
    if (!holds) problems.push({ place, message })
  })
  if (problems.length > 0) throw new UserError('BAD_INPUT', 'the credentials', problems)
  return credentials as Readonly<Record<string, string>>
}

// Not a word of them is repeated.
function checkCredentials(
  credentials: unknown,
  check: (holds: boolean, place: string, message: string) => void,
): void {
  if (credentials === undefined) return
  const plain = typeof credentials === 'object' && credentials !== null
  const texts = plain && Object.values(credentials).every(value => typeof value === 'string')
  check(texts, 'credentials', 'are no names with texts')
  const small = texts && Buffer.byteLength(JSON.stringify(credentials)) <= CREDENTIALS_BYTES_MAX
  check(small, 'credentials', `are more than ${CREDENTIALS_BYTES_MAX} bytes`)
}

function isName(name: unknown): boolean {
  return isText(name, NAME_CHARS_MAX) && !/^\.\.?$|[/:\\\p{Cc}]/u.test(name as string)
}

function isText(value: unknown, charsMax: number): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= charsMax
}

function isCount(value: unknown, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
}

function isAmount(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
