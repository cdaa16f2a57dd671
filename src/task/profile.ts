// One value per application that trades throughput, latency and guarantee.
import { nearestName, type Problem } from '../base/errors.ts'

export interface Profile {
  /** at-most-once: nothing is tracked, ids are done at once. at-least-once: roots with an id are tracked. */
  readonly guarantee: 'at-most-once' | 'at-least-once'
  /** Messages that may wait in a task's inbox before its emitters in the same executor wait. */
  readonly inboxDepth: number
  /** Messages that may be on their way between two tasks of different executors before the emitter waits. */
  readonly creditWindow: number
  /** Messages that may wait on an edge that closes a cycle (it never blocks) before the sources are paused. */
  readonly cycleDepth: number
  /** Messages collected for one frame at most; a frame never waits for more when there is nothing to do. */
  readonly frameMessages: number
  /** A root that has not ended after one to two of these fails; 0 = never. */
  readonly timeoutMs: number
  /** Open roots of one source task at which it is asked for no more; 0 = no bound. */
  readonly maxOpenRoots: number
}

/** Between the two below; what an application gets when it says nothing. */
export const balanced: Profile = {
  guarantee: 'at-least-once',
  inboxDepth: 1024,
  creditWindow: 2048,
  cycleDepth: 65_536,
  frameMessages: 512,
  timeoutMs: 30_000,
  maxOpenRoots: 65_536,
}

/** Large frames and windows. */
export const throughput: Profile = {
  ...balanced,
  inboxDepth: 4096,
  creditWindow: 8192,
  frameMessages: 1024,
}

/** Short queues: a message waits behind few others. */
export const lowLatency: Profile = {
  ...balanced,
  inboxDepth: 128,
  creditWindow: 256,
  frameMessages: 64,
}

export const PROFILES = { balanced, throughput, latency: lowLatency } as const
export type ProfileName = keyof typeof PROFILES

const GUARANTEES: readonly unknown[] = ['at-most-once', 'at-least-once']

/** The least that each number may be. */
const LEAST: Readonly<Record<Exclude<keyof Profile, 'guarantee'>, number>> = {
  inboxDepth: 1,
  creditWindow: 1,
  cycleDepth: 1,
  frameMessages: 1,
  timeoutMs: 0,
  maxOpenRoots: 0,
}

/** What is wrong with a profile that a user gave: a name, or fields over one. */
export function profileProblems(given: unknown): Problem[] {
  if (given === undefined) return []
  if (typeof given !== 'object' || given === null) return baseProblems('profile', given)
  return Object.entries(given).flatMap(([field, value]) => {
    const place = `profile.${field}`
    if (value === undefined) return []
    if (field === 'base') return baseProblems(place, value)
    if (field === 'guarantee') {
      if (GUARANTEES.includes(value)) return []
      return [{ place, message: `${shown(value)} is none; there are ${GUARANTEES.join(', ')}` }]
    }
    if (!Object.hasOwn(LEAST, field)) return [unknownField(place, field)]
    const least = LEAST[field as keyof typeof LEAST]
    if (typeof value === 'number' && value >= least) return []
    return [{ place, message: `is ${shown(value)}; it must be a number from ${least}` }]
  })
}

function baseProblems(place: string, name: unknown): Problem[] {
  if (typeof name === 'string' && Object.hasOwn(PROFILES, name)) return []
  const known = Object.keys(PROFILES)
  const near = typeof name === 'string' ? nearestName(name, known) : undefined
  const message = `${shown(name)} is none; there are ${known.join(', ')}`
  return [{ place, message, ...(near === undefined ? {} : { hint: `did you mean ${near}?` }) }]
}

function unknownField(place: string, field: string): Problem {
  const known = ['base', 'guarantee', ...Object.keys(LEAST)]
  const near = nearestName(field, known)
  const hint = near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`
  return { place, message: 'there is no such field', hint }
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : String(value)
}
