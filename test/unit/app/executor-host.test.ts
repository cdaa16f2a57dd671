// An executor whose first start came to nothing, because another one was lost meanwhile, is started again.
import test from 'ava'
import { application, graph, processor, source } from 'gearpump'
import { ManualEnvironment } from 'gearpump/testing'
import { ExecutorHost } from '../../../src/app/executor-host.ts'
import { makePlan } from '../../../src/app/plan.ts'

/** A host with a source that waits; `closing` is what its end waits for. */
function waitingHost(closing: () => Promise<void> = async () => undefined) {
  const environment = new ManualEnvironment()
  const seen = { opened: 0, closed: [] as number[], clocks: 0 }
  const waiting = () => {
    let life = 0
    return {
      open: () => {
        life = ++seen.opened
      },
      next: () => false as const,
      close: async () => {
        await closing()
        seen.closed.push(life)
      },
    }
  }
  const end = processor<number, never>('end', () => ({ onNext: () => undefined }))
  const app = application('small', graph(source<number>('s', waiting).to(end)))
  const nothing = () => undefined
  const host = new ExecutorHost({
    ...{ environment, application: app, executorId: 1, transport: undefined, token: 'token' },
    events: {
      ...{ error: nothing, log: nothing, metric: nothing, overflow: nothing, positions: nothing },
      clock: () => void seen.clocks++,
    },
  })
  const start = async () => {
    await host.start({ plan: makePlan(app.dag, [1]), addresses: [] })
    await host.go(true, 0, new Map())
  }
  return { environment, host, start, seen }
}

test('what was started before ends when an executor is started again', async t => {
  const { environment, host, start, seen } = waitingHost()
  const clocksOf10s = async () => {
    const before = seen.clocks
    await environment.advance(10_000)
    return seen.clocks - before
  }
  await environment.awaiting(start())
  await environment.advance(10_000)
  const pace = await clocksOf10s()
  t.true(pace > 0)
  await environment.awaiting(start())
  t.deepEqual(seen.closed, [1])
  await environment.advance(10_000)
  t.true((await clocksOf10s()) <= pace + 1, 'two tell the clock')
  await environment.awaiting(host.close())
  t.deepEqual(seen.closed, [1, 2])
})

test('an executor that is closed while it is started again stays closed', async t => {
  let release = () => undefined as void
  const held = new Promise<void>(resolve => {
    release = resolve
  })
  const { environment, host, start, seen } = waitingHost(() => held)
  await environment.awaiting(start())
  const again = start()
  const closed = host.close()
  release()
  await environment.awaiting(Promise.all([again, closed]))
  await environment.advance(10_000)
  t.is(seen.opened, 1)
  t.is(seen.clocks, 0)
})
