import test from 'ava'
import { gearArguments, StormUsageError } from '../../../../storm-compat/cli/local.ts'
import { type Gear, storm } from '../../../../storm-compat/cli/storm.ts'

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

test('local and version are handed to gear; verbs that need a cluster exit with 2', async t => {
  const calls: string[][] = []
  const gear: Gear = async argv => {
    calls.push([...argv])
    return 7
  }
  t.is(await storm(['local', 'wc.yaml', '--local-ttl', '1'], gear), 7)
  t.is(await storm(['version'], gear), 7)
  for (const verb of ['jar', 'list', 'kill', 'locla']) t.is(await storm([verb], gear), 2, verb)
  t.is(await storm(['local', 'x.jar'], gear), 2)
  t.deepEqual(calls, [['local', 'wc.yaml', '--for', '1s'], ['--version']])
})
