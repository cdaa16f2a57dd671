// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Flux itself writes ${name}.
import test from 'ava'
import type { Bolt, Spout } from '../../../../storm-compat/component/api.ts'
import { loadFlux } from '../../../../storm-compat/flux/load.ts'
import type { Component, StormTopology } from '../../../../storm-compat/topology/topology.ts'
import { fluxFolder } from './_flux-folder.ts'

const SHELL_SPOUT = 'org.apache.storm.flux.wrappers.spouts.FluxShellSpout'
const SHELL_BOLT = 'org.apache.storm.flux.wrappers.bolts.FluxShellBolt'

const clicks = `
name: "clicks"
config:
  topology.workers: 2
  topology.max.spout.pending: 500
  topology.environment: {LANG: "C.UTF-8"}
spouts:
  - id: "log"
    className: "${SHELL_SPOUT}"
    constructorArgs:
      - ["node", "read-log.js", "--follow"]
      - ["user", "page"]
    configMethods:
      - name: "setNamedStream"
        args: ["bad-lines", ["line", "reason"]]
    parallelism: 2
bolts:
  - id: "session"
    className: "${SHELL_BOLT}"
    constructorArgs:
      - ["python3", "session.py"]
      - ["user", "pages"]
    configMethods:
      - name: "addComponentConfig"
        args: ["session.minutes", 30]
      - name: "addComponentConfig"
        args: ["topology.tick.tuple.freq.secs", 10]
      - name: "setEnv"
        args: [{PYTHONUNBUFFERED: 1, PATH: /opt/bin}]
      - name: "changeChildCWD"
        args: [false]
    parallelism: 3
    numTasks: 6
    config:
      session.minutes: 45
  - id: "complain"
    className: "${SHELL_BOLT}"
    constructorArgs:
      - ["streamparse_run", "bolts.Complain"]
      - ["NONE_BUT_FLUX_WANTS_SOMETHING_HERE"]
    configMethods: []
  - id: "lonely"
    className: "${SHELL_BOLT}"
    constructorArgs:
      - ["true"]
      - []
streams:
  - name: "by user"
    from: "log"
    to: "session"
    grouping: {type: FIELDS, args: ["user"]}
  - from: "log"
    to: "complain"
    grouping: {type: global, streamId: "bad-lines"}
  - from: "session"
    to: "complain"
    grouping:
      type: CUSTOM
      customClass:
        className: org.apache.storm.grouping.PartialKeyGrouping
`

function find(topology: StormTopology, id: string): Component {
  const component = topology.components.find(c => c.id === id)
  if (component === undefined) throw new Error(`no component ${id}`)
  return component
}

test('a multi-lang topology with several streams loads', async t => {
  const { topology, notices } = await loadFlux(fluxFolder(t, { 'clicks.yaml': clicks }))
  t.is(topology.name, 'clicks')
  t.like(topology.config, { 'topology.workers': 2, 'topology.environment': { LANG: 'C.UTF-8' } })

  const log = find(topology, 'log')
  t.deepEqual(log.implementation, {
    kind: 'shell',
    command: ['node', 'read-log.js', '--follow'],
    env: {},
    changeChildCwd: true,
  })
  t.deepEqual(
    [...log.streams],
    [
      ['default', { fields: ['user', 'page'], direct: false }],
      ['bad-lines', { fields: ['line', 'reason'], direct: false }],
    ],
  )
  t.is(log.parallelismHint, 2)

  const session = find(topology, 'session')
  t.like(session.implementation, {
    env: { PYTHONUNBUFFERED: '1', PATH: '/opt/bin' },
    changeChildCwd: false,
  })
  t.like(session, { parallelismHint: 3, numTasks: 6 })
  t.deepEqual(session.config, { 'session.minutes': 45, 'topology.tick.tuple.freq.secs': 10 })
  t.like(session.inputs[0], {
    component: 'log',
    stream: 'default',
    grouping: { type: 'fields', fields: ['user'] },
  })

  const complain = find(topology, 'complain')
  t.deepEqual(
    complain.inputs.map(i => i.grouping),
    [{ type: 'global' }, { type: 'partialKey', fields: ['user'] }],
  )
  t.is(complain.streams.size, 0, 'the field that streamparse makes up is not declared')
  t.regex(notices.join('\n'), /bolt "lonely" is left out: no stream leads to it/)
})

test('P34 an empty list as the fields of a shell component declares a stream without fields', async t => {
  const text = clicks.replace('to: "complain"', 'to: "lonely"').replace('global', 'ALL')
  const yaml = text.replace('streamId: "bad-lines"', 'streamId: "bad-lines"')
  const { topology } = await loadFlux(fluxFolder(t, { 'a.yaml': yaml }))
  t.deepEqual([...find(topology, 'lonely').streams], [['default', { fields: [], direct: false }]])
})

test('every grouping type has its grouping', async t => {
  const types = ['SHUFFLE', 'ALL', 'NONE', 'GLOBAL', 'DIRECT', 'LOCAL_OR_SHUFFLE']
  const expected = ['shuffle', 'all', 'none', 'global', 'direct', 'localOrShuffle']
  const ids = [...types, 'FIELDS', 'PARTIAL_KEY']
  const yaml = `
name: groupings
spouts:
  - {id: s, className: ${SHELL_SPOUT}, constructorArgs: [[s], [word]]}
bolts:
${ids.map(id => `  - {id: ${id}, className: ${SHELL_BOLT}, constructorArgs: [[b]]}`).join('\n')}
streams:
${ids.map(id => `  - {from: s, to: ${id}, grouping: {type: ${id}, args: [word]}}`).join('\n')}
`
  const { topology, notices } = await loadFlux(fluxFolder(t, { 'g.yaml': yaml }))
  const groupings = topology.components.slice(1).map(c => c.inputs[0]?.grouping)
  t.deepEqual(groupings, [
    ...expected.map(type => ({ type })),
    { type: 'fields', fields: ['word'] },
    { type: 'partialKey', fields: ['word'] },
  ] as typeof groupings)
  t.regex(
    notices.join('\n'),
    /direct grouping to stream "default" of "s", which is not declared direct/,
  )
})

test('properties and environment are put in wherever they are named, and the rest stays literal', async t => {
  const yaml = `
name: "\${name}-\${ENV-STAGE}"
config: {topology.workers: \${workers}, who: "\${ENV-NOBODY}", first: "\${hosts[0]}", all: \${hosts}}
spouts:
  - {id: s, className: ${SHELL_SPOUT}, constructorArgs: [[run, "\${ENV-STAGE}/\${name}"], [word]]}
`
  const file = fluxFolder(t, {
    'sub.yaml': yaml,
    'my.properties': '# ours\nname = counts\nworkers: 3\nhosts=["a", \\\n  "b"]\n',
  })
  const properties = file.replace('sub.yaml', 'my.properties')
  const { topology, notices } = await loadFlux(file, {
    properties,
    envFilter: true,
    env: { STAGE: 'test' },
  })
  t.is(topology.name, 'counts-test')
  t.deepEqual(topology.config, {
    'topology.workers': 3,
    who: `\${ENV-NOBODY}`,
    first: 'a',
    all: ['a', 'b'],
  })
  t.like(topology.components[0]?.implementation, { command: ['run', 'test/counts'] })
  t.deepEqual(notices, [`${file}:3:46: \${ENV-NOBODY} has no value and is kept as it is`])
})

test('includes bring parts that are missing, and override only where told', async t => {
  const base = `
name: base
config: {topology.workers: 9, topology.debug: true}
spouts:
  - {id: s, className: ${SHELL_SPOUT}, constructorArgs: [[base], [word]]}
bolts:
  - {id: b, className: ${SHELL_BOLT}, constructorArgs: [[b]]}
streams:
  - {from: s, to: b, grouping: {type: SHUFFLE}}
`
  const top = (override: boolean) => `
name: top
includes:
  - {resource: true, file: "/parts/base.yaml", override: ${override}}
config: {topology.workers: 1}
spouts:
  - {id: s, className: ${SHELL_SPOUT}, constructorArgs: [[top], [word]]}
`
  const kept = await loadFlux(fluxFolder(t, { 'a.yaml': top(false), 'parts/base.yaml': base }))
  t.is(kept.topology.name, 'top')
  t.deepEqual(kept.topology.config, { 'topology.workers': 1, 'topology.debug': true })
  t.like(find(kept.topology, 's').implementation, { command: ['top'] })
  t.is(find(kept.topology, 'b').inputs.length, 1)
  t.is(kept.notices.filter(n => n.includes('the include does not override')).length, 3)

  const won = await loadFlux(fluxFolder(t, { 'a.yaml': top(true), 'parts/base.yaml': base }))
  t.is(won.topology.name, 'base')
  t.like(won.topology.config, { 'topology.workers': 9 })
  t.like(find(won.topology, 's').implementation, { command: ['base'] })
})

test('overrides and a given name win over the file', async t => {
  const { topology } = await loadFlux(fluxFolder(t, { 'a.yaml': clicks }), {
    overrides: { 'topology.workers': 5, mine: { a: [1] } },
    name: 'other',
  })
  t.is(topology.name, 'other')
  t.like(topology.config, { 'topology.workers': 5, mine: { a: [1] } })
})

const module = `
export class Source {
  constructor(options, limit) { this.options = options; this.limit = limit }
  withTopic(topic) { this.topic = topic }
  setStart(start) { this.start = start }
  open() {}
  nextTuple() {}
  declareOutputFields(d) { d.declare(['word']) }
}
export class Options {
  constructor(hosts) { this.hosts = hosts }
  static local(port) { return new Options(['localhost:' + port]) }
}
export const sink = () => ({
  basic: true, execute() {}, declareOutputFields() {}, getComponentConfiguration: () => ({ deep: 1 }),
})
export class Odd { chooseTasks(task, values) { return [values.length] } }
`

test('TypeScript and JavaScript classes can stand in a Flux file', async t => {
  const yaml = `
name: mixed
components:
  - {id: options, className: "./parts.mjs#Options", factory: local, factoryArgs: [9092]}
spouts:
  - id: s
    className: "./parts.mjs#Source"
    constructorArgs: [{ref: options}, 7]
    properties: [{name: start, value: earliest}, {name: twin, ref: options}]
    configMethods: [{name: withTopic, args: [clicks]}]
bolts:
  - {id: k, className: "./parts.mjs#sink", parallelism: 2}
  - {id: p, className: ${SHELL_BOLT}, constructorArgs: [[python3, p.py]]}
streams:
  - {from: s, to: k, grouping: {type: CUSTOM, customClass: {className: "./parts.mjs#Odd"}}}
  - {from: s, to: p, grouping: {type: SHUFFLE}}
`
  const { topology } = await loadFlux(fluxFolder(t, { 'm.yaml': yaml, 'parts.mjs': module }))
  const source = find(topology, 's')
  t.deepEqual([...source.streams], [['default', { fields: ['word'], direct: false }]])
  t.is(source.implementation.kind, 'spout')
  const make = (source.implementation as { create: () => Spout }).create
  const [one, two] = [make(), make()] as unknown as Record<string, unknown>[]
  t.like(one, {
    limit: 7,
    topic: 'clicks',
    start: 'earliest',
    options: { hosts: ['localhost:9092'] },
  })
  t.is(one?.options, one?.twin, 'one task sees one object however it is referred to')
  t.not(one?.options, two?.options, 'tasks share nothing')

  const sink = find(topology, 'k')
  t.deepEqual(sink.config, { deep: 1 })
  t.is(typeof (sink.implementation as { create: () => Bolt }).create().execute, 'function')
  const grouping = sink.inputs[0]?.grouping
  t.is(grouping?.type, 'custom')
  t.deepEqual(grouping?.type === 'custom' && grouping.create().chooseTasks(1, ['x', 'y']), [2])
})

test('the classes of Storm that its examples use are there, under their old names too', async t => {
  const yaml = `
name: stock
spouts:
  - {id: words, className: backtype.storm.testing.TestWordSpout, parallelism: 2}
bolts:
  - {id: count, className: org.apache.storm.testing.TestWordCounter}
  - {id: log, className: org.apache.storm.flux.wrappers.bolts.LogInfoBolt}
streams:
  - {from: words, to: count, grouping: {type: FIELDS, args: [word]}}
  - from: count
    to: log
    grouping:
      type: CUSTOM
      customClass: {className: org.apache.storm.testing.NGrouping, constructorArgs: [1]}
`
  const { topology } = await loadFlux(fluxFolder(t, { 's.yaml': yaml }))
  t.deepEqual(
    topology.components.map(c => c.implementation.kind),
    ['spout', 'bolt', 'bolt'],
  )
  t.deepEqual(find(topology, 'count').streams.get('default')?.fields, ['word', 'count'])
  const grouping = find(topology, 'log').inputs[0]?.grouping
  if (grouping?.type !== 'custom') return t.fail()
  const nGrouping = grouping.create()
  nGrouping.prepare?.('count', 'default', [4, 5])
  t.deepEqual(nGrouping.chooseTasks(3, []), [4])
})
