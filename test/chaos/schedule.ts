// Which faults happen when, from one seed: pure, so that a seed printed by one run replays the schedule in the next. A
// fault names a role and carries a number by which its victim is picked among those that live at that moment.

/** kill: `kill -9`. stop: SIGSTOP, and SIGCONT after `forMs`. cut: its network is down for `forMs`. */
export type FaultKind = 'kill' | 'stop' | 'cut'

/** etcd: the store's process beside a master. child: a process that a task of the application has started. */
export type Role = 'master' | 'etcd' | 'worker' | 'app-master' | 'executor' | 'child'

export interface Fault {
  readonly atMs: number
  readonly kind: FaultKind
  readonly role: Role
  /** The victim is number `pick` modulo how many there are. */
  readonly pick: number
  /** 0 for a kill. */
  readonly forMs: number
}

export interface ScheduleOptions {
  readonly seed: number
  readonly forMs: number
  /** Masters and workers can be cut off. */
  readonly cuts: boolean
}

/** Between two faults: short enough that they overlap, long enough that most are detected (silence counts after 5 s). */
const GAP_MIN_MS = 500
const GAP_MAX_MS = 5000
const STOP_MIN_MS = 200
const STOP_MAX_MS = 8000
const CUT_MIN_MS = 1000
const CUT_MAX_MS = 10_000

const CHOICES: readonly (readonly [FaultKind, Role, weight: number])[] = [
  ['kill', 'master', 2],
  ['stop', 'master', 2],
  ['kill', 'etcd', 1],
  ['kill', 'worker', 2],
  ['stop', 'worker', 2],
  ['kill', 'app-master', 2],
  ['stop', 'app-master', 2],
  ['kill', 'executor', 3],
  ['stop', 'executor', 2],
  ['kill', 'child', 3],
  ['stop', 'child', 1],
  ['cut', 'master', 3],
  ['cut', 'worker', 3],
]

export function schedule({ seed, forMs, cuts }: ScheduleOptions): Fault[] {
  const random = randomOf(seed)
  const between = (min: number, max: number) => Math.round(min + random() * (max - min))
  const choices = CHOICES.filter(([kind]) => cuts || kind !== 'cut')
  const faults: Fault[] = []
  let atMs = between(GAP_MIN_MS, GAP_MAX_MS)
  while (atMs < forMs) {
    const [kind, role] = weighted(choices, random())
    const pick = Math.floor(random() * 2 ** 20)
    const length = random()
    faults.push({ atMs, kind, role, pick, forMs: lengthOf(kind, length) })
    atMs += between(GAP_MIN_MS, GAP_MAX_MS)
  }
  return faults
}

function lengthOf(kind: FaultKind, share: number): number {
  if (kind === 'kill') return 0
  const [min, max] = kind === 'stop' ? [STOP_MIN_MS, STOP_MAX_MS] : [CUT_MIN_MS, CUT_MAX_MS]
  return Math.round(min + share * (max - min))
}

function weighted<T extends readonly [unknown, unknown, number]>(
  choices: readonly T[],
  share: number,
): T {
  let left = share * choices.reduce((sum, [, , weight]) => sum + weight, 0)
  for (const choice of choices) {
    left -= choice[2]
    if (left < 0) return choice
  }
  return choices.at(-1)!
}

// Marsaglia's xorshift, 32 bits; the seed is stirred so that neighbours differ at once.
function randomOf(seed: number): () => number {
  let state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ (seed >>> 7)) >>> 0 || 1
  const next = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 2 ** 32
  }
  for (let i = 0; i < 8; i++) next()
  return next
}
