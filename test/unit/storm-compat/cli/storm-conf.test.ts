// Where the configuration comes from, and which Nimbus it leads to.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { storm } from '../../../../storm-compat/cli/storm.ts'
import type { Door } from '../../../../storm-compat/cli/verb.ts'
import { type World, world } from './_surroundings.ts'

async function conf(dir: string, folder: string, text: string): Promise<string> {
  await mkdir(join(dir, folder), { recursive: true })
  await writeFile(join(dir, folder, 'storm.yaml'), text)
  return join(dir, folder)
}

const answers = { getTopologySummaries: [] }

async function connectedTo(w: World, ...argv: string[]): Promise<string[]> {
  w.connections.length = 0
  const exit = await w.run('list', ...argv)
  return [...w.connections, `exit ${exit}`]
}

test('nothing said: a Nimbus on this machine, at port 6627', async t => {
  const w = await world(t, { answers })
  t.deepEqual(await connectedTo(w), ['localhost:6627', 'exit 0'])
})

test('~/.storm/storm.yaml comes before STORM_CONF_DIR, which comes before STORM_HOME/conf', async t => {
  const env: Record<string, string> = {}
  const w = await world(t, { answers, env })
  env.STORM_HOME = join(w.dir, 'release')
  await conf(w.dir, 'release/conf', 'nimbus.seeds: ["release"]')
  t.deepEqual(await connectedTo(w), ['release:6627', 'exit 0'])
  env.STORM_CONF_DIR = await conf(w.dir, 'etc', 'nimbus.seeds: ["etc"]\nnimbus.thrift.port: 7000')
  t.deepEqual(await connectedTo(w), ['etc:7000', 'exit 0'])
  await conf(w.dir, '.storm', 'nimbus.seeds: ["mine"]')
  t.deepEqual(await connectedTo(w), ['mine:6627', 'exit 0'])
})

test('--config is another file, and -c wins over all files', async t => {
  const w = await world(t, { answers })
  await conf(w.dir, '.storm', 'nimbus.seeds: ["mine"]')
  await writeFile(join(w.dir, 'other.yaml'), 'nimbus.host: old\nnimbus.thrift.port: 1234')
  t.deepEqual(await connectedTo(w, '--config', 'other.yaml'), ['old:1234', 'exit 0'])
  const setting = 'nimbus.seeds=["given"]'
  t.deepEqual(await connectedTo(w, '-c', setting), ['given:6627', 'exit 0'])
  t.deepEqual(await connectedTo(w, '-c', 'nimbus.seeds=a,b'), ['a:6627', 'exit 0'])
  t.deepEqual(await connectedTo(w, '--config', 'none.yaml'), ['exit 1'])
  t.regex(w.notes(), /there is no configuration none\.yaml\n {2}looked for/)
})

test('a file that is no map, a port that is none, and no seed are told', async t => {
  const w = await world(t, { answers })
  await conf(w.dir, '.storm', '- a\n- b')
  t.deepEqual(await connectedTo(w), ['exit 1'])
  await conf(w.dir, '.storm', 'a: [')
  t.deepEqual(await connectedTo(w), ['exit 1'])
  await conf(w.dir, '.storm', '')
  t.deepEqual(await connectedTo(w, '-c', 'nimbus.thrift.port=x'), ['exit 1'])
  t.deepEqual(await connectedTo(w, '-c', 'nimbus.seeds=[]'), ['exit 1'])
  t.regex(w.notes(), /must be a map of settings/)
  t.regex(w.notes(), /nimbus\.thrift\.port is x/)
  t.regex(w.notes(), /nimbus\.seeds names no host/)
})

test('storm.yaml is read as Storm reads it: the last of two counts, no is false, and what is wrong has a place', async t => {
  const w = await world(t, { answers })
  const twice = 'nimbus.seeds: ["old"]\nnimbus.thrift.port: 1\nnimbus.seeds: ["new"]\n'
  await conf(w.dir, '.storm', `\uFEFF${twice.replaceAll('\n', '\r\n')}`)
  t.deepEqual(await connectedTo(w), ['new:1', 'exit 0'])
  await conf(w.dir, '.storm', 'ui.actions.enabled: no\na: y\nb: 9223372036854775807\nc: 010\n')
  for (const name of ['ui.actions.enabled', 'a', 'b', 'c']) await w.run('localconfvalue', name)
  t.deepEqual(w.printed().trim().split('\n').slice(-4), [
    'ui.actions.enabled: false',
    'a: y',
    'b: 9223372036854776000',
    'c: 8',
  ])
  await conf(w.dir, '.storm', 'a: 1\nb: [\n')
  t.deepEqual(await connectedTo(w), ['exit 1'])
  t.regex(w.notes(), /storm\.yaml:3:1 .*\n.*it must be YAML/)
})

test('seeds are tried in turn, and the leader that one names is used', async t => {
  const leader = { host: 'leader', port: 9000 }
  const w = await world(t, { answers: { ...answers, getLeader: leader }, deadHosts: ['dead'] })
  const seeds = ['-c', 'nimbus.seeds=["dead","alive"]']
  t.deepEqual(await connectedTo(w, ...seeds), ['dead:6627', 'alive:6627', 'leader:9000', 'exit 0'])
})

test('a Nimbus of Storm 1.0 is asked for its cluster to find the leader', async t => {
  const nimbuses = [
    { host: 'follower', port: 1, isLeader: false },
    { host: 'leader', port: 2, isLeader: true },
  ]
  const w = await world(t, { answers: { ...answers, getClusterInfo: { nimbuses } } })
  // A method that this Nimbus does not know.
  const { connect } = w.around
  const around = {
    ...w.around,
    connect: async (door: Door) => {
      const client = await connect(door)
      const call = (name: string, args: never) =>
        client.call((name === 'getLeader' ? 'unknownMethod' : name) as never, args)
      return { ...client, call } as never
    },
  }
  t.is(await storm(['list'], w.around.gear, around), 0)
  t.deepEqual(w.connections, ['localhost:6627', 'leader:2'])
})

test('no Nimbus at all: every seed is told with its reason, and what to set', async t => {
  const w = await world(t, { deadHosts: ['a', 'b'] })
  t.is(await w.run('list', '-c', 'nimbus.seeds=["a","b"]'), 1)
  t.regex(w.notes(), /from the seeds a, b: a:6627: nobody listens; b:6627: nobody listens/)
  t.regex(w.notes(), /set nimbus\.seeds/)
})

test('a cluster behind Kerberos is refused before a connection that could only fail', async t => {
  const w = await world(t, { answers })
  const plugin = 'org.apache.storm.security.auth.kerberos.KerberosSaslTransportPlugin'
  t.deepEqual(await connectedTo(w, '-c', `storm.thrift.transport=${plugin}`), ['exit 1'])
  t.regex(w.notes(), /KerberosSaslTransportPlugin, which is not spoken here/)
})

test('a setting is told as Storm prints it', async t => {
  const w = await world(t)
  await conf(w.dir, '.storm', 'a.list: [x, y]\na.map: {k: [1, {l: null}]}\na.bool: true')
  for (const key of ['a.list', 'a.map', 'a.bool', 'a.none', 'nimbus.thrift.port']) {
    t.is(await w.run('localconfvalue', key), 0)
  }
  t.is(
    w.printed(),
    'a.list: x y\na.map: {k=[1, {l=null}]}\na.bool: true\na.none: null\nnimbus.thrift.port: 6627\n',
  )
})

test('remoteconfvalue looks where a daemon would, not in the home folder', async t => {
  const env: Record<string, string> = {}
  const w = await world(t, { env })
  await conf(w.dir, '.storm', 'nimbus.seeds: [mine]')
  env.STORM_CONF_DIR = await conf(w.dir, 'etc', 'nimbus.seeds: [one, two]')
  t.is(await w.run('remoteconfvalue', 'nimbus.seeds'), 0)
  t.is(w.printed(), 'nimbus.seeds: one two\n')
})

test('answers are waited for as long as Storm’s setting says, and else not for ten minutes', async t => {
  const w = await world(t, { answers })
  const doors: Door[] = []
  const around = {
    ...w.around,
    connect: (door: Door) => {
      doors.push(door)
      return w.around.connect(door)
    },
  }
  const patienceOf = async (...argv: string[]) => {
    t.is(await storm(['list', ...argv], w.around.gear, around), 0)
    const { timeoutMs, connectTimeoutMs } = doors.at(-1)!
    const of = (name: string) => (typeof timeoutMs === 'function' ? timeoutMs(name) : timeoutMs)
    return [connectTimeoutMs, of('getLeader'), of('killTopology'), of('submitTopologyWithOpts')]
  }
  t.deepEqual(await patienceOf(), [10_000, 10_000, 30_000, 120_000])
  const key = 'storm.thrift.socket.timeout.ms'
  t.deepEqual(await patienceOf('-c', `${key}=600000`), [600_000, 600_000, 600_000, 600_000])
  t.is((await patienceOf('-c', `${key}=0`))[0], 2 ** 31 - 1)
  await conf(w.dir, '.storm', `${key}: 7000`)
  t.is((await patienceOf())[1], 7000)
  t.is(await storm(['list', '-c', `${key}=soon`], w.around.gear, around), 1)
  t.regex(w.notes(), /storm\.thrift\.socket\.timeout\.ms is "soon"/)
})
