// Which deaths of an app master count against its application: its own, and not those that came with a worker.
import test from 'ava'
import { EngineError, type ErrorCode } from '../../../src/base/errors.ts'
import { noLog } from '../../../src/base/log.ts'
import { AppKeeper } from '../../../src/cluster/app-keeper.ts'
import type { AppRecord, LaunchOrder, WorkerCard } from '../../../src/cluster/messages.ts'
import { WorkerTable } from '../../../src/cluster/worker-table.ts'
import { ManualEnvironment } from '../../../src/testing/manual-environment.ts'

const RESTARTS = 2
const WINDOW_MS = 600_000

function cardOf(id: string): WorkerCard {
  const address = { node: { kind: 'memory', name: id }, name: 'worker', incarnation: 'i1' }
  return {
    ...{ id, host: id, pid: 1, slots: 4, cpu: 4, memoryMb: 1024, labels: {} },
    address: address as WorkerCard['address'],
  }
}

interface Made {
  readonly environment: ManualEnvironment
  readonly keeper: AppKeeper
  readonly workers: WorkerTable
  record(): AppRecord
  /** App masters that were launched and live. */
  readonly launched: number[]
  /** How often it was said that the application has failed. */
  failures(): number
  /** Ends the watch on the app master that registered last. */
  missed(reason: string): void
}

type Launch = (order: LaunchOrder) => void

function made(launch: Launch = () => undefined, before: Partial<AppRecord> = {}): Made {
  const environment = new ManualEnvironment()
  const workers = new WorkerTable()
  for (const id of ['w1', 'w2']) workers.register(cardOf(id), [])
  let record = {
    ...{ id: 1, status: 'starting', incarnation: 0, deaths: [], versions: [{}] },
    submission: { name: 'words' },
    ...before,
  } as unknown as AppRecord
  const launched: number[] = []
  let failures = 0
  let missed: (reason: string) => void = () => undefined
  const door = {
    within: () => door,
    tell: () => undefined,
    ask: async (_: string, order: LaunchOrder) => {
      launch(order)
      launched.push(order.incarnation)
      return { pid: order.incarnation, node: { kind: 'memory', name: 'p' } }
    },
  }
  const system = {
    ref: () => door,
    watch: (_: unknown, onDown: (reason: string) => void) => {
      missed = onDown
      return { cancel: () => undefined }
    },
  }
  const registry = {
    get: () => record,
    change: async (_: number, change: (r: AppRecord) => AppRecord | undefined) => {
      record = change(record) ?? record
      return record
    },
  }
  const keeper = new AppKeeper({
    ...{ environment, workers, log: noLog, app: 1 },
    onFailed: async () => {
      failures++
    },
    system: system as never,
    registry: registry as never,
    settings: { appMasterLostMs: 8000, restarts: RESTARTS, windowMs: WINDOW_MS },
  })
  keeper.begin()
  return {
    ...{ environment, keeper, workers, launched },
    record: () => record,
    failures: () => failures,
    missed: reason => missed(reason),
  }
}

const fails = (code: ErrorCode) => () => {
  throw new EngineError(code, `simulated ${code}`)
}

for (const code of ['WORKER_STOPPING', 'NODE_UNREACHABLE', 'ACTOR_NOT_FOUND'] as const) {
  test(`launches that failed by ${code} do not count, however many`, async t => {
    const { environment, record, workers } = made(fails(code))
    for (let n = 0; n < 30; n++) {
      await environment.advance(10_000)
      for (const id of ['w1', 'w2']) workers.register(cardOf(id), [])
    }
    t.true(record().deaths.length > RESTARTS)
    t.is(record().status, 'starting')
  })
}

test('a worker that said that it stops is not asked again', async t => {
  const orders: number[] = []
  const { environment, workers, launched } = made(order => {
    orders.push(order.incarnation)
    if (order.incarnation === 1) throw new EngineError('WORKER_STOPPING', 'simulated')
  })
  await environment.advance(10_000)
  t.deepEqual(orders, [1, 2])
  t.deepEqual(launched, [2])
  t.deepEqual([workers.get('w1')?.state, workers.get('w2')?.state], ['lost', 'up'])
})

test('app masters whose processes do not come up fail the application, which is said once', async t => {
  const { environment, record, failures } = made(fails('EXECUTOR_START_FAILED'))
  await environment.advance(60_000)
  t.is(failures(), 1)
  t.is(record().status, 'failed')
  t.is(record().deaths.length, RESTARTS + 1)
  t.is(record().failure?.code, 'APP_MASTER_DIED')
})

async function crash({ environment, keeper, launched }: Made): Promise<void> {
  await environment.advance(10_000)
  await keeper.died(launched.at(-1)!, 'exit code 1', { workerId: 'w1', withWorker: false })
}

test('app masters that crash on workers that are well fail the application, others in between or not', async t => {
  const all = made()
  for (let n = 0; n < RESTARTS; n++) {
    await crash(all)
    for (let m = 0; m < 20; m++) {
      await all.environment.advance(5000)
      await all.keeper.died(all.launched.at(-1)!, 'w', { workerId: 'w2', withWorker: true })
    }
  }
  t.is(all.record().status, 'starting')
  await crash(all)
  t.is(all.record().status, 'failed')
})

test('an app master that is missed before its worker is died with it', async t => {
  const all = made()
  for (let n = 0; n < 10; n++) {
    await all.environment.advance(10_000)
    const incarnation = all.launched.at(-1)!
    all.keeper.registered(incarnation, {} as never)
    const { workerId } = all.workers.appMasterOf(1, incarnation)!
    all.missed('it is silent')
    await all.environment.advance(10)
    t.not(all.record().deaths.at(-1)!.withWorker, true)
    all.workers.lose(workerId)
    await all.keeper.workerGone(workerId)
    t.true(all.record().deaths.at(-1)!.withWorker)
    all.workers.register(cardOf(workerId), all.workers.processesOn(workerId))
  }
  t.is(all.record().status, 'starting')
})

test('one that is missed again and again while its worker is well counts', async t => {
  const all = made()
  for (let n = 0; n <= RESTARTS; n++) {
    await all.environment.advance(10_000)
    all.keeper.registered(all.launched.at(-1)!, {} as never)
    all.missed('it is silent')
    await all.environment.advance(10)
  }
  t.is(all.record().status, 'failed')
})

const inherited = { incarnation: 3, appMasterOn: 'w1' }
const running = { app: 1, executor: 0, incarnation: 3 }

test('an app master that its worker does not run is replaced as soon as the worker has come', async t => {
  const all = made(undefined, inherited)
  await all.environment.advance(1000)
  all.keeper.workerUp('w2', [])
  await all.environment.advance(1000)
  t.deepEqual(all.launched, [], 'another worker says nothing of it')
  all.keeper.workerUp('w1', [running])
  await all.environment.advance(1000)
  t.deepEqual(all.launched, [], 'it runs, or is being started')
  all.keeper.workerUp('w1', [])
  await all.environment.advance(10)
  t.deepEqual(all.launched, [4])
  t.is(all.record().appMasterOn, 'w1')
})

test('an app master that was told to start is not missed while its worker has not heard of it', async t => {
  const all = made()
  all.keeper.workerUp('w1', [])
  await all.environment.advance(1000)
  t.deepEqual(all.launched, [1])
  all.keeper.registered(1, {} as never)
  all.keeper.workerUp('w1', [])
  await all.environment.advance(1000)
  t.deepEqual(all.launched, [1])
})

test('an app master that ran and went with its worker is replaced at once, however often', async t => {
  const all = made()
  for (let n = 1; n < 8; n++) {
    await all.environment.advance(10)
    t.is(all.launched.length, n)
    all.keeper.registered(n, {} as never)
    await all.keeper.died(n, 'its worker died', { workerId: 'w1', withWorker: true })
  }
})
