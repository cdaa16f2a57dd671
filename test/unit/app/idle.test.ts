// An idle application: empty ledgers, no timers but the periodic ones, hardly any calls; and how its end is noticed.

import test from 'ava'
import { application, connect, graph, processor, type Source, shuffle, source } from 'gearpump'
import { ManualEnvironment, simulate } from 'gearpump/testing'
import { Numbers, pass, Sink } from '../task/_actors.ts'

for (const executors of [1, 3]) {
  test(`when all is done ledgers are empty and only periodic timers are left, in ${executors} executor(s)`, async t => {
    const numbers = new Numbers(300, { ends: false })
    const app = application(
      'idle',
      graph(
        source('numbers', () => numbers)
          .to(processor<number, number>('a', pass, { parallelism: 3 }), shuffle())
          .to(
            processor('b', () => new Sink<number>(), { parallelism: 3 }),
            shuffle(),
          ),
      ),
    )
    const run = await simulate(app, { executors })
    await run.drained()
    await run.advance(2000)
    const timers = run.executors.map(id => run.timers(id))
    for (const id of run.executors) t.is(run.unfinished(id), 0)
    // Rotation, half periods, clock; heartbeat between executors; the idle wait of the one source.
    for (const count of timers) t.true(count <= (executors === 1 ? 4 : 5), `${count} timers`)
    t.is(run.environment.deferred, 0)
    const calls = numbers.calls
    await run.advance(10_000)
    t.true(numbers.calls - calls < 200, `${numbers.calls - calls} calls in 10 s`)
    t.deepEqual(
      run.executors.map(id => run.timers(id)),
      timers,
    )
    await run.close()
    t.is(run.environment.timers, 0)
  })
}

test('a run is drained when its source has been silent long enough, though it never ends', async t => {
  const numbers = new Numbers(10, { ends: false })
  const environment = new ManualEnvironment()
  const gear = await connect({ environment })
  const app = application(
    'silent',
    graph(source('numbers', () => numbers).to(processor('sink', () => new Sink<number>()))),
  )
  const running = await environment.awaiting(gear.submit(app))
  const at = environment.now()
  await environment.awaiting(running.drained({ idleMs: 3000 }))
  const tookMs = environment.now() - at
  t.true(tookMs >= 3000 && tookMs < 3300, `${tookMs} ms`)
  t.is(numbers.done_.length, 10)
  await environment.awaiting(gear.close())
  t.is(environment.timers, 0)
})

test('a source that waits for news inside next is silent too', async t => {
  const polling: Source<number> = {
    next: () => new Promise(() => undefined),
  }
  const environment = new ManualEnvironment()
  const gear = await connect({ environment })
  const app = application(
    'polling',
    graph(source('polling', () => polling).to(processor('sink', () => new Sink<number>()))),
  )
  const running = await environment.awaiting(gear.submit(app))
  await t.notThrowsAsync(environment.awaiting(running.drained({ idleMs: 1000 }), 5000))
  await environment.awaiting(gear.close())
})

test('a run is not drained while a source is still opening in the executor that came back', async t => {
  const numbers = new Numbers(10)
  const environment = new ManualEnvironment()
  let opened = 0
  const slow: Source<number> = {
    open: () =>
      opened++ === 0 ? undefined : new Promise(resolve => void environment.after(5000, resolve)),
    next: out => numbers.next(out),
    done: id => numbers.done(id),
    fail: id => numbers.fail(id),
  }
  const app = application(
    'opening',
    graph(source('slow', () => slow).to(processor('sink', () => new Sink<number>()))),
  )
  const run = await simulate(app, { executors: 2, environment })
  run.crash(1)
  await run.environment.until(() => run.executors.length === 2)
  const at = run.environment.now()
  await run.drained({ idleMs: 1000 })
  t.true(run.environment.now() - at > 4900)
  await run.close()
})

test('at-most-once tracks nothing, and every id is done at once', async t => {
  const numbers = new Numbers(100)
  const got: number[] = []
  const app = application(
    'once',
    graph(source('numbers', () => numbers).to(processor('sink', () => new Sink(got)))),
    { profile: { guarantee: 'at-most-once' } },
  )
  const run = await simulate(app, { executors: 2, faults: { delayMsMin: 8, delayMsMax: 8 } })
  await run.environment.until(() => numbers.done_.length === 100, { stepMs: 1 })
  for (const id of run.executors) t.is(run.unfinished(id), 0)
  await run.drained()
  t.is(got.length, 100)
  await run.close()
})

test('a task that never comes back does not hold a drained run for ever: its roots have timed out', async t => {
  const environment = new ManualEnvironment()
  const gear = await connect({ environment })
  const app = application(
    'stuck',
    graph(
      source<number>('numbers', () => ({
        next: out => {
          for (let n = 0; n < 10; n++) out.output(n, n)
          return 'end'
        },
      })).to(
        processor<number, never>('stuck', () => ({
          onNext: () => new Promise<void>(() => undefined),
        })),
      ),
    ),
    { profile: { timeoutMs: 1000 } },
  )
  const running = await environment.awaiting(gear.submit(app))
  const at = environment.now()
  await environment.awaiting(running.drained({ idleMs: 500 }), 60_000)
  const tookMs = environment.now() - at
  t.true(tookMs >= 2500 && tookMs < 6000, `${tookMs} ms`)
  t.is((await environment.awaiting(running.figures())).failed, 10)
  await environment.awaiting(gear.close(), 60_000)
})
