// A cluster store on a lease map: etcd, or the simulated one. It puts the pieces together: reads that are repeated
// while the store elects or an endpoint is down, candidacies, and commits that are refused here, without a request,
// once this process's own clock says that its lease is over.
import type { Environment } from '../../base/environment.ts'
import { EngineError, invariant } from '../../base/errors.ts'
import { type Log, noLog } from '../../base/log.ts'
import { LeaseCandidacy } from './candidacy.ts'
import { checkChanges, checkKey } from './changes.ts'
import { FencedWriter } from './fenced-writer.ts'
import type { LeaseMap, Pair } from './lease-map.ts'
import { Pause } from './pause.ts'
import type { Candidacy, Candidate, Change, ClusterStore, Entry, Fence, Leader } from './store.ts'
import { closed, fenced, mayPass } from './store-errors.ts'
import { leaderOf, type StoreKeys, storeKeys } from './store-keys.ts'

/** Reads are repeated for so long: a store's own election, and a turn at each dead endpoint, fit in. */
const READ_TIMEOUT_MS = 5000
const RETRY_MS = 50

export interface LeasedStoreOptions {
  readonly environment: Environment
  readonly log?: Log
  /** Where in the map this cluster's keys are. */
  readonly root: string
  /** Ends what was started for this store, after it is closed. */
  readonly release?: () => Promise<void>
}

export class LeasedStore implements ClusterStore {
  readonly kind: 'etcd' | 'memory'
  readonly #map: LeaseMap
  readonly #keys: StoreKeys
  readonly #environment: Environment
  readonly #log: Log
  readonly #writer: FencedWriter
  readonly #candidacies = new Set<LeaseCandidacy>()
  readonly #release: () => Promise<void>
  #closing: Promise<void> | undefined

  constructor(map: LeaseMap, options: LeasedStoreOptions) {
    this.kind = map.kind
    this.#map = map
    this.#keys = storeKeys(options.root)
    this.#environment = options.environment
    this.#log = options.log ?? noLog
    this.#release = options.release ?? (async () => undefined)
    this.#writer = new FencedWriter({ map, keys: this.#keys, environment: this.#environment })
  }

  async get(key: string): Promise<Entry | undefined> {
    checkKey(key)
    const pair = await this.#read(() => this.#getPair(this.#keys.data + key))
    return pair === undefined ? undefined : this.#entry(pair)
  }

  async list(prefix: string): Promise<readonly Entry[]> {
    if (prefix !== '') checkKey(prefix)
    const pairs = await this.#read(() => this.#map.list(this.#keys.data + prefix))
    return pairs.map(pair => this.#entry(pair))
  }

  async leader(): Promise<Leader | undefined> {
    return leaderOf(await this.#read(() => this.#getPair(this.#keys.leader)))
  }

  async commit(fence: Fence, changes: readonly Change[]): Promise<number> {
    checkChanges(changes)
    if (this.#closing !== undefined) throw closed()
    const mine = () => [...this.#candidacies].some(candidacy => candidacy.holds(fence))
    if (!mine()) throw fenced(fence, 'by its own clock its lease is over')
    return this.#writer.commit(fence, changes, mine)
  }

  stand(candidate: Candidate): Candidacy {
    invariant(this.#closing === undefined, 'nobody stands on a closed store')
    invariant(candidate.ttlMs >= 1000, 'a leader may be silent for a second at least')
    const candidacy = new LeaseCandidacy(
      { map: this.#map, keys: this.#keys, environment: this.#environment, log: this.#log },
      candidate,
    )
    this.#candidacies.add(candidacy)
    return {
      get fence() {
        return candidacy.fence
      },
      resign: async () => {
        await candidacy.resign()
        this.#candidacies.delete(candidacy)
      },
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#writer.close()
    await Promise.all([...this.#candidacies].map(candidacy => candidacy.resign()))
    await this.#map.close()
    await this.#release()
  }

  async #getPair(key: string): Promise<Pair | undefined> {
    const answer = await this.#map.transact({ compare: [], success: [{ get: key }], failure: [] })
    return answer.found[0]
  }

  async #read<T>(ask: () => Promise<T>): Promise<T> {
    const endMs = this.#environment.monotonicMs() + READ_TIMEOUT_MS
    for (;;) {
      if (this.#closing !== undefined) throw closed()
      try {
        return await ask()
      } catch (error) {
        if (!mayPass(error)) throw error
        if (this.#environment.monotonicMs() >= endMs) throw readFailed(error)
      }
      await new Pause(this.#environment).wait(RETRY_MS)
    }
  }

  #entry({ key, value, revision }: Pair): Entry {
    return { key: key.slice(this.#keys.data.length), value, revision }
  }
}

// A read has no outcome that could be in doubt.
function readFailed(error: EngineError): EngineError {
  const text = error.message.replace(/; the outcome is unknown$/, '')
  return new EngineError('STORE_UNAVAILABLE', text, {
    details: { outcome: 'none' },
    cause: error,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  })
}
