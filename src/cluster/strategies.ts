// The placement strategies that we ship. All executors of a request have one size, so each worker has a plain capacity,
// and a request fits exactly when the capacities add up to it: no search is needed. Workers are used tier by tier
// (those to avoid come last; `locality` takes the ones near the application first), and within a tier either evenly or
// as few as possible. Ties are broken by load and then by id, so the same question has the same answer.
import {
  capacityOf,
  type ExecutorRequest,
  type Placement,
  RESOURCES,
  roomFor,
  type Strategy,
  type WorkerOffer,
} from './scheduler.ts'

interface Room {
  readonly offer: WorkerOffer
  readonly capacity: number
}

/** Takes `count` from workers that together have at least as much room. */
type Fill = (rooms: readonly Room[], count: number) => string[]

type Tier = (offer: WorkerOffer, request: ExecutorRequest) => number

const anywhere: Tier = () => 0
const nearFirst: Tier = ({ id }, { near = [] }) => (near.includes(id) ? 0 : 1)

/** Even over workers, then over hosts. */
export const spread: Strategy = tiered(anywhere, evenly)

/** As few workers as possible. */
export const pack: Strategy = tiered(anywhere, tightly)

/** Workers that already run the application first, as few as possible: less goes over the network. */
export const locality: Strategy = tiered(nearFirst, tightly)

/** By name. `labels` demands that the request names labels; they restrict every other strategy too. */
export const builtIn: ReadonlyMap<string, Strategy> = new Map([
  ['spread', spread],
  ['pack', pack],
  ['locality', locality],
  ['labels', labelled(spread)],
  ['labels+spread', labelled(spread)],
  ['labels+pack', labelled(pack)],
  ['labels+locality', labelled(locality)],
])

function tiered(tierOf: Tier, fill: Fill): Strategy {
  return (offers, request) => {
    const rooms = offers
      .map(offer => ({ offer, capacity: capacityOf(offer, request.each) }))
      .sort((a, b) => byId(a.offer, b.offer))
    const room = sum(rooms.map(r => r.capacity))
    if (room < request.count) return refusal(rooms, request)
    const tiers = new Map<number, Room[]>()
    for (const r of rooms) {
      // Two tiers of the strategy's own lie on each side of `avoid`.
      const tier = (request.avoid?.includes(r.offer.id) ? 2 : 0) + tierOf(r.offer, request)
      tiers.set(tier, [...(tiers.get(tier) ?? []), r])
    }
    const placed: string[] = []
    for (const tier of [...tiers.keys()].sort((a, b) => a - b)) {
      const inTier = tiers.get(tier)!
      const count = Math.min(request.count - placed.length, sum(inTier.map(r => r.capacity)))
      placed.push(...fill(inTier, count))
    }
    return { placed }
  }
}

function labelled(inner: Strategy): Strategy {
  return (offers, request) => {
    if (Object.keys(request.labels ?? {}).length > 0) return inner(offers, request)
    return { missing: request.count, reason: 'the strategy is by labels, and none are asked for' }
  }
}

// ---- spread

// Round by round, one to each worker that still has room, so that their counts differ by one at most. The last round
// may not be enough for all: then the hosts with the fewest are served first.
function evenly(rooms: readonly Room[], count: number): string[] {
  const onHost = new Map<string, number>()
  const placed: string[] = []
  for (let round = 0; placed.length < count; round++) {
    const open = rooms.filter(r => r.capacity > round)
    const rest = count - placed.length
    for (const { offer } of rest < open.length ? evenOverHosts(open, rest, onHost) : open) {
      onHost.set(offer.host, (onHost.get(offer.host) ?? 0) + 1)
      placed.push(offer.id)
    }
  }
  return placed
}

function evenOverHosts(
  rooms: readonly Room[],
  count: number,
  before: ReadonlyMap<string, number>,
): readonly Room[] {
  const onHost = new Map(before)
  const countOn = (room: Room) => onHost.get(room.offer.host) ?? 0
  const left = [...rooms].sort((a, b) => loadOf(a.offer) - loadOf(b.offer))
  const chosen: Room[] = []
  while (chosen.length < count) {
    const next = left.reduce((best, r) => (countOn(r) < countOn(best) ? r : best))
    left.splice(left.indexOf(next), 1)
    onHost.set(next.offer.host, countOn(next) + 1)
    chosen.push(next)
  }
  return chosen
}

/** Share of the scarcest resource that is taken. */
function loadOf(offer: WorkerOffer): number {
  const share = (resource: (typeof RESOURCES)[number]) =>
    offer[resource] > 0 ? offer.used[resource] / offer[resource] : 1
  return Math.max(...RESOURCES.map(share))
}

// ---- pack

// The roomiest workers first: no other order needs fewer. The last one is exchanged for the smallest that holds the
// rest, so that room for a large request stays in one piece.
function tightly(rooms: readonly Room[], count: number): string[] {
  const free = [...rooms].sort((a, b) => b.capacity - a.capacity)
  const placed: string[] = []
  while (placed.length < count) {
    const rest = count - placed.length
    const last = free.findLastIndex(r => r.capacity >= rest)
    const [next] = free.splice(Math.max(last, 0), 1)
    const taken = Math.min(rest, next!.capacity)
    for (let i = 0; i < taken; i++) placed.push(next!.offer.id)
  }
  return placed
}

// ---- no

function refusal(rooms: readonly Room[], { count, each, labels = {} }: ExecutorRequest): Placement {
  const fit = sum(rooms.map(r => r.capacity))
  const size = `one slot, ${each.cpu} cores and ${each.memoryMb} MB each`
  if (rooms.length === 0)
    return {
      missing: count,
      reason: `no worker${labelsText(labels)} is there for ${count} executors (${size})`,
    }
  const scarce = RESOURCES.map(resource => {
    const room = sum(rooms.map(r => roomFor(r.offer, each, resource)))
    return { resource, room }
  })
    .filter(({ room }) => room < count)
    .map(({ resource, room }) => `${NAMES[resource]} for ${room}`)
  // Each resource may be enough in all and yet not on the same workers.
  const why = scarce.length === 0 ? 'what is free is on different workers' : scarce.join(', ')
  const workers = rooms.length === 1 ? 'the one worker' : `${rooms.length} workers`
  return {
    missing: count - fit,
    reason: `${fit} of ${count} executors (${size}) fit on ${workers}: ${why}`,
  }
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`)
  return pairs.length === 0 ? '' : ` with ${pairs.join(', ')}`
}

const NAMES = { slots: 'free slots', cpu: 'free cores', memoryMb: 'free memory' } as const

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0)
}

function byId(a: WorkerOffer, b: WorkerOffer): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}
