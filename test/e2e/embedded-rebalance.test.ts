// Rebalance without a cluster: an application in this process moves into processes of its own, and back.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { connect } from 'gearpump'
import { replayApp } from './apps/replay.ts'

test('an application moves from this process into others and back, and no number is missing', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'gearpump-e2e-'))
  const gear = await connect()
  t.teardown(async () => {
    await gear.close()
    rmSync(dir, { recursive: true })
  })
  const out = join(dir, 'out')
  const app = await gear.submit(
    replayApp({ count: 3000, out, emits: join(dir, 'emits'), relays: 2 }),
  )
  const pids = async () => new Set((await app.info()).executors.map(({ pid }) => pid))
  t.deepEqual(await pids(), new Set([process.pid]))
  await app.rebalance(2)
  const others = await pids()
  t.is(others.size, 2)
  t.false(others.has(process.pid))
  await app.rebalance(1)
  t.deepEqual(await pids(), new Set([process.pid]))
  await app.drained({ idleMs: 120_000 })
  const numbers = new Set(readFileSync(out, 'utf8').split('\n').slice(0, -1))
  t.is(numbers.size, 3000)
})
