// What a later app master makes of what an earlier one has stored: executors that live are taken over, the others get new
// ids, and nobody is started under an id that was given out before.
import test from 'ava'
import { ManualEnvironment } from 'gearpump/testing'
import { AppMaster } from '../../../src/app/app-master.ts'
import {
  ElsewhereError,
  type Launcher,
  type PlanMemory,
  type Resumption,
} from '../../../src/app/launcher.ts'
import { localLauncher } from '../../../src/app/local-launcher.ts'
import { makePlan } from '../../../src/app/plan.ts'
import { noLog } from '../../../src/base/log.ts'
import { smallApp } from './_small-app.ts'

/** An app master over a launcher that notes what happens; `stored` as it comes back from a store. */
function appMaster(
  environment: ManualEnvironment,
  launcher: Partial<Launcher>,
  stored: Resumption | undefined,
) {
  const application = smallApp()
  const events: string[] = []
  const local = localLauncher({ environment, application })
  const master = new AppMaster({
    environment,
    application,
    executors: 1,
    log: noLog,
    launcher: {
      launch: async (id, ...args) => {
        events.push(`launch ${id}`)
        return (launcher.launch ?? local.launch)(id, ...args)
      },
      ...(launcher.adopt === undefined ? {} : { adopt: launcher.adopt }),
    },
    memory: {
      savePlan: async ({ plan }: PlanMemory) => void events.push(`store ${plan.executors}`),
      saveClock: async () => undefined,
    },
    resume: stored === undefined ? undefined : (JSON.parse(JSON.stringify(stored)) as Resumption),
  })
  return { master, events }
}

function storedPlan(ids: readonly number[], places: PlanMemory['places']): Resumption {
  const plan = makePlan(smallApp().dag, ids)
  const books = { deaths: [], gone: [] }
  return { plan, nextId: Math.max(...ids) + 1, places, books, reservedUs: 0 }
}

test('a plan that was stored before its executor had a place can be taken over', async t => {
  const environment = new ManualEnvironment()
  const adopt = () => Promise.reject(new Error('there is nothing to adopt'))
  const stored = storedPlan([1], [[1, undefined, undefined]])
  const { master, events } = appMaster(environment, { adopt }, stored)
  await environment.awaiting(master.start())
  await environment.until(() => master.executors()[0]?.pid !== undefined)
  t.deepEqual(events.slice(0, 2), ['store 2', 'launch 2'])
  await environment.awaiting(master.close())
})

test('nobody is started anew before it is known which executors live', async t => {
  const environment = new ManualEnvironment()
  const adopt: Launcher['adopt'] = () =>
    new Promise(resolve => void environment.after(3000, () => resolve(undefined)))
  const stored = storedPlan(
    [1, 2],
    [
      [1, 'somewhere', undefined],
      [2, undefined, undefined],
    ],
  )
  const { master, events } = appMaster(environment, { adopt }, stored)
  const started = master.start()
  await environment.advance(2000)
  t.deepEqual(events, ['store 1,3'])
  await environment.awaiting(started)
  await environment.until(() => master.executors().every(e => e.pid !== undefined))
  t.deepEqual(events.filter(e => e.startsWith('launch')).sort(), ['launch 3', 'launch 4'])
  await environment.awaiting(master.close())
})

test('a launch that fails where it was tried is tried again under an id of its own, stored first', async t => {
  const environment = new ManualEnvironment()
  const application = smallApp()
  const local = localLauncher({ environment, application })
  const launch: Launcher['launch'] = (id, ...args) =>
    id < 3
      ? Promise.reject(new ElsewhereError(id, new Error('no answer')))
      : local.launch(id, ...args)
  const { master, events } = appMaster(environment, { launch }, undefined)
  await environment.awaiting(master.start())
  t.deepEqual(events.slice(0, 6), [
    'store 1',
    'launch 1',
    'store 2',
    'launch 2',
    'store 3',
    'launch 3',
  ])
  await environment.awaiting(master.close())
})
