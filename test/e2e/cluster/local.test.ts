// A whole cluster on this machine by one command: an application runs in it as it runs without, survives the death of
// each kind of process, and leaves nothing behind.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type ClusterGear, connect } from 'gearpump'
import { replayApp } from '../apps/replay.ts'
import { alive, until } from '../until.ts'
import { gear, localCluster } from './processes.ts'

async function opened(t: ExecutionContext, master: string): Promise<ClusterGear> {
  const cluster = await connect({ masters: [master] })
  t.teardown(() => cluster.close())
  return cluster
}

function outDirectory(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  return directory
}

function countLines(file: string): Map<number, number> {
  const counts = new Map<number, number>()
  for (const line of readFileSync(file, 'utf8').split('\n'))
    if (line !== '') counts.set(Number(line), (counts.get(Number(line)) ?? 0) + 1)
  return counts
}

test.serial(
  'executors, the app master and a worker are killed one after the other: no number is missing, and each death has its reason',
  async t => {
    const { master } = await localCluster(t, ['--workers', '3'])
    const cluster = await opened(t, master)
    const out = outDirectory(t)
    const files = {
      out: join(out, 'out'),
      emits: join(out, 'emits'),
      position: join(out, 'position'),
    }
    const count = 12_000
    const app = await cluster.submit(replayApp({ count, ...files, relays: 3 }), { executors: 3 })
    const ackedAtLeast = (acked: number) =>
      until(`${acked} are acked`, async () => {
        const info = await app.info()
        const all = info.executors.length === 3 && info.executors.every(e => e.pid !== undefined)
        return info.figures.acked >= acked && all ? info : undefined
      })

    const first = (await ackedAtLeast(1000)).executors[1]!
    process.kill(first.pid!, 'SIGKILL')
    await until('it was replaced', async () =>
      (await app.info()).executors.every(e => e.id !== first.id && e.pid !== undefined),
    )

    const before = await ackedAtLeast(2000)
    const workers = await cluster.workers()
    const appMaster = workers.flatMap(w => w.processes).find(p => p.executor === 0)!
    process.kill(appMaster.pid, 'SIGKILL')
    const after = await until('there is another app master', async () => {
      const info = await app.info()
      const all = info.executors.length === 3 && info.executors.every(e => e.pid !== undefined)
      return info.cluster?.incarnation === 2 && all ? info : undefined
    })
    t.deepEqual(
      after.executors.map(e => e.pid),
      before.executors.map(e => e.pid),
      'its executors were taken over, not started again',
    )

    await ackedAtLeast(3000)
    const worker = (await cluster.workers()).find(w => w.processes.some(p => p.executor > 0))!
    process.kill(worker.pid, 'SIGKILL')
    await app.drained({ idleMs: 120_000 })

    const info = await app.info()
    await app.kill()
    const counts = countLines(files.out)
    t.is(counts.size, count, 'a number is missing')
    const emitted = countLines(files.emits)
    t.deepEqual(
      [...counts].filter(([id, seen]) => seen > emitted.get(id)!),
      [],
      'a number came more often than it was emitted',
    )
    t.regex(info.deaths[0]!.reason, /SIGKILL/)
    t.regex(info.cluster!.deaths[0]!.reason, /SIGKILL/)
    // Those of the worker that was killed end by themselves, and nobody waits for them.
    await until('no executor outlives the application', () =>
      info.executors.every(executor => !alive(executor.pid!)),
    )
    t.pass()
  },
)

test.serial('one process can be a whole cluster', async t => {
  const { master } = await localCluster(t, ['--workers', '2', '--same-process'])
  const cluster = await opened(t, master)
  const out = outDirectory(t)
  const files = { out: join(out, 'out'), emits: join(out, 'emits') }
  const app = await cluster.submit(replayApp({ count: 1000, ...files, relays: 2 }), {
    executors: 2,
  })
  await app.drained({ idleMs: 120_000 })
  t.is(countLines(files.out).size, 1000)
  await app.kill()
  t.is((await cluster.info(app.id)).status, 'stopped')
})

test.serial(
  'the commands tell of a cluster in tables and in JSON, and of mistakes in sentences',
  async t => {
    const { master } = await localCluster(t, ['--workers', '1', '--worker.slots', '2'])
    const run = await gear(
      ...[
        'app',
        'run',
        'examples/sol/sol.ts',
        '--master',
        master,
        '--name',
        'sol',
        '--until-drained',
        '--stats',
      ],
      ...['--executors', '2', '--', '--messages', '1000', '--acked'],
    )
    t.is(run.exit, 0, run.output)
    t.regex(run.output, /"emitted":1000,"acked":1000/)

    const list = await gear('app', 'list', '--master', master, '--json')
    t.like(JSON.parse(list.output), [{ id: 1, name: 'sol', status: 'stopped', executors: 2 }])
    const table = await gear('app', 'list', '--master', master)
    t.regex(table.output, /^ID +NAME +STATUS .*\n *1 +sol +stopped/)
    t.regex((await gear('worker', 'list', '--master', master)).output, /w1 .* up .* 0\/2/)
    t.regex((await gear('master', 'info', '--master', master)).output, /store: +journal/)

    const unknown = await gear('app', 'info', 'soll', '--master', master)
    t.is(unknown.exit, 1)
    t.regex(unknown.output, /no application "soll"[\s\S]*did you mean "sol"/)
    const again = await gear('app', 'kill', '1', '--master', master)
    t.is(again.exit, 1)
    t.regex(again.output, /application 1 does not run any more/)
    const restarted = await gear('app', 'restart', 'sol', '--master', master, '--json')
    t.is(restarted.output, '2\n')
    t.regex(
      (await gear('app', 'drain', 'sol', '--master', master)).output,
      /0 roots were left open/,
    )
  },
)

test.serial('an application that cannot start says why, where it was submitted', async t => {
  const { master } = await localCluster(t, ['--workers', '1'])
  const run = await gear('app', 'run', 'test/e2e/apps/broken-start.ts', '--master', master)
  t.is(run.exit, 1)
  t.regex(run.output, /broken\[0\] did not start: there is no such database/)
  const list = await gear('app', 'list', '--master', master, '--json')
  t.is(JSON.parse(list.output)[0].status, 'failed')
})

test.serial(
  'a port that is taken, a master that is not there and a setting that does not exist are told clearly',
  async t => {
    const { master } = await localCluster(t, ['--workers', '1'])
    const port = master.split(':')[1]!
    const second = await gear('master', '--ip', '127.0.0.1', '--port', port)
    t.is(second.exit, 1)
    t.regex(second.output, /127\.0\.0\.1:\d+.*EADDRINUSE|in use/)
    const nobody = await gear('app', 'list', '--master', '127.0.0.1:9')
    t.is(nobody.exit, 1)
    t.regex(nobody.output, /no master leads \(tcp:127\.0\.0\.1:9: .*ECONNREFUSED/)
    const setting = await gear('worker', '--worker.slot', '4')
    t.is(setting.exit, 2)
    t.regex(setting.output, /worker\.slot.*\n?.*worker\.slots/)
  },
)
