// Applications in the store and in the leader's memory, when the store does not answer.
import test from 'ava'
import { EngineError } from '../../../src/base/errors.ts'
import { AppRegistry } from '../../../src/cluster/app-registry.ts'
import type { AppRecord, Submission } from '../../../src/cluster/messages.ts'
import type { Change, ClusterStore, Entry } from '../../../src/cluster/store/store.ts'

/** A store whose next commit is not answered, and is carried out just before the one after it: as late as it can be. */
class LateStore implements Pick<ClusterStore, 'get' | 'list' | 'commit'> {
  readonly entries = new Map<string, Entry>()
  lose = false
  #late: readonly Change[] = []
  #revision = 0

  async get(key: string): Promise<Entry | undefined> {
    return this.entries.get(key)
  }

  async list(prefix: string): Promise<readonly Entry[]> {
    return [...this.entries.values()].filter(({ key }) => key.startsWith(prefix))
  }

  async commit(_: unknown, changes: readonly Change[]): Promise<number> {
    this.#apply(this.#late)
    this.#late = []
    if (this.lose) {
      this.lose = false
      this.#late = changes
      throw new EngineError('STORE_UNAVAILABLE', 'no answer', { details: { outcome: 'unknown' } })
    }
    this.#apply(changes)
    return this.#revision
  }

  #apply(changes: readonly Change[]): void {
    this.#revision++
    for (const change of changes) {
      if (!('put' in change)) this.entries.delete(change.delete)
      else {
        const { put: key, value } = change
        this.entries.set(key, { key, value, revision: this.#revision })
      }
    }
  }
}

const submission: Submission = {
  name: 'app',
  requestId: 'request 1',
  bundle: undefined,
  code: undefined,
  placement: { executors: 1, each: { cpu: 1, memoryMb: 1 } },
  active: true,
}

const record = (id: number): AppRecord => ({
  id,
  submission,
  status: 'starting',
  submittedMs: 0,
  endedMs: undefined,
  token: '',
  incarnation: 0,
  deaths: [],
  failure: undefined,
  versions: [],
})

async function registryOn(store: LateStore): Promise<AppRegistry> {
  return AppRegistry.load(store as unknown as ClusterStore, { revision: 1, holder: 'm1' })
}

test('a request that was stored late and without an answer is one application when it is heard again', async t => {
  const store = new LateStore()
  const registry = await registryOn(store)
  store.lose = true
  await t.throwsAsync(registry.create(submission, record), { code: 'STORE_UNAVAILABLE' })
  t.is((await registry.create(submission, record)).id, 1)
  t.deepEqual([...store.entries.keys()], ['apps/1'])
  t.is(registry.all().length, 1)
})

test('a change whose outcome is unknown is read back before the next one', async t => {
  const store = new LateStore()
  const registry = await registryOn(store)
  await registry.create(submission, record)
  store.lose = true
  const bump = (r: AppRecord): AppRecord => ({ ...r, incarnation: r.incarnation + 1 })
  await t.throwsAsync(registry.change(1, bump), { code: 'STORE_UNAVAILABLE' })
  t.is((await registry.change(1, bump))?.incarnation, 2)
})

test('an app master that registers reads what an earlier one had on its way to the store', async t => {
  const store = new LateStore()
  const registry = await registryOn(store)
  await registry.create(submission, record)
  store.lose = true
  await t.throwsAsync(registry.save('clocks', 1, 4711), { code: 'STORE_UNAVAILABLE' })
  t.is((await registry.memoryOf(1)).reservedUs, 4711)
})
