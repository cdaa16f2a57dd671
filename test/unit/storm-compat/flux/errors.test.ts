// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Flux itself writes ${name}.
import { symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'ava'
import { EngineError, UserError } from 'gearpump/spi'
import { loadFlux } from '../../../../storm-compat/flux/load.ts'
import { fluxFolder, problemsOf } from './_flux-folder.ts'

const SHELL_SPOUT = 'org.apache.storm.flux.wrappers.spouts.FluxShellSpout'
const SHELL_BOLT = 'org.apache.storm.flux.wrappers.bolts.FluxShellBolt'
const spout = `{id: s, className: ${SHELL_SPOUT}, constructorArgs: [[run], [word]]}`
const around = (rest: string) => `name: n\nspouts:\n  - ${spout}\n${rest}`

test('all mistakes are told at once, in the order of the file, each with line, column and nearest name', async t => {
  const yaml = `name: wrong
config:
  topology.workers: two
spouts:
  - id: words
    className: ${SHELL_SPOUT}
    constructorArgs: [[run], [word, word]]
    paralelism: 2
bolts:
  - id: count
    className: ${SHELL_BOLT}
    constructorArgs: ["python3 count.py"]
    parallelism: 0
  - id: log
    className: ${SHELL_BOLT}
    constructorArgs: [[log]]
    configMethods:
      - {name: setNamedStreams, args: [x, [y]]}
  - {id: sink, className: ${SHELL_BOLT}, constructorArgs: [[log]]}
streams:
  - from: words
    to: counts
    grouping: {type: FIELD, args: [word]}
  - from: words
    to: sink
    grouping: {type: FIELDS, args: [wordd], stream: x}
  - to: log
`
  t.deepEqual(await problemsOf(t, yaml), [
    '3:3 topology.workers must be an integer > 0, is "two"',
    '5:9 stream "default" of "words" declares field "word" twice',
    '8:5 "paralelism" is not a key of a spout (did you mean "parallelism"?)',
    '12:23 the command must be a list of strings (write ["python3 count.py"])',
    '13:18 parallelism must be a positive integer, is "0"',
    '18:9 shell components have no method "setNamedStreams" (did you mean "setNamedStream"?)',
    '22:9 there is no bolt "counts" (did you mean "count"?)',
    '23:22 there is no grouping type "FIELD" (did you mean FIELDS?)',
    '24:5 "sink" groups by field "wordd", which stream "default" of "words" does not have (did you mean "word"?)',
    '26:45 "stream" is not a key of a grouping (did you mean "streamId"?)',
    '27:5 a stream needs from',
    '27:5 a stream needs a grouping (such as grouping: {type: SHUFFLE})',
  ])
})

test('lines and columns are those of the file as the user sees it, not as it is after substitution', async t => {
  const yaml = 'name: "${n}"\nspouts: ${none}\nbolts:\n  - {x: "${n}", ids: 1}\n'
  const problems = await problemsOf(t, yaml, {
    properties: { n: 'a value that is much longer than its name', none: '[]' },
  })
  t.deepEqual(
    problems.filter(p => p.includes('is not a key')).map(p => p.split(' ')[0]),
    ['4:6', '4:17'],
  )
})

test('Java is refused with what to do instead, each class at its place', async t => {
  const java = 'is not one that runs without Java'
  const hint =
    '(it runs with the jar that has it, and Flux: storm local JAR org.apache.storm.flux.Flux FILE --local-ttl 0 ' +
    'on this machine, or storm jar JAR org.apache.storm.flux.Flux --remote FILE on a cluster)'
  const code = 'names Java code. Java code runs only where its jar is submitted, by storm jar'
  const problems = await problemsOf(
    t,
    around(`components:
  - {id: c, className: com.acme.Config}
bolts:
  - {id: b, className: com.acme.Bolt, constructorArgs: [{ref: c}]}
  - {id: w, className: org.apache.storm.flux.wrapper.FluxShellBolt, constructorArgs: [[x]]}
streams:
  - from: s
    to: b
    grouping: {type: CUSTOM, customClass: {className: com.acme.Grouping}}
workerHooks: [{id: h, className: com.acme.Hook}]
topologySource: {className: com.acme.Source}
`),
  )
  t.deepEqual(problems, [
    `5:24 the Java class com.acme.Config ${java} ${hint}`,
    `7:24 the Java class com.acme.Bolt ${java} ${hint}`,
    `8:24 there is no class "org.apache.storm.flux.wrapper.FluxShellBolt" (did you mean "${SHELL_BOLT}"?)`,
    `12:55 the Java class com.acme.Grouping ${java} ${hint}`,
    `13:1 workerHooks ${code} (leave it out)`,
    `14:1 topologySource ${code} (declare spouts, bolts and streams instead)`,
  ])
})

test('wrong ends of streams, repeated ids and misused classes are told', async t => {
  const problems = await problemsOf(
    t,
    around(`bolts:
  - {id: s, className: ${SHELL_BOLT}, constructorArgs: [[x]]}
  - {id: b, className: ${SHELL_BOLT}, constructorArgs: [[x], [y], [z]]}
  - {id: d, className: ${SHELL_SPOUT}, constructorArgs: [[x]]}
  - {id: idle, className: ${SHELL_BOLT}, constructorArgs: [[x]]}
  - {id: e, className: ./x.mjs}
  - {id: f, className: "./nope.mjs#X"}
streams:
  - {from: b, to: s, grouping: {type: SHUFFLE}}
  - {from: idle, to: b, grouping: {type: CUSTOM}}
  - {from: s, to: d, grouping: {type: FIELDS}}
  - {from: far, to: e, grouping: {type: SHUFFLE}}
  - {from: s, to: f, grouping: {type: CUSTOM, customClass: {className: java.util.ArrayList}}}
`),
  )
  t.deepEqual(
    problems.map(p => p.replace(/ \(.*$| '.*$/, '')),
    [
      '5:10 the id "s" is taken already',
      '6:24 a shell component does not take 3 arguments',
      `7:24 ${SHELL_SPOUT} is not a bolt`,
      '9:24 "./x.mjs" does not say which export of the module is meant',
      '10:24 ./nope.mjs cannot be loaded: Cannot find module',
      '12:19 "s" is a spout and cannot take a stream',
      '13:12 bolt "idle" never runs, since no stream leads to it',
      '13:35 CUSTOM grouping needs customClass',
      '14:32 FIELDS grouping needs args',
      '15:12 there is no spout or bolt "far"',
      '16:72 java.util.ArrayList is not a grouping',
    ],
  )
})

test('references that lead nowhere or in a circle are told', async t => {
  const problems = await problemsOf(
    t,
    around(`components:
  - {id: one, className: java.util.ArrayList, constructorArgs: [{ref: two}]}
  - {id: two, className: java.util.ArrayList, constructorArgs: [{reflist: [one]}]}
  - {id: three, className: java.util.ArrayList, constructorArgs: [{ref: threee}]}
`),
  )
  t.deepEqual(problems, [
    '5:65 component "two" refers to itself',
    '6:65 component "one" refers to itself',
    '7:67 there is no component "threee" (did you mean "three"?)',
  ])
})

test('settings are checked: refused ones stop, ignored ones are told of', async t => {
  t.deepEqual(await problemsOf(t, around('config: {topology.blobstore.map: {a: {}}}\n')), [
    '4:10 topology.blobstore.map cannot be honoured (blobs are not laid beside components, which would miss their files: put them into the resources folder)',
  ])
  t.deepEqual(await problemsOf(t, around(''), { overrides: { 'topology.workers': 0 } }), [
    '-c topology.workers topology.workers must be an integer > 0, is 0',
  ])
  const file = fluxFolder(t, {
    'a.yaml': around('config: {topology.priority: 3, topology.wokers: 1}\n'),
  })
  t.deepEqual((await loadFlux(file)).notices, [
    `${file}:4:10: topology.priority is ignored: topologies do not compete`,
    `${file}:4:32: topology.wokers is not a setting of Storm and only passed on to components; did you mean topology.workers?`,
  ])
})

test('includes stay below the folder of the topology', async t => {
  const yaml = around(
    'includes: [{file: ../x.yaml}, {file: /etc/hostname}, {file: no.yaml}, {file: link.yaml}]\n',
  )
  const file = fluxFolder(t, { 'in/a.yaml': yaml, 'secret.yaml': 'name: secret\n' })
  symlinkSync('../secret.yaml', join(dirname(file), 'link.yaml'))
  const error = await t.throwsAsync(loadFlux(file), { instanceOf: UserError })
  t.deepEqual(
    error?.problems.map(p => p.message),
    [
      "the included file ../x.yaml lies outside of the topology's folder",
      "the included file /etc/hostname lies outside of the topology's folder",
      'the included file no.yaml does not exist',
      "the included file link.yaml lies outside of the topology's folder",
    ],
  )
})

test('includes go one level deep and a mistake in one is told at its own place', async t => {
  const file = fluxFolder(t, {
    'a.yaml': around('includes: [{file: b.yaml}]\n'),
    'b.yaml': 'includes: [{file: c.yaml}]\nconfig: {topology.debug: maybe}\n',
    'c.yaml': 'name: never read\nnonsense: 1\n',
  })
  const error = await t.throwsAsync(loadFlux(file), { instanceOf: UserError })
  t.deepEqual(error?.problems.length, 1)
  t.regex(error?.problems[0]?.place ?? '', /b\.yaml:2:10$/)
})

test('files that are no topology, or not there, say so', async t => {
  t.deepEqual(await problemsOf(t, ''), ['1:1 a topology must be a map that begins with name: …'])
  t.deepEqual(await problemsOf(t, 'name: [x'), [
    '1:9 Flow sequence in block collection must be sufficiently indented and end with a ]',
  ])
  t.deepEqual(await problemsOf(t, 'spouts: []\n'), [
    '1:1 the topology has no name (add name: …)',
    '1:1 there is no spout (a topology needs at least one spout to start the flow)',
  ])
  const error = await t.throwsAsync(loadFlux('/nowhere/a.yaml'), { instanceOf: EngineError })
  t.is(error?.code, 'FILE_NOT_FOUND')
})

test('a wrong export and a class that throws are told where they are named', async t => {
  const file = fluxFolder(t, {
    'a.yaml': around(`bolts:
  - {id: a, className: "./m.mjs#Bolts"}
  - {id: b, className: "./m.mjs#Boom"}
  - {id: c, className: "./m.mjs#Twice"}
streams:
  - {from: s, to: a, grouping: {type: SHUFFLE}}
  - {from: s, to: b, grouping: {type: SHUFFLE}}
  - {from: s, to: c, grouping: {type: SHUFFLE}}
`),
    'm.mjs': `export class Bolt {}
export class Boom { constructor() { throw new Error('no broker') } }
export class Twice {
  prepare() {} execute() {}
  declareOutputFields(d) { d.declare(['a']); d.declare(['b']) }
}
`,
  })
  const error = await t.throwsAsync(loadFlux(file), { instanceOf: UserError })
  t.deepEqual(
    error?.problems.map(p => `${p.place.replace(`${file}:`, '')} ${p.message}`),
    [
      '5:24 ./m.mjs has no export "Bolts"',
      '6:24 ./m.mjs#Boom: no broker',
      '7:24 ./m.mjs#Twice cannot declare its outputs: stream "default" is declared twice',
    ],
  )
})
