// kill -9 of the executor of a source that leaves its position to the engine: it is opened again there.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { connect, noLog } from 'gearpump'
import { replayApp } from './apps/replay.ts'
import { until } from './until.ts'

const KILLS = 3
const PER_SECOND = 1000
const PER_KILL = 3000
const OPEN_MAX = 500
/** Positions are told each second; as much again for a machine that has other things to do. */
const REPLAYED_PER_KILL_MAX = 2 * PER_SECOND + OPEN_MAX
const SOURCE_TASK = 1

const lines = (file: string) => readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number)

test("the source's executor is killed again and again: it goes on at its position, nothing is missing and little is replayed", async t => {
  const dir = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
  const out = join(dir, 'out')
  const emits = join(dir, 'emits')
  const count = KILLS * PER_KILL
  const gear = await connect({ log: noLog })
  t.teardown(async () => {
    await gear.close()
    rmSync(dir, { recursive: true })
  })
  const input = { count, out, emits, relays: 3, perSecond: PER_SECOND }
  const app = await gear.submit(replayApp(input), { executors: 3 })
  for (let kill = 1; kill <= KILLS; kill++) {
    const victim = await until(`kill ${kill}`, async () => {
      const info = await app.info()
      if (info.figures.acked < kill * PER_KILL * 0.9) return undefined
      return info.executors.find(one => one.pid !== undefined && one.tasks.includes(SOURCE_TASK))
    })
    process.kill(victim.pid!, 'SIGKILL')
    await until('it was replaced', async () =>
      (await app.info()).executors.every(one => one.id !== victim.id && one.pid !== undefined),
    )
  }
  await app.drained({ idleMs: 120_000 })
  await app.kill()
  t.is(new Set(lines(out)).size, count, 'a number is missing')
  const replayed = lines(emits).length - count
  t.log(`${replayed} of ${count} were emitted again`)
  t.true(replayed > 0)
  t.true(replayed < KILLS * REPLAYED_PER_KILL_MAX, `${replayed} were emitted again`)
})
