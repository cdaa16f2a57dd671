// Settings mean what they say: each of these is given, and looked for in what the processes really do.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { connect } from 'gearpump'
import { freePorts } from '../../real/etcd.ts'
import { replayApp } from '../apps/replay.ts'
import { until } from '../until.ts'
import { listenersOf } from './listeners.ts'
import { GEAR, gear, localCluster, processesOf } from './processes.ts'

/** A file of settings for a client. */
function settingsFile(t: ExecutionContext, text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'gear.yaml')
  writeFileSync(file, text)
  return file
}

test.serial(
  'what the file of a client says of an application is asked of the workers, and a flag wins over it',
  async t => {
    const { master } = await localCluster(t, ['--workers', '1', '--worker.labels', 'disk=ssd'])
    const file = settingsFile(
      t,
      'executor: {cpu: 0.5, memoryMb: 100}\nscheduler: {labels: {disk: ssd}}\n',
    )
    const run = async (name: string, ...more: string[]) => {
      const options = ['--master', master, '--settings', file, '--name', name, ...more]
      const done = await gear('app', 'run', 'examples/sol/sol.ts', ...options)
      t.is(done.exit, 0, done.output)
    }
    await run('file')
    await run('flag', '--memory-mb', '200')
    const workers = await gear('worker', 'list', '--json', '--master', master)
    t.like(JSON.parse(workers.output)[0], { cpuUsed: 1, memoryMbUsed: 300 })

    const elsewhere = settingsFile(t, 'scheduler: {labels: {disk: tape}}\n')
    const cluster = await connect({ masters: [master] })
    t.teardown(() => cluster.close())
    const options = [
      '--master',
      master,
      '--settings',
      elsewhere,
      '--name',
      'nowhere',
      '--for',
      '1s',
    ]
    const submitted = gear('app', 'run', 'examples/sol/sol.ts', ...options)
    const waiting = await until('it waits for such a worker', async () => {
      const found = (await cluster.list()).find(app => app.name === 'nowhere')
      return found === undefined ? undefined : (await cluster.info(found.id)).cluster?.waiting
    })
    t.regex(waiting, /no worker with disk=tape is there/)
    await cluster.kill('nowhere')
    await submitted
  },
)

test.serial(
  'the processes of a worker listen on the ports that it was given, and on no other',
  async t => {
    const ports = await freePorts(10)
    const { master, directory, process } = await localCluster(t, [
      ...['--workers', '1', '--worker.ports', ports.join(','), '--worker.slots', '2'],
    ])
    const out = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
    t.teardown(() => rmSync(out, { recursive: true }))
    const cluster = await connect({ masters: [master] })
    t.teardown(() => cluster.close())
    const files = { out: join(out, 'out'), emits: join(out, 'emits') }
    const app = await cluster.submit(replayApp({ count: 500, ...files, relays: 2 }), {
      executors: 2,
    })
    const pids = [
      ...(await cluster.workers()).flatMap(w => [w.pid, ...w.processes.map(p => p.pid)]),
      ...processesOf(directory).map(({ pid }) => pid),
    ].filter(pid => pid !== process.pid)
    const listeners = listenersOf([...new Set(pids)])
    // The worker, an app master, two executors with a port for links each.
    t.is(listeners.length, 6, JSON.stringify(listeners))
    for (const { port } of listeners) t.true(ports.includes(port), `${port} of ${ports}`)
    await app.drained({ idleMs: 120_000 })
    await app.kill()
  },
)

test.serial('the prompt answers what comes through a pipe, and ends with it', async t => {
  const { master, process: cluster } = await localCluster(t, ['--workers', '1'])
  await cluster.says(/worker w1 registered/)
  const shell = spawn(process.execPath, [GEAR, 'shell', '--master', master])
  let output = ''
  for (const stream of [shell.stdout, shell.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      output += text
    })
  }
  shell.stdin.end("(await gear.workers()).map(w => w.id + ' is ' + w.state)\nawait gear.info(7)\n")
  const exit = await new Promise(resolve => shell.once('close', resolve))
  t.is(exit, 0, output)
  t.regex(output, /w1 is up/)
  t.regex(output, /no application "7"/)
})
