// Secrets of an application: tasks and sources have them when they start, hear of others, and so do those that come later.
import test from 'ava'
import {
  application,
  type Credentials,
  graph,
  processor,
  type Source,
  source,
  type Task,
} from 'gearpump'
import { simulate } from 'gearpump/testing'

test('tasks and sources are given the credentials, and those that are started later the newest', async t => {
  const heard: string[] = []
  const note = (who: string, { key = 'none' }: Credentials) => void heard.push(`${who} ${key}`)
  const app = application(
    'secrets',
    graph(
      source(
        's',
        (): Source<number> => ({
          open: context => note('source begins with', context.credentials),
          next: () => false,
          onCredentials: credentials => note('source', credentials),
        }),
      ).to(
        processor(
          'p',
          (): Task<number, never> => ({
            onStart: context => note('task begins with', context.credentials),
            onNext: () => undefined,
            onCredentials: credentials => note('task', credentials),
          }),
        ),
      ),
    ),
  )
  const run = await simulate(app, { executors: 2 })
  t.deepEqual(heard.splice(0).sort(), ['source begins with none', 'task begins with none'])
  await run.environment.awaiting(run.master.setCredentials({ key: 'first' }))
  await run.advance(10)
  t.deepEqual(heard.splice(0).sort(), ['source first', 'task first'])
  await run.environment.awaiting(run.master.rebalance(1))
  t.deepEqual(heard.splice(0).sort(), ['source begins with first', 'task begins with first'])
  await run.close()
})
