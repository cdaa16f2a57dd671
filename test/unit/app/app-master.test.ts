// The app master with executors that die: what is started again, what is counted, what is told to whom.

import test from 'ava'
import {
  type Application,
  application,
  type EngineError,
  graph,
  type Hold,
  processor,
  shuffle,
  source,
  type Task,
} from 'gearpump'
import { ManualEnvironment, simulate } from 'gearpump/testing'
import { AppMaster } from '../../../src/app/app-master.ts'
import type { ExecutorControl } from '../../../src/app/executor-host.ts'
import type { LaunchedExecutor, Launcher } from '../../../src/app/launcher.ts'
import { localLauncher } from '../../../src/app/local-launcher.ts'
import { noLog } from '../../../src/base/log.ts'
import { Endless, Holder, Numbers, pass, Sink } from '../task/_actors.ts'

function masterOfOne(environment: ManualEnvironment, app: Application, launcher: Launcher) {
  return new AppMaster({
    environment,
    application: app,
    executors: 1,
    log: noLog,
    launcher,
  })
}

test('roots add up at every moment: emitted = acked + failed + pending + lost, deaths of sources included', async t => {
  const app = application(
    'sums',
    graph(
      source('numbers', () => new Endless(), { parallelism: 3 }).to(
        processor<number, never>('sink', () => new Sink<number>(), { parallelism: 3 }),
        shuffle(),
      ),
    ),
    { profile: { creditWindow: 32, inboxDepth: 32 } },
  )
  const run = await simulate(app, { executors: 3, faults: { delayMsMin: 1, delayMsMax: 2 } })
  for (let i = 0; i < 6; i++) {
    await run.advance(600)
    run.crash(run.executors[i % 3]!)
    const { emitted, acked, failed, pending, lost } = await run.figures()
    t.is(emitted, acked + failed + pending + lost)
    await run.environment.until(() => run.executors.length === 3)
  }
  await run.advance(100)
  const figures = await run.figures()
  t.true(figures.lost > 0)
  t.true(figures.failed > 0)
  t.is(figures.components.sink!.tasks, 3)
  t.is(run.master.errors.deaths.length, 6)
  await run.close()
})

test('two executors that die at once find each other again', async t => {
  const got: number[] = []
  const numbers = new Numbers(200)
  const app = application(
    'both',
    graph(
      source('numbers', () => numbers)
        .to(processor<number, number>('a', pass))
        .to(processor<number, number>('b', pass))
        .to(processor('sink', () => new Sink(got))),
    ),
  )
  const run = await simulate(app, { executors: 4, faults: { delayMsMin: 1, delayMsMax: 3 } })
  // The second death of one makes it wait, so that it comes up after the other.
  await run.advance(5)
  run.crash(3)
  await run.environment.until(() => run.executors.length === 4)
  run.crash(run.executors.at(-1)!)
  run.crash(4)
  await run.drained()
  t.is(new Set(got).size, 200)
  await run.close()
})

test('the app clock moves on though some executors have no source, and onClock comes once per turn', async t => {
  const clocks: number[] = []
  const held: { value: number; hold: Hold }[] = []
  const numbers = new Numbers(1, { ends: false })
  const app = application(
    'clock',
    graph(
      source('numbers', () => numbers).to(
        processor<number, never>('sink', (): Task<number> => {
          const holder = new Holder(held)
          return {
            onNext: (value, context) => holder.onNext(value, context),
            onClock: clockUs => void clocks.push(clockUs),
          }
        }),
      ),
    ),
  )
  const run = await simulate(app, { executors: 2 })
  await run.advance(1000)
  const stuck = run.master.clockUs
  t.true(stuck > 0)
  await run.advance(1000)
  t.is(run.master.clockUs, stuck, 'it waits for the open root')
  held[0]!.hold.release()
  await run.advance(1000)
  t.true(run.master.clockUs > stuck + 1_000_000)
  t.deepEqual(
    clocks,
    [...new Set(clocks)].sort((a, b) => a - b),
  )
  // Clocks of sources that emit nothing are told less and less often.
  t.true(run.environment.nowUs() - run.master.clockUs < 800_000)
  await run.close()
})

test('a clock never goes back when the executor of a source dies', async t => {
  const clocks: number[] = []
  const app = application(
    'back',
    graph(
      source('numbers', () => new Endless(), { parallelism: 2 }).to(
        processor<number, never>('sink', () => ({
          onNext: () => undefined,
          onClock: (clockUs: number) => void clocks.push(clockUs),
        })),
      ),
    ),
    { profile: { creditWindow: 16, inboxDepth: 16 } },
  )
  const run = await simulate(app, { executors: 3 })
  for (let i = 0; i < 4; i++) {
    await run.advance(500)
    run.crash(run.executors.find(id => id !== 3 && id !== 1) ?? 2)
    await run.environment.until(() => run.executors.length === 3)
  }
  t.true(clocks.length > 5)
  for (let i = 1; i < clocks.length; i++) t.true(clocks[i]! > clocks[i - 1]!)
  await run.close()
})

test('a task that does not start is named, and nothing is left running', async t => {
  const environment = new ManualEnvironment()
  const app = application(
    'bad',
    graph(
      source('numbers', () => new Numbers(1)).to(
        processor<number, never>('sink', () => ({
          onStart: () => {
            throw new Error('no database')
          },
          onNext: () => undefined,
        })),
      ),
    ),
  )
  const error = await t.throwsAsync<EngineError>(simulate(app, { environment, executors: 2 }))
  t.is(error!.code, 'TASK_START_FAILED')
  t.regex(error!.message, /sink\[0\].*no database/)
  await environment.advance(1)
  t.is(environment.timers, 0)
})

for (const [what, create] of Object.entries({
  throws: () => {
    throw new Error('broken factory')
  },
  'makes no task': () => ({}) as Task,
})) {
  test(`a factory that ${what} is told as a start that failed, with the name of its processor`, async t => {
    const app = application(
      'factory',
      graph(source('numbers', () => new Numbers(1)).to(processor('sink', create))),
    )
    const error = await t.throwsAsync<EngineError>(simulate(app))
    t.is(error!.code, 'TASK_START_FAILED')
    t.regex(error!.message, /sink\[0\]/)
  })
}

test('an executor that comes up after the start was given up is ended', async t => {
  const environment = new ManualEnvironment()
  const killed: number[] = []
  let late: (launched: LaunchedExecutor) => void = () => undefined
  const app = application(
    'late',
    graph(source('numbers', () => new Numbers(1)).to(processor('sink', () => new Sink<number>()))),
  )
  const launched: LaunchedExecutor = {
    control: { prepare: () => Promise.resolve(undefined) } as unknown as ExecutorControl,
    pid: 7,
    ended: new Promise(() => undefined),
    kill: () => void killed.push(2),
  }
  const master = new AppMaster({
    environment,
    application: app,
    executors: 2,
    log: noLog,
    launcher: {
      launch: id =>
        id === 1
          ? Promise.reject(new Error('no memory'))
          : new Promise(resolve => {
              late = resolve
            }),
    },
  })
  await t.throwsAsync(master.start(), { message: 'no memory' })
  late(launched)
  await environment.advance(0)
  t.deepEqual(killed, [2])
})

test('an application that is closed while it is being started leaves no timer behind', async t => {
  const environment = new ManualEnvironment()
  let letGo: () => void = () => undefined
  const sink = () => ({
    onStart: () =>
      new Promise<void>(resolve => {
        letGo = resolve
      }),
    onNext: () => undefined,
  })
  const app = application(
    'closed',
    graph(source('numbers', () => new Numbers(1)).to(processor<number, never>('sink', sink))),
  )
  const launcher = localLauncher({ environment, application: app })
  const master = masterOfOne(environment, app, launcher)
  const started = master.start()
  await environment.advance(0)
  await environment.awaiting(master.close())
  letGo()
  await environment.awaiting(started)
  await environment.advance(1)
  t.is(environment.timers, 0)
})

test('pausing goes through though an executor is dying', async t => {
  const environment = new ManualEnvironment()
  const endless = new Endless()
  const app = application(
    'dying',
    graph(source('numbers', () => endless).to(processor('sink', () => new Sink<number>()))),
  )
  const local = localLauncher({ environment, application: app })
  const launcher: Launcher = {
    launch: async (...args) => {
      const launched = await local.launch(...args)
      const setActive = () => Promise.reject(new Error('the channel is closed'))
      return { ...launched, control: { ...launched.control, setActive } }
    },
  }
  const master = masterOfOne(environment, app, launcher)
  await environment.awaiting(master.start())
  await t.notThrowsAsync(master.setActive(false))
  await environment.awaiting(master.close())
})

test('an executor that closes for ever is given up after the bound', async t => {
  const environment = new ManualEnvironment()
  const app = application(
    'stuck',
    graph(
      source('numbers', () => new Numbers(1)).to(
        processor<number, never>('sink', () => ({
          onNext: () => undefined,
          onStop: () => new Promise<void>(() => undefined),
        })),
      ),
    ),
  )
  const launcher = localLauncher({ environment, application: app })
  const master = masterOfOne(environment, app, launcher)
  await environment.awaiting(master.start())
  await t.notThrowsAsync(environment.awaiting(master.close(), 10_000))
})

test('an inactive application emits nothing, and an executor that comes back stays so', async t => {
  const endless = new Endless()
  const app = application(
    'pause',
    graph(source('numbers', () => endless).to(processor('sink', () => new Sink<number>()))),
    { profile: { creditWindow: 16 } },
  )
  const run = await simulate(app, { executors: 2 })
  await run.advance(20)
  await run.master.setActive(false)
  await run.advance(20)
  const before = endless.emitted
  run.crash(1)
  await run.environment.until(() => run.executors.length === 2)
  await run.advance(200)
  t.is(endless.emitted, before)
  await run.master.setActive(true)
  await run.advance(20)
  t.true(endless.emitted > before)
  await run.close()
})
