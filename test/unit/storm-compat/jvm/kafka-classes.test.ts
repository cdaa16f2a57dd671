// Kafka components of Storm's own, out of the Java stream: their configuration as one plain value.

import test from 'ava'
import type { KafkaComponent } from '../../../../storm-compat/jvm/kafka-classes.ts'
import { readJavaComponent } from '../../../../storm-compat/jvm/shell-classes.ts'
import { fixture, linesWith } from './_fixtures.ts'

function kafka(line: string, name: string): KafkaComponent {
  const read = readJavaComponent(fixture(line, name))
  if (!('kafka' in read)) throw new Error(`${line}/${name} is no Kafka component`)
  return read.kafka
}

test('a KafkaSpout is its configuration, by the names that it has in Java', t => {
  t.deepEqual(linesWith('kafka-spout'), ['1.2.4', '2.8.1'])
  for (const line of ['1.2.4', '2.8.1']) {
    const { kind, config } = kafka(line, 'kafka-spout')
    t.is(kind, 'spout')
    t.like(config, {
      firstPollOffsetStrategy: 'UNCOMMITTED_EARLIEST',
      processingGuarantee: 'NO_GUARANTEE',
      offsetCommitPeriodMs: 10_000,
      maxUncommittedOffsets: 250,
      pollTimeoutMs: 200,
      emitNullTuples: false,
    })
    t.like(config.kafkaProps, {
      'bootstrap.servers': 'one:9092,two:9092',
      'group.id': 'readers',
      'max.poll.records': 200,
      'enable.auto.commit': false,
    })
    t.like(config.retryService, {
      class: 'org.apache.storm.kafka.spout.KafkaSpoutRetryExponentialBackoff',
      maxRetries: 7,
      maxDelay: { length: 10, lengthNanos: 10_000_000_000, timeUnit: 'SECONDS' },
    })
  }
})

test("topics are named or a pattern, and a user's translator is named", t => {
  const filter = kafka('2.8.1', 'kafka-spout').config.topicFilter
  t.like(filter, { topics: ['words', 'lines'] })
  const subscription = kafka('1.2.4', 'kafka-spout').config.subscription
  t.like(subscription, { partitionFilter: { topics: ['words', 'lines'] } })
  for (const line of ['1.2.4', '2.8.1']) {
    t.deepEqual(kafka(line, 'kafka-spout').config.translator, {
      class: 'org.apache.storm.kafka.spout.SimpleRecordTranslator',
      fields: ['word'],
      func: { class: 'gearpump.fixture.MakeKafka$Upper', superNames: [] },
      stream: 'words',
    })
    const byPattern = kafka(line, 'kafka-spout-pattern').config
    const found = (byPattern.topicFilter ??
      (byPattern.subscription as { partitionFilter: object }).partitionFilter) as object
    t.like(found, { pattern: { class: 'java.util.regex.Pattern', pattern: 'log-.*', flags: 0 } })
    const { func } = byPattern.translator as { func: { class: string; method: string } }
    t.is(func.class, 'java.lang.invoke.SerializedLambda')
    t.regex(func.method, /^gearpump\.fixture\.MakeKafka::lambda\$byPattern\$/)
  }
})

test('a KafkaBolt is its mapper, selector and producer properties', t => {
  for (const line of ['1.2.4', '2.8.1']) {
    const { kind, config } = kafka(line, 'kafka-bolt')
    t.is(kind, 'bolt')
    t.like(config, {
      async: true,
      fireAndForget: true,
      boltSpecifiedProperties: { 'bootstrap.servers': 'one:9092', acks: 'all' },
      mapper: { boltKeyField: 'word', boltMessageField: 'count' },
      topicSelector: { topicName: 'counts' },
    })
  }
})

test('a spout that keeps offsets in ZooKeeper is told from the newer one', t => {
  t.deepEqual(linesWith('old-kafka-spout'), ['0.10.2', '1.2.4'])
  for (const line of ['0.10.2', '1.2.4']) {
    const { kind, config } = kafka(line, 'old-kafka-spout')
    t.is(kind, 'zookeeper-spout')
    t.like(config, {
      topic: 'words',
      id: 'reader',
      zkRoot: '/offsets',
      zkServers: ['zk1', 'zk2'],
      zkPort: 2181,
      startOffsetTime: -1,
      ignoreZkOffsets: true,
      maxOffsetBehind: 9223372036854775807n,
      hosts: { brokerZkStr: 'zk1:2181,zk2:2181', brokerZkPath: '/brokers' },
    })
    const { scheme } = config.scheme as { scheme: { class: string } }
    t.regex(scheme.class, /storm\.kafka\.StringScheme$/)
    t.is(kafka(line, 'old-kafka-bolt').kind, 'bolt')
  }
})
