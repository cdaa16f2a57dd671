// What the tasks of a topology count by themselves, over a whole run: exact by stream, input and outcome.
import test from 'ava'
import { connect } from 'gearpump'
import {
  type BasicBolt,
  type Bolt,
  FailedException,
  type OutputCollector,
  type Spout,
  type SpoutOutputCollector,
  type Tuple,
} from '../../../../storm-compat/component/api.ts'
import { BoltTally, SpoutTally, samplingOf } from '../../../../storm-compat/component/tally.ts'
import {
  componentStatistics,
  rowsOf,
  totalsOf,
} from '../../../../storm-compat/nimbus/statistics.ts'
import type { Topology } from '../../../../storm-compat/nimbus/topology.ts'
import { WindowedRows } from '../../../../storm-compat/nimbus/windows.ts'
import { TopologyBuilder } from '../../../../storm-compat/topology/builder.ts'
import { translate } from '../../../../storm-compat/translate/translate.ts'

const TUPLES = 100

/** Emits numbers, each on `evens` as well when it is even; replays what failed. */
class Numbers implements Spout {
  #collector!: SpoutOutputCollector
  #next = 0
  readonly #again: number[] = []
  readonly told: unknown[]

  constructor(told: unknown[]) {
    this.told = told
  }

  declareOutputFields(declarer: { declareStream(id: string, fields: string[]): void }): void {
    declarer.declareStream('default', ['n'])
    declarer.declareStream('evens', ['n'])
  }

  open(_conf: unknown, _context: unknown, collector: SpoutOutputCollector): void {
    this.#collector = collector
  }

  nextTuple(): void {
    const again = this.#again.pop()
    if (again !== undefined) {
      this.#collector.emit([again], again)
      return
    }
    if (this.#next === TUPLES) {
      this.#collector.exhausted()
      return
    }
    const n = this.#next++
    this.#collector.emit([n], n)
    if (n % 2 === 0) this.#collector.emit([n], `even ${n}`, 'evens')
  }

  ack(id: unknown): void {
    this.told.push(id)
  }

  fail(id: unknown): void {
    this.#again.push(id as number)
  }
}

/** Acks what comes, twice; fails number 7 once, whichever of its tasks gets it. */
class Careful implements Bolt {
  #collector!: OutputCollector
  readonly #once: { failed: boolean }

  constructor(once: { failed: boolean }) {
    this.#once = once
  }

  prepare(_conf: unknown, _context: unknown, collector: OutputCollector): void {
    this.#collector = collector
  }

  execute(tuple: Tuple): void {
    if (tuple.get('n') === 7 && !this.#once.failed) {
      this.#once.failed = true
      this.#collector.fail(tuple)
      this.#collector.ack(tuple)
      return
    }
    this.#collector.emit([tuple.get('n')], tuple)
    this.#collector.ack(tuple)
    this.#collector.ack(tuple)
  }

  declareOutputFields(declarer: { declare(fields: string[]): void }): void {
    declarer.declare(['n'])
  }
}

/** A basic bolt that fails number 8 once. */
class Plain implements BasicBolt {
  readonly basic = true
  #failed = false

  execute(tuple: Tuple): void {
    if (tuple.get('n') !== 8 || this.#failed) return
    this.#failed = true
    throw new FailedException()
  }

  declareOutputFields(): void {
    return
  }
}

test('emits, transfers, inputs and roots are counted exactly, by stream and by input', async t => {
  const told: unknown[] = []
  const builder = new TopologyBuilder()
  builder.setSpout('numbers', () => new Numbers(told))
  const once = { failed: false }
  const careful = builder.setBolt('careful', () => new Careful(once), 2)
  careful.shuffleGrouping('numbers').shuffleGrouping('numbers', 'evens')
  builder.setBolt('plain', () => new Plain(), 3).allGrouping('careful')
  const topology = builder.createTopology('counted', { 'topology.stats.sample.rate': 1 })
  const gear = await connect()
  t.teardown(() => gear.close())
  const { application } = translate(topology, { resources: '.', pidDir: '.', startedMs: 0 })
  const app = await gear.submit(application)
  await app.drained({ idleMs: 50 })
  const windows = new WindowedRows()
  windows.take(0, rowsOf(await app.info()))
  const read = (id: string) => {
    const component = topology.components.find(each => each.id === id)!
    return componentStatistics({ windows } as Topology, component, ':all-time')
  }

  const spout = read('numbers')
  const careful2 = read('careful')
  const plain = totalsOf(read('plain'))
  const failed = totalsOf(spout).failed
  t.is(totalsOf(spout).acked, told.length)
  t.is(totalsOf(spout).emitted, told.length + failed)
  t.like(spout.streams[1], { stream: 'evens', emitted: TUPLES / 2 })
  t.is(spout.streams[1]!.acked + spout.streams[1]!.failed, TUPLES / 2)
  t.true(told.includes('even 0'), 'the id is given back as it was')
  t.true(spout.streams[0]!.completeMs.count > 0 && spout.streams[0]!.completeMs.sum > 0)
  t.is(totalsOf(spout).transferred, totalsOf(spout).emitted)

  t.deepEqual(
    careful2.inputs.map(({ source }) => source.streamId),
    ['default', 'evens'],
  )
  const total = totalsOf(careful2)
  t.is(total.executed, totalsOf(spout).emitted)
  t.is(total.acked, total.executed - 1, 'a second ack counts for nothing')
  t.is(total.failed, 1)
  t.is(total.emitted, total.acked)
  t.is(total.transferred, 3 * total.emitted, 'all three tasks of plain get it')
  t.true(careful2.inputs[0]!.executeMs.count > 0)
  t.true(careful2.inputs[0]!.processMs.count > 0)

  t.is(plain.executed, total.transferred)
  t.is(plain.failed, 3)
  t.is(plain.acked, plain.executed - 3)
  t.is((await app.info()).tallies?.length, 6)
})

test('one root in so many is timed, one at a time, and one that failed or was forgotten is let go', t => {
  const shape = { kind: 'spout', streams: new Map([['default', {}]]), inputs: [] } as never
  const tally = new SpoutTally(shape, 2)
  t.false(tally.watches)
  tally.begin(1)
  tally.begin(2)
  t.true(tally.watches)
  tally.acked(2)
  t.is(tally.counts[5], 0, '1 is the one that is timed, and is open')
  tally.failed(1)
  t.false(tally.watches)
  tally.begin(3)
  tally.acked(3)
  t.is(tally.counts[5], 1)
  tally.begin(4)
  tally.forgotten()
  t.false(tally.watches)
  tally.begin(undefined)
  t.is(tally.left, 1, 'a root that nobody hears of is not timed: the next one is')
})

test('samples are taken less often while tuples come fast, and as often as wanted when they come slowly', t => {
  const shape = { kind: 'bolt', streams: new Map(), inputs: [{}] } as never
  const tally = new BoltTally(shape, 20, false)
  let nowMs = 1000
  const next = (gapMs: number) => {
    nowMs += gapMs
    tally.begin({}, nowMs)
    return tally.left
  }
  t.is(next(1000), 20)
  t.deepEqual([next(1), next(1), next(0.1)], [40, 80, 160])
  t.is(next(5), 160, 'this is the right pace')
  t.deepEqual([next(50), next(50), next(50), next(50)], [80, 40, 20, 20])
  for (let i = 0; i < 30; i++) next(0)
  t.is(tally.left, 20 * 256)
})

test('the rate of samples is the topology’s', t => {
  t.is(samplingOf({ 'topology.stats.sample.rate': 0.05 }), 20)
  t.is(samplingOf({ 'topology.stats.sample.rate': 1 }), 1)
  t.is(samplingOf({ 'topology.stats.sample.rate': 'often' }), 20)
  t.is(samplingOf({}), 20)
})
