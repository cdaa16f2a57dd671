// An application in which nothing happens. Small form of `npm run soak -- idle`: its processes do not spin. The bound is far
// above what the full size allows, since a busy machine makes CPU time dearer.
import test from 'ava'
import { idle } from '../soak/cases/idle.ts'

const SIZE = { executors: 2, settleMs: 1000, watchMs: 1000, coreMax: 0.3 }

test.serial('a hundred native tasks in which nothing happens use next to no CPU', async t => {
  const { failures } = await idle({ ...SIZE, door: 'native', children: 0 })
  t.deepEqual(failures, [])
})

test.serial('a hundred Storm tasks in which nothing happens use next to no CPU', async t => {
  const { failures } = await idle({ ...SIZE, door: 'storm', children: 0 })
  t.deepEqual(failures, [])
})
