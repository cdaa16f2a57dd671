// Rules of the cluster broken one at a time, in the doors between roles or by patching a class: to show that the worlds
// notice. Nothing of this is in the product.
import { ActorSystem } from '../../../src/actor/actor-system.ts'
import { ClusterLauncher } from '../../../src/app/cluster-launcher.ts'
import { AppRegistry } from '../../../src/cluster/app-registry.ts'
import { Leadership } from '../../../src/cluster/leadership.ts'
import {
  EXECUTOR,
  type ExecutorDoor,
  WORKER,
  type WorkerDoor,
} from '../../../src/cluster/messages.ts'
import type { Comparison, Transaction } from '../../../src/cluster/store/lease-map.ts'
import { MemoryLeases } from '../../../src/cluster/store/memory-leases.ts'
import { MEMORY_ROOT } from '../../../src/cluster/store/memory-store.ts'
import { storeKeys } from '../../../src/cluster/store/store-keys.ts'
import type { DoorWatch } from './process.ts'
import { runClusterWorld } from './world.ts'

export interface ClusterMutation {
  readonly door?: DoorWatch
  /** Patches a class; returns how to undo it. */
  readonly patch?: () => () => void
}

// Replaces a method; `make` gets the one it replaces.
function patched<T extends object, K extends keyof T>(
  target: T,
  name: K,
  make: (original: T[K]) => unknown,
): () => void {
  const original = target[name]
  target[name] = make(original) as T[K]
  return () => {
    target[name] = original
  }
}

const stored = (name: 'savePlan' | 'saveClock' | 'savePositions'): ClusterMutation => ({
  patch: () => patched(Leadership.prototype, name, () => async () => undefined),
})

export const CLUSTER_MUTATIONS: Readonly<Record<string, ClusterMutation>> = {
  'an executor obeys whoever speaks': {
    door: (_, actor, door) => {
      if (actor !== EXECUTOR) return door
      const real = door as ExecutorDoor
      let highest = 0
      const any = (incarnation: number) => {
        highest = Math.max(highest, incarnation)
        return highest
      }
      const lax: ExecutorDoor = {
        adopt: (incarnation, appMaster) => real.adopt(any(incarnation), appMaster),
        control: (incarnation, ...args) => real.control(any(incarnation), ...args),
      }
      return lax
    },
  },
  'an executor that is being started is taken over': {
    door: (_, actor, door) => {
      if (actor !== EXECUTOR) return door
      const real = door as ExecutorDoor
      const willing: ExecutorDoor = {
        adopt: (...args) => real.adopt(...args).then(() => true),
        control: (...args) => real.control(...args),
      }
      return willing
    },
  },
  'plans are not stored': stored('savePlan'),
  'the floor of the app clock is not stored': stored('saveClock'),
  'positions are not stored': stored('savePositions'),
  'an app master gets the number of the one before': {
    patch: () =>
      patched(
        AppRegistry.prototype,
        'change',
        original =>
          function (this: AppRegistry, ...[id, change]: Parameters<typeof original>) {
            return original.call(this, id, record => {
              const next = change(record)
              if (next === undefined) return undefined
              return { ...next, incarnation: Math.min(1, next.incarnation) }
            })
          },
      ),
  },
  'the same request heard again is another one': {
    patch: () => {
      let heard = 0
      return patched(
        AppRegistry.prototype,
        'create',
        original =>
          function (this: AppRegistry, ...[submission, make]: Parameters<typeof original>) {
            const suffix = ` ${++heard}`
            const { name, requestId } = submission
            const other = { ...submission, name: name + suffix, requestId: requestId + suffix }
            return original.call(this, other, id => ({ ...make(id), submission }))
          },
      )
    },
  },
  'a worker that registers is not told what to stop': {
    patch: () =>
      patched(
        Leadership.prototype,
        'registerWorker',
        original =>
          function (this: Leadership, ...args: Parameters<typeof original>) {
            original.apply(this, args)
            return []
          },
      ),
  },
  'a worker ignores that it is to stop something': {
    door: (_, actor, door) => {
      if (actor !== WORKER) return door
      const real = door as WorkerDoor
      const deaf: WorkerDoor = {
        launch: order => real.launch(order),
        stop: async () => undefined,
        stopApp: app => real.stopApp(app),
        own: (...args) => real.own(...args),
      }
      return deaf
    },
  },
  'the store carries out writes of whoever led before': {
    patch: () => {
      const { leader } = storeKeys(MEMORY_ROOT)
      return patched(
        MemoryLeases.prototype,
        'transact',
        original =>
          function (this: MemoryLeases, transaction: Transaction) {
            const isFence = (comparison: Comparison) =>
              comparison.key === leader &&
              'createRevision' in comparison &&
              comparison.createRevision !== 0
            const compare = transaction.compare.filter(comparison => !isFence(comparison))
            return original.call(this, { ...transaction, compare })
          },
      )
    },
  },
  'nobody watches': {
    patch: () => patched(ActorSystem.prototype, 'watch', () => () => ({ cancel: () => undefined })),
  },
  'a launch is tried again under the same id': {
    patch: () =>
      patched(
        ClusterLauncher.prototype,
        'launch',
        original =>
          async function (this: ClusterLauncher, ...args: Parameters<typeof original>) {
            return original.apply(this, args).catch(() => original.apply(this, args))
          },
      ),
  },
}

/** Runs worlds with one rule broken until one of them notices. */
export async function firstClusterViolation(
  mutation: string,
  { first, worldsMax }: { first: number; worldsMax: number },
): Promise<{ worlds: number; violation: string } | undefined> {
  const { door, patch } = CLUSTER_MUTATIONS[mutation]!
  const undo = patch?.()
  try {
    for (let worlds = 1; worlds <= worldsMax; worlds++) {
      try {
        await runClusterWorld(first + worlds - 1, door === undefined ? {} : { door })
      } catch (error) {
        return { worlds, violation: error instanceof Error ? error.message : String(error) }
      }
    }
    return undefined
  } finally {
    undo?.()
  }
}
