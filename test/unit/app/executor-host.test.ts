// An executor whose first start came to nothing, because another one was lost meanwhile, is started again.
import test from 'ava'
import { application, graph, processor, source } from 'gearpump'
import { ManualEnvironment } from 'gearpump/testing'
import { ExecutorHost } from '../../../src/app/executor-host.ts'
import { makePlan } from '../../../src/app/plan.ts'

test('what was started before ends when an executor is started again', async t => {
  const environment = new ManualEnvironment()
  const lives: string[] = []
  let opened = 0
  const sleeping = () => {
    const life = ++opened
    return {
      next: () => false as const,
      close: () => void lives.push(`closed ${life}`),
    }
  }
  const app = application(
    'small',
    graph(
      source<number>('s', sleeping).to(
        processor<number, never>('p', () => ({ onNext: () => undefined })),
      ),
    ),
  )
  let clocks = 0
  const nothing = () => undefined
  const host = new ExecutorHost({
    ...{ environment, application: app, executorId: 1, transport: undefined, token: 'token' },
    events: {
      ...{ error: nothing, log: nothing, metric: nothing, overflow: nothing, positions: nothing },
      clock: () => void clocks++,
    },
  })
  const order = { plan: makePlan(app.dag, [1]), addresses: [] }
  const start = async () => {
    await environment.awaiting(host.start(order))
    await environment.awaiting(host.go(true, 0, new Map()))
  }
  await start()
  await environment.advance(10_000)
  const before = clocks
  await environment.advance(10_000)
  const pace = clocks - before
  t.true(pace > 0)
  await start()
  t.deepEqual(lives, ['closed 1'])
  await environment.advance(10_000)
  const again = clocks
  await environment.advance(10_000)
  t.true(clocks - again <= pace + 1, 'two tell the clock')
  await environment.awaiting(host.close())
  t.deepEqual(lives, ['closed 1', 'closed 2'])
})
