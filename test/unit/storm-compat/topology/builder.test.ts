import test from 'ava'
import { UserError } from 'gearpump/spi'
import type {
  BasicBolt,
  OutputFieldsDeclarer,
  Spout,
} from '../../../../storm-compat/component/api.ts'
import {
  shellBolt,
  shellSpout,
  TopologyBuilder,
} from '../../../../storm-compat/topology/builder.ts'

const nothing = () => undefined

class Words implements Spout {
  static made = 0
  constructor() {
    Words.made++
  }
  open = nothing
  nextTuple = nothing
  declareOutputFields({ declare, declareStream }: OutputFieldsDeclarer): void {
    declare(['word'])
    declareStream('late', ['word', 'when'], true)
  }
  getComponentConfiguration() {
    return { 'words.from': 'class', 'words.kept': true }
  }
}

const sink: BasicBolt = { basic: true, execute: nothing, declareOutputFields: nothing }

test('a topology is built with the method names of Storm', t => {
  const builder = new TopologyBuilder()
  builder
    .setSpout('words', () => new Words(), 2)
    .addConfiguration('words.from', 'declarer')
    .setMaxSpoutPending(10)
    .setMaxTaskParallelism(4)
    .setNumTasks(3)
  builder
    .setBolt(
      'split',
      shellBolt(['python3', 'split.py'], { default: ['w'], bad: { fields: [], direct: true } }),
    )
    .shuffleGrouping('words')
    .directGrouping('words', 'late')
  builder
    .setBolt('sink', () => sink, 5)
    .fieldsGrouping('words', ['word'])
    .fieldsGrouping('words', 'late', ['when'])
    .partialKeyGrouping('split', ['w'])
    .customGrouping('split', 'bad', () => ({ chooseTasks: () => [] }))
    .addConfigurations({ a: 1, b: 2 })
    .setDebug(true)
  const topology = builder.createTopology('wc', { 'topology.workers': 2 })

  t.is(topology.name, 'wc')
  t.deepEqual(topology.config, { 'topology.workers': 2 })
  const [words, split, last] = topology.components
  t.like(words, { kind: 'spout', parallelismHint: 2, numTasks: 3 })
  t.deepEqual(words?.config, {
    'words.from': 'declarer',
    'words.kept': true,
    'topology.max.spout.pending': 10,
    'topology.max.task.parallelism': 4,
  })
  t.deepEqual(words?.streams.get('late'), { fields: ['word', 'when'], direct: true })
  t.is(Words.made, 1, 'one instance was made, to declare')
  const made = words?.implementation.kind === 'spout' && words.implementation.create()
  t.true(made instanceof Words)

  t.deepEqual(split?.implementation, {
    kind: 'shell',
    command: ['python3', 'split.py'],
    env: {},
    changeChildCwd: true,
  })
  t.deepEqual(split?.streams.get('bad'), { fields: [], direct: true })
  t.deepEqual(
    split?.inputs.map(i => [i.stream, i.grouping.type]),
    [
      ['default', 'shuffle'],
      ['late', 'direct'],
    ],
  )
  t.deepEqual(last?.config, { a: 1, b: 2, 'topology.debug': true })
  t.deepEqual(
    last?.inputs.map(i => [i.component, i.stream, i.grouping.type]),
    [
      ['words', 'default', 'fields'],
      ['words', 'late', 'fields'],
      ['split', 'default', 'partialKey'],
      ['split', 'bad', 'custom'],
    ],
  )
})

test('the other groupings keep their names', t => {
  const builder = new TopologyBuilder()
  builder.setSpout('s', shellSpout(['run'], { default: ['a'], b: [], c: [], d: [], e: [] }))
  builder
    .setBolt(
      'x',
      shellBolt(['run'], [], { env: { A: '1' }, changeChildCwd: false, config: { k: 1 } }),
    )
    .allGrouping('s')
    .globalGrouping('s', 'b')
    .noneGrouping('s', 'c')
    .localOrShuffleGrouping('s', 'd')
  const x = builder.createTopology('t').components[1]
  t.deepEqual(
    x?.inputs.map(i => i.grouping.type),
    ['all', 'global', 'none', 'localOrShuffle'],
  )
  t.like(x?.implementation, { env: { A: '1' }, changeChildCwd: false })
  t.deepEqual(x?.config, { k: 1 })
})

test('what is wrong is told at once, with what components throw while they declare', t => {
  const builder = new TopologyBuilder()
  builder.setSpout('s', () => {
    throw new Error('no file')
  })
  builder.setBolt('s', () => ({}) as BasicBolt).shuffleGrouping('x')
  builder.setBolt('twice', () => ({
    ...sink,
    declareOutputFields({ declare }: OutputFieldsDeclarer) {
      declare(['a'])
      declare(['b'])
    },
  }))
  const error = t.throws(() => builder.createTopology('t'), { instanceOf: UserError })
  t.is(error?.code, 'TOPOLOGY_INVALID')
  t.deepEqual(
    error?.problems.map(p => p.message),
    [
      'spout "s" cannot declare its outputs: no file',
      'the factory of "s" does not make a bolt',
      'bolt "twice" cannot declare its outputs: stream "default" is declared twice',
      'the id "s" is taken by another spout',
      '"s" subscribes to component "x", which does not exist',
    ],
  )
})
