// The app clock as executors hear it, from the real app master with executors that only listen.
import test from 'ava'
import { AppMaster } from '../../../src/app/app-master.ts'
import { application } from '../../../src/app/application.ts'
import type { ExecutorEvents } from '../../../src/app/executor.ts'
import type { Launcher } from '../../../src/app/launcher.ts'
import { noLog } from '../../../src/base/log.ts'
import { graph } from '../../../src/dag/graph.ts'
import { source } from '../../../src/dag/processor.ts'
import { ManualEnvironment } from '../../../src/testing/manual-environment.ts'

test('a clock published before more is reserved is told before the one published after', async t => {
  const heard: number[] = []
  let events: ExecutorEvents | undefined
  const status = { executorId: 1, tasks: [], quiet: true, exhausted: true, idleMs: 0 }
  const launcher: Launcher = {
    launch: async (_id, _token, toMaster) => {
      events = toMaster
      const ask = async () => undefined
      return {
        control: {
          prepare: ask,
          start: ask,
          go: ask,
          replacePeer: ask,
          replan: ask,
          stalls: async () => ({ tasks: [], sources: [] }),
          setActive: ask,
          suspendSources: ask,
          setCredentials: ask,
          failOpen: ask,
          publish: async clockUs => void heard.push(clockUs),
          status: async () => status,
          close: ask,
        },
        pid: undefined,
        ended: Promise.resolve('closed').then(() => new Promise<string>(() => undefined)),
        kill: () => undefined,
      }
    },
  }
  const nothing = source('nothing', () => ({ next: () => false }))
  const master = new AppMaster({
    environment: new ManualEnvironment(),
    application: application('clock', graph(nothing)),
    executors: 1,
    launcher,
    log: noLog,
  })
  await master.start()
  // Each step is longer than what is reserved, so that one report publishes twice.
  for (const clockUs of [10e6, 20e6, 30e6]) events?.clock(new Map([[1, clockUs]]))
  t.true(heard.length > 3)
  t.deepEqual(
    heard,
    [...heard].sort((a, b) => a - b),
  )
})
