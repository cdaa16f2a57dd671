// kill -9 of executor processes under load: nothing is missing at the end, and what came twice was replayed.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { connect, noLog, type RunningApp } from 'gearpump'
import { replayApp } from './apps/replay.ts'
import { alive, until } from './until.ts'

const KILLS = Number(process.env.GEARPUMP_KILLS ?? 5)
const PER_KILL = 2000

/** Kills an executor that `choose` picks, each time so many more roots were done, and sees it replaced. */
async function killRepeatedly(
  app: RunningApp,
  choose: (tasks: readonly number[]) => boolean,
): Promise<void> {
  for (let kill = 1; kill <= KILLS; kill++) {
    const victim = await until(`kill ${kill}`, async () => {
      const info = await app.info()
      if (info.figures.acked < kill * PER_KILL * 0.5) return undefined
      return info.executors.find(executor => executor.pid !== undefined && choose(executor.tasks))
    })
    process.kill(victim.pid!, 'SIGKILL')
    await until('it was replaced', async () =>
      (await app.info()).executors.every(
        executor => executor.id !== victim.id && executor.pid !== undefined,
      ),
    )
  }
}

function countLines(file: string): Map<number, number> {
  const counts = new Map<number, number>()
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line !== '') counts.set(Number(line), (counts.get(Number(line)) ?? 0) + 1)
  }
  return counts
}

async function run(
  t: ExecutionContext,
  choose: (tasks: readonly number[]) => boolean,
  keepPosition: boolean,
) {
  const dir = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
  const out = join(dir, 'out')
  const emits = join(dir, 'emits')
  const count = KILLS * PER_KILL
  const position = keepPosition ? { position: join(dir, 'position') } : {}
  const gear = await connect({ log: noLog })
  t.teardown(async () => {
    await gear.close()
    rmSync(dir, { recursive: true })
  })
  const app = await gear.submit(replayApp({ count, out, emits, relays: 3, ...position }), {
    executors: 3,
  })
  await killRepeatedly(app, choose)
  await app.drained({ idleMs: 120_000 })
  const info = await app.info()
  await app.kill()
  const counts = countLines(out)
  t.is(counts.size, count, 'a number is missing')
  t.is(info.deaths.length, KILLS)
  const { figures } = info
  t.is(figures.emitted, figures.acked + figures.failed + figures.pending + figures.lost)
  t.is(figures.pending, 0)
  for (const executor of info.executors)
    t.false(alive(executor.pid!), 'an executor outlived the application')
  const emitted = countLines(emits)
  const unexplained = [...counts].filter(([id, seen]) => seen > emitted.get(id)!)
  t.deepEqual(unexplained, [], 'a number came more often than it was emitted')
}

const SOURCE_TASK = 1

test('executors without the source are killed again and again: no number is missing, and replays explain duplicates', async t => {
  await run(t, tasks => !tasks.includes(SOURCE_TASK), false)
})

test("the source's executor is killed again and again: a source that keeps its position outside loses nothing", async t => {
  await run(t, tasks => tasks.includes(SOURCE_TASK), true)
})
