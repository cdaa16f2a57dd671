import test from 'ava'
import { type ReadOptions, readTopology } from '../../../../storm-compat/nimbus/topology-reader.ts'
import type { ComponentObject, Grouping } from '../../../../storm-compat/thrift/storm-topology.ts'

/** The begin of a java.io stream that holds an object of a class. */
const javaObject = (name: string) => {
  const head = Buffer.from('aced00057372', 'hex')
  const length = Buffer.alloc(2)
  length.writeUInt16BE(name.length)
  return Buffer.concat([head, length, Buffer.from(name), Buffer.alloc(8)])
}

const split: ComponentObject = {
  kind: 'shell',
  value: { execution_command: 'streamparse_run', script: '-s json bolts.Split' },
}
const streams = new Map([['default', { output_fields: ['word', 'count'], direct: false }]])
const words = {
  spout_object: { kind: 'shell', value: { execution_command: 'words' } },
  common: { inputs: [], streams },
} as const

function read(bolt: ComponentObject, grouping: Grouping, more: Partial<ReadOptions> = {}) {
  return readTopology({
    name: 'wc',
    jsonConf: '{"topology.workers":2}',
    message: {
      spouts: new Map([['words', words]]),
      bolts: new Map([
        [
          'split',
          {
            bolt_object: bolt,
            common: {
              inputs: [[{ componentId: 'words', streamId: 'default' }, grouping]],
              streams: new Map(),
              parallelism_hint: 3,
              json_conf: '{"topology.tasks":6}',
            },
          },
        ],
      ]),
      state_spouts: new Map(),
    },
    ...more,
  })
}

test('a shell component is exactly its two words, with its streams, hint and conf', t => {
  const { topology, problems } = read(split, { kind: 'fields', value: ['word'] })
  t.deepEqual(problems, [])
  t.deepEqual(topology.config, { 'topology.workers': 2 })
  const [spout, bolt] = topology.components
  t.like(spout, { id: 'words', kind: 'spout', parallelismHint: 1, config: {} })
  t.like(spout?.implementation, { kind: 'shell', command: ['words'] })
  t.deepEqual(spout?.streams.get('default'), { fields: ['word', 'count'], direct: false })
  t.like(bolt, { id: 'split', kind: 'bolt', parallelismHint: 3, config: { 'topology.tasks': 6 } })
  t.like(bolt?.implementation, { command: ['streamparse_run', '-s json bolts.Split'] })
  t.like(bolt?.inputs[0], { component: 'words', stream: 'default' })
})

test('the log-in for ZooKeeper that clients make up is taken out, as Storm does where none is asked for', t => {
  const conf = {
    'storm.zookeeper.topology.auth.scheme': 'digest',
    'storm.zookeeper.topology.auth.payload': '-1:2',
    'storm.zookeeper.servers': ['zk'],
  }
  const jsonConf = JSON.stringify(conf)
  const { topology } = read(split, { kind: 'shuffle', value: {} }, { jsonConf })
  t.deepEqual(topology.config, { 'storm.zookeeper.servers': ['zk'] })
})

test('every grouping of the wire has its word', t => {
  const nothing = {}
  const words: readonly [Grouping, object][] = [
    [
      { kind: 'fields', value: ['word'] },
      { type: 'fields', fields: ['word'] },
    ],
    [{ kind: 'fields', value: [] }, { type: 'global' }],
    [{ kind: 'shuffle', value: nothing }, { type: 'shuffle' }],
    [{ kind: 'all', value: nothing }, { type: 'all' }],
    [{ kind: 'none', value: nothing }, { type: 'none' }],
    [{ kind: 'direct', value: nothing }, { type: 'direct' }],
    [{ kind: 'local_or_shuffle', value: nothing }, { type: 'localOrShuffle' }],
  ]
  for (const [word, grouping] of words) {
    const { topology, problems } = read(split, word)
    t.deepEqual(topology.components[1]?.inputs[0]?.grouping as object, grouping)
    t.deepEqual(problems, [])
  }
})

test('a Java component that is a shell component runs as its command', t => {
  const java: ComponentObject = { kind: 'serialized_java', value: Buffer.of(1, 2) }
  const { topology, problems } = read(
    java,
    { kind: 'shuffle', value: {} },
    {
      readJava: bytes => ({
        shell: { command: ['python3', `${bytes.length}.py`], env: { A: 'b' } },
      }),
    },
  )
  t.deepEqual(problems, [])
  t.deepEqual(topology.components[1]?.implementation, {
    kind: 'shell',
    command: ['python3', '2.py'],
    env: { A: 'b' },
    changeChildCwd: true,
  })
})

test('everything that needs a JVM is refused by its place and class, all at once', t => {
  const java: ComponentObject = {
    kind: 'serialized_java',
    value: javaObject('org.apache.storm.topology.BasicBoltExecutor'),
  }
  const grouping: Grouping = {
    kind: 'custom_object',
    value: { full_class_name: 'com.example.Choice', args_list: [] },
  }
  const { problems } = read(java, grouping)
  t.deepEqual(
    problems.map(({ place, message }) => `${place} ${message}`),
    [
      'component split is the Java class org.apache.storm.topology.BasicBoltExecutor',
      'component split, input words/default is grouped by the Java class com.example.Choice',
    ],
  )
  const object: ComponentObject = {
    kind: 'java_object',
    value: { full_class_name: 'com.example.Bolt', args_list: [] },
  }
  const serialized: Grouping = { kind: 'custom_serialized', value: Buffer.from('what?') }
  t.deepEqual(
    read(object, serialized).problems.map(({ message }) => message),
    [
      'is the Java class com.example.Bolt',
      'is grouped by the Java class (bytes that are no Java object)',
    ],
  )
})

test('a reader of Java objects that fails is a problem of the component', t => {
  const java: ComponentObject = { kind: 'serialized_java', value: Buffer.of(1) }
  const { problems } = read(
    java,
    { kind: 'shuffle', value: {} },
    {
      readJava: () => {
        throw new Error('cut off')
      },
    },
  )
  t.is(problems[0]?.message, 'is a Java object that cannot be read: cut off')
})

test('confs that are no JSON objects, state spouts and empty commands are told', t => {
  const empty: ComponentObject = { kind: 'shell', value: {} }
  const { problems } = read(empty, { kind: 'shuffle', value: {} }, { jsonConf: '[1]' })
  t.deepEqual(
    problems.map(({ place, message }) => `${place} ${message}`),
    ['component split has an empty command', 'topology conf must be a JSON object'],
  )
  t.regex(
    read(split, { kind: 'shuffle', value: {} }, { jsonConf: '{' }).problems[0]!.message,
    /is no JSON/,
  )
  t.deepEqual(read(split, { kind: 'shuffle', value: {} }, { jsonConf: 'null' }).problems, [])
})

test('what comes with a topology and does nothing here is told', t => {
  const message = {
    spouts: new Map([['words', words]]),
    bolts: new Map(),
    state_spouts: new Map([['s', { state_spout_object: split, common: words.common }]]),
    worker_hooks: [Buffer.of(1)],
    dependency_jars: ['dep-a.jar'],
  }
  const { notices, problems } = readTopology({ name: 'wc', jsonConf: '', message })
  t.deepEqual(notices, [
    '1 worker hooks are Java objects and are not run',
    'dependencies are not used: dep-a.jar',
  ])
  t.is(problems[0]?.message, 'is a state spout')
})
