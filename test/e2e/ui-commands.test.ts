// Storm's own `monitor` and `get-errors`, unmodified, and `storm ui` of this repository, against a running topology.
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { type RealPart, realTest } from '../real/parts.ts'
import { submitTour } from './nimbus/flux-tour.ts'
import { type NimbusRun, runNimbus } from './nimbus/nimbus-run.ts'
import { until } from './until.ts'

const STORM = fileURLToPath(new URL('../../bin/storm', import.meta.url))

/** A program that runs until the test ends; what it has printed so far. */
function running(t: ExecutionContext, command: string, args: readonly string[]) {
  const child: ChildProcess = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout!, child.stderr!])
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8')
    })
  t.teardown(() => void child.kill('SIGKILL'))
  return { child, text: () => text }
}

function javaArgs(run: NimbusRun, parts: readonly RealPart[], ...command: string[]): string[] {
  const classpath = parts.map(part => `${join(part.dir, 'lib')}/*`).join(':')
  // As storm.py hands settings on.
  const options = `nimbus.thrift.port=${run.port},nimbus.seeds=${encodeURIComponent('["localhost"]')}`
  return ['-Xmx256m', '-cp', classpath, `-Dstorm.options=${options}`, ...command]
}

realTest(
  test,
  ['multilang', 'storm-client', 'storm-commands'],
  'Storm’s monitor shows what a component emits and transfers; its get-errors shows the last error of each',
  async (t, [multilang, client, commands]) => {
    const run = await runNimbus(t)
    await submitTour({ dir: run.dir, port: run.port, stormPy: join(multilang.dir, 'storm.py') })
    const java = (...command: string[]) => javaArgs(run, [client, commands], ...command)
    const monitor = (...args: string[]) =>
      running(
        t,
        client.program!,
        java('org.apache.storm.command.Monitor', 'tour', '-i', '1', ...args),
      )
    const emitted = monitor('-m', 'split', '-w', 'emitted')
    const transferred = monitor('-m', 'sentences', '-w', 'transferred')
    const total = (of: { text(): string }) =>
      [...of.text().matchAll(/^tour\t\w+\t\d\tdefault\t\d+\t(\d+)\t[\d.E-]+$/gm)].reduce(
        (sum, [, count]) => sum + Number(count),
        0,
      )
    await until('all that was emitted is shown', () => total(emitted) === 1400)
    await until('all that was transferred is shown', () => total(transferred) === 200)
    t.regex(emitted.text(), /^tour\tsplit\t2\tdefault\t/m)
    await until('a rate of nothing follows', () => /\t0\t0\.0$/m.test(emitted.text()))
    const errors = await run.client(
      client.program!,
      java('org.apache.storm.command.GetErrors', 'tour'),
    )
    const found = JSON.parse(errors) as Record<string, unknown>
    t.is(found['Topology Name'], 'tour')
    t.deepEqual(Object.keys(found['Comp-Errors'] as object), ['grumble'])
    t.regex(errors, /the moon is made of cheese/)
  },
)

test('storm ui shows a Nimbus over Thrift as the one beside it does', async t => {
  const run = await runNimbus(t)
  const settings = ['-c', `nimbus.thrift.port=${run.port}`, '-c', 'nimbus.seeds=["127.0.0.1"]']
  const ui = running(t, process.execPath, [STORM, 'ui', '--port', '0', ...settings])
  await until('it listens', () => ui.text().includes('/api/v1/'))
  const [address] = /http:\S+/.exec(ui.text())!
  const read = async (base: string) => (await fetch(`${base}cluster/summary`)).json()
  const here = (await read(`http://127.0.0.1:${run.uiPort}/api/v1/`)) as Record<string, unknown>
  const there = (await read(address)) as Record<string, unknown>
  // Time goes on between the two.
  for (const one of [here, there]) {
    delete one.nimbusUptime
    delete one.nimbusUptimeSeconds
  }
  t.deepEqual(there, here)
  const ended = new Promise<number | null>(resolve => ui.child.once('exit', resolve))
  ui.child.kill('SIGTERM')
  t.is(await ended, 0)
})
