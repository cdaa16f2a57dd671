// Chooses workers for executors: a pure function of what the workers offer and what an application asks for. The
// master asks it for each request and acts on the answer; nothing here waits, remembers or reserves. A request is placed
// whole or not at all, and an exact fit fits. How workers are chosen is a Strategy: those that we ship are in
// strategies.ts, a user's own one comes through strategy-module.ts, and every answer is checked before it is used.
import { EngineError, nearestName } from '../base/errors.ts'

export interface Resources {
  readonly slots: number
  /** Cores. */
  readonly cpu: number
  readonly memoryMb: number
}

/** What a worker has in all, and what of it is taken. */
export interface WorkerOffer extends Resources {
  readonly id: string
  readonly host: string
  readonly labels: Readonly<Record<string, string>>
  readonly used: Resources
}

/** Executors of one application, all of one size. Each takes one slot. */
export interface ExecutorRequest {
  readonly app: number
  readonly count: number
  readonly each: { readonly cpu: number; readonly memoryMb: number }
  /** Name of a strategy. */
  readonly strategy: string
  /** Only workers that have all of these are used, whatever the strategy. */
  readonly labels?: Readonly<Record<string, string>>
  /** Workers that already run this application. */
  readonly near?: readonly string[]
  /** Workers to be used only when the others have no room, such as one where an executor has just died. */
  readonly avoid?: readonly string[]
}

export type Placement =
  /** One worker's id per executor. */
  { readonly placed: readonly string[] } | { readonly missing: number; readonly reason: string }

export type Strategy = (offers: readonly WorkerOffer[], request: ExecutorRequest) => Placement

/** Executors of one request; more is a slip of the keyboard, and would be a day of starting processes. */
export const EXECUTORS_MAX = 10_000

/**
 * Places all executors of a request, or says how many do not fit and why.
 *
 * @example
 * const placement = place(offers, { app: 1, count: 4, each: { cpu: 1, memoryMb: 512 }, strategy: 'spread' }, builtIn)
 * if ('placed' in placement) placement.placed // ['w1', 'w2', 'w3', 'w1']
 */
export function place(
  offers: readonly WorkerOffer[],
  request: ExecutorRequest,
  strategies: ReadonlyMap<string, Strategy>,
): Placement {
  checkRequest(request)
  const strategy = strategies.get(request.strategy)
  if (strategy === undefined) throw unknownStrategy(request.strategy, strategies)
  const matching = offers.filter(offer => hasLabels(offer, request.labels))
  const placement = strategy(matching, request)
  const fault = faultOf(placement, matching, request)
  if (fault !== undefined)
    throw new EngineError('STRATEGY_FAILED', `strategy "${request.strategy}" ${fault}`, {
      details: { strategy: request.strategy, app: request.app },
    })
  return placement
}

/**
 * How many executors of this size fit on the worker now. Counted in thousandths, so that three times 0.1 cores are 0.3
 * cores: with sums of fractions an exact fit would not fit.
 */
export function capacityOf(offer: WorkerOffer, each: ExecutorRequest['each']): number {
  return Math.min(...RESOURCES.map(resource => roomFor(offer, each, resource)))
}

/** What the resource alone would allow; never below zero, even if more is used than there is. */
export function roomFor(
  offer: WorkerOffer,
  each: ExecutorRequest['each'],
  resource: keyof Resources,
): number {
  const need = thousandths(resource === 'slots' ? 1 : each[resource])
  const free = thousandths(offer[resource]) - thousandths(offer.used[resource])
  // What needs none of it fits as often as it likes: zero divided by zero would say neither yes nor no.
  return need === 0 ? Number.POSITIVE_INFINITY : Math.max(0, Math.floor(free / need))
}

export const RESOURCES = ['slots', 'cpu', 'memoryMb'] as const

/** What is wrong with a placement, or undefined: for strategies that others wrote, and for the tests of ours. */
export function faultOf(
  placement: Placement,
  offers: readonly WorkerOffer[],
  request: ExecutorRequest,
): string | undefined {
  if (typeof placement !== 'object' || placement === null) return 'returned no placement'
  if (!('placed' in placement)) {
    const { missing, reason } = placement
    const isCount = Number.isInteger(missing) && missing > 0 && missing <= request.count
    if (!isCount) return `says that ${String(missing)} of ${request.count} executors are missing`
    return typeof reason === 'string' && reason !== '' ? undefined : 'gives no reason for its no'
  }
  const { placed } = placement
  if (!Array.isArray(placed)) return 'returned a "placed" that is no list'
  if (placed.length !== request.count)
    return `placed ${placed.length} executors where ${request.count} were asked for`
  return overCommitted(placed, offers, request)
}

function overCommitted(
  placed: readonly string[],
  offers: readonly WorkerOffer[],
  request: ExecutorRequest,
): string | undefined {
  const counts = new Map<string, number>()
  for (const id of placed) counts.set(id, (counts.get(id) ?? 0) + 1)
  const byId = new Map(offers.map(offer => [offer.id, offer]))
  for (const [id, count] of counts) {
    const offer = byId.get(id)
    if (offer === undefined) return `chose worker "${String(id)}", which is not on offer`
    for (const resource of RESOURCES) {
      const room = roomFor(offer, request.each, resource)
      if (count > room)
        return `put ${count} executors on worker "${id}", whose ${resource} are enough for ${room}`
    }
  }
  return undefined
}

function checkRequest({ app, count, each }: ExecutorRequest): void {
  const wrong = (what: string) =>
    new EngineError('BAD_INPUT', `application ${app} cannot be placed: ${what}`)
  if (!Number.isInteger(count) || count < 0 || count > EXECUTORS_MAX)
    throw wrong(`the number of executors is 0 to ${EXECUTORS_MAX}, not ${count}`)
  for (const resource of ['cpu', 'memoryMb'] as const) {
    const need = each[resource]
    if (!Number.isFinite(need) || need < 0)
      throw wrong(`${resource} of an executor is a number from 0 up, not ${need}`)
  }
}

function unknownStrategy(name: string, known: ReadonlyMap<string, Strategy>): EngineError {
  const near = nearestName(name, known.keys())
  const hint =
    near === undefined ? `there are: ${[...known.keys()].join(' ')}` : `did you mean "${near}"?`
  return new EngineError('BAD_INPUT', `there is no placement strategy "${name}"`, { hint })
}

function hasLabels(offer: WorkerOffer, wanted: ExecutorRequest['labels'] = {}): boolean {
  return Object.entries(wanted).every(
    ([name, value]) => Object.hasOwn(offer.labels, name) && offer.labels[name] === value,
  )
}

function thousandths(amount: number): number {
  return Math.round(amount * 1000)
}
