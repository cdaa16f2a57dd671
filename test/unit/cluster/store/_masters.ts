// Masters of a simulated cluster: each writes down what it was told, and the moment.

import { MemoryCluster } from '../../../../src/cluster/store/memory-store.ts'
import type { Candidacy, ClusterStore, Fence } from '../../../../src/cluster/store/store.ts'
import { ManualEnvironment } from '../../../../src/testing/manual-environment.ts'

export const TTL_MS = 3000

export interface Master {
  readonly name: string
  readonly store: ClusterStore
  readonly candidacy: Candidacy
  /** `lead 7`, `lost why`, `leader m1 7`, `leader none`, `refused CODE`. */
  readonly told: string[]
  /** From when to when it led, ms; the last one may be open. */
  readonly reigns: { fence: Fence; fromMs: number; toMs: number }[]
}

export function memoryCluster(seed = 1) {
  const environment = new ManualEnvironment({ seed })
  return { environment, cluster: new MemoryCluster({ environment }) }
}

export function master(
  cluster: MemoryCluster,
  environment: ManualEnvironment,
  name: string,
  options: { client?: string; process?: ReturnType<ManualEnvironment['process']> } = {},
): Master {
  const told: string[] = []
  const reigns: Master['reigns'] = []
  const store = cluster.connect(options.client ?? name, {
    environment: options.process ?? environment,
  })
  const candidacy = store.stand({
    name,
    address: `${name}:1`,
    ttlMs: TTL_MS,
    onLead: fence => {
      told.push(`lead ${fence.revision}`)
      reigns.push({ fence, fromMs: environment.now(), toMs: Number.POSITIVE_INFINITY })
    },
    onLost: reason => {
      told.push(`lost ${reason}`)
      reigns.at(-1)!.toMs = environment.now()
    },
    onLeader: leader => {
      told.push(
        leader === undefined ? 'leader none' : `leader ${leader.name} ${leader.fence.revision}`,
      )
    },
    onRefused: error => told.push(`refused ${error.code}`),
  })
  return { name, store, candidacy, told, reigns }
}

export const leads = (it: Master) => it.candidacy.fence !== undefined
