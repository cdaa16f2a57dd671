// Kafka components out of real Java bytes: which of them run here, with which options, and why others stay Java.
import test from 'ava'
import type { KafkaComponent } from '../../../../storm-compat/jvm/kafka-classes.ts'
import { readJavaComponent, shellOrClass } from '../../../../storm-compat/jvm/shell-classes.ts'
import { nativeKafka } from '../../../../storm-compat/kafka/java-components.ts'
import { spoutSettings } from '../../../../storm-compat/kafka/spout-options.ts'
import { fixture } from '../jvm/_fixtures.ts'

function read(line: string, name: string): KafkaComponent {
  const found = readJavaComponent(fixture(line, name))
  if (!('kafka' in found)) throw new Error(`${line}/${name} is no Kafka component`)
  return found.kafka
}

/** The spout of the fixture with Storm's own translator. */
function plainSpout(line: string, name = 'kafka-spout'): KafkaComponent {
  const component = read(line, name)
  const translator = { class: 'org.apache.storm.kafka.spout.DefaultRecordTranslator' }
  return { ...component, config: { ...component.config, translator } }
}

test('a spout of either line keeps its topics, group, guarantee and retries', t => {
  for (const line of ['1.2.4', '2.8.1']) {
    const made = nativeKafka(plainSpout(line))
    if (!('native' in made) || made.native.kind !== 'kafka-spout')
      return t.fail(JSON.stringify(made))
    const { settings } = spoutSettings(made.native.options)
    t.like(settings, {
      topics: ['words', 'lines'],
      groupId: 'readers',
      guarantee: 'NO_GUARANTEE',
      offsetCommitPeriodMs: 10_000,
      maxUncommittedOffsets: 250,
      retry: { initialDelayMs: 0.5, delayPeriodMs: 2, maxRetries: 7, maxDelayMs: 10_000 },
    })
    t.is(settings.fetch.recordsMax, 200)
  }
})

test('a pattern of topics is a pattern', t => {
  for (const line of ['1.2.4', '2.8.1']) {
    const made = nativeKafka(plainSpout(line, 'kafka-spout-pattern'))
    t.like(made, { native: { options: { topics: /log-.*/ } } })
  }
})

test("a translator, mapper or listener of the user's keeps the component in Java, by name", t => {
  for (const line of ['1.2.4', '2.8.1']) {
    t.deepEqual(shellOrClass(fixture(line, 'kafka-spout')), {
      java: 'org.apache.storm.kafka.spout.KafkaSpout: its translator is SimpleRecordTranslator with gearpump.fixture.MakeKafka$Upper',
    })
  }
  const listened = plainSpout('2.8.1')
  const tupleListener = { class: 'com.shop.Listener', superNames: [] }
  t.deepEqual(nativeKafka({ ...listened, config: { ...listened.config, tupleListener } }), {
    java: 'its tuple listener is com.shop.Listener',
  })
  const bolt = read('2.8.1', 'kafka-bolt')
  const mapper = { class: 'com.shop.Mapper', superNames: [] }
  t.deepEqual(nativeKafka({ ...bolt, config: { ...bolt.config, mapper } }), {
    java: 'its mapper is com.shop.Mapper',
  })
})

test('what only Java can read keeps the component in Java as well', t => {
  const spout = plainSpout('2.8.1')
  const kafkaProps = {
    ...(spout.config.kafkaProps as object),
    'security.protocol': 'SSL',
    'ssl.truststore.location': '/etc/trust.jks',
  }
  const made = nativeKafka({ ...spout, config: { ...spout.config, kafkaProps } })
  t.regex('java' in made ? made.java : '', /ssl\.truststore\.location is a store of Java/)
})

test('a bolt keeps its mapper, topic and properties', t => {
  for (const line of ['1.2.4', '2.8.1']) {
    t.deepEqual(shellOrClass(fixture(line, 'kafka-bolt')), {
      native: {
        kind: 'kafka-bolt',
        options: {
          properties: { 'bootstrap.servers': 'one:9092', acks: 'all' },
          async: true,
          fireAndForget: true,
          topicSelector: { topic: 'counts' },
          mapper: { keyField: 'word', messageField: 'count' },
        },
      },
    })
  }
})

test('the spout that used ZooKeeper takes its brokers from a setting and its id as group', t => {
  for (const line of ['0.10.2', '1.2.4']) {
    t.like(shellOrClass(fixture(line, 'old-kafka-spout')), {
      native: {
        kind: 'kafka-spout',
        options: {
          serversFromConf: true,
          topics: ['words'],
          groupId: 'reader',
          firstPollOffsetStrategy: 'LATEST',
          offsetCommitPeriodMs: 2000,
          translator: { scheme: 'text', stream: 'default' },
        },
      },
    })
  }
})
