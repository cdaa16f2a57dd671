// completeTopology: mocked spouts in, tuples of every component out.

import test from 'ava'
import { EngineError } from 'gearpump'
import {
  type BasicBolt,
  type Bolt,
  FailedException,
  type OutputCollector,
  type Spout,
  type StormTopology,
  TopologyBuilder,
  type Tuple,
} from 'gearpump/storm'
import { ManualEnvironment } from 'gearpump/testing'
import { completeTopology } from '../../../storm-compat/testing.ts'

const lines = (): Spout => ({
  open: () => {
    throw new Error('not in a test')
  },
  nextTuple: () => undefined,
  declareOutputFields: declarer => {
    declarer.declare(['line'])
    declarer.declareStream('notes', ['note'])
  },
})

const split = (): BasicBolt => ({
  basic: true,
  execute: (tuple, collector) => {
    const line = String(tuple.get('line'))
    if (line === 'bad') throw new FailedException('bad')
    for (const word of line.split(' ')) collector.emit([word])
  },
  declareOutputFields: declarer => declarer.declare(['word']),
})

class Count implements Bolt {
  readonly #counts = new Map<string, number>()
  #collector!: OutputCollector
  readonly #acks: boolean

  constructor(acks = true) {
    this.#acks = acks
  }

  prepare(_conf: unknown, _context: unknown, collector: OutputCollector): void {
    this.#collector = collector
  }

  execute(tuple: Tuple): void {
    const word = String(tuple.get('word'))
    this.#counts.set(word, (this.#counts.get(word) ?? 0) + 1)
    this.#collector.emit([word, this.#counts.get(word)], tuple)
    if (this.#acks) this.#collector.ack(tuple)
  }

  declareOutputFields(declarer: { declare(fields: readonly string[]): void }): void {
    declarer.declare(['word', 'count'])
  }
}

function wordCount(count = () => new Count(), tasks = 1): StormTopology {
  const builder = new TopologyBuilder()
  builder.setSpout('lines', lines, tasks)
  builder.setBolt('split', split, tasks).shuffleGrouping('lines')
  builder.setBolt('count', count, tasks).fieldsGrouping('split', ['word'])
  return builder.createTopology('wc')
}

test('tuples of every component are seen, those of the last one too', async t => {
  const done = await completeTopology(wordCount(), {
    mockSources: { lines: [['to be'], ['or not to be']] },
  })
  t.deepEqual(done.tuples('lines'), [['to be'], ['or not to be']])
  t.deepEqual(done.tuples('split'), [['to'], ['be'], ['or'], ['not'], ['to'], ['be']])
  t.deepEqual(done.tuples('count').at(-1), ['be', 2])
  t.deepEqual(done.failed, [])
  t.is(done.figures.acked, 2)
})

test('tuples that fail are shown', async t => {
  const done = await completeTopology(wordCount(), { mockSources: { lines: [['a'], ['bad']] } })
  t.deepEqual(done.failed, [['bad']])
  t.is(done.figures.failed, 1)
})

test('tuples are given by stream, and dealt out to several tasks', async t => {
  const given = Array.from({ length: 20 }, (_, i) => [`w${i % 4}`])
  const done = await completeTopology(wordCount(undefined, 3), {
    mockSources: { lines: { default: given, notes: [['x']] } },
  })
  t.is(done.tuples('lines').length, 20)
  t.deepEqual(done.tuples('lines', 'notes'), [['x']])
  t.deepEqual(
    done
      .tuples('count')
      .filter(([, count]) => count === 5)
      .map(([word]) => word)
      .sort(),
    ['w0', 'w1', 'w2', 'w3'],
  )
  t.is(done.figures.acked, 21)
})

test('an unknown spout, or component, is refused with the nearest name', async t => {
  const error = await t.throwsAsync<EngineError>(
    completeTopology(wordCount(), { mockSources: { line: [] } }),
  )
  t.regex(error!.message, /mockSources\.line.*did you mean "lines"/s)
  const done = await completeTopology(wordCount(), { mockSources: { lines: [] } })
  t.throws(() => done.tuples('splt'), { instanceOf: EngineError })
})

test('a topology that does not come to its end is given up', async t => {
  const environment = new ManualEnvironment()
  const error = await t.throwsAsync<EngineError>(
    environment.awaiting(
      completeTopology(
        wordCount(() => new Count(false)),
        {
          mockSources: { lines: [['a']] },
          withinMs: 3000,
          environment,
        },
      ),
    ),
  )
  t.regex(error!.message, /within 3000 ms/)
})

test('time-outs pass in virtual time', async t => {
  const environment = new ManualEnvironment()
  const done = await environment.awaiting(
    completeTopology(
      wordCount(() => new Count(false)),
      {
        mockSources: { lines: [['a']] },
        config: { 'topology.message.timeout.secs': 1 },
        withinMs: 50_000,
        environment,
      },
    ),
  )
  t.deepEqual(done.failed, [['a']])
})
