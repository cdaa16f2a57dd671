// The cases at full size, by name. What each shows is said in docs/soak.md.
import { executorKill, leaderKills, manyApps, manyTasks } from './cases/cluster.ts'
import { chain, cycle } from './cases/deadlock.ts'
import { idle } from './cases/idle.ts'
import { javaFuzz } from './cases/java-fuzz.ts'
import { copyUnderKills, copyUnderRestarts } from './cases/kafka-copy.ts'
import { manyPartitions } from './cases/kafka-partitions.ts'
import { boltKills, spoutKills } from './cases/kills.ts'
import { overload } from './cases/overload.ts'
import { slow } from './cases/slow.ts'
import { stuck } from './cases/stuck.ts'
import { thriftFuzz } from './cases/thrift-fuzz.ts'
import type { Findings } from './findings.ts'

export interface SoakCase {
  readonly name: string
  /** `seconds` shortens what is watched for longer. */
  run(seconds: number | undefined): Promise<Findings>
}

const MINUTE = 60_000
const DEADLOCK_MS = 10 * MINUTE
const KILLS = { kills: 20, numbersPerKill: 2000 }
const SPOUT_KILLS = { kills: 20, numbersPerKill: 1000 }
const RATE = 100_000
const LEADER_RATE = 50_000
const FUZZ_SEED = 20_261_121
const KAFKA_COPY = { records: 2_000_000, kills: 25, restarts: 0, brokers: 3, seed: 20_261_122 }
const KAFKA_RESTARTS = { records: 400_000, kills: 0, restarts: 50, brokers: 3, seed: 50 }
const KAFKA_PARTITIONS = { partitions: 1000, bytes: 5_000_000_000, idleMs: 15_000 }
const READ_PER_S = 20_000_000
/** Of a copy that is shortened: about as many as it does in a second, and as many as there are kills to come. */
const COPIED_PER_S = 5000

function* cases(): Generator<SoakCase> {
  yield {
    name: 'thrift-fuzz',
    run: () => thriftFuzz({ frames: 1_000_000, seed: FUZZ_SEED, growthMbMax: 40 }),
  }
  yield {
    name: 'java-fuzz',
    run: () =>
      javaFuzz({ streams: 1_000_000, seed: FUZZ_SEED, growthMbMax: 60, slowestMsMax: 2000 }),
  }
  yield { name: 'kill-bolt', run: () => boltKills(KILLS) }
  yield { name: 'kill-spout', run: () => spoutKills(SPOUT_KILLS) }
  yield {
    name: 'kafka-copy',
    run: seconds => copyUnderKills(shorterCopy(KAFKA_COPY, seconds)),
  }
  yield {
    name: 'kafka-restarts',
    run: seconds => copyUnderRestarts(shorterCopy(KAFKA_RESTARTS, seconds)),
  }
  for (const by of ['source', 'spout'] as const) {
    yield {
      name: `kafka-partitions-${by}`,
      run: seconds => manyPartitions({ ...KAFKA_PARTITIONS, ...shorterFlow(seconds), by }),
    }
  }
  yield* clusterCases()
  yield* stuckCases()
  yield* slowCases()
  yield* idleCases()
  yield* deadlockCases()
  for (const door of ['native', 'storm'] as const) {
    for (const acked of [true, false]) {
      yield {
        name: `broadcast-2000-${door}-${ackedWord(acked)}`,
        run: seconds =>
          overload({ door, acked, tasks: 2000, watchMs: shorter(MINUTE, seconds), messages: 0 }),
      }
    }
  }
}

function* clusterCases(): Generator<SoakCase> {
  yield { name: 'cluster-leader-kills', run: () => leaderKills(20, LEADER_RATE) }
  for (const rate of [20_000, 200_000])
    yield { name: `cluster-executor-kill-${rate}`, run: () => executorKill(rate) }
  yield { name: 'cluster-tasks', run: () => manyTasks(1000) }
  yield { name: 'cluster-apps', run: () => manyApps(100) }
}

function* stuckCases(): Generator<SoakCase> {
  for (const door of ['native', 'storm'] as const) {
    for (const executors of [1, 2]) {
      const common = { door, executors, ratePerSec: RATE, others: 0 }
      const tail = `${door}-${executors}`
      yield {
        name: `hold-${tail}`,
        run: () => stuck({ ...common, how: 'hold', index: 0, stuckMs: 5000 }),
      }
      // With two executors, task 0 of four is in the one without the source, task 1 beside the source.
      for (const index of executors === 1 ? [0] : [0, 1]) {
        const where = executors === 1 ? '' : index === 0 ? '-far' : '-near'
        yield {
          name: `park-${tail}${where}`,
          run: () => stuck({ ...common, how: 'park', index, stuckMs: 10_000 }),
        }
      }
    }
  }
}

function* slowCases(): Generator<SoakCase> {
  for (const door of ['native', 'storm', 'python'] as const) {
    for (const acked of [true, false]) {
      for (const executors of [1, 2]) {
        yield {
          name: `slow-${door}-${ackedWord(acked)}-${executors}`,
          run: seconds =>
            slow({ door, acked, executors, watchMs: shorter(MINUTE, seconds), messages: 0 }),
        }
      }
    }
  }
}

function* idleCases(): Generator<SoakCase> {
  for (const executors of [1, 2]) {
    const common = { executors, settleMs: 45_000, watchMs: 60_000, coreMax: 0.01 }
    yield {
      name: `idle-native-${executors}`,
      run: () => idle({ ...common, door: 'native', children: 0 }),
    }
    yield {
      name: `idle-storm-${executors}`,
      run: () => idle({ ...common, door: 'storm', children: 0 }),
    }
    yield {
      name: `idle-python-${executors}`,
      run: () => idle({ ...common, door: 'storm', children: 10 }),
    }
  }
}

function* deadlockCases(): Generator<SoakCase> {
  for (const where of ['b1', 'a2', 'b2'] as const) {
    yield {
      name: `chain-slow-${where}`,
      run: seconds =>
        chain({ slow: where, acked: true, watchMs: shorter(DEADLOCK_MS, seconds), messages: 0 }),
    }
  }
  for (const door of ['native', 'storm', 'python'] as const) {
    for (const acked of [true, false]) {
      const slowTask = acked && door === 'native'
      yield {
        name: `cycle-${door}-${ackedWord(acked)}`,
        run: seconds => {
          const watchMs = shorter(DEADLOCK_MS, seconds)
          return cycle({ door, acked, executors: 2, slowTask, watchMs, messages: 0 })
        },
      }
    }
  }
}

const ackedWord = (acked: boolean) => (acked ? 'acked' : 'unacked')

function shorterCopy<Size extends { records: number }>(
  size: Size,
  seconds: number | undefined,
): Size {
  if (seconds === undefined) return size
  return { ...size, records: Math.min(size.records, seconds * COPIED_PER_S) }
}

function shorterFlow(seconds: number | undefined): { bytes?: number } {
  return seconds === undefined ? {} : { bytes: seconds * READ_PER_S }
}

function shorter(fullMs: number, seconds: number | undefined): number {
  return seconds === undefined ? fullMs : Math.min(fullMs, seconds * 1000)
}

export const CASES: readonly SoakCase[] = [...cases()]
