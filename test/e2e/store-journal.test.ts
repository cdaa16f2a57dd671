// A master with a journal store is killed in the middle of its writes, again and again: what it said was acknowledged
// is there, in order, and nothing that it never asked for.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { realEnvironment } from '../../src/base/environment.ts'
import { noLog } from '../../src/base/log.ts'
import { JournalStore } from '../../src/cluster/store/journal-store.ts'
import { until } from './until.ts'

const ROUNDS = Number(process.env.GEARPUMP_KILLS ?? 4)

test('kill -9 in the middle of writes loses nothing that was acknowledged', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  let acknowledged = 0
  for (let round = 1; round <= ROUNDS; round++) {
    const register = new URL('../register.mjs', import.meta.url)
    const program = fileURLToPath(new URL('./store/journal-writer.ts', import.meta.url))
    const args = ['--conditions=source', `--import=${register}`, program, directory]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(() => child.kill('SIGKILL'))
    let said = ''
    child.stdout.on('data', data => {
      said += data
    })
    const ended = new Promise(resolve => child.once('close', resolve))
    const enough = acknowledged + 300 * round
    await until('it has written some', () => Number(said.trim().split('\n').at(-1)) >= enough)
    child.kill('SIGKILL')
    await ended
    acknowledged = Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1))

    const store = await JournalStore.open({ directory, environment: realEnvironment, log: noLog })
    const last = Number((await store.get('last'))?.value)
    const all = await store.list('n/')
    await store.close()
    t.true(last >= acknowledged, `${last} of ${acknowledged}`)
    // Each commit wrote both keys; the ring of 50 holds the last 50 numbers.
    t.deepEqual(
      all.map(entry => Number(entry.value)).sort((a, b) => a - b),
      Array.from({ length: 50 }, (_, i) => last - 49 + i),
    )
    acknowledged = last
  }
})
