// An executor of a cluster and the app masters that come to it one after the other.
import test, { type ExecutionContext } from 'ava'
import { ExecutorRole } from '../../../src/app/executor-role.ts'
import { makePlan } from '../../../src/app/plan.ts'
import { EXECUTOR, type ExecutorDoor } from '../../../src/cluster/messages.ts'
import { Nodes } from '../actor/nodes.ts'
import { smallApp } from './_small-app.ts'

async function executor(t: ExecutionContext) {
  const nodes = new Nodes()
  const system = await nodes.start('executor')
  const appMaster = await nodes.start('app-master')
  const role = new ExecutorRole({
    environment: nodes.environment,
    system,
    executorId: 1,
    load: async () => smallApp(),
    transport: nodes.network.transport('links'),
    onEnd: reason => t.log(reason),
  })
  const self = appMaster.spawn('app-master', () => ({})).address
  const ref = appMaster.ref<ExecutorDoor>({ node: system.node, name: EXECUTOR })
  const control = (incarnation: number, method: string, ...args: unknown[]) =>
    nodes.outcome(ref.ask('control', incarnation, method, args))
  const adopt = (incarnation: number) => nodes.outcome(ref.ask('adopt', incarnation, self))
  return { role, control, adopt }
}

/** Its tasks are started, and its app master, the first, has still to tell it to go. */
async function startedExecutor(t: ExecutionContext) {
  const started = await executor(t)
  const { control, adopt } = started
  t.is((await adopt(1)).error, undefined)
  t.is((await control(1, 'load', 'token')).error, undefined)
  t.is((await control(1, 'prepare')).error, undefined)
  const order = { plan: makePlan(smallApp().dag, [1]), addresses: [] }
  t.is((await control(1, 'start', order)).error, undefined)
  return started
}

test('an executor that was not told to go when its app master ended is no good to the next one', async t => {
  const { adopt } = await startedExecutor(t)
  t.is((await adopt(1)).error, undefined, 'the same app master may come twice')
  t.is((await adopt(2)).value, false)
})

test('an executor that flows obeys the newest app master, and no older one', async t => {
  const { control, adopt } = await startedExecutor(t)
  t.is((await control(1, 'go', true, 0, new Map())).error, undefined)
  t.is((await adopt(2)).error, undefined)
  t.is((await adopt(1)).error?.code, 'FENCED')
  t.is((await control(1, 'setActive', false)).error?.code, 'FENCED')
  t.is((await control(2, 'setActive', false)).error, undefined)
})

test('an executor that its app master had begun to close is no good to the next one', async t => {
  const { control, adopt } = await startedExecutor(t)
  // The one before was still being told to go when another executor died, and the whole start was given up.
  await Promise.all([control(1, 'go', true, 0, new Map()), control(1, 'close')])
  t.is((await adopt(2)).value, false)
})
