// kill -9 of children and executors, mixed, in one run. Small form of `npm run soak -- kill`.
import test from 'ava'
import { boltKills, spoutKills } from '../soak/cases/kills.ts'

const SIZE = { kills: 3, numbersPerKill: 800 }

test.serial(
  'children of a bolt and executors are killed in turns: no number is missing, replays explain what came twice',
  async t => {
    const { failures, measured } = await boltKills(SIZE)
    t.deepEqual(failures, [], JSON.stringify(measured))
  },
)

test.serial(
  "a spout's child and executor are killed in turns: it reopens at the position it keeps outside",
  async t => {
    const { failures, measured } = await spoutKills({ ...SIZE, numbersPerKill: 400 })
    t.deepEqual(failures, [], JSON.stringify(measured))
  },
)
