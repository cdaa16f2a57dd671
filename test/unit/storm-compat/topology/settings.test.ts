import { readFileSync, writeFileSync } from 'node:fs'
import test from 'ava'
import {
  checkSettings,
  defaults,
  effectiveConf,
  settingsTable,
  topologyConf,
} from '../../../../storm-compat/topology/settings.ts'
import { settingsPage } from './_settings-page.ts'
import { spout, topology } from './_topologies.ts'

const run = { stormId: 't-1-1700000000', name: 't' }

test('P7 the conf of a component is the whole merged one, with its own overrides', t => {
  const s = spout('s', { config: { 'topology.debug': true, mine: null } })
  const whole = topology([s], { 'topology.workers': 3, 'topology.debug': false, yours: [1] })
  const conf = effectiveConf(whole, s, run)
  t.like(conf, {
    'topology.debug': true,
    'topology.workers': 3,
    'topology.message.timeout.secs': 30,
    'nimbus.thrift.port': 6627,
    'storm.id': 't-1-1700000000',
    'topology.name': 't',
    'storm.cluster.mode': 'distributed',
    yours: [1],
    mine: null,
  })
  t.is(topologyConf(whole, { ...run, mode: 'local' })['storm.cluster.mode'], 'local')
  t.is(topologyConf(whole, run)['topology.debug'], false)
})

test('the defaults have the keys of Storm 2.8, the null ones among them', t => {
  t.true(Object.keys(defaults).length >= 286)
  t.true(Object.keys(effectiveConf(topology([]), spout('s'), run)).length >= 294)
  t.is(defaults['topology.max.spout.pending'], null)
  t.true('transactional.zookeeper.servers' in defaults)
  t.false('topology.subprocess.timeout.secs' in defaults)
})

test('a component cannot take the name of the run', t => {
  const s = spout('s', { config: { 'topology.name': 'x', 'storm.id': 'y' } })
  t.like(effectiveConf(topology([s]), s, run), { 'topology.name': 't', 'storm.id': run.stormId })
})

test('types are checked as Storm checks them', t => {
  const wrong: Record<string, unknown> = {
    'topology.workers': 0,
    'topology.tasks': 2 ** 31,
    'topology.message.timeout.secs': null,
    'topology.debug': 'true',
    'topology.environment': { A: 1 },
    'topology.stats.sample.rate': -1,
    'topology.users': [1],
    'topology.kryo.register': 'x',
    'topology.multilang.serializer': 'com.acme.ProtoSerializer',
  }
  const { problems } = checkSettings(wrong)
  t.deepEqual(
    problems.map(p => p.place),
    Object.keys(wrong),
  )
  t.deepEqual(problems.slice(0, 3), [
    { place: 'topology.workers', message: 'topology.workers must be an integer > 0, is 0' },
    {
      place: 'topology.tasks',
      message: 'topology.tasks must be an integer >= 0, is 2147483648',
    },
    {
      place: 'topology.message.timeout.secs',
      message: 'topology.message.timeout.secs must not be null',
      hint: 'leave it out to get 30',
    },
  ])
})

test('the serializers that users write are known by their names', t => {
  for (const name of [
    'org.apache.storm.multilang.JsonSerializer',
    'backtype.storm.multilang.JsonSerializer',
    'com.parsely.storm.serializers.MessagePackSerializer',
    'pkg.MsgPackSerializer',
  ]) {
    t.deepEqual(checkSettings({ 'topology.multilang.serializer': name }).problems, [], name)
  }
})

test('every default is a sound value and tells of nothing', t => {
  t.deepEqual(checkSettings(defaults), { problems: [], notices: [] })
})

test('ignored settings are told of where they differ from the default', t => {
  const { problems, notices } = checkSettings({
    'topology.priority': 29,
    'topology.worker.gc.childopts': '-Xmx2g',
    'topology.auto.task.hooks': [],
    'topology.backpressure.enable': null,
    'topology.blobstore.map': {},
    'topology.massage.timeout.secs': 3,
    'my.own': 1,
  })
  t.deepEqual(problems, [])
  t.deepEqual(notices, [
    'topology.worker.gc.childopts is ignored: the JVM of Java components is set up by gearpump.jvm.* and topology.worker.childopts',
    'topology.massage.timeout.secs is not a setting of Storm and only passed on to components; did you mean topology.message.timeout.secs?',
  ])
})

test('the notes are one line each', t => {
  for (const { key, note } of settingsTable.values()) t.regex(note, /^[^\n|]+[^.\n|]$/, key)
})

test('docs/storm-settings.md is what the table says (UPDATE_DOCS=1 writes it)', t => {
  const page = new URL('../../../../docs/storm-settings.md', import.meta.url)
  if (process.env.UPDATE_DOCS === '1') writeFileSync(page, settingsPage())
  t.is(readFileSync(page, 'utf8'), settingsPage())
})
