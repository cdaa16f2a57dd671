// What a simulated cluster is like, drawn from its seed: how many of what, what clients want, and the faults.
import { Chance } from '../virtual-time.ts'

/** A fault at a set moment, instead of one that is drawn. */
export interface PlannedFault {
  readonly atMs: number
  /** kill: `kill -9`. pause: it stands still for `forMs`. cut: its host is cut off for `forMs`. power: its host is gone. */
  readonly kind: 'kill' | 'pause' | 'cut' | 'power'
  /** leader: the master that leads. worker: the one that runs the executor with the lowest id. */
  readonly role: 'leader' | 'master' | 'app-master' | 'executor' | 'worker' | 'worker-of-app-master'
  /** The victim is number `pick` modulo how many there are; by default the first, or the one that is meant. */
  readonly pick?: number
  readonly forMs?: number
  /** A master or worker is started again after this; undefined = never. */
  readonly restartMs?: number
}

export interface ClusterScenario {
  readonly seed: number
  readonly masters: number
  readonly workers: number
  readonly slots: number
  readonly apps: readonly AppDraw[]
  readonly activeMs: number
  /** What clients do besides submitting, so many times each. */
  readonly wishes: {
    readonly kill: number
    readonly restart: number
    readonly setActive: number
  }
  readonly faults: {
    readonly kill: number
    readonly powerLoss: number
    readonly pause: number
    readonly partition: number
    readonly sever: number
    readonly store: number
    /** Processes that die while an application is being started or taken over. */
    readonly early: number
    readonly delayMs: number
    readonly skewMs: number
    readonly userFails: number
  }
  /** How often the store has no majority for a while. */
  readonly outages: number
  readonly planned: readonly PlannedFault[]
  /** Whether all of the applications' processes die at once at the end: what is stored must be enough. */
  readonly coldRestart: boolean
}

export interface AppDraw {
  readonly executors: number
  /** Tasks of the source, of each stage, of the sink. */
  readonly parallelism: readonly number[]
  readonly submitMs: number
  readonly active: boolean
}

export function clusterScenarioOf(seed: number): ClusterScenario {
  const chance = new Chance(seed ^ 0xc1a5)
  const masters = chance.pick([1, 2, 3, 3])
  const workers = 2 + chance.below(3)
  const activeMs = chance.between(12_000, 32_000)
  const apps = Array.from({ length: chance.pick([1, 1, 2, 3]) }, (_, i) => ({
    executors: 1 + chance.below(4),
    parallelism: Array.from({ length: 3 + chance.below(2) }, () => 1 + chance.below(2)),
    submitMs: i === 0 ? chance.between(0, 3000) : chance.between(0, activeMs),
    active: chance.happens(0.9),
  }))
  const executors = apps.reduce((sum, app) => sum + app.executors, 0)
  const some = (probability: number, most: number) =>
    chance.happens(probability) ? 1 + chance.below(most) : 0
  return {
    seed,
    masters,
    workers,
    // Now and then nothing is to spare: a promise that is kept for ever shows.
    slots: Math.ceil(executors / workers) + chance.pick([0, 2, 6]),
    apps,
    activeMs,
    wishes: {
      kill: some(0.2, 1),
      restart: some(0.25, 1),
      setActive: some(0.3, 3),
    },
    faults: {
      kill: some(0.6, 4),
      powerLoss: some(0.15, 1),
      pause: some(0.4, 3),
      partition: some(0.4, 2),
      sever: some(0.4, 5),
      store: some(0.4, 4),
      early: some(0.4, 3),
      delayMs: chance.pick([1, 1, 20, 200]),
      skewMs: chance.pick([0, 0, 2000]),
      userFails: chance.pick([0, 0, 0.02]),
    },
    planned: [],
    coldRestart: chance.happens(0.3),
    outages: some(0.3, 2),
  }
}
