// What a world is like, drawn from its seed: the graph, the profile, the habits of user code, the faults.
import { PARTITIONER_KINDS, type Partitioner } from '../../src/dag/partitioner.ts'
import { Chance } from './virtual-time.ts'

export interface EdgeDraw {
  /** Sources first, then processors. */
  readonly from: number
  readonly to: number
  readonly kind: Partitioner['kind']
  readonly port: string
}

export interface Scenario {
  readonly seed: number
  readonly executors: number
  /** Number of tasks of each source, each processor. */
  readonly sources: readonly number[]
  readonly processors: readonly number[]
  readonly edges: readonly EdgeDraw[]
  readonly profile: {
    guarantee: 'at-least-once' | 'at-most-once'
    inboxDepth: number
    creditWindow: number
    cycleDepth: number
    frameMessages: number
    timeoutMs: number
    maxOpenRoots: number
  }
  /** Of each source task. */
  readonly ids: number
  readonly replays: boolean
  readonly ttl: number
  /** Chances per input. */
  readonly user: { fail: number; hold: number; never: number; async: number; renew: number }
  readonly activeMs: number
  /** How often the user pauses the run. */
  readonly pauses: number
  /** Whether sources have nothing to say now and then. */
  readonly idles: boolean
  readonly faults: {
    crash: number
    sever: number
    cut: number
    stall: number
    loss: number
    duplication: number
    reordering: number
    delayMs: number
    lateMs: number
    clockSteps: boolean
  }
  /** Where 32-bit counters begin. */
  readonly firstNumber: number
}

/** One world in so many is ten times as large. */
const LARGE_EACH = 40

export function scenarioOf(seed: number): Scenario {
  const chance = new Chance(seed ^ 0x5eed)
  const large = seed % LARGE_EACH === 0
  const executors = 1 + chance.below(4)
  const sources = drawn(1 + chance.below(3), () => 1 + chance.below(2))
  const processors = drawn(1 + chance.below(5), () => 1 + chance.below(3))
  const edges = drawEdges(chance, sources.length, processors.length)
  const faulty = executors > 1 && chance.happens(0.6)
  const lossy = faulty && chance.happens(0.4)
  const some = (probability: number, value: number) => (chance.happens(probability) ? value : 0)
  return {
    seed,
    executors,
    sources,
    processors,
    edges,
    profile: {
      guarantee: chance.happens(0.05) ? 'at-most-once' : 'at-least-once',
      inboxDepth: chance.pick([2, 3, 8, 64]),
      creditWindow: chance.pick([2, 3, 8, 64]),
      cycleDepth: chance.pick([4, 16, 65_536]),
      frameMessages: chance.pick([1, 2, 4, 16]),
      timeoutMs: chance.pick([0, 0, 2000, 4000]),
      maxOpenRoots: chance.pick([1, 3, 10, 100]),
    },
    ids: (large ? 10 : 1) * (3 + chance.below(25)),
    replays: chance.happens(0.6),
    ttl: 2 + chance.below(5),
    user: {
      fail: some(0.5, 0.06),
      hold: some(0.6, chance.pick([0.1, 0.4])),
      never: some(0.3, 0.05),
      async: some(0.5, 0.2),
      renew: some(0.4, 0.15),
    },
    activeMs: chance.between(1000, 8000),
    pauses: some(0.2, 2),
    idles: chance.happens(0.5),
    faults: {
      crash: faulty && chance.happens(0.6) ? 1 + chance.below(4) : 0,
      sever: faulty && chance.happens(0.4) ? 1 + chance.below(4) : 0,
      cut: faulty && chance.happens(0.3) ? 1 + chance.below(3) : 0,
      stall: faulty && chance.happens(0.2) ? 1 + chance.below(2) : 0,
      loss: lossy ? chance.pick([0.001, 0.02, 0.1]) : 0,
      duplication: lossy ? some(0.5, 0.01) : 0,
      reordering: lossy ? some(0.4, 0.01) : 0,
      delayMs: chance.pick([0, 1, 20]),
      lateMs: some(0.3, chance.pick([1, 30])),
      clockSteps: chance.happens(0.4),
    },
    firstNumber: chance.pick([0, 0x7ffffff8, 0xfffffff8]),
  }
}

function drawn(length: number, draw: () => number): number[] {
  return Array.from({ length }, draw)
}

function drawEdges(chance: Chance, sources: number, processors: number): EdgeDraw[] {
  const cyclic = chance.happens(0.4)
  const edges = new Map<string, EdgeDraw>()
  const add = (from: number, to: number) => {
    let kind = chance.pick(PARTITIONER_KINDS)
    // The only way to a processor must be one that carries something.
    if (kind === 'direct' && from < sources) kind = 'shuffle'
    const port = kind === 'direct' ? 'direct' : chance.happens(0.2) ? 'side' : 'default'
    edges.set(`${from} ${to} ${port}`, { from, to, kind, port })
  }
  for (let p = 0; p < processors; p++) {
    const self = sources + p
    add(p < sources ? p : chance.below(self), self)
    for (let from = 0; from < self; from++) if (chance.happens(0.2)) add(from, self)
    if (!cyclic) continue
    for (let back = sources; back <= self; back++) if (chance.happens(0.3)) add(self, back)
  }
  for (let s = processors; s < sources; s++) add(s, sources + chance.below(processors))
  return [...edges.values()]
}
