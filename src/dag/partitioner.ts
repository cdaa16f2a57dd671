// How an edge picks, for each message, the tasks of its target. A partitioner here is only a description: plain data
// (and the user's functions), no state, no engine object, so that a DAG can be compared, printed and changed. An
// executor compiles it once per source task and edge into the code that runs per message.
//
// Order: messages of one (source task, target task) pair stay in order under every partitioner; two messages with one
// key meet in one task only under `hash`, `groupBy`, `first` and custom ones that see to it.

/** Which tasks of the target get a message of type `T`. */
export type Partitioner<T = unknown> =
  | { readonly kind: 'hash' }
  | { readonly kind: 'shuffle' }
  | { readonly kind: 'localOrShuffle' }
  | { readonly kind: 'broadcast' }
  | { readonly kind: 'colocation' }
  | { readonly kind: 'groupBy'; readonly key: (value: T) => unknown }
  | { readonly kind: 'first' }
  | { readonly kind: 'direct' }
  | { readonly kind: 'unicast'; readonly create: CreateChoice<T, number> }
  | { readonly kind: 'multicast'; readonly create: CreateChoice<T, readonly number[]> }

const KINDS: Readonly<Record<Partitioner['kind'], true>> = {
  hash: true,
  shuffle: true,
  localOrShuffle: true,
  broadcast: true,
  colocation: true,
  groupBy: true,
  first: true,
  direct: true,
  unicast: true,
  multicast: true,
}

/** All that there are. */
export const PARTITIONER_KINDS = Object.keys(KINDS) as readonly Partitioner['kind'][]

/**
 * Makes the choice of one source task on one edge: called once per source task (so that it may keep counts of its
 * own), then its result once per message. Indexes run from 0 to `targets - 1`.
 */
export type CreateChoice<T, Choice> = (targets: number, sourceIndex: number) => (value: T) => Choice

/** What a unicast partitioner answers when nobody is to get the message. */
export const NOBODY = -1

/** Equal values go to the same task. The default of an edge. */
export function hash(): Partitioner {
  return { kind: 'hash' }
}

/** Spreads evenly: starts at any task, goes round, and passes over a full task while another has room. */
export function shuffle(): Partitioner {
  return { kind: 'shuffle' }
}

/** As `shuffle`, among the target's tasks in the sender's own executor if there are any. */
export function localOrShuffle(): Partitioner {
  return { kind: 'localOrShuffle' }
}

/** Every task gets every message. */
export function broadcast(): Partitioner {
  return { kind: 'broadcast' }
}

/** From the task with index i to the task with index i modulo the target's parallelism. */
export function colocation(): Partitioner {
  return { kind: 'colocation' }
}

/**
 * Values with equal keys go to the same task.
 *
 * @example split.to(count, groupBy(word => word.toLowerCase()))
 */
export function groupBy<T>(key: (value: T) => unknown): Partitioner<T> {
  return { kind: 'groupBy', key }
}

/** Everything goes to the task with index 0. */
export function first(): Partitioner {
  return { kind: 'first' }
}

/** The sender names the task of each message (`outputTo`); a plain `output` on this port throws. */
export function direct(): Partitioner {
  return { kind: 'direct' }
}

/**
 * A choice of the user's own: the index of one task, or `NOBODY`.
 *
 * @example orders.to(regions, unicast(targets => order => order.region % targets))
 */
export function unicast<T>(create: CreateChoice<T, number>): Partitioner<T> {
  return { kind: 'unicast', create }
}

/** As `unicast`, to any number of tasks; an empty list means nobody. */
export function multicast<T>(create: CreateChoice<T, readonly number[]>): Partitioner<T> {
  return { kind: 'multicast', create }
}

export { hashOf } from './hash.ts'
