import test from 'ava'
import { gearArguments } from '../../../../storm-compat/cli/local.ts'
import { StormUsageError } from '../../../../storm-compat/cli/usage-error.ts'
import { world } from './_surroundings.ts'

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

test('a jar is refused, and the way without it is told', t => {
  const words = ['flux.jar', 'org.apache.storm.flux.Flux', 'wc.yaml']
  t.throws(() => gearArguments(words), { message: /flux\.jar.*storm local wc\.yaml/ })
  t.throws(() => gearArguments(['my.jar', 'a.B']), { message: /give a Flux file/ })
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
