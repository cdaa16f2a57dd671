// How long nothing comes out of an application after a fault, in a cluster that is well otherwise: worlds with planned
// faults instead of drawn ones. The application is a chain over three executors, so that each of them is missed.
import { schedule } from '../../chaos/schedule.ts'
import type { ClusterScenario, PlannedFault } from './scenario.ts'
import { runClusterWorld } from './world.ts'

/** Everything is up and flows long before. */
const FAULT_MS = 15_000
const ACTIVE_MS = 40_000
/** As a service manager waits. */
const RESTART_MS = 500

type Wanted = Omit<PlannedFault, 'atMs'> & { readonly afterMs?: number }

/** Turns a drawn scenario into one with these faults and no others. */
export function planned(
  faults: readonly Wanted[],
  settings: Partial<ClusterScenario> = {},
): (scenario: ClusterScenario) => ClusterScenario {
  const at = ({ afterMs = 0, ...fault }: Wanted) => ({ ...fault, atMs: FAULT_MS + afterMs })
  return scenario => ({
    ...scenario,
    ...{ masters: 3, workers: 3, slots: 4, activeMs: ACTIVE_MS, coldRestart: false, outages: 0 },
    apps: [{ executors: 3, parallelism: [1, 1, 1], submitMs: 1000, active: true }],
    wishes: { kill: 0, restart: 0, setActive: 0 },
    faults: NONE,
    planned: faults.map(at),
    ...settings,
  })
}

/** The longest silence over so many seeds. */
export async function longestSilence(
  change: (scenario: ClusterScenario) => ClusterScenario,
  { first, worlds }: { readonly first: number; readonly worlds: number },
): Promise<number> {
  let longestMs = 0
  for (let seed = first; seed < first + worlds; seed++) {
    const { stats } = await runClusterWorld(seed, { change })
    longestMs = Math.max(longestMs, stats.silenceMsMax ?? Number.POSITIVE_INFINITY)
  }
  return longestMs
}

const NONE: ClusterScenario['faults'] = {
  ...{ kill: 0, powerLoss: 0, pause: 0, partition: 0, sever: 0, store: 0, early: 0 },
  ...{ delayMs: 1, skewMs: 0, userFails: 0 },
}

/** After all that is measured: a cluster comes to rest with all its workers. */
const NEVER_MS = ACTIVE_MS
const restartMs = RESTART_MS

/** The faults of a chaos run from its schedule; those of children and etcd have no like here. */
export function chaosFaults(seed: number, forMs: number): Wanted[] {
  return schedule({ seed, forMs, cuts: true }).flatMap(
    ({ atMs, kind, role, pick, forMs: length }) =>
      role === 'etcd' || role === 'child'
        ? []
        : [
            {
              kind: kind === 'stop' ? ('pause' as const) : kind,
              ...{ role, pick, forMs: length, afterMs: atMs },
              restartMs: RESTART_MS,
            },
          ],
  )
}

export const RECOVERIES: Readonly<Record<string, readonly Wanted[]>> = {
  'an executor is killed': [{ kind: 'kill', role: 'executor' }],
  'the app master is killed': [{ kind: 'kill', role: 'app-master' }],
  'the leader is killed': [{ kind: 'kill', role: 'leader', restartMs }],
  'the leader is stopped': [{ kind: 'pause', role: 'leader', forMs: 20_000 }],
  'the app master is stopped': [{ kind: 'pause', role: 'app-master', forMs: 20_000 }],
  'an executor is stopped': [{ kind: 'pause', role: 'executor', forMs: 20_000 }],
  'a worker is stopped': [{ kind: 'pause', role: 'worker', forMs: 20_000 }],
  'a worker is killed and comes back': [{ kind: 'kill', role: 'worker', restartMs }],
  'a worker is killed for ever': [{ kind: 'kill', role: 'worker', restartMs: NEVER_MS }],
  'a host loses power': [{ kind: 'power', role: 'worker', restartMs: NEVER_MS }],
  'the host of the app master loses power': [
    { kind: 'power', role: 'worker-of-app-master', restartMs: NEVER_MS },
  ],
  'a worker is cut off': [{ kind: 'cut', role: 'worker', forMs: 20_000 }],
  'the worker of the app master is cut off': [
    { kind: 'cut', role: 'worker-of-app-master', forMs: 20_000 },
  ],
  'app master and executor': [
    { kind: 'kill', role: 'app-master' },
    { kind: 'kill', role: 'executor' },
  ],
  'leader and executor': [
    { kind: 'kill', role: 'leader', restartMs },
    { kind: 'kill', role: 'executor' },
  ],
  'leader stopped and executor killed': [
    { kind: 'pause', role: 'leader', forMs: 20_000 },
    { kind: 'kill', role: 'executor', afterMs: 500 },
  ],
  'leader and app master': [
    { kind: 'kill', role: 'leader', restartMs },
    { kind: 'kill', role: 'app-master' },
  ],
  'leader, app master and executor': [
    { kind: 'kill', role: 'leader', restartMs },
    { kind: 'kill', role: 'app-master' },
    { kind: 'kill', role: 'executor' },
  ],
  'leader stopped, app master and executor killed': [
    { kind: 'pause', role: 'leader', forMs: 20_000 },
    { kind: 'kill', role: 'app-master', afterMs: 500 },
    { kind: 'kill', role: 'executor', afterMs: 500 },
  ],
  'leader and the host of the app master': [
    { kind: 'kill', role: 'leader', restartMs },
    { kind: 'power', role: 'worker-of-app-master', restartMs: NEVER_MS },
  ],
  'leader and the worker of the app master': [
    { kind: 'kill', role: 'leader', restartMs },
    { kind: 'kill', role: 'worker-of-app-master', restartMs },
  ],
  'an executor whose app master was replaced': [
    { kind: 'kill', role: 'app-master' },
    { kind: 'kill', role: 'executor', afterMs: 3000 },
  ],
  'the app master three times, then an executor': [
    { kind: 'kill', role: 'app-master' },
    { kind: 'kill', role: 'app-master', afterMs: 3000 },
    { kind: 'kill', role: 'app-master', afterMs: 6000 },
    { kind: 'kill', role: 'executor', afterMs: 6000 },
  ],
  'an executor five times': [0, 2000, 4000, 6000, 8000].map(afterMs => ({
    kind: 'kill',
    role: 'executor',
    afterMs,
  })),
}
