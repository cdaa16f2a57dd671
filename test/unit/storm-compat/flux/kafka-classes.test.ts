// Flux files with Storm's Kafka classes: what they become, and what is told about mistakes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { loadFlux } from '../../../../storm-compat/flux/load.ts'
import type { StormTopology } from '../../../../storm-compat/topology/topology.ts'

const EXAMPLE = fileURLToPath(
  new URL('../../../../examples/kafka-to-kafka/topology.yaml', import.meta.url),
)

async function load(t: ExecutionContext, yaml: string): Promise<StormTopology> {
  const dir = mkdtempSync(join(tmpdir(), 'gearpump-test-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  writeFileSync(join(dir, 'value.js'), VALUE_MODULE)
  const file = join(dir, 'topology.yaml')
  writeFileSync(file, yaml)
  return (await loadFlux(file)).topology
}

const VALUE_MODULE = `
export class OnlyValue {
  apply({ value }) { return [value] }
  getFieldsFor() { return ['value'] }
}
export class Upper {
  apply({ value }) { return [value.toUpperCase()] }
}
`

const LOG = `
bolts:
  - {id: log, className: org.apache.storm.flux.wrappers.bolts.LogInfoBolt}
streams:
  - {from: s, to: log, grouping: {type: SHUFFLE}}
`

const SPOUT = `
  - id: config
    className: org.apache.storm.kafka.spout.KafkaSpoutConfig
    constructorArgs: [{ref: builder}]
spouts:
  - id: s
    className: org.apache.storm.kafka.spout.KafkaSpout
    constructorArgs: [{ref: config}]
${LOG}`

test('the example loads, and its spout says what a view of the lag asks for', async t => {
  const { topology, notices } = await loadFlux(EXAMPLE, {
    properties: {
      'kafka.servers': 'a:1,b:2',
      'kafka.from': 'lines',
      'kafka.to': 'turned',
      'kafka.group': 'g',
    },
  })
  t.deepEqual(notices, [])
  const [lines, , out] = topology.components
  t.like(lines!.config, {
    'config.topics': 'lines',
    'config.groupid': 'g',
    'config.bootstrap.servers': 'a:1,b:2',
  })
  t.deepEqual(lines!.streams.get('default')!.fields, [
    'topic',
    'partition',
    'offset',
    'key',
    'value',
  ])
  t.is(out!.implementation.kind, 'bolt')
  t.is(out!.streams.size, 0)
})

test('a builder takes topics, filters and patterns, and a translator in TypeScript', async t => {
  const topology = await load(
    t,
    `
name: n
components:
  - {id: pattern, className: java.util.regex.Pattern, factory: compile, factoryArgs: ["log-.*"]}
  - id: filter
    className: org.apache.storm.kafka.spout.subscription.PatternTopicFilter
    constructorArgs: [{ref: pattern}]
  - id: partitioner
    className: org.apache.storm.kafka.spout.subscription.RoundRobinManualPartitioner
  - {id: only-value, className: ./value.js#OnlyValue}
  - id: builder
    className: org.apache.storm.kafka.spout.KafkaSpoutConfig$Builder
    constructorArgs: ["a:1", {ref: filter}, {ref: partitioner}]
    properties:
      - {name: firstPollOffsetStrategy, value: EARLIEST}
      - {name: recordTranslator, ref: only-value}
      - {name: processingGuarantee, value: AT_MOST_ONCE}
      - {name: groupId, value: g}
${SPOUT}`,
  )
  const { config, streams } = topology.components[0]!
  t.like(config, { 'config.topics': 'log-.*', 'config.groupid': 'g' })
  t.deepEqual(streams.get('default')!.fields, ['value'])
})

test('the factory of KafkaSpoutConfig makes a builder, and translators go by topic and stream', async t => {
  const topology = await load(
    t,
    `
name: n
components:
  - {id: upper, className: ./value.js#Upper}
  - {id: fields, className: org.apache.storm.tuple.Fields, constructorArgs: [[up]]}
  - id: simple
    className: org.apache.storm.kafka.spout.SimpleRecordTranslator
    constructorArgs: [{ref: upper}, {ref: fields}, loud]
  - {id: default, className: org.apache.storm.kafka.spout.DefaultRecordTranslator}
  - id: by-topic
    className: org.apache.storm.kafka.spout.ByTopicRecordTranslator
    constructorArgs: [{ref: default}]
    configMethods:
      - {name: forTopic, args: [shout, {ref: simple}]}
  - id: builder
    className: org.apache.storm.kafka.spout.KafkaSpoutConfig
    factory: builder
    factoryArgs: ["a:1", [quiet, shout]]
    configMethods:
      - {name: setProp, args: [group.id, g]}
      - {name: setRecordTranslator, args: [{ref: by-topic}]}
${SPOUT}`,
  )
  const { streams } = topology.components[0]!
  t.deepEqual(
    [...streams].map(([name, { fields }]) => [name, fields.length]),
    [
      ['default', 5],
      ['loud', 1],
    ],
  )
})

test('the older spout loads as it stands', async t => {
  for (const prefix of ['org.apache.storm.kafka', 'storm.kafka']) {
    const topology = await load(
      t,
      `
name: n
components:
  - {id: scheme, className: ${prefix}.StringScheme}
  - {id: multi, className: backtype.storm.spout.SchemeAsMultiScheme, constructorArgs: [{ref: scheme}]}
  - {id: hosts, className: ${prefix}.ZkHosts, constructorArgs: ["zk:2181"]}
  - id: config
    className: ${prefix}.SpoutConfig
    constructorArgs: [{ref: hosts}, words, /kafka, reader]
    properties:
      - {name: scheme, ref: multi}
      - {name: ignoreZkOffsets, value: true}
spouts:
  - {id: s, className: ${prefix}.KafkaSpout, constructorArgs: [{ref: config}]}
${LOG}`,
    )
    const { streams, config } = topology.components[0]!
    t.deepEqual(streams.get('default')!.fields, ['str'])
    t.is(config['config.groupid'], 'reader')
  }
})

test('all mistakes of a spout and a bolt are told, each with its place', async t => {
  const error = await t.throwsAsync(
    load(
      t,
      `
name: n
components:
  - {id: other, className: java.util.ArrayList}
  - id: builder
    className: org.apache.storm.kafka.spout.KafkaSpoutConfig$Builder
    constructorArgs: ["a:1", [words]]
    properties:
      - {name: firstPollOffsetStrategy, value: UNCOMMITED_EARLIEST}
    configMethods:
      - {name: setProp, args: [{value.deserializer: com.shop.OrderDeserializer}]}
  - id: config
    className: org.apache.storm.kafka.spout.KafkaSpoutConfig
    constructorArgs: [{ref: builder}]
spouts:
  - id: s
    className: org.apache.storm.kafka.spout.KafkaSpout
    constructorArgs: [{ref: config}]
bolts:
  - id: out
    className: org.apache.storm.kafka.bolt.KafkaBolt
    configMethods:
      - {name: withTupleToKafkaMaper, args: [{ref: other}]}
streams:
  - {from: s, to: out, grouping: {type: SHUFFLE}}
`,
    ),
  )
  const { message } = error!
  t.regex(message, /topology\.yaml:17:\d+: group\.id is missing/)
  t.regex(
    message,
    /firstPollOffsetStrategy is UNCOMMITED_EARLIEST \(did you mean UNCOMMITTED_EARLIEST\?\)/,
  )
  t.regex(message, /value\.deserializer is the Java class com\.shop\.OrderDeserializer .*sidecar/)
  t.regex(
    message,
    /no method "withTupleToKafkaMaper" here \(did you mean "withTupleToKafkaMapper"\?\)/,
  )
})
