// How much and how fast, in small: the figures are printed, the bounds here are those of a busy machine. At full size:
// `npm run soak -- cluster`.
import test from 'ava'
import { executorKills } from '../../chaos/executor-kills.ts'
import { manyApps, manyTasks } from '../../chaos/limits.ts'

const SILENCE_MAX_MS = 20_000

test.serial('a thousand tasks start over three workers', async t => {
  const result = await manyTasks(1000)
  t.log(result)
  t.true(result.startMs < 30_000)
})

test.serial(
  'applications submitted in a row are all listed and killed, in a small master',
  async t => {
    const result = await manyApps(8)
    t.log(result)
    t.like(result, { listed: 8, active: 8, stopped: 8 })
    t.true(result.masterRssMb < 200)
  },
)

test.serial('the executor in the middle of a flow is killed: the sink goes on', async t => {
  const [result] = await executorKills([10_000])
  t.log(result)
  t.true(result!.silenceMs < SILENCE_MAX_MS)
  t.true(result!.perSecondAfter > 0.5 * 10_000)
})
