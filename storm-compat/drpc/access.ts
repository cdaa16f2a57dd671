// Who may call which function, and which user's topology may answer it: Storm's `drpc.authorizer` with its list of functions.
// Callers have names when they come over SASL, or over TLS with a certificate; others have none, and no list names them.
import { EngineError, type Problem, UserError } from 'gearpump/spi'

/** May `user` (undefined: nobody knows) call a function, or fetch and answer its requests? */
export interface Access {
  mayCall(functionName: string, user: string | undefined): boolean
  mayAnswer(functionName: string, user: string | undefined): boolean
}

/** One function of `drpc.authorizer.acl`. */
export interface FunctionAccess {
  readonly clients: readonly string[]
  readonly invocationUser: string | undefined
}

export const openAccess: Access = { mayCall: () => true, mayAnswer: () => true }
export const closedAccess: Access = { mayCall: () => false, mayAnswer: () => false }

/** Storm's DRPCSimpleACLAuthorizer; `strict`: a function that is not listed is for nobody. */
export function listAccess(
  functions: ReadonlyMap<string, FunctionAccess>,
  strict: boolean,
): Access {
  const permits = (
    functionName: string,
    user: string | undefined,
    fits: (entry: FunctionAccess, user: string) => boolean,
  ) => {
    const entry = functions.get(functionName)
    if (entry === undefined) return !strict && functionName !== ''
    return user !== undefined && fits(entry, user)
  }
  return {
    mayCall: (name, user) => permits(name, user, (entry, who) => entry.clients.includes(who)),
    mayAnswer: (name, user) => permits(name, user, (entry, who) => entry.invocationUser === who),
  }
}

/**
 * By Storm's settings: `drpc.authorizer` is one of Storm's class names, `drpc.authorizer.acl` its list. Throws a UserError.
 *
 * @example accessOf({ 'drpc.authorizer.acl': { reach: { 'client.users': ['ada'], 'invocation.user': 'storm' } }, … })
 */
export function accessOf(conf: Readonly<Record<string, unknown>>): Access {
  const authorizer = conf['drpc.authorizer']
  if (authorizer === undefined || authorizer === null || authorizer === '') return openAccess
  const name = String(authorizer).replace(/^.*\./, '')
  if (name === 'NoopAuthorizer') return openAccess
  if (name === 'DenyAuthorizer') return closedAccess
  if (name === 'DRPCSimpleACLAuthorizer') {
    const strict = conf['drpc.authorizer.acl.strict'] !== false
    return listAccess(functionsOf(conf['drpc.authorizer.acl'] ?? {}), strict)
  }
  throw new EngineError('BAD_INPUT', `drpc.authorizer is ${name}, which is not known here`, {
    hint: 'DRPCSimpleACLAuthorizer, NoopAuthorizer and DenyAuthorizer are',
    details: { authorizer },
  })
}

function functionsOf(list: unknown): ReadonlyMap<string, FunctionAccess> {
  const problems: Problem[] = []
  const functions = new Map<string, FunctionAccess>()
  if (!isMap(list)) {
    problems.push({ place: 'drpc.authorizer.acl', message: 'must be a map of functions' })
  } else {
    for (const [name, entry] of Object.entries(list)) {
      const place = `drpc.authorizer.acl.${name}`
      const clients = isMap(entry) ? (entry['client.users'] ?? []) : undefined
      const invocationUser = isMap(entry) ? entry['invocation.user'] : undefined
      if (!Array.isArray(clients) || !clients.every(user => typeof user === 'string')) {
        problems.push({ place, message: 'must have client.users, a list of names' })
      } else if (invocationUser !== undefined && typeof invocationUser !== 'string') {
        problems.push({ place, message: 'must have invocation.user, a name' })
      } else functions.set(name, { clients, invocationUser })
    }
  }
  if (problems.length > 0) throw new UserError('BAD_INPUT', 'drpc.authorizer.acl', problems)
  return functions
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
