import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { gearArguments } from '../../../../storm-compat/cli/local.ts'
import { StormUsageError } from '../../../../storm-compat/cli/usage-error.ts'
import { LOCAL_PORT, type World, world } from './_surroundings.ts'

async function worldWithJars(t: ExecutionContext, programExit = 0): Promise<World> {
  const env: Record<string, string> = {}
  const interrupted = () => new Promise<void>(() => undefined)
  const w = await world(t, { env, programExit, interrupted })
  env.GEARPUMP_STORM_JARS = w.dir
  for (const jar of ['storm-client-2.8.1.jar', 'my.jar']) await writeFile(join(w.dir, jar), '')
  return w
}

test('a local topology runs for 20 seconds when nothing is said, as in Storm', t => {
  const { args, notice } = gearArguments(['wc.yaml', '-c', 'a=1'])
  t.deepEqual(args, ['local', 'wc.yaml', '-c', 'a=1', '--for', '20s'])
  t.regex(notice ?? '', /20 s/)
})

test('--local-ttl is a time to run, and 0 is none', t => {
  t.deepEqual(gearArguments(['wc.yaml', '--local-ttl', '60']).args.slice(2), ['--for', '60s'])
  t.deepEqual(gearArguments(['--local-ttl=5', 'wc.yaml']).args, ['local', 'wc.yaml', '--for', '5s'])
  const none = gearArguments(['wc.yaml', '--local-ttl', '0'])
  t.deepEqual(none.args, ['local', 'wc.yaml'])
  t.regex(none.notice ?? '', /until Ctrl-C/)
  t.throws(() => gearArguments(['wc.yaml', '--local-ttl', '5s']), { instanceOf: StormUsageError })
  t.throws(() => gearArguments(['wc.yaml', '--local-ttl']), { instanceOf: StormUsageError })
})

test("Flux's short flags and arguments of the file are handed on", t => {
  const { args } = gearArguments(['wc.yaml', '-e', '-f', 'p.properties', '--', '--local-ttl', '3'])
  t.deepEqual(args, [
    'local',
    'wc.yaml',
    '--env-filter',
    '--filter',
    'p.properties',
    '--for',
    '20s',
    '--',
    '--local-ttl',
    '3',
  ])
})

test('a jar without a class to run is refused, and what to give is told', t => {
  const words = ['flux.jar', 'org.apache.storm.flux.Flux', 'wc.yaml']
  t.throws(() => gearArguments(words), { message: /flux\.jar.*storm local wc\.yaml/ })
  t.throws(() => gearArguments(['my.jar']), { message: /storm local my\.jar MAIN_CLASS/ })
})

test('a program of a jar is told of a Nimbus in this process, which runs what it submits until the time is over', async t => {
  const w = await worldWithJars(t)
  const beganMs = w.around.nowMs()
  t.is(await w.run('local', 'my.jar', 'a.Main', 'x', '--local-ttl', '3', '-c', 'k=v'), 0)
  t.is(w.around.nowMs() - beganMs, 3000)
  const [start, java, close] = w.programs
  t.deepEqual([start!.args, close!.args], [['start'], ['close']])
  t.deepEqual(java!.args.slice(-2), ['a.Main', 'x'])
  const place = `k%3Dv,nimbus.host%3Dlocalhost,nimbus.seeds%3D%5B%22localhost%22%5D,nimbus.thrift.port%3D${LOCAL_PORT}`
  t.true(java!.args.includes(`-Dstorm.options=${place}`))
})

test('Flux with Java classes is submitted to it by the Flux of the jar, by storm local and by --local', async t => {
  const w = await worldWithJars(t)
  await writeFile(
    join(w.dir, 'wc.yaml'),
    'name: wc\nspouts: [{id: s, className: com.acme.Spout}]\n',
  )
  const flux = ['my.jar', 'org.apache.storm.flux.Flux']
  const beganMs = w.around.nowMs()
  t.is(await w.run('local', ...flux, 'wc.yaml', '--local-ttl', '3'), 0, w.notes())
  t.is(await w.run('jar', ...flux, '--local', '--sleep', '5000', 'wc.yaml'), 0)
  t.is(w.around.nowMs() - beganMs, 8000)
  const runs = w.programs.filter(({ command }) => command !== 'nimbus')
  const ends = runs.map(({ args }) => args.slice(args.indexOf('org.apache.storm.flux.Flux') + 1))
  t.deepEqual(ends, [
    ['--remote', 'wc.yaml'],
    ['--remote', '--sleep', '5000', 'wc.yaml'],
  ])
  t.regex(w.notes(), /the class com\.acme\.Spout needs Java; the Flux of the jar is run/)
})

test('a program that fails is not waited for', async t => {
  const w = await worldWithJars(t, 3)
  const beganMs = w.around.nowMs()
  t.is(await w.run('local', 'my.jar', 'a.Main'), 3)
  t.is(w.around.nowMs(), beganMs)
  t.deepEqual(w.programs.at(-1)!.args, ['close'])
})

test('both --for and --local-ttl are one too many', t => {
  t.throws(() => gearArguments(['wc.yaml', '--for', '1s', '--local-ttl', '1']), {
    instanceOf: StormUsageError,
  })
  t.deepEqual(gearArguments(['wc.yaml', '--for', '1s']).args, ['local', 'wc.yaml', '--for', '1s'])
})

test('local and version are handed to gear; what is no verb, or no file, exits with 2', async t => {
  const w = await world(t)
  t.is(await w.run('local', 'wc.yaml', '--local-ttl', '1'), 7)
  t.is(await w.run('version'), 7)
  t.is(w.printed(), 'Storm 2.8.1\nServed by gearpump ')
  for (const verb of ['lokal', 'x']) t.is(await w.run(verb), 2, verb)
  t.is(await w.run('local', 'x.jar'), 2)
  t.deepEqual(w.gearCalls, [['local', 'wc.yaml', '--for', '1s'], ['--version']])
  t.regex(w.notes(), /there is no "storm lokal"; did you mean "storm local"\?/)
})

test('nothing is exit code 1 with the usage, as in Storm, and help is 0', async t => {
  const w = await world(t)
  t.is(await w.run(), 1)
  t.regex(w.notes(), /^Usage: storm VERB/)
  t.is(await w.run('help'), 0)
  t.is(await w.run('help', 'kill'), 0)
  t.is(await w.run('local', '--help'), 0)
  t.regex(w.printed(), /rebalance[\s\S]*Usage: storm kill TOPOLOGY…[\s\S]*--local-ttl SECS/)
})
